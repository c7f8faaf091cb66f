"""The lips seen in a finished film beside the aligner's targets, and what trembles that should be still."""

import pathlib
import tempfile

import numpy as np

from ..speech import lips, measures, phones, wav
from . import engine as E
from . import landmarks, mouth, recordings, speech

FILM = E.ROOT / "graphs" / "from_image.yaml"


def film(engine, portrait, samples):
    """Landmarks `[frames,468,2]` that the face mesh finds in the MP4 file of graphs/from_image.yaml."""
    with tempfile.TemporaryDirectory() as folder:
        sound, video = pathlib.Path(folder) / "speech.wav", pathlib.Path(folder) / "film.mp4"
        wav.write(sound, samples)
        engine.run(FILM, {"portrait": portrait, "speech": sound}, {"video": video})
        return engine.tensors("track", {"film": video}, ["landmarks"])["landmarks"]


def _silent(clips, starts, frames):
    """Frames in which nobody has spoken for a fifth of a second, and will not for one."""
    quiet = np.ones(frames, bool)
    for clip, start in zip(clips, starts, strict=True):
        for begin, end, sound in clip.segments:
            if sound != phones.SILENCE:
                first, last = start + int(begin * 25) - 5, start + int(end * 25) + 6
                quiet[max(0, first) : last] = False
    return quiet


def measure(engine, portrait, sets):
    """By set: the figures of `speech` for the opening of the inner lips, and how it goes with the opening that was asked.

    `jitter`: tremble of nose, eye corners and temples in thousandths of the eye distance, by second differences;
    `jitter_mouth`: of the lips where nobody speaks.
    """
    figures = {}
    shut = mouth.rest(engine.tensors("person", {"portrait": portrait}, ["landmarks"])["landmarks"])
    for name, clips in sets.items():
        sound, starts = recordings.joined(clips)
        points = film(engine, portrait, sound)
        seen = [mouth.curves(part, shut) for part in recordings.cut(points, clips, starts)]
        row = measures.measure(seen, clips)
        row = {key: row[key] for key in (*speech.SUMMARY, "pbm_count", "false_closed", "lag_frames_closure", "loudness_only_closure")}
        asked = lips.seen(speech.channels(engine, portrait, sound))["aperture"]
        gap = landmarks.mouth_gap(points)
        row["aperture_asked"] = measures.correlation(gap, asked[: len(gap)])
        low, middle, high = np.percentile(gap, [5, 50, 95])
        row |= {"gap_shut": shut, "gap_5": low, "gap_50": middle, "gap_95": high, "jitter": landmarks.jitter(points)}
        quiet = _silent(clips, starts, len(points))
        runs = np.split(np.arange(len(points)), np.flatnonzero(np.diff(quiet)) + 1)
        still = [landmarks.jitter(points[run], landmarks.UPPER + landmarks.LOWER) for run in runs if quiet[run[0]] and len(run) > 4]
        row["jitter_mouth"] = float(np.sqrt(np.mean(np.square(still)))) if still else float("nan")
        figures[name] = {key: value if isinstance(value, int) else round(float(value), 3) for key, value in row.items()}
    return figures
