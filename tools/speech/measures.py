"""How well predicted mouth curves follow the targets that an aligner's phoneme times give."""

import numpy as np

from . import FRAME_RATE, FRAME_SAMPLES, SPOKEN
from .phones import SILENCE
from .visemes import JAW, PRESS

SHUT = 0.5  # of press, from which lips count as shut
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


def _lag(predicted, targets, channel):
    """Frames by which the prediction is late, pooled over clips."""
    scores = []
    for lag in _LAGS:
        late = [p[max(0, lag) : len(p) + min(0, lag), channel] for p in predicted]
        early = [t[max(0, -lag) : len(t) + min(0, -lag), channel] for t in targets]
        scores.append(correlation(np.concatenate(late), np.concatenate(early)))
    return int(_LAGS[int(np.nanargmax(scores))]) if np.isfinite(scores).any() else 0


def _mean(values):
    """Nan for none: a clip may be without p, b and m."""
    return float(np.mean(values)) if len(values) else float("nan")


def _stops(predicted, segments):
    """Counts for p, b, m: events shut within a frame, frames shut, jaw, and frames shut far from any closure."""
    events, frames, jaws, elsewhere = [], [], [], []
    for curve, clip in zip(predicted, segments, strict=True):
        centre = (np.arange(len(curve)) + 0.5) / FRAME_RATE
        excused = np.zeros(len(curve), bool)
        for start, end, sound in clip:
            if sound == "B":
                near = (centre > start - 0.045) & (centre < end + 0.045)
                inside = (centre >= start) & (centre < end)
                if near.any():
                    events.append(curve[near, PRESS].max() > SHUT)
                frames += list(curve[inside, PRESS] > SHUT)
                jaws += list(curve[inside, JAW])
            if sound in ("B", "F", SILENCE):
                excused |= (centre > start - 0.09) & (centre < end + 0.09)
        elsewhere += list(curve[~excused, PRESS] > SHUT)
    return {
        "pbm_closed": _mean(events),
        "pbm_count": len(events),
        "pbm_frames_closed": _mean(frames),
        "pbm_jaw": _mean(jaws),
        "false_closed": _mean(elsewhere),
    }


def measure(predicted, clips):
    """Figures over several clips, pooled.

    `predicted`: for each clip the spoken channels `[frames, 6]`; `clips`: what was said, each with `samples`, `segments` and
    `targets [frames, 6]`.
    `jaw`, `closure` and the other channels are correlations; `lag_frames` is that of the jaw; `loudness_only` and
    `loudness_only_closure` are what a mouth that follows loudness would get.
    """
    targets = [clip.targets for clip in clips]
    p, t = np.concatenate(predicted), np.concatenate(targets)
    loud = np.concatenate([loudness(clip.samples, len(clip.targets)) for clip in clips])
    figures = {"closure" if c == PRESS else name: correlation(p[:, c], t[:, c]) for c, name in enumerate(SPOKEN)}
    figures |= _stops(predicted, [clip.segments for clip in clips])
    figures["lag_frames"] = _lag(predicted, targets, JAW)
    figures["lag_frames_closure"] = _lag(predicted, targets, PRESS)
    figures["loudness_only"] = correlation(loud, t[:, JAW])
    figures["loudness_only_closure"] = correlation(1.0 - loud, t[:, PRESS])
    return {name: value if isinstance(value, int) else round(float(value), 3) for name, value in figures.items()}
