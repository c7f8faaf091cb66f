"""Makes the training data: synthetic speech and what is said when, as shards of numpy arrays.

    python -m tools.speech.data --out DIR [--minutes espeak=75,flite=100,…] [--seed 0]

One shard a source, `SOURCE.npz`: `mel` [columns, 80] float16 in dB, the segments' `times` [segments, 2] in seconds and their `sounds`, the
`column`/`segment` offset of every clip and its video `frames`. Training makes the mouth curves of them, so that other visemes need no new speech.
The source `background` has no speech at all.
A clip is changed as sound before its mel is taken: played faster or slower (both times and formants move), in a room,
with noise, with silence before and after.
"""

import argparse
import pathlib
import time

import numpy as np

from . import FRAME_SAMPLES, SAMPLE_RATE, background, espeak, flite, mel, neural, texts, wav

SOURCES = {
    "espeak": espeak.speak,
    "flite": flite.speak,
    "piper": neural.speak_piper,
    "hibari": neural.speak_hibari,
}
DEFAULT_MINUTES = {"espeak": 75, "flite": 100, "piper": 60, "hibari": 75, "background": 30}
_SHORTEST = 45  # frames: training takes 40
# Playback speeds as ratios of small numbers, so that the polyphase filter stays short.
_SPEEDS = ((1, 1), (1, 1), (9, 8), (8, 9), (6, 5), (5, 6), (16, 15), (15, 16), (13, 11), (22, 25))


def change(samples, segments, rng):
    """Random playback speed, level, room, noise and silence; segments move along."""
    up, down = _SPEEDS[rng.integers(len(_SPEEDS))]
    if up != down:
        samples = wav.resample(samples, SAMPLE_RATE * up / down)
        segments = [(start * down / up, end * down / up, sound) for start, end, sound in segments]
    samples = samples * (10 ** (rng.uniform(-28, -18) / 20) / max(1e-6, np.sqrt(np.mean(samples**2))))
    before, after = rng.choice([0.0, rng.uniform(0, 0.8)]), rng.choice([0.1, rng.uniform(0.1, 1.0)])
    samples = np.pad(samples, (int(before * SAMPLE_RATE), int(after * SAMPLE_RATE)))
    segments = [(start + before, end + before, sound) for start, end, sound in segments]
    if rng.random() < 0.4:
        samples = background.room(samples, rng)
    if rng.random() < 0.4:
        level = np.sqrt(np.mean(samples**2)) * 10 ** (-rng.uniform(15, 45) / 20)
        samples = samples + background.noise(len(samples) / SAMPLE_RATE + 0.01, rng)[: len(samples)] * (level / 0.1)
    return np.clip(samples, -1, 1).astype(np.float32), segments


def quiet_clip(rng):
    """Ten seconds without speech: nothing at all, noise, music or both, fading in and out."""
    kind = rng.integers(6)
    if kind == 0:
        return np.zeros(10 * SAMPLE_RATE, np.float32), []
    samples = background.noise(10, rng) if kind <= 2 else background.music(10, rng)
    if kind == 5:
        samples = 0.5 * samples + 0.5 * background.noise(10, rng)
    fade = np.interp(np.linspace(0, 4, len(samples)), np.arange(5), rng.choice([0.0, 0.3, 1.0, 1.0], 5))
    return (samples * fade * 10 ** (rng.uniform(-20, 6) / 20)).astype(np.float32), []


def clips(source, minutes, rng):
    """Yields `(samples, segments)` until about `minutes` are spoken."""
    said, spoken = 0.0, texts.sentences()
    while said < 60 * minutes:
        if source == "background":
            samples, segments = quiet_clip(rng)
        else:
            samples, segments = SOURCES[source](str(rng.choice(spoken)), rng)
            samples, segments = change(samples, segments, rng)
        if len(samples) >= _SHORTEST * FRAME_SAMPLES:
            said += len(samples) / SAMPLE_RATE
            yield samples, segments


def build(source, minutes, path, seed):
    """Writes one shard."""
    rng = np.random.default_rng([seed, sorted(DEFAULT_MINUTES).index(source)])
    arrays, frames = {"mel": [], "times": [], "sounds": []}, []
    for samples, segments in clips(source, minutes, rng):
        frames.append(mel.frame_count(samples))
        arrays["mel"].append(mel.decibels(samples).astype(np.float16))
        arrays["times"].append(np.array([segment[:2] for segment in segments], np.float32).reshape(-1, 2))
        arrays["sounds"].append(np.array([segment[2] for segment in segments], "U3"))
    offsets = {
        name: np.cumsum([0] + [len(clip) for clip in arrays[array]])
        for name, array in (("column", "mel"), ("segment", "times"))
    }
    np.savez(path, **{name: np.concatenate(parts) for name, parts in arrays.items()}, **offsets, frames=frames)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", default="", help="SOURCE=MINUTES,… (default: all that are installed)")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    if arguments.minutes:
        wanted = {name: float(value) for name, value in (part.split("=") for part in arguments.minutes.split(","))}
    else:
        installed = {"espeak", "flite", "background", *neural.available()}
        wanted = {name: value for name, value in DEFAULT_MINUTES.items() if name in installed}
    for source, minutes in wanted.items():
        began = time.time()
        build(source, minutes, arguments.out / f"{source}.npz", arguments.seed)
        print(f"{source}: {minutes:g} min of sound in {time.time() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
