"""Judges a pack's `audio2exp` on real speech, against the targets that PocketSphinx's phoneme times give.

    python -m tools.speech.evaluate models/studio [--speech NAME=FILE.wav]… [--json FILE]

Always: the LibriVox clips of Debian's `pocketsphinx-testdata` (a reader, with transcripts), as they are and made
quieter, noisy and with music; its short commands by other speakers; and what the mouth does when nobody speaks.
`--speech` adds recordings without a transcript: they are recognised first, so the targets themselves are worse.
The same figures are given for a mouth that only follows loudness.
"""

import argparse
import json
import pathlib

import numpy as np

from . import SAMPLE_RATE, SPOKEN_INDEX, align, background, measures, mel, visemes, wav
from .runner import Runner

TEST_DATA = pathlib.Path("/usr/share/pocketsphinx/test/data")
_COLUMNS = (
    "jaw", "wide", "pucker", "closure", "pbm_closed", "false_closed", "lag_frames", "loudness_only",
    "loudness_only_closure",
)  # fmt: skip


def clip(samples, text):
    """`(samples, segments, targets)` of speech that says `text`."""
    segments = align.align(align.level(samples), text)
    frames = mel.frame_count(samples)
    return samples, segments, visemes.curves(segments, len(samples) / SAMPLE_RATE)[0][:frames]


def transcribed(folder, transcript):
    """The clips of a CMU transcription file: lines of `<s> words </s> (name)`."""
    if not TEST_DATA.is_dir():
        raise FileNotFoundError(f"{TEST_DATA}: no test recordings\nhint: apt-get install pocketsphinx-testdata")
    clips = []
    for line in (TEST_DATA / folder / transcript).read_text().splitlines():
        words, name = line.rstrip(")").rsplit("(", 1)
        text = " ".join(words.replace("<s>", "").replace("</s>", "").split())
        clips.append(clip(wav.read(TEST_DATA / folder / f"{name}.wav"), text))
    return clips


def with_background(clips, sound, below, seed=3):
    """The clips with noise or music, `below` dB under the speech."""
    rng = np.random.default_rng(seed)
    mixed = []
    for samples, segments, targets in clips:
        level = np.sqrt(np.mean(samples**2)) * 10 ** (-below / 20)
        behind = sound(len(samples) / SAMPLE_RATE + 0.1, rng)[: len(samples)]
        mixed.append((samples + behind * np.float32(level / 0.1), segments, targets))
    return mixed


def at_gain(clips, decibels):
    return [(samples * np.float32(10 ** (decibels / 20)), *rest) for samples, *rest in clips]


def nobody(runner, scale, seed=4):
    """What the mouth does without speech: mean and largest jaw, mean press, in ten seconds of each sound."""
    rng = np.random.default_rng(seed)
    sounds = {
        "silence": np.zeros(10 * SAMPLE_RATE, np.float32),
        "noise at -60 dB": background.noise(10, rng) * np.float32(0.01),
        "noise at -30 dB": background.noise(10, rng) * np.float32(0.316),
        "music at -20 dB": background.music(10, rng),
    }
    report = {}
    for name, samples in sounds.items():
        spoken = runner(samples, scale=scale)[:, SPOKEN_INDEX]
        jaw, press = spoken[:, visemes.JAW], spoken[:, visemes.PRESS]
        report[name] = {"jaw": jaw.mean(), "jaw_largest": jaw.max(), "press": press.mean()}
    return {name: {key: round(float(value), 3) for key, value in row.items()} for name, row in report.items()}


def evaluate(folder, recordings, scale=1.0):
    """The whole report; `recordings`: name to path of speech without a transcript; `scale`: as the node's parameter."""
    runner = Runner(folder)
    librivox = transcribed("librivox", "transcription")
    sets = {
        "librivox": librivox,
        "librivox, 15 dB quieter": at_gain(librivox, -15),
        "librivox, noise 10 dB below": with_background(librivox, background.noise, 10),
        "librivox, music 10 dB below": with_background(librivox, background.music, 10),
        "commands": transcribed("cards", "cards.transcription"),
    }
    for name, path in recordings.items():
        samples = wav.read(path)
        sets[name] = [clip(samples, align.recognise(align.level(samples)))]
    speech = {}
    for name, clips in sets.items():
        speech[name] = measures.measure([runner(samples, scale=scale)[:, SPOKEN_INDEX] for samples, *_ in clips], clips)
    return {"speech": speech, "nobody": nobody(runner, scale)}


def table(report):
    """The report as text."""
    width = max(map(len, report["speech"]))
    lines = [" ".join([" " * width, *(f"{name:>{max(6, len(name))}}" for name in _COLUMNS)])]
    for name, row in report["speech"].items():
        cells = (f"{row[c]:>{max(6, len(c))}}" for c in _COLUMNS)
        lines.append(" ".join([f"{name:<{width}}", *cells]))
    lines += ["", f"{'nobody speaks':<{width}} {'jaw':>6} {'largest':>8} {'press':>6}"]
    for name, row in report["nobody"].items():
        lines.append(f"{name:<{width}} {row['jaw']:>6} {row['jaw_largest']:>8} {row['press']:>6}")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--speech", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--scale", type=float, default=1.0, help="the audio2exp node's parameter")
    parser.add_argument("--json", type=pathlib.Path)
    arguments = parser.parse_args()
    recordings = dict(part.split("=", 1) for part in arguments.speech)
    report = evaluate(arguments.folder, recordings, arguments.scale)
    print(table(report))
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
