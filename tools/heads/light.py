"""The light on a person: a key with a soft edge, and made surroundings as a few directions with colours, all with shadows.

The light stands in the head's frame and turns with the head, as the volume of the generator has it. Everything is linear light.
"""

import numpy as np

from . import params as P
from . import shadow

F = np.float32
LUMA = np.array([0.2126, 0.7152, 0.0722], F)
DIRECTIONS = 18  # of the surroundings: of so many the occlusion is taken
MAP = 384  # side of the key's shadow map; the surroundings' have half of it
THIN = 5  # of so many points of hair one stands for all in the surroundings' maps
CENTRE, RADIUS = np.array([0, -1.0, -1.5], F), F(19)  # what the shadow maps show, centimetres


def linear(c):
    """sRGB in [0,1] to linear light."""
    c = np.asarray(c, F)
    return np.where(c <= 0.04045, c / 12.92, ((np.maximum(c, 0) + 0.055) / 1.055) ** 2.4).astype(F)


def display(c):
    """Linear light to sRGB in [0,1], with a soft shoulder over 0.7 in place of clipping."""
    c = np.maximum(np.asarray(c, F), 0)
    over = np.maximum(c - F(0.6), 0)
    c = np.minimum(c, F(0.6)) + F(0.4) * (1 - np.exp(-over / F(0.4)))
    return np.where(c <= 0.0031308, c * 12.92, 1.055 * np.maximum(c, 1e-8) ** (1 / 2.4) - 0.055).astype(F)


def _temperature(warm):
    """A colour of mean luminance 1: bluish for -1, orange for +1."""
    c = np.array([1 + 0.22 * warm, 1.0, 1 - 0.30 * warm], F)
    return c / (c @ LUMA)


def _sphere(n):
    """`n` directions spread evenly (a Fibonacci lattice), +z towards the viewer."""
    i = np.arange(n) + 0.5
    y, turn = 1 - 2 * i / n, np.pi * (1 + 5**0.5) * i
    r = np.sqrt(1 - y * y)
    return np.stack([r * np.sin(turn), y, r * np.cos(turn)], 1).astype(F)


class Light:
    """The light of one person: key (direction, colour, size) and surroundings; `cast` makes its shadow maps."""

    def __init__(self, p):
        g = lambda name: float(p[P.SLOT[name]][0])
        self.direction = np.array([g("key_x"), g("key_y"), 1.0], F)
        self.direction /= np.linalg.norm(self.direction)
        # A camera sets its exposure by what it sees: strong light is a matter of contrast, hardly of brightness.
        key, ambient = 0.50 + 1.5 * g("key"), 0.22 + 0.62 * g("ambient")
        skin = np.clip(float(linear(p[P.SLOT["skin"]]) @ LUMA), 0.02, 0.9)
        exposure = (0.94 + 0.12 * g("ambient")) / (0.55 * key + 0.75 * ambient) * (0.34 / skin) ** 0.22
        self.key = F(key * exposure) * _temperature(0.5 * g("warm_key"))
        self.hard = F(np.clip(g("hard"), 0, 1))
        self.size = F(0.55) - F(0.43) * self.hard  # half angle of the key, radians
        tint = _temperature(0.5 * g("warm_ambient"))
        sky, ground = tint * np.array([0.92, 1.0, 1.12], F), tint * np.array([1.12, 1.0, 0.86], F)
        self._low, self._high = F(ambient * exposure) * ground * F(1 - 0.5 * g("sky")), F(ambient * exposure) * sky * F(1 + 0.5 * g("sky"))
        self.side = F(np.clip(0.6 * g("side"), -0.85, 0.85))
        self.rim = F(1.6 * g("rim") * exposure) * _temperature(0.2 - 0.4 * g("warm_ambient"))
        self.directions = _sphere(DIRECTIONS)
        self.colours = self.radiance(self.directions)
        self.around_mean = self.colours.mean(0)
        mean = (self.colours @ LUMA) @ self.directions
        self.mean_direction = mean / max(float(np.linalg.norm(mean)), 1e-3)
        self.maps = None

    def radiance(self, d):
        """What comes from directions d [n,3]: [n,3]; smooth, without the key."""
        up = (d[:, 1:2] * 0.5 + 0.5).astype(F)
        up = up * up * (3 - 2 * up)
        out = self._low + up * (self._high - self._low)
        out = out * (1 + self.side * d[:, :1]) * (F(0.75) + F(0.25) * d[:, 2:3])
        behind = np.clip(-d[:, 2:3], 0, 1) ** 1.5 * np.exp(-((np.abs(d[:, :1]) - F(0.75)) / F(0.35)) ** 2)
        return (out + behind * self.rim).astype(F)

    def cast(self, vertices, faces, veil=None):
        """Shadow maps of a mesh in centimetres; `veil` (points [n,3], weight a point in cm²) shades as hair does, by how much lies before."""
        self.maps = [shadow.Map(self.direction, vertices, faces, MAP, CENTRE, RADIUS, veil)]
        if veil is not None:
            veil = veil[0][::THIN], veil[1][::THIN] * F(THIN)
        self.maps += [shadow.Map(d, vertices, faces, MAP // 2, CENTRE, RADIUS, veil) for d in self.directions]

    def key_visible(self, points, normals):
        """How much of the key points [n,3] see, in [0,1]: soft with the key's size."""
        blur = F(0.10) + F(1.9) * self.size
        return self.maps[0].look(points + F(0.12) * normals, blur, F(0.10) + F(0.35) * self.size)

    def around(self, points, normals):
        """Irradiance from the surroundings at points with normals, [n,3], over pi, and how much of the sphere is open [n]."""
        out, open_, weight = np.zeros((len(points), 3), F), np.zeros(len(points), F), np.zeros(len(points), F)
        lifted = points + F(0.15) * normals
        for d, colour, m in zip(self.directions, self.colours, self.maps[1:]):
            cosine = normals @ d
            lit = np.maximum(cosine + F(0.12), 0)
            seen = np.ones(len(points), F)
            at = np.flatnonzero(lit > 0)
            seen[at] = m.look(lifted[at], F(0.9), F(0.45))
            out += (lit * seen)[:, None] * colour
            open_ += lit * seen
            weight += lit
        scale = F(4.0 / DIRECTIONS / 1.12**2)
        return out * scale, open_ / np.maximum(weight, F(1e-4))
