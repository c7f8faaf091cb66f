"""The pack's roles as torch modules: inputs and outputs by the names of docs/packs.md.

An inverted person is five identity tensors: `theta [F]` (the tuned weights, flat), `plane_offset`, `background_offset`,
`style_offset` and `mouth_kept [1]` (how much of `plane_offset` holds in a wide open mouth). `prepare` resolves them once; all later roles see plain tensors, so that none holds tuned weights of its own.
"""

import copy
import itertools

import torch
import torch.nn as nn
import torch.nn.functional as F

from ..heads import geometry as G
from ..heads import params as P
from ..heads import people
from . import convolution
from . import generator as N
from . import mixing

VISIBLE = 1e-4  # opacity of a unit of length below which a place is empty
EMPTY = -1e4  # density of what is empty
FAINT = 1e-4  # alpha below which the source of a ray fades to zero
AJAR, WIDE = 0.25, 0.45  # jawOpen, less what mouthClose shuts, up to which the lips of a photo stay before the mouth's inside, and from which they do not
MOUTH, MOUTH_RIM = ((-2.6, 2.6), (-7.5, -3.2)), 0.25  # where an opening mouth shows its inside: x and y; width of the rim, centimetres
FIELD = ("planes", "warp", "decode1_weight", "decode1_bias", "decode2_weight", "decode2_bias")
UP = ("up1_weight", "up1_bias", "up2_weight", "up2_bias", "rgb_weight", "rgb_bias")
# Planes are [1,3,H,W,C] here, channels last, as the fused operators read them.
STATE = FIELD + ("background",) + UP + ("planes_fixed",)  # what `prepare` gives, in this order


class Mapping(nn.Module):
    """z [n,Z], psi [1] -> w [n,1,D]: a plausible person, neutral, mouth closed."""

    def forward(self, z, psi):
        return people.plausible(z, psi)[:, None]


class Prepare(nn.Module):
    """w [1,1,D] and the identity tensors -> the state tensors. Its generator is a copy whose tuned weights come from theta."""

    def __init__(self, generator):
        super().__init__()
        self.generator = copy.deepcopy(generator)
        self.register_buffer("mouth", mouth_of_plane(generator.config))
        self.places = []
        for name, p in list(self.generator.named_parameters()):
            if name in generator.tuned():
                owner, _, attribute = name.rpartition(".")
                module = self.generator.get_submodule(owner)
                del module._parameters[attribute]
                self.places.append((module, attribute, p.shape))

    def resolve(self, theta):
        """The generator with its tuned weights taken from theta."""
        pieces = torch.split(theta, [shape.numel() for _, _, shape in self.places])
        for (module, attribute, shape), piece in zip(self.places, pieces):
            object.__setattr__(module, attribute, piece.reshape(shape))
        return self.generator

    def forward(self, w, theta, plane_offset, background_offset, style_offset):
        g = self.resolve(theta)
        s = g.prepare(w[:, 0], plane_offset, background_offset, style_offset)
        d1, u1, u2, rgb = g.decode1, g.up1, g.up2, g.to_rgb
        field = (texels(s["planes"]), s["warp"], d1.weight, d1.bias, s["decode2_weight"][0], s["decode2_bias"][0])
        up = (u1.kernel(s["style"]), u1.bias, u2.kernel(s["style"]), u2.bias, rgb.weight, rgb.bias)
        return *field, s["background"], *up, self.fixed(plane_offset)

    def fixed(self, plane_offset):
        """What no expression changes of a person's planes, and of that what only the lips of a photo have, [2,3,H,W,C]."""
        g = self.generator
        lips = F.pad(plane_offset[:, : g.config.channels] * self.mouth, (0, 0, 0, 0, 0, 2 * g.config.channels))
        return torch.cat([texels(g.mean + plane_offset), texels(lips)])


class Camera(nn.Module):
    """pose [n,6] -> origins, directions [n,N,3] in the head frame."""

    def __init__(self, rays):
        super().__init__()
        self.rays = rays

    def forward(self, pose):
        o, d = G.camera_rays(pose, self.rays)
        return o + 0 * d, d


def texels(planes):
    """Planes [1,3C,H,W] as the state holds them, channels last: [1,3,H,W,C]."""
    n, c, h, w = planes.shape
    return planes.reshape(n, 3, c // 3, h, w).permute(0, 1, 3, 4, 2)


def field_state(planes, *others):
    """The state that `Field` decodes, from the tensors of FIELD."""
    _, _, h, w, c = planes.shape
    return dict(zip(FIELD, (planes.permute(0, 1, 4, 2, 3).reshape(1, 3 * c, h, w), *others)))


class Occupied(N.Field):
    """A field of which some cells are known to be empty: `occupancy` [1,1,z,y,x] of its state holds 0 there.

    The cells divide the volume; points outside belong to the nearest.
    """

    def decode(self, state, points):
        out, cells = super().decode(state, points), state["occupancy"]
        index = 0
        for axis, size in ((2, cells.shape[2]), (1, cells.shape[3]), (0, cells.shape[4])):
            most = (size - 1) * torch.ones(())
            at = torch.floor((points[..., axis] / N.RADIUS + 1) * (size * torch.full((), 0.5)))
            index = index * size + torch.minimum(at.clamp(min=0), most).long()
        density = torch.where(cells.reshape(-1)[index] > 0, out[:, 0], torch.full((), EMPTY))
        return torch.cat([density[:, None], out[:, 1:]], 1)


class _Field(nn.Module):
    """Base of the roles that decode points; its generator gives the configuration and no weights."""

    def __init__(self, config):
        super().__init__()
        self.field = Occupied(config)


class Occupancy(nn.Module):
    """Field state -> occupancy [1,1,side,side,side]: cells with anything in them or in a cell beside them.

    Looked for at two places a cell along each axis, and its ends.
    """

    def __init__(self, config, side):
        super().__init__()
        self.field, self.side = N.Field(config), side

    def forward(self, planes, warp, d1w, d1b, d2w, d2b):
        at = torch.linspace(-N.RADIUS, N.RADIUS, 2 * self.side + 1) + 0 * d1b[0]  # or the places would be a constant of the model
        z, y, x = torch.meshgrid(at, at, at, indexing="ij")
        density = self.field.decode(field_state(planes, warp, d1w, d1b, d2w, d2b), torch.stack([x, y, z], -1).reshape(1, -1, 3))[:, 0]
        opacity = 1 - torch.exp(-F.softplus(density - 1) * 15)
        cells = F.max_pool3d(opacity.reshape(1, 1, *z.shape), 3, 2)
        return F.max_pool3d((cells > VISIBLE).float(), 3, 1, 1)


class Depths(_Field):
    """Field state, occupancy, origins and directions [1,N,3] -> depths [1,N,S]."""

    def forward(self, planes, warp, d1w, d1b, d2w, d2b, occupancy, origins, directions):
        state = field_state(planes, warp, d1w, d1b, d2w, d2b) | {"occupancy": occupancy}
        return self.field.depths(state, origins, directions)


class Render(_Field):
    """Field state, occupancy, background and rays of any number N, bent by two displacement lattices -> features [1,C,N], alpha [1,1,N],
    source [1,3,N].

    origins, directions [1,N,3], depths [1,N,S]; pixels [N] int64: which pixel of the background [1,C,R,R] is behind each ray. `source`
    is the mean of the bent samples, weighted as the features are: where on the resting head lies what the ray shows.
    """

    def forward(
        self, planes, warp, d1w, d1b, d2w, d2b, occupancy, background, origins, directions, depths, pixels,
        motion, motion_box, detail, detail_box,
    ):  # fmt: skip
        state = field_state(planes, warp, d1w, d1b, d2w, d2b) | {"occupancy": occupancy}
        points = (origins[:, :, None] + depths[..., None] * directions[:, :, None]).reshape(1, -1, 3)
        points = points + displacement(motion, motion_box, points) + displacement(detail, detail_box, points)
        c, rays, samples = self.field.config.channels, depths.shape[1], depths.shape[2]
        out = self.field.decode(state, points).reshape(1, c + 1, rays, samples)
        weights = N.weights(out[:, 0], depths)
        alpha = weights.sum(-1)[:, None]
        features = (weights[:, None] * out[:, 1:]).sum(-1)
        places = points.reshape(1, rays, samples, 3)
        source = (weights[..., None] * places).sum(2).transpose(1, 2) / alpha.clamp(min=FAINT)
        return features + (1 - alpha) * background.reshape(1, c, -1)[:, :, pixels], alpha, source


def displacement(lattice, box, points):
    """A lattice [1,3,z,y,x] over box [2,3] (its first and last node), interpolated at points [1,M,3] -> [1,M,3]."""
    at = (points - box[0]) / (box[1] - box[0]) * 2 - 1
    moved = F.grid_sample(lattice, at.reshape(1, -1, 1, 1, 3), align_corners=True, padding_mode="border")
    return moved.reshape(1, 3, -1).transpose(1, 2)


def everywhere():
    """An occupancy without empty cells."""
    return {"occupancy": torch.ones(1, 1, 1, 1, 1)}


def still():
    """The lattices of a face at rest, by name."""
    box = torch.tensor([[-1.0] * 3, [1.0] * 3])
    return {"motion": torch.zeros(1, 3, 2, 2, 2), "motion_box": box, "detail": torch.zeros(1, 3, 2, 2, 2), "detail_box": box}


class Planes(nn.Module):
    """w [n,1,D] and the person's tensors -> planes [n,3,H,W,C]: what changes when w moves by the expression alone.

    What a photo of a shut mouth adds to the plane xy are its lips, and they must not hang before the teeth of a wide open one. Near shut they
    stay: their dark line is what parts lips from teeth.
    """

    def __init__(self, prepare):
        super().__init__()
        self.prepare = prepare

    def forward(self, w, theta, planes_fixed, style_offset, mouth_kept):
        g = self.prepare.resolve(theta)
        jaw, shut = (w[:, 0, P.IDENTITY + P.UNIT[name]] for name in ("jawOpen", "mouthClose"))
        lost = ((jaw - shut - AJAR) / (WIDE - AJAR)).clamp(0, 1)[:, None] * (1 - mouth_kept)
        style, c, side = g.style(w[:, 0], style_offset), g.config.channels, g.config.basis_side
        basis, *amounts = g.amounts(style)
        amounts, features = itertools.chain(*amounts), (*g.features, *g.window_features)
        mixes = torch.cat([amount[..., None] * feature for amount, feature in zip(amounts, features)], 1)
        maps = torch.cat([m.reshape(-1) for m in (*g.maps, *g.windows)])
        smooth = g.basis.reshape(-1, 3 * c, side, side).permute(0, 2, 3, 1).flatten(1)
        coarse = convolution.rough(g, style) + (basis @ smooth).reshape(-1, side, side, 3 * c)
        shares = torch.cat([torch.ones_like(lost), -lost], 1)
        windows = [number for window in mixing.windows(g.config) for number in window]
        return mixing.mix(coarse.reshape(-1, side, side, 3, c), planes_fixed, shares, maps, mixes, windows)


def mouth_of_plane(config):
    """How much the texels of the plane xy are of `MOUTH`, [plane_side, plane_side] in [0,1]."""
    texels = ((torch.arange(config.plane_side) * 2 + 1) / config.plane_side - 1) * N.RADIUS
    inside = []
    for axis, (low, high) in enumerate(MOUTH):
        place = N.expand(texels, N.FOCUS[axis], config.focus) * G.SCALE + G.ORIGIN[axis]
        inside.append(torch.sigmoid((place - low) / MOUTH_RIM) * torch.sigmoid((high - place) / MOUTH_RIM))
    return inside[1].flip(0)[:, None] * inside[0][None]


class Upsample(nn.Module):
    """features [1,C,R,R] and the person's kernels -> image [1,3,P,P]."""

    def forward(self, features, u1w, u1b, u2w, u2b, rgbw, rgbb):
        x = convolution.plain(features.permute(0, 2, 3, 1), u1w, u1b, 0.2, N.GAIN)
        x = convolution.plain(x, u2w, u2b, 0.2, N.GAIN)
        detail = F.pixel_shuffle(convolution.plain(x, rgbw, rgbb).permute(0, 3, 1, 2), 2)
        low = F.interpolate(features[:, :3], scale_factor=2, mode="bilinear", align_corners=False)
        return low + detail


class Lipaint(nn.Module):
    """w [1,1,D], expression [n,E], reference [1,E] -> w_inpainted [n,1,D]: w with its expression moved by the difference.

    w holds the expression as such, so the step that LipaintNet learns elsewhere is exact here.
    """

    def forward(self, w, expression, reference):
        e = P.SLOT["expression"]
        move = F.pad(expression - reference, (e.start, P.D - e.stop))
        return w + move[:, None]


class MorphableModel(nn.Module):
    """coefficients [n,K] -> vertices [n,V,3], landmarks [n,468,2], contour [n,20,2]."""

    def __init__(self):
        super().__init__()
        self.model = G.Morphable()
        self.model.cut(self.model.skin_count)

    def forward(self, coefficients):
        return self.model(coefficients)


def offsets(generator):
    """Those identity tensors of an untuned person that `prepare` takes."""
    return {name: tensor for name, tensor in identity(generator).items() if name != "mouth_kept"}


def identity(generator):
    """The identity tensors of an untuned person."""
    with torch.no_grad():
        return {"theta": generator.theta().detach().clone(), **generator.extras(), "mouth_kept": torch.ones(1)}
