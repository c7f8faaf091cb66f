"""C of this folder, compiled on first use with the system's `cc`, and functions of render.c on arrays."""

import ctypes
import functools
import hashlib
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np


@functools.cache
def compiled(name, *flags):
    """The library of a C file of this folder."""
    source = Path(__file__).with_name(name)
    path = Path(tempfile.gettempdir()) / f"heads-{source.stem}-{hashlib.sha256(source.read_bytes()).hexdigest()[:12]}.so"
    if not path.exists():
        part = path.with_suffix(f".{os.getpid()}")
        subprocess.run(["cc", "-O3", "-march=native", *flags, "-shared", "-fPIC", source, "-o", part, "-lm"], check=True)
        part.rename(path)
    return ctypes.CDLL(str(path))


def library():
    return compiled("render.c", "-ffast-math")


def pointer(a):
    """The address of a contiguous array, for C; None stays NULL."""
    return None if a is None else a.ctypes.data_as(ctypes.c_void_p)


def floats(a):
    return np.ascontiguousarray(a, np.float32)


def f(x):
    return ctypes.c_float(float(x))


def noise(points, scale, octaves=1, gain=0.5):
    """Gradient noise [n] of deviation about 2/3 at points [n,3]; `scale`: waves a centimetre, one number or one an axis."""
    points, scale = floats(points), floats(np.broadcast_to(scale, 3))
    out = np.empty(len(points), np.float32)
    library().noise(pointer(points), len(points), pointer(scale), octaves, f(gain), pointer(out))
    return out


def cells(points, scale):
    """Distance (in cells) to the nearest of scattered points, one a cell of 1/scale centimetres, and its number in [0,1)."""
    points = floats(points)
    distance, number = np.empty(len(points), np.float32), np.empty(len(points), np.float32)
    library().cells(pointer(points), len(points), f(scale), pointer(distance), pointer(number))
    return distance, number


def diffuse(light, weight, depth, sigma, tolerance):
    """Spreads light [s,s,3] in place by Gauss filters of `sigma` [3] pixels where `weight` [s,s] > 0; depth and its tolerance in one unit."""
    scratch, sigma, weight, depth = np.empty_like(light), floats(sigma), floats(weight), floats(depth)
    library().diffuse(pointer(light), pointer(weight), pointer(depth), len(light), pointer(sigma), f(tolerance), pointer(scratch))


def contact(position, normal, at, side, reach, scale):
    """How open the surroundings of pixels `at` are, [n] in [0,1], from positions and normals [side*side,3] in camera axes, centimetres."""
    position, normal, at = floats(position), floats(normal), np.ascontiguousarray(at, np.int32)
    out = np.empty(len(at), np.float32)
    library().contact(pointer(position), pointer(normal), pointer(at), len(at), side, f(reach), f(scale), pointer(out))
    return out


def project(points, axes, centre, scale=1.0, half=0.0):
    """Points [n,3] along the rows of `axes` [3,3] about `centre` [3]; the first two times `scale` and moved by `half`."""
    points, axes, centre = floats(points), floats(axes), floats(centre)
    out = np.empty_like(points)
    library().project(pointer(points), len(points), pointer(axes), pointer(centre), f(scale), f(half), pointer(out))
    return out
