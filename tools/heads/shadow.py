"""Shadow maps: what a mesh, and hair as a veil of points, hide from a direction."""

import numpy as np

from .native import f, floats, library, pointer, project

TAPS = 20


def _axes(d):
    """Three unit rows: right, down and away from the light, for a direction d towards the light."""
    right = np.cross([0.0, 1.0, 0.0] if abs(d[1]) < 0.9 else [1.0, 0.0, 0.0], d)
    right /= np.linalg.norm(right)
    return floats(np.stack([right, -np.cross(d, right), -d]))


class Map:
    """The nearest depth from direction `d` of triangles, over a square of ±radius centimetres about `centre`."""

    def __init__(self, d, vertices, faces, side, centre, radius, veil=None):
        self.axes, self.side, self.centre, self.scale = _axes(d), side, centre, np.float32(side / (2 * radius))
        self.depth = np.empty(side * side, np.float32)
        screen, faces = self._screen(vertices), np.ascontiguousarray(faces, np.int32)
        library().depth_map(pointer(screen), pointer(faces), len(faces), side, pointer(self.depth))
        self.amount = self.deep = None
        if veil is not None and len(veil[0]):
            self.amount, self.deep = np.empty_like(self.depth), np.empty_like(self.depth)
            points, weight = self._screen(veil[0]), floats(veil[1] * self.scale**2)
            library().veil_map(pointer(points), pointer(weight), len(points), side, pointer(self.amount), pointer(self.deep))

    def _screen(self, points):
        """x, y in pixels, depth in centimetres."""
        return project(points, self.axes, self.centre, self.scale, self.side / 2)

    def look(self, points, blur, soft):
        """Share of light at points [n,3], over a disc of radius `blur` and a depth of `soft` centimetres."""
        at, out = self._screen(points), np.empty(len(points), np.float32)
        library().shadow_look(
            pointer(self.depth), pointer(self.amount), pointer(self.deep), self.side, pointer(at), len(at), f(max(blur * self.scale, 0.7)), f(soft), TAPS, pointer(out)
        )
        return out
