"""A pack of random files at full shapes, and the four published modes on it: `python -m tools.published.rehearsal FOLDER [--config ffhq_1024] [--frames 8]`.

Weights follow from tensors' names (`random_weights`), so what is drawn is noise; shapes, contracts, memory and seconds are those of the real files. No face is found in noise:
the graphs run as they stand, but that `mesh` looks at the bundled portrait. The inversion takes a few steps. Where frames of the published code are recorded
for the configuration, a whole `from_image` is held to them (`whole`).
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import yaml
from PIL import Image
from safetensors.torch import save_file

from . import whole

ROOT = Path(__file__).parents[2]
GRAPHS = ROOT / "graphs" / "published"
MEDIA = ROOT / "graphs" / "media"
MODES = ("from_z", "from_image", "given_poses", "video_driven")
STEPS = 2
RATE = 25  # frames a second


def graph(mode):
    """The mode's graph with the landmarks taken from the portrait."""
    made = yaml.safe_load((GRAPHS / f"{mode}.yaml").read_text())
    made["inputs"] = {"portrait": "image", **made["inputs"]}
    made["nodes"]["mesh"]["in"]["image"] = "portrait"
    return made


def media(folder, frames):
    """The beginning of the bundled speech, and as many driving pictures: the portrait, turned a little more in each."""
    with wave.open(str(MEDIA / "speech.wav")) as source:
        parameters = source.getparams()
        samples = source.readframes(frames * source.getframerate() // RATE)
    with wave.open(str(folder / "speech.wav"), "wb") as target:
        target.setparams(parameters)
        target.writeframes(samples)
    driving = folder / "driving"
    driving.mkdir()
    with Image.open(MEDIA / "portrait.png") as portrait:
        for frame in range(frames):
            portrait.rotate(frame, Image.BICUBIC).save(driving / f"{frame:03}.png")
    return {"portrait": MEDIA / "portrait.png", "speech": folder / "speech.wav", "driving": driving}


def run(binary, pack, mode, folder, inputs, device="cpu", more=()):
    """Runs a mode and gives its report; whoever reads the output sees the program's own messages. `more` are further arguments."""
    path = folder / f"{mode}.yaml"
    made = graph(mode)
    path.write_text(yaml.safe_dump(made, sort_keys=False))
    report, video = folder / f"{mode}.json", folder / f"{mode}.mp4"
    command = [binary, "run", "--quiet", path, "--pack", pack, "--device", device, "--cache", folder / "cache", "--report", report, "-o", f"video={video}"]
    command += [part for name in made["inputs"] for part in ("-i", f"{name}={inputs[name]}")]
    if "person" in made["nodes"]:
        command += ["--set", f"person.pivot_steps={STEPS}", "--set", f"person.steps={STEPS}"]
    subprocess.run(list(map(str, [*command, *more])), check=True, stdout=subprocess.DEVNULL)
    if not video.stat().st_size:
        raise SystemExit(f"{mode}: an empty video")
    return json.loads(report.read_text())


def cases(config):
    """Which recorded numbers a pack of this size is held to: all, or all but the in-painted w, recorded with the rows of 1024 px."""
    if config == "ffhq_1024":
        return []
    names = [case["name"] for case in yaml.safe_load((whole.DATA / "parity.yaml").read_text())["cases"]]
    return [part for name in names if name != "in-painting" for part in ("--case", name)]


def held(binary, pack, folder, config):
    """Holds a whole `from_image` to recorded frames; gives whether none is further off than allowed."""
    folder = folder / "whole"
    folder.mkdir()
    path, person = folder / "graph.yaml", folder / "person.safetensors"
    made = whole.graph(graph("from_image"))
    path.write_text(yaml.safe_dump(made, sort_keys=False))
    save_file(whole.person(config), person)
    inputs = media(folder, whole.FRAMES) | {"given": person}
    command = [binary, "run", "--quiet", path, "--pack", whole.classes(pack, folder), "--device", "cpu", "--cache", folder / "cache"]
    command += [part for name in made["inputs"] for part in ("-i", f"{name}={inputs[name]}")]
    command += [part for name in made["outputs"] for part in ("-o", f"{name}={folder / name}.safetensors")]
    subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
    found = whole.compare(folder, config)
    print(f"\nfrom_image beside the published code, decibels of the range; at least {whole.LEAST:g} are asked of every frame")
    for name, decibels in found.items():
        print(f"  {name}: {decibels:.1f}")
    return min(decibels for name, decibels in found.items() if name.startswith("frame")) >= whole.LEAST


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--config", default="ffhq_1024")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--modes", type=lambda text: text.split(",") if text else [], default=MODES, help="graphs to run, joined by commas; all of them if absent")
    parser.add_argument("--binary", type=Path, default=ROOT / "target" / "release" / "talkgraph")
    parser.add_argument("--setup", type=Path, default=ROOT / ".talkgraph" / "models")
    arguments = parser.parse_args()
    weights, pack = arguments.folder / f"weights-{arguments.config}", arguments.folder / f"pack-{arguments.config}"
    arguments.folder.mkdir(parents=True, exist_ok=True)
    python = [sys.executable, "-W", "ignore", "-m"]
    if not (pack / "pack.yaml").exists():
        subprocess.run([*python, "tools.published.random_weights", weights, "--config", arguments.config], check=True, cwd=ROOT)
        command = ["tools.published", "--weights", weights, "-o", pack, "--config", arguments.config, "--setup", arguments.setup, "--half"]
        subprocess.run([*python, *map(str, command)], check=True, cwd=ROOT)
    subprocess.run([arguments.binary, "parity", "--pack", pack, "--golden", whole.DATA, *cases(arguments.config)], check=True)
    scratch = Path(tempfile.mkdtemp(dir=arguments.folder))
    try:
        inputs = media(scratch, arguments.frames)
        for mode in arguments.modes:
            report = run(arguments.binary, pack, mode, scratch, inputs)
            print(f"\n{mode}: {report['wall_seconds']:.1f} s, {report['peak_rss_bytes'] / 1e9:.2f} GB")
            for node in report["nodes"]:
                if (node.get("seconds") or 0) >= 0.05:
                    print(f"  {node['id']:10} {node['type']:14} {node['status']:8} {node['seconds']:7.2f} s")
        if whole.recorded(arguments.config).exists() and not held(arguments.binary, pack, scratch, arguments.config):
            raise SystemExit("from_image: frames are too far from what the published code gave")
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    main()
