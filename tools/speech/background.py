"""What is heard when nobody speaks: silence, noises and simple music, at 16 kHz."""

import numpy as np
import scipy.signal

from . import SAMPLE_RATE


def noise(seconds, rng):
    """Stationary or breathing noise of a random slope (white to brown) and band, RMS 0.1."""
    count = int(seconds * SAMPLE_RATE)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    hz = np.maximum(np.fft.rfftfreq(count, 1 / SAMPLE_RATE), 20.0)
    spectrum *= hz ** -rng.uniform(0.0, 1.3)
    if rng.random() < 0.3:  # hum of a mains or a fan
        base = rng.uniform(45, 240)
        for k in range(1, 8):
            spectrum[int(k * base * count / SAMPLE_RATE)] += rng.normal() * np.abs(spectrum).sum() / 30 / k
    samples = np.fft.irfft(spectrum, count)
    if rng.random() < 0.5:  # wind, traffic, an audience
        points = rng.uniform(-12, 6, size=int(seconds * 2) + 2)
        level = np.interp(np.arange(count) / SAMPLE_RATE * 2, np.arange(len(points)), points)
        samples *= 10 ** (level / 20)
    return _levelled(samples)


def _tone(hz, count, rng, brightness):
    """A note: harmonics with a struck or a bowed envelope and some vibrato."""
    t = np.arange(count) / SAMPLE_RATE
    phase = 2 * np.pi * hz * t + rng.uniform(0, 0.3) * np.sin(2 * np.pi * rng.uniform(4, 7) * t)
    note = sum(brightness**k * np.sin((k + 1) * phase + rng.uniform(0, 6)) for k in range(8) if (k + 1) * hz < 7500)
    struck = rng.random() < 0.6
    attack = np.minimum(1.0, t / (0.01 if struck else rng.uniform(0.05, 0.2)))
    decay = np.exp(-t * rng.uniform(1.5, 8)) if struck else np.minimum(1.0, (t[-1] - t) / 0.1)
    return note * attack * decay


def music(seconds, rng):
    """Chords, a bass and a melody in a random key, with or without drums, RMS 0.1."""
    count = int(seconds * SAMPLE_RATE)
    samples = np.zeros(count)
    beat = rng.uniform(0.3, 0.7)
    key = 110.0 * 2 ** rng.uniform(0, 1)
    scale = np.array([0, 2, 4, 5, 7, 9, 11] if rng.random() < 0.5 else [0, 2, 3, 5, 7, 8, 10])
    brightness = rng.uniform(0.3, 0.8)
    drums, melody = rng.random() < 0.6, rng.random() < 0.7

    def add(step, length, semitone, gain):
        start = int(step * beat * SAMPLE_RATE)
        note = _tone(key * 2 ** (semitone / 12), max(64, int(length * beat * SAMPLE_RATE)), rng, brightness)
        note = note[: max(0, count - start)]
        samples[start : start + len(note)] += gain * note

    for bar in range(int(seconds / beat / 4) + 1):
        root = rng.integers(7)
        for third in (0, 2, 4):
            degree = root + third
            add(4 * bar, 4, scale[degree % 7] + 12 * (degree // 7), 0.5)
        add(4 * bar, 2, scale[root] - 12, 0.8)
        for step in range(4):
            if melody and rng.random() < 0.8:
                add(4 * bar + step, rng.choice([0.5, 1, 2]), scale[rng.integers(7)] + 12, rng.uniform(0.4, 1.2))
            if drums:
                start = int((4 * bar + step) * beat * SAMPLE_RATE)
                hit = rng.standard_normal(3000) * np.exp(-np.arange(3000) / rng.uniform(150, 900))
                if step % 2 == 0:
                    hit = np.cumsum(hit) / 12
                hit = hit[: max(0, count - start)]
                samples[start : start + len(hit)] += hit * rng.uniform(0.3, 1.2)
    return _levelled(samples)


def room(samples, rng):
    """Adds a room: an exponentially decaying tail of random echoes, the direct sound kept in time."""
    seconds = rng.uniform(0.15, 0.6)
    count = int(seconds * SAMPLE_RATE)
    tail = rng.standard_normal(count) * np.exp(-6.9 * np.linspace(0, 1, count))  # 60 dB down at its end
    tail *= 10 ** (-rng.uniform(3, 20) / 20) / np.sqrt((tail**2).sum())
    tail[: int(0.004 * SAMPLE_RATE)] = 0.0
    tail[0] = 1.0
    return scipy.signal.fftconvolve(samples, tail)[: len(samples)]


def _levelled(samples):
    return (0.1 * samples / max(1e-9, np.sqrt(np.mean(samples**2)))).astype(np.float32)
