"""What cameras and files do to pictures: exposure, colour casts, vignettes, lens and motion blur, noise, sharpening, small sizes, JPEG."""

import io

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates

from .light import display, linear

F = np.float32


def _motion(x, rng, length):
    """Averages the picture along a straight line of `length` pixels."""
    angle, steps = rng.uniform(0, np.pi), max(int(np.ceil(length)) + 1, 2)
    y, u = np.mgrid[0 : x.shape[0], 0 : x.shape[1]].astype(F)
    out = np.zeros_like(x)
    for t in np.linspace(-0.5, 0.5, steps) * length:
        at = [y + t * np.sin(angle), u + t * np.cos(angle)]
        out += np.stack([map_coordinates(x[..., c], at, order=1, mode="nearest") for c in range(3)], -1)
    return out / steps


def expose(image, rng):
    """Light before it falls on the sensor, and the sensor's noise: image [s,s,3] sRGB in [0,1] to the same."""
    side = len(image)
    x = linear(image) * F(2 ** np.clip(rng.normal() * 0.35, -1.0, 0.8))
    warm, green = rng.normal(size=2) * [0.12, 0.05]
    x = x * np.array([1 + warm, 1 + green, 1 - warm], F)
    if rng.random() < 0.4:
        y, u = np.mgrid[0:side, 0:side].astype(F) / side - 0.5
        x = x * (1 - F(rng.uniform(0, 0.9)) * (u * u + y * y))[..., None]
    blur = side / 256 * (rng.uniform(0, 0.6) if rng.random() < 0.7 else rng.uniform(0.6, 1.8))
    x = gaussian_filter(x, (blur, blur, 0))
    if rng.random() < 0.12:
        x = _motion(x, rng, rng.uniform(1, 5) * side / 256)
    if rng.random() < 0.2:  # stray light
        x = x + F(rng.uniform(0, 0.06)) * _cast(rng)
    amount = rng.uniform(0, 1) ** 2
    deviation = np.sqrt(np.maximum(x, 0) * F(0.004 * amount) + F((0.012 * amount) ** 2))
    grain = rng.normal(size=x.shape).astype(F)
    if rng.random() < 0.5:  # noise that a phone has smoothed
        grain = gaussian_filter(grain, (0.7, 0.7, 0)) * F(1.6)
    return display(x + deviation * grain)


def _cast(rng):
    return np.clip(1 + 0.3 * rng.normal(size=3), 0.2, 2).astype(F)


def develop(image, rng):
    """What software does: contrast, saturation, sharpening, sizes and JPEG; image [s,s,3] in [0,1] to uint8 [s,s,3]."""
    side = len(image)
    x = image + F(0.12 * rng.normal()) * (image * image * (3 - 2 * image) - image) * 3  # contrast
    grey = x.mean(-1, keepdims=True)
    x = grey + (x - grey) * F(0.0 if rng.random() < 0.03 else rng.uniform(0.6, 1.3))
    if rng.random() < 0.4:
        x = x + F(rng.uniform(0, 0.9)) * (x - gaussian_filter(x, (1.0, 1.0, 0)))
    out = Image.fromarray((np.clip(x, 0, 1) * 255 + 0.5).astype(np.uint8))
    if rng.random() < 0.3:  # was smaller once
        small = int(side * rng.uniform(0.3, 0.9))
        out = out.resize((small, small), Image.BILINEAR).resize((side, side), Image.BICUBIC)
    if rng.random() < 0.7:
        file = io.BytesIO()
        out.save(file, "JPEG", quality=int(rng.integers(25, 96)), subsampling=int(rng.integers(0, 3)))
        out = Image.open(file)
    return np.asarray(out)


def photograph(image, rng):
    """image [s,s,3] in [0,1] as a random camera would have taken it: uint8 [s,s,3]."""
    return develop(expose(image, rng), rng)
