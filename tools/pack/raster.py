"""The C rasteriser, compiled on first use with the system's `cc`."""

import ctypes
import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np

_SOURCE = Path(__file__).with_name("raster.c")
_library = None


def _load():
    global _library
    if _library is None:
        name = "raster-" + hashlib.sha256(_SOURCE.read_bytes()).hexdigest()[:12] + ".so"
        path = Path(tempfile.gettempdir()) / name
        if not path.exists():
            part = path.with_suffix(f".{os.getpid()}")
            subprocess.run(["cc", "-O3", "-march=native", "-shared", "-fPIC", _SOURCE, "-o", part, "-lm"], check=True)
            part.rename(path)
        _library = ctypes.CDLL(str(path))
    return _library


def _pointer(a):
    return a.ctypes.data_as(ctypes.c_void_p)


def raster(screen, faces, side):
    """screen [N,3] (x, y in pixels, depth) -> depth, triangle (-1: none), first two barycentric [.., 2], each over [side*side]."""
    screen, faces = np.ascontiguousarray(screen, np.float32), np.ascontiguousarray(faces, np.int32)
    depth, triangle = np.empty(side * side, np.float32), np.empty(side * side, np.int32)
    bary = np.empty((side * side, 2), np.float32)
    _load().raster(_pointer(screen), _pointer(faces), len(faces), side, side, _pointer(depth), _pointer(triangle), _pointer(bary))
    return depth, triangle, bary


def normals(v, faces):
    """Unit vertex normals [N,3], area weighted, of positions v [N,3]."""
    v, faces = np.ascontiguousarray(v, np.float32), np.ascontiguousarray(faces, np.int32)
    out = np.empty_like(v)
    _load().normals(_pointer(v), _pointer(faces), len(faces), len(v), _pointer(out))
    return out


def blend(values, faces, at, triangle, bary):
    """Vertex values [N,C] interpolated at the pixels `at` [P] of a `raster` result: [C,P]."""
    values, faces = np.ascontiguousarray(values, np.float32), np.ascontiguousarray(faces, np.int32)
    at = np.ascontiguousarray(at, np.int32)
    out = np.empty((values.shape[1], len(at)), np.float32)
    _load().blend(_pointer(values), values.shape[1], _pointer(faces), _pointer(at), len(at), _pointer(triangle), _pointer(bary), _pointer(out))
    return out
