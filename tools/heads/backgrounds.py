"""What is behind people. Of generators' pictures, 8x8 colours; of recognition networks' pictures, made ones: rooms, walls, windows, foliage, streets and skies, out of focus as behind a portrait."""

import numpy as np
import torch
from scipy.ndimage import gaussian_filter, zoom

from . import params as P

F = np.float32


def of_colours(colours, side):
    """The plain background of a person's 8x8 colours [3,8,8], [side,side,3]: bilinear, half-pixel centres, as the generator has it."""
    t = torch.tensor(colours).reshape(1, 3, P.BACKGROUND, P.BACKGROUND)
    return torch.nn.functional.interpolate(t, size=side, mode="bilinear")[0].permute(1, 2, 0).numpy()


def _clouds(rng, side, cells, octaves=4, gain=0.55):
    """Smooth noise [side,side] of about unit deviation."""
    out = np.zeros((side, side), F)
    for k in range(octaves):
        n = min(cells * 2**k + 2, side)
        grid = zoom(rng.normal(size=(n, n)).astype(F), side / n, order=1, mode="nearest", grid_mode=True)[:side, :side]
        out += gain**k * gaussian_filter(grid, side / n / 3)
    return out / max(out.std(), 1e-6)


def _colour(rng, saturation=0.14, low=0.08, high=0.9):
    level = rng.uniform(low, high)
    return np.clip(level * (1 + saturation * rng.normal(size=3)), 0.01, 1).astype(F)


def _rectangles(rng, image, count, sizes, colour):
    side = len(image)
    for _ in range(count):
        w, h = (rng.uniform(*sizes, 2) * side).astype(int) + 2
        x, y = rng.integers(-w // 2, side, 2)
        box = image[max(y, 0) : y + h, max(x, 0) : x + w]
        box += rng.uniform(0.6, 1.0) * (colour() - box)


def _wall(rng, side):
    """A wall with light falling off, perhaps with a picture, a door or tiles."""
    y, x = np.mgrid[0:side, 0:side].astype(F) / side
    image = np.ones((side, side, 3), F) * _colour(rng)
    _rectangles(rng, image, rng.integers(0, 5), (0.1, 0.6), lambda: _colour(rng, 0.22))
    if rng.random() < 0.3:
        period = rng.uniform(0.05, 0.25)
        lines = (np.abs((x / period) % 1 - 0.5) > 0.46) | (np.abs((y / period / rng.uniform(0.4, 1)) % 1 - 0.5) > 0.46)
        image *= 1 - 0.3 * lines[..., None]
    centre = rng.uniform(-0.3, 1.3, 2)
    fall = np.exp(-((x - centre[0]) ** 2 + (y - centre[1]) ** 2) / rng.uniform(0.3, 2.5))
    return image * (0.45 + 0.75 * fall + 0.03 * _clouds(rng, side, 6))[..., None]


def _room(rng, side):
    """Shelves, furniture, a window: boxes inside boxes over a floor."""
    image = _wall(rng, side)
    floor = int(side * rng.uniform(0.6, 1.0))
    image[floor:] = _colour(rng, 0.2, 0.08, 0.5)
    _rectangles(rng, image, rng.integers(4, 16), (0.04, 0.35), lambda: _colour(rng, 0.25))
    _rectangles(rng, image, rng.integers(10, 60), (0.01, 0.08), lambda: _colour(rng, 0.35))
    if rng.random() < 0.5:
        _rectangles(rng, image, rng.integers(1, 3), (0.15, 0.5), lambda: rng.uniform(0.8, 1.6) * np.array([0.92, 0.97, 1.0], F))
    return image


def _foliage(rng, side):
    """Leaves and gaps of sky, as blots of many sizes."""
    near, mid, fine = _clouds(rng, side, 3), _clouds(rng, side, 9), _clouds(rng, side, 24)
    green = np.array([rng.uniform(0.12, 0.4), rng.uniform(0.25, 0.5), rng.uniform(0.05, 0.2)], F)
    image = green * np.exp(0.45 * near + 0.35 * mid + 0.3 * fine)[..., None]
    sky = 1 / (1 + np.exp(-4 * (0.6 * near + mid - rng.uniform(0.8, 2.2))))
    return image + sky[..., None] * (np.array([0.85, 0.92, 1.0], F) * rng.uniform(0.8, 1.4) - image)


def _street(rng, side):
    """Sky above, houses with windows, ground."""
    y = np.linspace(0, 1, side, dtype=F)[:, None, None]
    sky = np.array([0.55, 0.70, 0.90], F) + (np.array([0.92, 0.92, 0.90], F) - np.array([0.55, 0.70, 0.90], F)) * np.clip(y * 1.6, 0, 1)
    image = np.ones((side, side, 3), F) * sky * rng.uniform(0.6, 1.1)
    if rng.random() < 0.6:
        image += np.clip(0.12 * _clouds(rng, side, 4), 0, 1)[..., None]
    x = -rng.integers(0, side // 4)
    horizon = int(side * rng.uniform(0.55, 0.9))
    while x < side:
        w, top = int(side * rng.uniform(0.1, 0.45)), int(side * rng.uniform(0, 0.55))
        house = image[top:horizon, max(x, 0) : x + w]
        house[:] = _colour(rng, 0.12, 0.12, 0.7)
        step = max(int(side * rng.uniform(0.03, 0.08)), 4)
        for v in range(step // 2, house.shape[0], step):
            for u in range(step // 2, house.shape[1], step):
                house[v : v + step // 2, u : u + step // 2] = _colour(rng, 0.10, 0.05, 0.9)
        x += w
    image[horizon:] = _colour(rng, 0.12, 0.15, 0.5)
    return image * (1 + 0.05 * _clouds(rng, side, 16)[..., None])


def _night(rng, side):
    """Dark, with points of coloured light that the lens makes discs of."""
    image = np.ones((side, side, 3), F) * _colour(rng, 0.4, 0.01, 0.10) + 0.02 * np.abs(_clouds(rng, side, 5))[..., None]
    y, x = np.mgrid[0:side, 0:side].astype(F)
    for _ in range(rng.integers(5, 40)):
        cx, cy, r = rng.uniform(0, side), rng.uniform(0, side), side * rng.uniform(0.008, 0.05)
        disc = np.clip(r - np.hypot(x - cx, y - cy) + 0.5, 0, 1)
        image += disc[..., None] * _colour(rng, 0.4, 0.15, 0.9)
    return image


KINDS = (_wall, _room, _foliage, _street, _night)


def draw(rng, side):
    """A background [side,side,3] float32 in [0,1], sRGB."""
    kind = KINDS[rng.choice(len(KINDS), p=(0.32, 0.26, 0.17, 0.17, 0.08))]
    image = np.clip(kind(rng, side), 0, 4)
    blur = side * rng.uniform(0.05, 0.2) ** 2
    image = gaussian_filter(image, (blur, blur, 0))
    return np.clip(image * (1 + 0.05 * rng.normal(size=3).astype(F)), 0, 1).astype(F)


def swap(image, alpha, old, new):
    """The person of `image` (over `old`, as `alpha` [s,s] in [0,1] says) before another background: all [s,s,3] in [0,1]."""
    return np.clip(image + (1 - alpha)[..., None] * (new - old), 0, 1)
