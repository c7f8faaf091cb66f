"""The identity un-warp: a fixed displacement field a unit of each identity coefficient, spread from the mesh through the volume."""

import functools

import numpy as np
from scipy.spatial import cKDTree

from ..heads import params as P
from ..heads.head import SKIN, Head
from ..heads.view import ORIGIN, SCALE

NEAR, REACH = 0.10, 0.40  # the field is whole up to NEAR model units off the surface, then falls off over REACH


@functools.cache
def basis(side, radius):
    """[40, 3·side³] float32: minus the identity displacement at grid points indexed z, y, x, corners at ±radius."""
    head = Head()
    skin = np.unique(head.fine_faces[head.fine_part == SKIN])
    identity = next(iter(head.shape.directions())).numpy()
    fine = np.stack([(head.subdivide @ b)[skin] for b in identity]) / SCALE  # [40, M, 3]
    where = (head.neutral_fine[skin] - ORIGIN) / SCALE
    g = np.linspace(-radius, radius, side)
    z, y, x = np.meshgrid(g, g, g, indexing="ij")
    at = np.stack([x, y, z], -1).reshape(-1, 3)
    distance, index = cKDTree(where).query(at, k=12)
    weight = 1 / (distance + 0.02) ** 2
    weight /= weight.sum(1, keepdims=True)
    weight *= np.exp(-((np.maximum(distance[:, :1] - NEAR, 0) / REACH) ** 2))
    field = np.stack([(f[index] * weight[..., None]).sum(1) for f in fine])  # [40, side³, 3]
    return -np.ascontiguousarray(field.transpose(0, 2, 1).reshape(P.IDENTITY, -1), np.float32)
