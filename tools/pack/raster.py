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


def raster(screen, faces, side):
    """screen [N,3] (x, y in pixels, depth) -> depth, triangle (-1: none), barycentric [.., 3], each over [side*side]."""
    screen, faces = np.ascontiguousarray(screen, np.float32), np.ascontiguousarray(faces, np.int32)
    depth, triangle = np.empty(side * side, np.float32), np.empty(side * side, np.int32)
    bary = np.zeros((side * side, 2), np.float32)
    pointer = lambda a: a.ctypes.data_as(ctypes.c_void_p)
    _load().raster(pointer(screen), pointer(faces), len(faces), side, side, pointer(depth), pointer(triangle), pointer(bary))
    return depth, triangle, np.concatenate([bary, 1 - bary.sum(1, keepdims=True)], 1)
