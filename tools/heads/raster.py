"""The C rasteriser on arrays."""

import numpy as np

from . import native
from .native import pointer


def library():
    return native.compiled("raster.c")


def raster(screen, faces, side):
    """screen [N,3] (x, y in pixels, depth) -> depth, triangle (-1: none), first two barycentric [.., 2], each over [side*side]."""
    screen, faces = np.ascontiguousarray(screen, np.float32), np.ascontiguousarray(faces, np.int32)
    depth, triangle = np.empty(side * side, np.float32), np.empty(side * side, np.int32)
    bary = np.empty((side * side, 2), np.float32)
    library().raster(pointer(screen), pointer(faces), len(faces), side, side, pointer(depth), pointer(triangle), pointer(bary))
    return depth, triangle, bary


def normals(v, faces):
    """Unit vertex normals [N,3], area weighted, of positions v [N,3]."""
    v, faces = np.ascontiguousarray(v, np.float32), np.ascontiguousarray(faces, np.int32)
    out = np.empty_like(v)
    library().normals(pointer(v), pointer(faces), len(faces), len(v), pointer(out))
    return out


def blend(values, faces, at, triangle, bary):
    """Vertex values [N,C] interpolated at the pixels `at` [P] of a `raster` result: [C,P]."""
    values, faces = np.ascontiguousarray(values, np.float32), np.ascontiguousarray(faces, np.int32)
    at = np.ascontiguousarray(at, np.int32)
    out = np.empty((values.shape[1], len(at)), np.float32)
    library().blend(pointer(values), values.shape[1], pointer(faces), pointer(at), len(at), pointer(triangle), pointer(bary), pointer(out))
    return out
