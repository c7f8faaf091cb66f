"""Draws a clip's loudness with the jaw and the press that the network makes of it.

python -m tools.speech.plot models/studio speech.wav out.png
"""

import argparse
import pathlib

import numpy as np
from PIL import Image, ImageDraw

from . import FRAME_RATE, SPOKEN, SPOKEN_INDEX, measures, wav
from .runner import Runner

_COLOURS = {"jaw": "#c0392b", "press": "#2464a4", "wide": "#2e8b57", "pucker": "#8e44ad"}
_STRIP, _GAP, _FRAME = 90, 14, 6  # pixels: height of a strip, between strips, a video frame


def draw(samples, curves):
    """An image of strips, one second between the grey lines; `curves [frames, 6]`."""
    frames = len(curves)
    strips = [("loudness", measures.loudness(samples, frames), "#777777")]
    strips += [(name, curves[:, SPOKEN.index(name)], colour) for name, colour in _COLOURS.items()]
    image = Image.new("RGB", (frames * _FRAME + 70, len(strips) * (_STRIP + _GAP) + _GAP), "white")
    canvas = ImageDraw.Draw(image)
    for row, (name, curve, colour) in enumerate(strips):
        base = (row + 1) * (_STRIP + _GAP)
        for second in range(frames // FRAME_RATE + 1):
            x = 70 + second * FRAME_RATE * _FRAME
            canvas.line((x, base - _STRIP, x, base), fill="#cccccc")
        canvas.line((70, base, image.width, base), fill="#cccccc")
        canvas.text((4, base - _STRIP // 2), name, fill=colour)
        points = [(70 + i * _FRAME + _FRAME // 2, base - float(value) * _STRIP) for i, value in enumerate(curve)]
        canvas.line(points, fill=colour, width=2)
    return image


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("speech", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    arguments = parser.parse_args()
    samples = wav.read(arguments.speech)
    curves = Runner(arguments.folder)(samples)[:, SPOKEN_INDEX]
    draw(samples, curves).save(arguments.out)
    loud = measures.loudness(samples, len(curves))
    for channel in ("jaw", "press"):
        value = measures.correlation(loud, np.asarray(curves[:, SPOKEN.index(channel)]))
        print(f"{channel} against loudness: correlation {value:.2f}")


if __name__ == "__main__":
    main()
