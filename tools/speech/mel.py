"""The mel spectrogram of the lip-sync literature (Wav2Lip, Prajwal et al. 2020; used by SadTalker's audio2exp).

16 kHz mono · pre-emphasis 0.97 · STFT of 800 samples every 200, Hann, centred with zero padding · magnitude · 80
Slaney mel bands from 55 to 7600 Hz · 20 log10(max(1e-5, x)) - 20 dB · mapped from [-100, 0] dB to [-4, 4].
"""

import functools

import numpy as np

from . import FRAME_SAMPLES, SAMPLE_RATE

N_FFT = 800
HOP = 200
BANDS = 80
F_MIN, F_MAX = 55.0, 7600.0
COLUMNS = 32  # width of the window that an embedding sees: 0.4 s
SHIFT = 2  # columns between the three windows about a video frame whose embeddings are averaged
WINDOW = COLUMNS + 2 * SHIFT  # what a video frame sees
PUBLISHED_COLUMNS = 16


def _hz_to_mel(hz):
    """Slaney's scale: linear below 1 kHz, logarithmic above."""
    hz = np.asarray(hz, dtype=np.float64)
    return np.where(hz < 1000.0, hz * 3.0 / 200.0, 15.0 + 27.0 * np.log(np.maximum(hz, 1e-9) / 1000.0) / np.log(6.4))


def _mel_to_hz(mel):
    return np.where(mel < 15.0, mel * 200.0 / 3.0, 1000.0 * np.exp((mel - 15.0) * np.log(6.4) / 27.0))


@functools.cache
def filter_bank():
    """Triangular filters of equal area, `[80, 401]` float32."""
    edges = _mel_to_hz(np.linspace(_hz_to_mel(F_MIN), _hz_to_mel(F_MAX), BANDS + 2))
    bins = np.arange(N_FFT // 2 + 1) * SAMPLE_RATE / N_FFT
    ramps = edges[:, None] - bins[None]
    widths = np.diff(edges)
    rising = -ramps[:-2] / widths[:-1, None]
    falling = ramps[2:] / widths[1:, None]
    triangles = np.maximum(0.0, np.minimum(rising, falling))
    return (triangles * (2.0 / (edges[2:] - edges[:-2]))[:, None]).astype(np.float32)


def decibels(samples):
    """Mono samples in [-1, 1] at 16 kHz to `[columns, 80]` in dB, silence being -120 dB; not yet clipped."""
    samples = np.asarray(samples, dtype=np.float32)
    emphasised = np.append(samples[:1], samples[1:] - np.float32(0.97) * samples[:-1])
    padded = np.pad(emphasised, N_FFT // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, N_FFT)[::HOP]
    hann = (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)).astype(np.float32)
    spectrum = np.abs(np.fft.rfft(frames * hann, axis=1)).astype(np.float32)
    return 20.0 * np.log10(np.maximum(1e-5, spectrum @ filter_bank().T)) - 20.0


def normalise(db):
    """dB to [-4, 4]; numpy arrays and PyTorch tensors alike."""
    return (db * 0.08 + 4.0).clip(-4.0, 4.0)


def frame_count(samples):
    """Whole video frames in a clip."""
    return len(samples) // FRAME_SAMPLES


def window_starts(frames, columns=COLUMNS):
    """First column of each frame's window, before clamping, so that all widths share one centre; `[frames]` int."""
    return np.trunc(80.0 * (np.arange(frames) - 2) / 25.0).astype(int) - (columns - PUBLISHED_COLUMNS) // 2


def windows(db, frames, columns=WINDOW):
    """`[columns in clip, 80]` dB to the network's input `[frames, 80, columns]`, edges repeated."""
    index = window_starts(frames, columns)[:, None] + np.arange(columns)
    return normalise(db)[np.clip(index, 0, len(db) - 1)].transpose(0, 2, 1).astype(np.float32)


def clip_windows(samples, columns=WINDOW):
    """Samples to `[frames, 80, columns]`; the tail that fills no whole frame is dropped, as published."""
    frames = frame_count(samples)
    return windows(decibels(samples[: frames * FRAME_SAMPLES]), frames, columns)
