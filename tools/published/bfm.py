"""The front of the Basel Face Model 2009 (Paysan et al. 2009) with an expression basis (Guo et al. 2018), as Deep3DFaceRecon uses it.

35,709 vertices in decimetres; a head of coefficients is mean + identity + expression, turned by Rz·Ry·Rx (angles about x, y, z), moved,
and seen by a camera ten units before it. Picture coordinates are in pixels of a 224 px crop, v growing upwards.
"""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

from .source import Source

VERTICES, TRIANGLES, AROUND, LANDMARKS = 35709, 70789, 8, 68
IDENTITY, EXPRESSION, TEXTURE = 80, 64, 80
SLOTS = {"identity": (0, 80), "expression": (80, 144), "texture": (144, 224), "rotation": (224, 227), "light": (227, 254), "translation": (254, 257)}
SIZE = 257
SIDE, FOCAL, CENTRE, DISTANCE = 224.0, 1015.0, 112.0, 10.0
FIRST_LIGHT = 0.8  # added to the first coefficient of light of each colour
INNER_LIP = (60, 68)  # landmarks that go round it, a closed polygon
EVERY = 4  # one vertex in so many is an anchor of the deformation
REACH = 0.1  # the crop's side covers [-REACH, REACH] of the volume


def split(coefficients):
    """Coefficients [n,257] by name."""
    return {name: coefficients[:, start:end] for name, (start, end) in SLOTS.items()}


def rotation(angles):
    """Angles [n,3] in radians -> matrices [n,3,3] to multiply rows of points with from the right."""
    (cx, cy, cz), (sx, sy, sz) = angles.cos().unbind(1), angles.sin().unbind(1)
    zero, one = torch.zeros_like(cx), torch.ones_like(cx)

    def matrix(*entries):
        return torch.stack(entries, 1).reshape(-1, 3, 3)

    about_x = matrix(one, zero, zero, zero, cx, -sx, zero, sx, cx)
    about_y = matrix(cy, zero, sy, zero, one, zero, -sy, zero, cy)
    about_z = matrix(cz, -sz, zero, sz, cz, zero, zero, zero, one)
    return (about_z @ about_y @ about_x).transpose(1, 2)


def to_camera(points, turn, translation):
    """Points [n,v,3] of the head -> camera space [n,v,3], whose third coordinate is the distance from the camera's plane."""
    moved = points @ turn + translation[:, None]
    return torch.cat([moved[..., :2], DISTANCE - moved[..., 2:]], -1)


def project(points):
    """Camera space [n,v,3] -> pixels [n,v,2], v growing upwards."""
    return FOCAL * points[..., :2] / points[..., 2:] + CENTRE


def harmonics(normals):
    """The first nine spherical harmonics of directions [...,3], with their factors for diffuse light (Ramamoorthi & Hanrahan 2001)."""
    x, y, z = normals.unbind(-1)
    flat = math.pi / math.sqrt(4 * math.pi)
    slope = 2 * math.pi / math.sqrt(3) * math.sqrt(3 / (4 * math.pi))
    curve = 2 * math.pi / math.sqrt(8) * 3 * math.sqrt(5) / math.sqrt(12 * math.pi)
    return torch.stack(
        [
            flat * torch.ones_like(x), -slope * y, slope * z, -slope * x, curve * x * y, -curve * y * z,
            curve * (3 * z * z - 1) / (2 * math.sqrt(3)), -curve * x * z, curve * (x * x - y * y) / 2,
        ], -1,
    )  # fmt: skip


class Shape(nn.Module):
    """Mean and bases of some vertices: identity [n,80], expression [n,64] -> points [n,v,3]."""

    def __init__(self, mean, identity, expression):
        super().__init__()
        self.register_buffer("mean", mean)  # [3v]
        self.register_buffer("basis", torch.cat([identity, expression], 1).t().contiguous())  # [144,3v]

    def forward(self, identity, expression):
        return (torch.cat([identity, expression], 1) @ self.basis + self.mean).reshape(identity.shape[0], -1, 3)

    def only(self, vertices):
        """The same of those vertices."""
        rows = (3 * vertices[:, None] + torch.arange(3)).reshape(-1)
        some = self.basis[:, rows].t()
        return Shape(self.mean[rows], some[:, :IDENTITY], some[:, IDENTITY:])


class Morphable(nn.Module):
    """coefficients [n,257] -> what the fit compares with a picture, by name.

    `source` holds the arrays of BFM_model_front.mat; `vertices` and `triangles` are those of the published file.
    `centre`: the mean face's middle becomes the origin, as the published code has it.
    """

    def __init__(self, source: Source, vertices: int = VERTICES, triangles: int = TRIANGLES, centre: bool = True):
        super().__init__()
        mean = source.take("meanshape", 1, 3 * vertices).reshape(-1, 3)
        self.shape = Shape(
            (mean - centre * mean.mean(0)).reshape(-1), source.take("idBase", 3 * vertices, IDENTITY), source.take("exBase", 3 * vertices, EXPRESSION)
        )
        self.register_buffer("mean_texture", source.take("meantex", 1, 3 * vertices)[0])
        self.register_buffer("texture_basis", source.take("texBase", 3 * vertices, TEXTURE).t().contiguous())
        for name, published, shape in (
            ("triangles", "tri", (triangles, 3)), ("around", "point_buf", (vertices, AROUND)), ("keypoints", "keypoints", (1, LANDMARKS)),
        ):  # fmt: skip
            self.register_buffer(name, source.take(published, *shape).long() - 1)  # the file counts from 1
        self.keypoints = self.keypoints[0]

    def normals(self, points):
        """Unit normals of vertices [n,v,3]: the sum of those of the triangles around each, without weights."""
        a, b, c = (points[:, self.triangles[:, corner]] for corner in range(3))
        faces = F.normalize(torch.linalg.cross(a - b, b - c), dim=-1)
        faces = F.pad(faces, (0, 0, 0, 1))  # where fewer than eight are around, the list is filled with one beyond the last
        return F.normalize(faces[:, self.around].sum(2), dim=-1)

    def forward(self, coefficients):
        """Gives `vertices` [n,v,3] in camera space, `texture` and `colour` [n,v,3] in [0,1], `landmarks` [n,68,2] and `projected` [n,v,2] in pixels."""
        part = split(coefficients)
        points, turn = self.shape(part["identity"], part["expression"]), rotation(part["rotation"])
        vertices = to_camera(points, turn, part["translation"])
        texture = (part["texture"] @ self.texture_basis + self.mean_texture).reshape(points.shape) / 255
        light = part["light"].reshape(-1, 3, 9) + FIRST_LIGHT * F.one_hot(torch.tensor(0), 9)
        colour = harmonics(self.normals(points) @ turn) @ light.transpose(1, 2) * texture
        projected = project(vertices)
        return {
            "vertices": vertices, "texture": texture, "colour": colour,
            "landmarks": projected[:, self.keypoints], "projected": projected,
        }  # fmt: skip


class MorphableModel(nn.Module):
    """The role: coefficients [n,257] -> vertices [n,V,3], landmarks [n,68,2], contour [n,8,2].

    Anchors of the deformation are every fourth vertex, as in the published system: where it is *seen*, not where it lies. A pixel (u, v) of
    the crop becomes (0, u', v') of the volume, whose axes are to the viewer, right and up, with [0, 224] px on [-0.1, 0.1]. The published
    search for the nearest anchor leaves the first coordinate out; as all anchors have 0 there, the nearest in space is the same one, and as it
    is 0 at rest and in motion, nothing moves along it. Rotation and translation count as they stand in the coefficients, so those have to be
    of the picture that the resting camera shows, the frontal rendering.

    Landmarks and contour are those points in [0,1] of the crop, y down. The contour is landmarks 60 to 67, the inner lip.
    """

    def __init__(self, model: Morphable):
        super().__init__()
        vertices = model.shape.mean.shape[0] // 3
        anchors = torch.arange(0, vertices, EVERY)
        self.anchors = len(anchors)
        self.shape = model.shape.only(torch.cat([anchors, model.keypoints]))  # all that is needed of the model

    def forward(self, coefficients):
        part = split(coefficients)
        points = self.shape(part["identity"], part["expression"])
        seen = project(to_camera(points, rotation(part["rotation"]), part["translation"])) / SIDE
        anchors = F.pad(seen[:, : self.anchors] * (2 * REACH) - REACH, (1, 0))
        landmarks = torch.cat([seen[:, self.anchors :, :1], 1 - seen[:, self.anchors :, 1:]], -1)
        return anchors, landmarks, landmarks[:, slice(*INNER_LIP)]
