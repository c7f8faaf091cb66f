"""CUDA beside the CPU, in one table: `tools/cuda/check.sh` runs it.

What every node gives on both devices and how long it takes there, the inversion, which operators the device left to the CPU and what was copied for them, what several
devices gain, frames a second of the bundled pack and of StyleNeRF with random weights at 1024 px, these in half precision too, and
what PyTorch makes of the same networks on the same device. A part that fails is told in its place, and the others go on. `--device cpu` rehearses it without a GPU.
"""

import argparse
import collections
import json
import platform
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np
import safetensors.numpy

from ..published import rehearsal

ROOT = Path(__file__).parents[2]
MEDIA = ROOT / "graphs" / "media"
HOT = 0.02  # share of a model's time from which an operator is named
NODES = ("guess", "shape", "talk", "deformed", "mouth", "frames")


class Failed(RuntimeError):
    """The program did not do what it was asked; the message is its own."""


def run(binary, *arguments):
    """The program's output."""
    done = subprocess.run(list(map(str, [binary, *arguments])), capture_output=True, text=True)
    if done.returncode:
        raise Failed(done.stderr.strip() or f"exit status {done.returncode}")
    return done.stdout


def report(binary, device, folder, graph, inputs, outputs, settings=(), further=()):
    """Runs a graph in a store of its own and gives its report."""
    path = folder / "report.json"
    arguments = ["run", "--quiet", graph, "--device", device, "--cache", folder / "cache", "--report", path, *further]
    arguments += [part for name, value in inputs.items() for part in ("-i", f"{name}={value}")]
    arguments += [part for name, value in outputs.items() for part in ("-o", f"{name}={value}")]
    run(binary, *arguments, *[part for setting in settings for part in ("--set", setting)])
    return json.loads(path.read_text())


def seconds(told):
    return {node["id"]: node.get("seconds") or 0.0 for node in told["nodes"]}


def differences(a, b):
    """The largest difference of the tensors of two files, and the least ratio of their range to the error's root mean square, in dB."""
    a, b = (safetensors.numpy.load_file(path) for path in (a, b))
    most, least = 0.0, np.inf
    for name in a:
        x, y = a[name].astype(np.float64), b[name].astype(np.float64)
        error = np.sqrt(((x - y) ** 2).mean())
        most = max(most, np.abs(x - y).max())
        if error > 0:
            least = min(least, 20 * np.log10(max(np.ptp(x), 1e-30) / error))
    return most, least


def nodes(arguments, folder):
    """What nodes give and how long they take, on the CPU and on the device; the second run finds the sessions' files warm."""
    told, files = {}, {}
    for device in ("cpu", arguments.device):
        own = folder / f"nodes-{len(told)}"
        own.mkdir()
        files[device, len(told)] = {name: own / f"{name}.safetensors" for name in NODES}
        told[device, len(told)] = report(
            arguments.binary, device, own, ROOT / "tools" / "cuda" / "person.yaml", {"speech": MEDIA / "speech.wav"}, files[device, len(told)]
        )
    (cpu, gpu), (at_cpu, at_gpu) = told.values(), files.values()
    yield ["node", "type", "CPU, s", f"{arguments.device}, s", "ratio", "largest difference", "dB of the range"]
    slow, fast = seconds(cpu), seconds(gpu)
    for node in cpu["nodes"]:
        name = node["id"]
        if slow[name] < 0.02 and name not in NODES:
            continue
        most, least = differences(at_cpu[name], at_gpu[name]) if name in NODES else ("", "")
        cells = [f"{most:.1e}", "the same" if least == np.inf else f"{least:.0f}"] if name in NODES else ["", ""]
        yield [name, node["type"], f"{slow[name]:.2f}", f"{fast[name]:.2f}", f"{slow[name] / max(fast[name], 1e-3):.1f}", *cells]
    yield ["whole", "", f"{cpu['wall_seconds']:.2f}", f"{gpu['wall_seconds']:.2f}", f"{cpu['wall_seconds'] / gpu['wall_seconds']:.1f}", "", ""]


def inversion(arguments, folder):
    """A photo's inversion and its video, at 256 px and with the photo's detail."""
    yield ["a new face", "CPU, s", f"{arguments.device}, s", "ratio"]
    told = []
    for number, device in enumerate(("cpu", arguments.device)):
        own = folder / f"inversion-{number}"
        own.mkdir()
        inputs = {"portrait": MEDIA / "portrait.png", "speech": MEDIA / "speech.wav"}
        told.append(report(arguments.binary, device, own, ROOT / "graphs" / "from_image.yaml", inputs, {"video": own / "video.mp4"}))
    slow, fast = map(seconds, told)
    for name in ("person/pti", "person/shape", "frames/render/deformed", "frames/render/mouth", "frames/render/upsample", "frames/sharp"):
        if name in slow:
            yield [name, f"{slow[name]:.2f}", f"{fast[name]:.2f}", f"{slow[name] / max(fast[name], 1e-3):.1f}"]
    yield ["whole", *(f"{one['wall_seconds']:.2f}" for one in told), f"{told[0]['wall_seconds'] / told[1]['wall_seconds']:.1f}"]


def placement(arguments, folder):
    """Where ONNX Runtime put the operators of a new face's models, and what was copied to get there and back: with the bundled pack, then with the published networks."""
    yield ["model", "runs", "seconds", "copies between host and device", "left on the CPU: operators, share of the model's time", "longest operators, wherever they are"]
    inputs = {"portrait": MEDIA / "portrait.png", "speech": MEDIA / "speech.wav"}
    path = folder / "operators.json"
    told = report(arguments.binary, arguments.device, folder, ROOT / "graphs" / "from_image.yaml", inputs, {"video": folder / "video.mp4"}, further=("--operators", path))
    yield from map(placed, json.loads(path.read_text())["models"])
    yield step(told)
    own = folder / "published"
    own.mkdir()
    flags = ["--operators", path]
    told = rehearsal.run(arguments.binary, arguments.published, "from_image", own, rehearsal.media(own, arguments.frames), arguments.device, flags)
    yield from map(placed, json.loads(path.read_text())["models"])
    yield step(told)


def placed(model):
    """A model's row, made of what `run --operators` says of it."""
    elsewhere = model["device"] != "cpu"
    left = [one for one in model["operators"] if elsewhere and one["provider"] == "CPUExecutionProvider"]
    left = ", ".join(f"{one['count']} {one['type']} {100 * one['share']:.1f} %" for one in left) or "none"
    longest = ", ".join(f"{one['type']} {100 * one['share']:.0f} %" for one in model["operators"][:3] if one["share"] >= HOT)
    return [model["model"], model["runs"], f"{model['seconds']:.2f}", model["copies"], left if elsewhere else "runs there", longest]


def step(told):
    """The row of what a step of the inversion copies."""
    copied = next(node["notes"]["copied_bytes_a_step"] for node in told["nodes"] if node["type"] == "pti")
    return ["a step of the inversion", "", "", f"{copied['given']} bytes in, {copied['taken']} out", "", ""]


def devices(arguments, folder):
    """A known face's frames on one device and on two."""
    both = pair(arguments.device)
    if both is None:
        yield ["several devices", "there is one card"]
        return
    yield ["devices", "seconds of the frames of a known face", "frames a second", "units that each ran", "video"]
    inputs = {"portrait": MEDIA / "portrait.png", "speech": MEDIA / "speech.wav"}
    graph, outputs = ROOT / "graphs" / "from_image.yaml", {"video": folder / "video.mp4"}
    first = report(arguments.binary, arguments.device, folder, graph, inputs, outputs)["outputs"]["video"]["digest"]
    for device in (arguments.device, both):
        trace = folder / "trace.json"
        told = report(arguments.binary, device, folder, graph, inputs, outputs, further=("--refresh", "frames", "--trace", trace))
        frames = next(node["notes"]["frames"] for node in told["nodes"] if node["type"] == "mux")
        same = "the same" if told["outputs"]["video"]["digest"] == first else "another"
        yield [device, f"{told['wall_seconds']:.2f}", f"{frames / told['wall_seconds']:.2f}", shares(json.loads(trace.read_text())), same]


def pair(device):
    """Two devices of the kind of one, where there are two; the CPU shares itself."""
    if device == "cpu":
        return "cpu,cpu"
    found = subprocess.run(["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"], capture_output=True, text=True).stdout.split()
    number = device.partition(":")[2] or "0"
    others = [other for other in found if other != number]
    return f"cuda:{number},{others[0]}" if others else None


def shares(trace):
    """How many units of work each of several devices ran."""
    devices = (event.get("args", {}).get("device") for event in trace["traceEvents"] if event["ph"] == "X")
    counts = collections.Counter(filter(None, devices))
    return ", ".join(f"{device} {count}" for device, count in sorted(counts.items())) or "all"


def published(arguments, folder):
    """StyleNeRF with random weights: parity with recorded numbers, and the modes."""
    pack = arguments.published
    golden = ROOT / "tests" / "data" / "published"
    faults = subprocess.run(list(map(str, [arguments.binary, "parity", "--pack", pack, "--golden", golden, "--device", arguments.device])), capture_output=True, text=True)
    yield ["parity with the published code", "passed" if faults.returncode == 0 else faults.stdout.strip() + faults.stderr.strip()]
    inputs = rehearsal.media(folder, arguments.frames)
    for mode in rehearsal.MODES:
        told = rehearsal.run(arguments.binary, pack, mode, folder, inputs, arguments.device)
        yield [f"{mode}, {arguments.frames} frames at 1024 px", f"{told['wall_seconds']:.1f} s, {arguments.frames / rendering(told):.2f} frames a second in the three rendering nodes"]


def rendering(told):
    """Seconds of the three nodes of a published mode that render."""
    return sum(seconds(told)[name] for name in ("deformed", "mouth", "frames"))


def half(arguments, folder):
    """The published networks in float32 and in half precision: what it saves and what it costs."""
    inputs = rehearsal.media(folder, arguments.frames)
    yield ["precision", "seconds of the three rendering nodes", "frames a second", "PSNR to the published code in float32, the least"]
    for precision in ("f32", "f16"):
        flags = ["--precision", precision]
        render = rendering(rehearsal.run(arguments.binary, arguments.published, "from_z", folder, inputs, arguments.device, flags))
        golden = ["parity", "--pack", arguments.published, "--golden", ROOT / "tests" / "data" / "published", "--device", arguments.device, "--json", *flags]
        told = subprocess.run(list(map(str, [arguments.binary, *golden])), capture_output=True, text=True)
        if not told.stdout:  # comparisons beyond their limits, which are those of float32, are told there too
            raise Failed(told.stderr.strip())
        yield [precision, f"{render:.2f}", f"{arguments.frames / render:.2f}", least(json.loads(told.stdout))]


def least(told):
    """The worst comparison that `parity --json` tells; equal numbers have no ratio."""
    worst = min((row for row in told["rows"] if row["psnr"] is not None), key=lambda row: row["psnr"])
    return f"{worst['psnr']:.0f} dB ({worst['case']}: {worst['output']})"


def pytorch(arguments, _):
    """StyleNeRF's synthesis in PyTorch on the device: one pass of the field and the up-sampler, where a frame has two of the field."""
    import torch

    from ..published.stylenerf.camera import rays
    from ..published.stylenerf.golden import Golden

    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    golden = Golden(1024)
    generator = golden.generator()
    c, t = generator.configuration, golden.tensors
    synthesis = generator.synthesis.to(arguments.device).eval()
    given = [tensor.to(arguments.device) for tensor in (t["ws"], t["latent2"], *rays(t["camera"], c.rays, c.fov))]

    def synchronised():
        if arguments.device != "cpu":
            torch.cuda.synchronize()
        return time.perf_counter()

    with torch.no_grad():
        synthesis(*given)
        began, count = synchronised(), 0
        while count < 3 or synchronised() - began < 5:
            synthesis(*given)
            count += 1
        yield ["PyTorch", f"{arguments.device}"]
        yield ["StyleNeRF at 1024 px, one pass", f"{count / (synchronised() - began):.2f} a second"]


PARTS = {"nodes": nodes, "inversion": inversion, "placement": placement, "devices": devices, "published": published, "half": half, "pytorch": pytorch}


def table(rows):
    """Rows as Markdown, the first one the head."""
    head, *rest = [[str(cell).replace("\n", "<br>") for cell in row] for row in rows]
    lines = [head, ["---"] * len(head), *rest]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def card(device):
    """The card's name, or the processor's."""
    if device == "cpu":
        return platform.processor() or platform.machine()
    number = device.partition(":")[2] or "0"
    asked = ["nvidia-smi", f"--id={number}", "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"]
    return subprocess.run(asked, capture_output=True, text=True).stdout.strip() or "unknown"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda:0", help="cuda:N, or cpu for a rehearsal")
    parser.add_argument("--binary", type=Path, default=ROOT / "target" / "release" / "talkgraph")
    parser.add_argument("--published", type=Path, required=True, help="a pack that `make published-test` made")
    parser.add_argument("--frames", type=int, default=8)
    parser.add_argument("--only", default=",".join(PARTS), help=f"of {', '.join(PARTS)}")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the table, Markdown")
    arguments = parser.parse_args()
    parts = [f"# {card(arguments.device)}\n"]
    for name in arguments.only.split(","):
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            try:
                parts.append(table(list(PARTS[name](arguments, Path(folder)))))
            except Exception as error:  # a part that fails must not take the others' minutes with it
                parts.append(f"{name} failed: {error}\n")
        parts[-1] += f"\n{name}: {time.perf_counter() - began:.0f} s\n"
        arguments.output.write_text("\n".join(parts))  # what is there is kept, whatever comes
        print(parts[-1], flush=True)


if __name__ == "__main__":
    main()
