"""Functions of strands.c on arrays. Lengths in centimetres."""

import ctypes

import numpy as np

from .native import compiled, f, floats, pointer

ROOT = ("length", "lift", "layer", "weight", "face", "behind", "tied", "stiff")  # what a root says of its strand, as strands.c reads it


def library():
    return compiled("strands.c", "-ffast-math")


class Grid:
    """Values on a regular grid: `values` [x,y,z(,channels)], the first node's position `low` and the nodes' distance `size`."""

    def __init__(self, values, low, size):
        self.values, self.low, self.size = floats(values), floats(low), float(size)
        self._cells = np.array(self.values.shape[:3], np.int32)

    @property
    def c(self):
        return pointer(self._cells), pointer(self.low), f(self.size), pointer(self.values)

    @staticmethod
    def nodes(low, high, size):
        """Positions [x,y,z,3] of the nodes of a grid from `low` to `high`."""
        axes = [np.arange(a, b + size / 2, size) for a, b in zip(low, high)]
        return np.stack(np.meshgrid(*axes, indexing="ij"), -1).astype(np.float32)


def grow(root, direction, about, k, field, tie):
    """Strands [n,k,3] from roots [n,3] over a distance field (Grid of distance and gradient); `about` [n,len(ROOT)]."""
    root, direction, about, tie = floats(root), floats(direction), floats(about), floats(tie)
    out = np.empty((len(root), k, 3), np.float32)
    library().grow(pointer(root), pointer(direction), pointer(about), len(root), k, *field.c, pointer(tie), pointer(out))
    return out


def style(grown, clump, shape, m, centre):
    """Clumped, waved, curled and frizzed strands [n,m,3]; shape [n,6]: clump, wave, curl radius, turns a centimetre, frizz, length."""
    clump, shape, centre = np.ascontiguousarray(clump, np.int32), floats(shape), floats(centre)
    out = np.empty((len(grown), m, 3), np.float32)
    library().style(pointer(grown), pointer(clump), pointer(shape), len(grown), grown.shape[1], m, pointer(centre), pointer(out))
    return out


def warp(points, field):
    """Moves points [...,3] in place by a Grid of displacements."""
    library().warp(pointer(points), ctypes.c_long(points.size // 3), *field.c)


def density(points, width, low, high, size):
    """Grid of how much hair there is: width times length of strands [n,m,3] a volume."""
    shape = Grid.nodes(low, high, size).shape[:3]
    out = Grid(np.zeros(shape, np.float32), low, size)
    cells, at, h, values = out.c
    width = floats(width)
    library().density(pointer(points), pointer(width), len(points), points.shape[1], cells, at, h, values)
    return out


def march(grid, direction, steps):
    """Optical depth [x,y,z] from the nodes of a Grid towards a direction."""
    cells, _, size, values = grid.c
    out, direction = np.empty_like(grid.values), floats(direction)
    library().march(values, cells, size, pointer(direction), steps, pointer(out))
    return out


def shade(points, volume, light, strand, tip, centre):
    """Linear light [n,m,3] of strands [n,m,3]; see strands.c."""
    light, strand, tip, centre = floats(light), floats(strand), floats(tip), floats(centre)
    out = np.empty_like(points)
    library().shade(
        pointer(points), len(points), points.shape[1], *volume.c, pointer(light), pointer(strand), pointer(tip), pointer(centre), pointer(out)
    )
    return out


class Samples:
    """What strands are drawn into: twice the picture's samples a side; `wall` is the picture's depth."""

    def __init__(self, wall):
        s = 2 * len(wall)
        self.side, self.wall = s, floats(wall)
        self.depth, self.picture, self.label = np.full((s, s), 1e9, np.float32), np.zeros((s, s, 3), np.float32), np.zeros((s, s), np.uint8)

    def draw(self, screen, colour, width, cover, kind):
        """screen [n,m,3] in samples and depth, colour [n,m,3], width [n] in samples, cover [n], kind [n]."""
        screen, colour, width, cover, kind = floats(screen), floats(colour), floats(width), floats(cover), np.ascontiguousarray(kind, np.uint8)
        library().draw(
            pointer(screen), pointer(colour), pointer(width), pointer(cover), pointer(kind), len(screen), screen.shape[1], self.side,
            pointer(self.wall), pointer(self.depth), pointer(self.picture), pointer(self.label),
        )  # fmt: skip
