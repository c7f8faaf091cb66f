"""`python -m tools.evaluation`: see the package's own text."""

import argparse
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile
import time

from . import __doc__ as about
from . import engine as E
from . import report

PARTS = ("inversion", "full_size", "yaw", "expression", "driven", "speech", "rendered", "held_out", "render")
# Sets whose film is made: clean read speech, and the never-tuned recordings. Rendering takes most of the time.
FILMED = ("librivox", "phrases", "address")
_PICTURES = (".png", ".jpg", ".jpeg", ".webp")


def say(text):
    print(f"eval: {text}", file=sys.stderr, flush=True)


def portraits(folder, home):
    """Portraits by name: those of a folder, else the drawn one and scikit-image's astronaut (Eileen Collins, NASA, public domain)."""
    if folder:
        found = {path.stem: path for path in sorted(folder.iterdir()) if path.suffix.lower() in _PICTURES}
        if not found:
            raise SystemExit(f"eval: {folder}: no portraits\nhint: expected files ending in {', '.join(_PICTURES)}")
        return found
    from skimage import data

    astronaut = home / "evaluation" / "astronaut.png"
    if not astronaut.exists():
        import skimage.io

        astronaut.parent.mkdir(parents=True, exist_ok=True)
        skimage.io.imsave(astronaut, data.astronaut(), check_contrast=False)
    return {"drawn portrait": E.ROOT / "graphs" / "media" / "portrait.png", "astronaut": astronaut}


def plain(figures):
    """The same with numbers that JSON has: floats of four significant digits, nan as null."""
    if isinstance(figures, dict):
        return {name: plain(value) for name, value in figures.items()}
    if isinstance(figures, (int, str)) or figures is None:
        return figures
    value = float(figures)
    return float(f"{value:.4g}") if math.isfinite(value) else None


def bench(pack):
    """Speed of rendering, from a process of its own: it measures processor time."""
    with tempfile.TemporaryDirectory() as folder:
        found = pathlib.Path(folder) / "render.json"
        command = [sys.executable, "-m", "tools.pack.bench", "--pack", pack, "--json", found]
        done = subprocess.run(command, cwd=E.ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            raise OSError(done.stderr.strip().rpartition("\n")[2] or f"tools.pack.bench: exit status {done.returncode}")
        return json.loads(found.read_text())


def measure(part, arguments, engine, faces, sets):
    """The figures of one part, by key of the report."""
    first = next(iter(faces.values()))
    if part == "inversion":
        from . import inversion, likeness

        return {"inversion": inversion.measure(engine, faces, likeness.embedder())}
    if part == "full_size":
        from . import full_size

        return {"full_size": full_size.measure(engine, faces, arguments.json.parent / "full_size")}
    if part == "yaw":
        from . import likeness, yaw

        return {"yaw": yaw.measure(engine, faces, likeness.embedder())}
    if part == "expression":
        from . import expression

        return {"expression": expression.measure(engine, faces)}
    if part == "driven":
        from . import driven, likeness

        speech = arguments.voice or E.ROOT / "graphs" / "media" / "speech.wav"
        return {"driven": driven.measure(engine, faces, arguments.driving, speech, likeness.embedder())}
    if part == "speech":
        from . import speech

        return {"speech": speech.measure(engine, first, sets), "nobody": speech.nobody(engine, first)}
    if part == "rendered":
        from . import rendered

        own = set(sets) - set(arguments.installed)
        filmed = {name: clips for name, clips in sets.items() if name in FILMED or name in own}
        return {"rendered_speech": rendered.measure(engine, first, filmed)}
    if part == "held_out":
        from . import held_out

        return {"held_out": held_out.measure(engine.pack, arguments.heads, arguments.threads)}
    if part == "render":
        return {"render": bench(engine.pack)}
    raise ValueError(part)


def parse():
    parser = argparse.ArgumentParser(prog="tools.evaluation", description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=pathlib.Path, default=E.ROOT / "models" / "studio")
    parser.add_argument("--binary", type=pathlib.Path, default=E.ROOT / "target" / "release" / "talkgraph")
    parser.add_argument("--portraits", type=pathlib.Path, help="folder of pictures, in place of the default ones")
    parser.add_argument("--speech", type=pathlib.Path, help="folder of recordings, beside the default ones; NAME.txt: what NAME.wav says")
    parser.add_argument("--driving", type=pathlib.Path, help="a driving clip, beside the drawn one")
    parser.add_argument("--voice", type=pathlib.Path, help="speech of the driven videos, in place of the demo's")
    parser.add_argument("--only", default="", help=f"parts, comma-separated: {', '.join(PARTS)}")
    parser.add_argument("--heads", type=int, default=100, help="held-out heads")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--json", type=pathlib.Path, default=E.ROOT / "target" / "eval.json")
    parser.add_argument("--markdown", type=pathlib.Path, default=E.ROOT / "target" / "eval.md")
    arguments = parser.parse_args()
    wanted = [part for part in arguments.only.replace(" ", "").split(",") if part] or list(PARTS)
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"--only: no part {', '.join(sorted(unknown))}, expected some of {', '.join(PARTS)}")
    return arguments, [part for part in PARTS if part in wanted]


def main():
    arguments, wanted = parse()
    home = pathlib.Path(os.environ.get("TALKGRAPH_HOME", E.ROOT / ".talkgraph"))
    try:
        engine = E.Engine(arguments.binary, arguments.pack)
    except (E.Failed, OSError) as error:
        raise SystemExit(f"error: {error}")
    faces, sets = portraits(arguments.portraits, home), {}
    figures = json.loads(arguments.json.read_text()) if arguments.json.exists() else {}
    if {"speech", "rendered"} & set(wanted):
        from . import recordings

        sets, hints = recordings.installed(home)
        arguments.installed = list(sets)
        if arguments.speech:
            sets |= recordings.of(arguments.speech)
        for hint in hints:
            say(f"left out: {hint}")
    def keep():
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")
        arguments.markdown.write_text(report.markdown(figures))

    failed = []
    for part in wanted:
        began = time.monotonic()
        try:
            figures |= plain(measure(part, arguments, engine, faces, sets))
        except Exception as error:  # whatever ails one part, the others are still worth having
            failed.append(part)
            say(f"{part}: {error}" if isinstance(error, (E.Failed, OSError, ValueError)) else f"{part}: {error!r}")
        say(f"{part}: {time.monotonic() - began:.0f} s")
        keep()  # after every part: what was measured stays when a later part fails
    print(report.text(figures))
    say(f"{arguments.json}, {arguments.markdown}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
