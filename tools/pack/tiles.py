"""Periodic noise tiles for skin and hair, looked up by centimetres: fixed, so that a picture is a function of p and pose."""

import numpy as np

SIDE, TEXEL = 1024, 0.03  # pixels, centimetres


def _filtered(seed, layers):
    """Unit-variance noise of Gaussian-filtered layers (sigma across, sigma along in centimetres, weight), clipped to ±2.5."""
    rng, f = np.random.default_rng(seed), np.fft.fftfreq(SIDE)
    out = 0
    for across, along, weight in layers:
        spectrum = np.fft.fft2(rng.normal(size=(SIDE, SIDE)))
        gauss = lambda sigma: np.exp(-2 * (np.pi * f * sigma / TEXEL) ** 2)
        a = np.fft.ifft2(spectrum * gauss(along)[:, None] * gauss(across)[None]).real
        out = out + weight * a / a.std()
    return np.clip(out / out.std(), -2.5, 2.5).astype(np.float32)


SKIN = _filtered(1, [(0.06, 0.06, 0.6), (0.25, 0.25, 1.0), (1.0, 1.0, 0.9)])
STRANDS = _filtered(2, [(0.035, 1.2, 0.7), (0.10, 2.0, 1.0), (0.35, 3.0, 0.6)])
CURLS = _filtered(3, [(0.10, 0.10, 0.8), (0.22, 0.22, 1.0)])
HAIRS = _filtered(4, [(0.03, 0.22, 1.0), (0.08, 0.30, 0.5)])
SPOTS = np.clip(_filtered(5, [(0.07, 0.07, 1.0)]) - 1.3, 0, 1)


def look(tile, across, along):
    """The tile's values at centimetres `across` and `along` [n] (nearest)."""
    i = (along * np.float32(1 / TEXEL)).astype(np.int32) & (SIDE - 1)
    j = (across * np.float32(1 / TEXEL)).astype(np.int32) & (SIDE - 1)
    return tile.reshape(-1)[(i << 10) + j]
