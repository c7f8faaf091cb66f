"""Where hair grows: roots by a fixed seed on the neutral head, its distance field, and how it follows a person's shape. Centimetres."""

import numpy as np
from scipy.spatial import cKDTree

from .raster import normals
from .strands import Grid

F = np.float32
LOW, HIGH = np.array([-19.0, -24.0, -22.0]), np.array([19.0, 20.0, 14.0])
CENTRE = np.array([0.0, 4.5, -5.0], F)  # of the skull


def step(a, b, x):
    """Smooth step from 0 at `a` to 1 at `b`, for either order of a and b."""
    t = np.clip((x - a) / (b - a), 0, 1)
    return t * t * (3 - 2 * t)


def scatter(rng, vertices, faces, weight, count):
    """`count` random places on triangles, denser where the vertices' `weight` is: faces' numbers [n] and barycentric weights [n,3]."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    share = np.linalg.norm(np.cross(b - a, c - a), axis=1) * weight[faces].mean(1)
    face = rng.choice(len(faces), count, p=share / share.sum())
    u, v = rng.random(count), rng.random(count)
    flip = u + v > 1
    u, v = np.where(flip, 1 - u, u), np.where(flip, 1 - v, v)
    return face, np.stack([1 - u - v, u, v], 1)


class Roots:
    """Places on the head: `at(fine)` gives where they are on a person's, `turn(fine)` how far their triangles turned [n,3,3]."""

    def __init__(self, neutral, faces, face, bary):
        self.corners, self.bary = faces[face], bary
        self.neutral = self.at(neutral).astype(F)
        self._frame = self._frames(neutral)
        self.normal = self._frame[:, :, 2].astype(F)

    def at(self, fine):
        return np.einsum("nc,nci->ni", self.bary, fine[self.corners])

    def _frames(self, fine):
        a, b, c = (fine[self.corners[:, i]] for i in range(3))
        e, n = b - a, np.cross(b - a, c - a)
        e, n = e / np.linalg.norm(e, axis=1, keepdims=True), n / np.linalg.norm(n, axis=1, keepdims=True)
        return np.stack([e, np.cross(n, e), n], 2)

    def turn(self, fine):
        return self._frames(fine) @ self._frame.transpose(0, 2, 1)


class Space:
    """The neutral head's distance field, and the field of displacements to a person's head."""

    def __init__(self, head):
        v, skin = np.asarray(head.neutral_fine, np.float64), head.fine_faces[head.fine_part == 0]
        n = normals(v, np.ascontiguousarray(head.fine_faces, np.int32))
        used = np.unique(skin)
        points = np.concatenate([v[used], v[skin].mean(1)])
        out = np.concatenate([n[used], n[skin].mean(1)])
        nodes = Grid.nodes(LOW, HIGH, 0.6)
        flat = nodes.reshape(-1, 3)
        far, near = cKDTree(points).query(flat, 8, workers=-1)
        # the distance to the planes of the nearest places, smoothly; the head's own shape far from it
        w = 1 / (far + 0.25) ** 4
        w /= w.sum(1, keepdims=True)
        signed = (((flat[:, None] - points[near]) * out[near]).sum(2) * w).sum(1)
        distance = np.where(far[:, 0] < 1.5, signed, np.sign(signed) * far[:, 0]).reshape(nodes.shape[:3])
        self.distance = Grid(np.concatenate([distance[..., None], np.stack(np.gradient(distance, 0.6), -1)], -1), LOW, 0.6)
        rng = np.random.default_rng(5)
        self._picks = rng.choice(used, 700, replace=False)
        self._shape = Grid.nodes(LOW, HIGH, 2.0).shape[:3]
        at = Grid.nodes(LOW, HIGH, 2.0).reshape(-1, 1, 3)
        square = ((at - v[self._picks][None]) ** 2).sum(2)
        w = 1 / (square + 1.5) ** 3
        self._weights = (w / w.sum(1, keepdims=True)).astype(F)
        self._neutral = v

    def moved(self, rest):
        """Grid of displacements from the neutral head to a person's at rest (fine vertices)."""
        d = (rest[self._picks] - self._neutral[self._picks]).astype(F)
        return Grid((self._weights @ d).reshape(*self._shape, 3), LOW, 2.0)


_Y = np.array([-3, 0, 2, 4, 6, 7.5, 8.6, 9.4, 9.9, 10.6])
_Z = np.array([-7.4, -2.9, -2.6, -1.8, -0.5, 0.9, 2.1, 3.3, 4.3, 9.0])
_LOW_Z = np.array([-16, -11, -9.6, -8.6, -7.6, -7.0, -5.0, -4.3, -3.9, 0])
_LOW_Y = np.array([-6.0, -5.7, -3.8, -1.0, 2.4, 3.6, 3.6, 1.5, -0.6, -0.6])


def edges(q, recede):
    """How far inside the hairline points q [n,3] are, centimetres: from the face's side and from below."""
    x, y, z = q.T
    back = recede * (0.5 + 2.6 * np.exp(-(((np.abs(x) - 3.9) / 1.7) ** 2))) * step(5.5, 8, y)
    front = np.interp(y - 0.45 * back, _Y, _Z) - z - back * step(-9, 0, z)
    return front, y - np.interp(z, _LOW_Z, _LOW_Y)
