"""The demo speech: two sentences of our own by flite's voice slt, with a pause between them.

python -m tools.speech.demo graphs/media/speech.wav
"""

import argparse
import pathlib

import numpy as np

from . import SAMPLE_RATE, flite, wav

SENTENCES = ("Hello! A graph makes this portrait speak.", "Now bring your own.")
_PAUSE = 0.6  # seconds
_PEAK = 0.6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=pathlib.Path)
    out = parser.parse_args().out
    rng = np.random.default_rng(0)
    spoken = [flite.speak(text, rng, voice="slt", stretch=0.95)[0] for text in SENTENCES]
    samples = np.concatenate([spoken[0], np.zeros(int(_PAUSE * SAMPLE_RATE), np.float32), spoken[1]])
    samples = np.pad(samples, (0, -len(samples) % SAMPLE_RATE))  # whole seconds, so whole video frames
    out.parent.mkdir(parents=True, exist_ok=True)
    wav.write(out, samples * (_PEAK / np.abs(samples).max()))
    print(f"{out}: {len(samples) / SAMPLE_RATE:.2f} s")


if __name__ == "__main__":
    main()
