"""How well predicted mouth curves follow the targets that an aligner's phoneme times give. Curves are those of `lips.seen`."""

import numpy as np

from . import FRAME_RATE, FRAME_SAMPLES, lips
from .phones import SILENCE
from .visemes import filled

SHUT = 0.5  # of the closure, from which lips count as shut
AT_TEETH = 0.5  # of the lower lip's roll, from which it counts as at the teeth: half of an f's
_LAGS = range(-4, 5)


def correlation(a, b):
    """Pearson's; nan where either is constant."""
    return float(np.corrcoef(a, b)[0, 1]) if min(np.std(a), np.std(b)) > 1e-6 else float("nan")


def loudness(samples, frames):
    """A mouth that only follows loudness, 0..1: log energy over 80 ms between its 5th and 95th percentile."""
    half = FRAME_SAMPLES // 2
    starts = np.arange(frames) * FRAME_SAMPLES
    energy = [np.mean(samples[max(0, at - half) : at + FRAME_SAMPLES + half] ** 2) for at in starts]
    db = 10 * np.log10(np.array(energy) + 1e-9)
    low, high = np.percentile(db, [5, 95])
    return np.clip((db - low) / max(1e-9, high - low), 0.0, 1.0)


def _pooled(curves, name):
    return np.concatenate([clip[name] for clip in curves])


def _lag(predicted, targets, name):
    """Frames by which the prediction is late, pooled over clips."""
    scores = []
    for lag in _LAGS:
        late = [p[name][max(0, lag) : len(p[name]) + min(0, lag)] for p in predicted]
        early = [t[name][max(0, -lag) : len(t[name]) + min(0, -lag)] for t in targets]
        scores.append(correlation(np.concatenate(late), np.concatenate(early)))
    return int(_LAGS[int(np.nanargmax(scores))]) if np.isfinite(scores).any() else 0


def _mean(values):
    """Nan for none: a clip may be without p, b and m."""
    return float(np.mean(values)) if len(values) else float("nan")


def _stops(predicted, segments):
    """Counts for p, b, m: events shut within a frame, frames shut, aperture; for f, v: events with the lip at the teeth; frames shut far from any closure."""
    events, frames, apertures, teeth, elsewhere = [], [], [], [], []
    for curves, clip in zip(predicted, segments, strict=True):
        shut = curves["closure"] > SHUT
        centre = (np.arange(len(shut)) + 0.5) / FRAME_RATE
        excused = np.zeros(len(shut), bool)
        for start, end, sound in filled(clip, len(shut) / FRAME_RATE):
            near = (centre > start - 0.045) & (centre < end + 0.045)
            if sound == "B":
                inside = (centre >= start) & (centre < end)
                if near.any():
                    events.append(shut[near].any())
                frames += list(shut[inside])
                apertures += list(curves["aperture"][inside])
            if sound == "F" and near.any() and "lip_at_teeth" in curves:
                teeth.append(curves["lip_at_teeth"][near].max() > AT_TEETH)
            if sound in ("B", "F", SILENCE):
                excused |= (centre > start - 0.09) & (centre < end + 0.09)
        elsewhere += list(shut[~excused])
    return {
        "pbm_closed": _mean(events),
        "pbm_count": len(events),
        "pbm_frames_closed": _mean(frames),
        "pbm_aperture": _mean(apertures),
        "fv_at_teeth": _mean(teeth),
        "fv_count": len(teeth),
        "false_closed": _mean(elsewhere),
    }


def follow(predicted, targets, segments):
    """Figures of several clips, pooled, from their predicted and target curves by name and what was said.

    By the name of a curve its correlation, of those that are predicted; lags are late frames.
    """
    figures = {name: correlation(_pooled(predicted, name), _pooled(targets, name)) for name in predicted[0]}
    figures |= _stops(predicted, segments)
    figures["lag_frames"] = _lag(predicted, targets, "aperture")
    figures["lag_frames_closure"] = _lag(predicted, targets, "closure")
    return _rounded(figures)


def measure(predicted, clips):
    """`follow` for the predicted curves of clips, each with `samples`, `segments` and the channels `targets [frames, C]`, and what a mouth that
    follows loudness would get: `loudness_only` of the aperture, `loudness_only_closure`."""
    targets = [lips.seen(clip.targets) for clip in clips]
    loud = np.concatenate([loudness(clip.samples, len(clip.targets)) for clip in clips])
    alone = {
        "loudness_only": correlation(loud, _pooled(targets, "aperture")),
        "loudness_only_closure": correlation(1.0 - loud, _pooled(targets, "closure")),
    }
    return follow(predicted, targets, [clip.segments for clip in clips]) | _rounded(alone)


def _rounded(figures):
    return {name: value if isinstance(value, int) else round(float(value), 3) for name, value in figures.items()}
