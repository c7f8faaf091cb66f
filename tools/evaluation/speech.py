"""The mouth's coefficients beside the aligner's targets."""

import pathlib
import tempfile

import numpy as np

from ..speech import SAMPLE_RATE, SPOKEN, background, measures, visemes, wav
from . import recordings

# The figures that sum a mouth up; target/eval.json keeps the others of `measures` beside them.
SUMMARY = ("jaw", "closure", "pbm_closed", "lag_frames", "loudness_only")


def expression(engine, portrait, samples):
    """Spoken channels `[frames, 6]` of speech for a portrait's face, as the pack's defaults scale them."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "speech.wav"
        wav.write(path, samples)
        rows = engine.tensors("listen", {"portrait": portrait, "speech": path}, ["expression"])["expression"]
    return rows[:, [engine.expressions.index(name) for name in SPOKEN]]


def measure(engine, portrait, sets):
    """`measures.measure` by set: correlations, stops, lag, and a mouth that follows loudness alone."""
    figures = {}
    for name, clips in sets.items():
        sound, starts = recordings.joined(clips)
        frames = expression(engine, portrait, sound)
        figures[name] = measures.measure(recordings.cut(frames, clips, starts), clips)
        figures[name]["seconds"] = round(sum(len(clip.samples) for clip in clips) / SAMPLE_RATE, 1)
    return figures


def nobody(engine, portrait, seed=4):
    """What the mouth does without speech: mean and largest jaw, mean press."""
    rng = np.random.default_rng(seed)
    sounds = {
        "silence": np.zeros(10 * SAMPLE_RATE, np.float32),
        "noise at -60 dB": background.noise(10, rng) * np.float32(0.01),
        "noise at -30 dB": background.noise(10, rng) * np.float32(0.316),
        "music at -20 dB": background.music(10, rng),
    }
    figures = {}
    for name, samples in sounds.items():
        spoken = expression(engine, portrait, samples)
        jaw, press = spoken[:, visemes.JAW], spoken[:, visemes.PRESS]
        figures[name] = {"jaw": jaw.mean(), "jaw_largest": jaw.max(), "press": press.mean()}
    return {name: {key: round(float(value), 3) for key, value in row.items()} for name, row in figures.items()}
