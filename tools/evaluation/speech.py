"""The mouth's coefficients beside the aligner's targets."""

import pathlib
import tempfile

import numpy as np

from ..heads.params import EXPRESSION
from ..speech import SAMPLE_RATE, background, lips, measures, wav
from . import recordings

# The figures that sum a mouth up; target/eval.json keeps the others of `measures` beside them.
SUMMARY = ("aperture", "closure", "pbm_closed", "lag_frames", "loudness_only")


def channels(engine, portrait, samples):
    """Channels of speech `[frames, C]` for a portrait's face, as the pack's defaults scale them."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "speech.wav"
        wav.write(path, samples)
        rows = engine.tensors("listen", {"portrait": portrait, "speech": path}, ["expression"])["expression"]
    return lips.channels(rows[:, [engine.expressions.index(name) for name in EXPRESSION]])


def measure(engine, portrait, sets):
    """`measures.measure` by set: correlations, stops, lag, and a mouth that follows loudness alone."""
    figures = {}
    for name, clips in sets.items():
        sound, starts = recordings.joined(clips)
        frames = channels(engine, portrait, sound)
        figures[name] = measures.measure([lips.seen(part) for part in recordings.cut(frames, clips, starts)], clips)
        figures[name]["seconds"] = round(sum(len(clip.samples) for clip in clips) / SAMPLE_RATE, 1)
    return figures


def nobody(engine, portrait, seed=4):
    """What the mouth does without speech: mean and largest jaw, and how far lips are apart in centimetres of the mean head."""
    rng = np.random.default_rng(seed)
    sounds = {
        "silence": np.zeros(10 * SAMPLE_RATE, np.float32),
        "noise at -60 dB": background.noise(10, rng) * np.float32(0.01),
        "noise at -30 dB": background.noise(10, rng) * np.float32(0.316),
        "music at -20 dB": background.music(10, rng),
    }
    figures = {}
    for name, samples in sounds.items():
        seen = lips.seen(channels(engine, portrait, samples))
        figures[name] = {"jaw": seen["jaw"].mean(), "jaw_largest": seen["jaw"].max(), "aperture": seen["aperture"].mean(), "aperture_largest": seen["aperture"].max()}
    return {name: {key: round(float(value), 3) for key, value in row.items()} for name, row in figures.items()}
