"""Draws a clip's loudness with what the network makes of it: how far the lips are apart, how shut, wide and round.

python -m tools.speech.plot models/studio speech.wav out.png
"""

import argparse
import pathlib

from PIL import Image, ImageDraw

from . import FRAME_RATE, lips, measures, wav
from .runner import Runner

_COLOURS = {"aperture": "#c0392b", "closure": "#2464a4", "width": "#2e8b57", "rounding": "#8e44ad"}
_RANGE = {"aperture": (0.0, 2.0), "width": (-1.0, 1.0)}  # of a strip; of the others 0 to 1
_STRIP, _GAP, _FRAME = 90, 14, 6  # pixels: height of a strip, between strips, a video frame


def draw(samples, curves):
    """An image of strips, one second between the grey lines; `curves` as of `lips.seen`."""
    frames = len(curves["jaw"])
    strips = [("loudness", measures.loudness(samples, frames), "#777777")]
    for name, colour in _COLOURS.items():
        low, high = _RANGE.get(name, (0.0, 1.0))
        strips.append((name, (curves[name] - low) / (high - low), colour))
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
    curves = lips.seen(lips.channels(Runner(arguments.folder)(samples)))
    draw(samples, curves).save(arguments.out)
    loud = measures.loudness(samples, len(curves["jaw"]))
    for name in ("aperture", "closure"):
        print(f"{name} against loudness: correlation {measures.correlation(loud, curves[name]):.2f}")


if __name__ == "__main__":
    main()
