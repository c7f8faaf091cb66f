"""16-bit WAV files in and out, and resampling. Samples are mono float32 in [-1, 1]."""

import math
import wave

import numpy as np
import scipy.signal

from . import SAMPLE_RATE


def read(path):
    """Mono samples at 16 kHz (mean of channels). Raises ValueError for anything but 16-bit PCM."""
    with wave.open(str(path), "rb") as file:
        if file.getsampwidth() != 2:
            raise ValueError(f"{path}: {8 * file.getsampwidth()} bits a sample, expected 16")
        data = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        samples = data.reshape(-1, file.getnchannels()).mean(axis=1) / 32768.0
        return resample(samples, file.getframerate())


def write(path, samples):
    """Writes 16 kHz mono."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(to_pcm(samples))


def to_pcm(samples):
    return np.clip(np.round(np.asarray(samples) * 32767.0), -32768, 32767).astype("<i2").tobytes()


def resample(samples, rate):
    """From `rate` Hz to 16 kHz by a polyphase filter."""
    rate = int(rate)
    if rate == SAMPLE_RATE:
        return np.asarray(samples, dtype=np.float32)
    shared = math.gcd(rate, SAMPLE_RATE)
    return scipy.signal.resample_poly(samples, SAMPLE_RATE // shared, rate // shared).astype(np.float32)
