"""The generator: physical parameters w to a tri-plane radiance field, features of a volume rendering, and a picture.

Tri-plane fields after EG3D (Chan et al. 2022); modulated convolutions after StyleGAN2 (Karras et al. 2020); style-conditioned
volume features with a 2-D up-sampler after StyleNeRF (Gu et al. 2022). Trained here by supervision, without an adversary.

Shapes: n people, N = R·R rays, S samples a ray, C feature channels. All sizes come from `Config`; R is free at run time.
"""

import math
from dataclasses import dataclass

import torch
import torch.nn as nn
import torch.nn.functional as F

from ..heads import geometry as G
from ..heads import params as P
from . import warp

NEAR, FAR = 0.70, 1.05  # of the volume, before and behind the head's origin along a ray
GAIN = 1.3  # after every leaky rectifier of a modulated convolution
RADIUS = 1.15  # half side of the volume that the planes cover
FOCUS = (0.0, -0.2, 0.15)  # where planes are finest: between eyes and mouth, near the skin


@dataclass(frozen=True)
class Config:
    side: int = 256  # P, finished pixels; R is half of it
    style: int = 192
    channels: int = 16  # C
    hidden: int = 48  # of the decoder
    conv: tuple = (128, 96, 64, 48, 32)  # modulated convolutions at 4, 8, 16, ... pixels
    basis: int = 32
    basis_side: int = 64
    plane_side: int = 128  # of the mean, of a person's own offset and of the planes that points are looked up in
    details: tuple = (72, 20, 20)  # learned maps of each plane (xy, xz, zy) at its full side
    # Learned maps of what moves with speech and blinks: plane, left, top, width and height in its texels, how many. Of the plane xy about
    # mouth and chin, and about eyes and brows; of zy about the lips.
    windows: tuple = ((0, 32, 76, 64, 40, 96), (0, 32, 36, 64, 32, 48), (2, 52, 76, 40, 40, 24))
    mix: int = 256  # hidden units between the style and how much of basis and maps there is
    mix_windows: int = 192  # the same for the windows
    shades: int = 64  # hidden units between the texture and a person's own decoder layer
    focus: float = 2.0  # how much finer planes are about FOCUS than at their rim; see `contract`
    up: int = 32
    coarse: int = 12
    fine: int = 12
    warp_side: int = 28

    @property
    def rays(self):
        """R, the volume rendering's side."""
        return self.side // 2

    @property
    def samples(self):
        """S, samples a ray."""
        return self.coarse + self.fine


STUDIO = Config()
TINY = Config(
    side=32, style=16, channels=16, hidden=16, conv=(12, 8), basis=3, basis_side=8, plane_side=16, details=(2, 1, 1), windows=((0, 4, 9, 8, 5, 2), (2, 6, 9, 5, 5, 1)),
    mix=8, mix_windows=4, shades=4, up=8, coarse=4, fine=4, warp_side=6,
)  # fmt: skip


def resize(x, side):
    return x if x.shape[-1] == side else F.interpolate(x, size=(side, side), mode="bilinear", align_corners=False)


def contract(x, middle, strength):
    """Coordinates [..] along one axis to plane coordinates: stretched about `middle`, squeezed towards ±RADIUS, which stay.

    An inverse hyperbolic sine: texels are small where a face has its features and large at hair's rim and shoulders.
    """
    bend = lambda t: torch.log(t + torch.sqrt(t * t + 1))
    low, high = (math.asinh(strength * (end - middle)) for end in (-RADIUS, RADIUS))
    return (bend(strength * (x - middle)) - low) * (2 * RADIUS / (high - low)) - RADIUS


def expand(t, middle, strength):
    """The inverse of `contract`: plane coordinates to coordinates along the axis."""
    low, high = (math.asinh(strength * (end - middle)) for end in (-RADIUS, RADIUS))
    return middle + torch.sinh(low + (t + RADIUS) * ((high - low) / (2 * RADIUS))) / strength


class Modulated(nn.Module):
    """3x3 convolution whose input channels are scaled by the style, with demodulation."""

    def __init__(self, inputs, outputs, style):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 3, 3) / (inputs * 9) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.affine = nn.Linear(style, inputs)
        nn.init.normal_(self.affine.weight, 0, 0.5 / style**0.5)
        nn.init.ones_(self.affine.bias)

    def scales(self, style):
        """Input scales [n,inputs] and output scales [n,outputs] of a style."""
        s = self.affine(style)
        return s, torch.rsqrt((s * s) @ (self.weight**2).sum((2, 3)).t() + 1e-6)

    def forward(self, x, style):
        s, d = self.scales(style)
        x = F.pad(x * s[:, :, None, None], (1, 1, 1, 1), mode="replicate")
        y = F.conv2d(x, self.weight) * d[:, :, None, None] + self.bias[:, None, None]
        return F.leaky_relu(y, 0.2) * GAIN

    def kernel(self, style):
        """The kernel of one person [outputs,inputs,3,3]: forward equals a plain convolution with it."""
        s, d = self.scales(style)
        return self.weight * s[0][None, :, None, None] * d[0][:, None, None, None]


class Field:
    """The radiance field: decodes points of a state; holds sizes and no weights.

    The decoder has one hidden layer after the summed planes: features = W2·leaky(W1·sum(planes) + b1) + b2. W2 and b2 are a person's own:
    hidden units are materials, and what colour a person's hair, skin or clothes have stands in the last layer.
    """

    def __init__(self, config):
        self.config = config

    def decode(self, state, points):
        """points [n,M,3] -> [n,1+C,M]: density before softplus, then features."""
        n, m, _ = points.shape
        c = self.config.channels
        with torch.no_grad():
            at = (points / RADIUS).reshape(n, m, 1, 1, 3)
            back = F.grid_sample(state["warp"], at, align_corners=True, padding_mode="border")
            q = (points + back.reshape(n, 3, m).transpose(1, 2)) / RADIUS
            x, y, z = q[..., 0], -q[..., 1], q[..., 2]
            at = torch.stack([torch.stack([x, y], -1), torch.stack([x, z], -1), torch.stack([z, y], -1)], 1)
        planes = state["planes"].reshape(n * 3, c, *state["planes"].shape[2:])
        f = F.grid_sample(planes, at.reshape(n * 3, m, 1, 2), align_corners=False, padding_mode="border")
        f = f.reshape(n, 3, c, m).sum(1)
        h = F.leaky_relu(torch.bmm(state["decode1_weight"].expand(n, -1, -1), f) + state["decode1_bias"][:, None], 0.2)
        return torch.bmm(state["decode2_weight"].expand(n, -1, -1), h) + state["decode2_bias"].reshape(-1, c + 1, 1)

    def depths(self, state, origins, directions):
        """Where to sample: coarse and importance samples [n,N,S], ascending. No gradient."""
        with torch.no_grad():
            n, rays, _ = origins.shape
            k = self.config.coarse
            reach = origins.norm(dim=-1, keepdim=True)
            spacing = torch.linspace(-NEAR, FAR, k)
            coarse = reach + spacing
            points = origins[:, :, None] + coarse[..., None] * directions[:, :, None]
            density = self.decode(state, points.reshape(n, -1, 3))[:, 0].reshape(n, rays, k)
            weight = weights(density, coarse) + 1e-3
            weight = torch.maximum(weight, 0.5 * F.pad(weight, (1, 0))[..., :-1])
            fine = importance(weight, coarse, self.config.fine, (FAR + NEAR) / (k - 1))
            return torch.sort(torch.cat([coarse, fine], -1), dim=-1)[0]

    def render(self, state, points, depths, blend=True):
        """points [n,N,S,3], depths [n,N,S] -> features [n,C,R,R], alpha [n,1,R,R], sample weights [n,N,S]."""
        n, rays, samples, _ = points.shape
        side = int(rays**0.5)
        out = self.decode(state, points.reshape(n, -1, 3)).reshape(n, -1, rays, samples)
        w = weights(out[:, 0], depths)
        f = (w[:, None] * out[:, 1:]).sum(-1).reshape(n, -1, side, side)
        alpha = w.sum(-1).reshape(n, 1, side, side)
        if blend:
            f = f + (1 - alpha) * state["background"]
        return f, alpha, w


class Generator(nn.Module):
    """Functional use: `torch.func.functional_call(generator, weights, (w, pose), {...})` runs `forward`."""

    # What inversion tunes: everything that is neither the mapping into the style nor the learned planes.
    FROZEN = (
        "style_in", "style_a", "style_b", "basis", "basis_weight", "mix_hidden", "mix", "maps", "features", "mean",
        "palette", "palette_hidden", "palette_more", "windows", "window_features", "window_hidden", "window_mix",
    )  # fmt: skip
    # Constants that a pack stores as float16.
    LARGE = ("basis", "mean", "warp_basis", "maps.0", "maps.1", "maps.2", "windows.0", "windows.1", "windows.2")

    def __init__(self, config=STUDIO):
        super().__init__()
        c = self.config = config
        self.field = Field(config)
        self.style_in = nn.Linear(P.STYLE, c.style)
        self.style_a, self.style_b = nn.Linear(c.style, c.style), nn.Linear(c.style, c.style)
        self.const = nn.Parameter(torch.randn(1, c.conv[0], 4, 4))
        widths = (c.conv[0], *c.conv)
        self.convs = nn.ModuleList([Modulated(a, b, c.style) for a, b in zip(widths, widths[1:])])
        self.head = nn.Conv2d(c.conv[-1], 3 * c.channels, 1)
        self.mean = nn.Parameter(torch.randn(1, 3 * c.channels, c.plane_side, c.plane_side) * 0.05)
        self.basis = nn.Parameter(torch.randn(c.basis, 3 * c.channels * c.basis_side**2) * 0.01)
        self.basis_weight = nn.Linear(c.style, c.basis)
        self.decode1 = nn.Linear(c.channels, c.hidden)
        self.decode2 = nn.Linear(c.hidden, c.channels + 1)
        self.palette = nn.Linear(P.TEXTURE, (c.channels + 1) * (c.hidden + 1))
        nn.init.zeros_(self.palette.weight), nn.init.zeros_(self.palette.bias)
        self.ground = nn.Linear(3, c.channels)
        nn.init.zeros_(self.ground.weight), nn.init.zeros_(self.ground.bias)
        with torch.no_grad():
            self.ground.weight[:3] = torch.eye(3)
        self.up1, self.up2 = Modulated(c.channels, c.up, c.style), Modulated(c.up, c.up, c.style)
        self.to_rgb = nn.Conv2d(c.up, 12, 3)
        nn.init.zeros_(self.to_rgb.weight), nn.init.zeros_(self.to_rgb.bias)
        self.mix_hidden, self.mix = nn.Linear(c.style, c.mix), nn.Linear(c.mix, c.basis + sum(c.details))
        with torch.no_grad():
            self.mix.weight[: c.basis].zero_(), self.mix.bias.zero_()
        self.maps = nn.ParameterList(torch.zeros(count, c.plane_side**2) for count in c.details)
        self.features = nn.ParameterList(torch.randn(count, c.channels) / c.channels**0.5 for count in c.details)
        self.palette_hidden = nn.Linear(P.TEXTURE, c.shades)
        self.palette_more = nn.Linear(c.shades, self.palette.out_features, bias=False)
        nn.init.zeros_(self.palette_more.weight)
        counts = [count for *_, count in c.windows]
        self.window_hidden, self.window_mix = nn.Linear(c.style, c.mix_windows), nn.Linear(c.mix_windows, sum(counts))
        self.windows = nn.ParameterList(torch.zeros(count, width * height) for *_, width, height, count in c.windows)
        self.window_features = nn.ParameterList(torch.randn(count, c.channels) / c.channels**0.5 for count in counts)
        self.register_buffer("warp_basis", torch.tensor(warp.basis(c.warp_side, RADIUS)))  # [24, 3·side³]
        self.register_buffer("p_mean", torch.zeros(P.STYLE))
        self.register_buffer("p_std", torch.ones(P.STYLE))

    # -- names of the weights that a person's inversion tunes, as one flat vector -------------------------------------------
    def tuned(self):
        """Names of the tuned weights in the order of `theta`."""
        return [n for n, _ in self.named_parameters() if n.split(".")[0] not in self.FROZEN]

    def theta(self, weights=None):
        """All tuned weights as one vector [F]."""
        weights = weights or dict(self.named_parameters())
        return torch.cat([weights[n].reshape(-1) for n in self.tuned()])

    def unflatten(self, theta):
        """theta [F] -> {name: tensor}, for functional_call."""
        shapes = {n: p.shape for n, p in self.named_parameters()}
        names = self.tuned()
        pieces = torch.split(theta, [shapes[n].numel() for n in names])
        return {n: t.reshape(shapes[n]) for n, t in zip(names, pieces)}

    def extras(self, side=None):
        """Zero offsets of an untuned person: plane_offset, background_offset, style_offset."""
        c, r = self.config, (side or self.config.side) // 2
        return {
            "plane_offset": torch.zeros(1, 3 * c.channels, c.plane_side, c.plane_side),
            "background_offset": torch.zeros(1, c.channels, r, r),
            "style_offset": torch.zeros(1, c.style),
        }

    @torch.no_grad()
    def round_large(self):
        """Rounds the large constants to what float16 stores, as a pack holds them; gives the generator."""
        for name, large in self.state_dict().items():
            if name in self.LARGE:
                large.copy_(large.half().float())
        return self

    # -- stages -------------------------------------------------------------------------------------------------------------
    def normal(self, w):
        """What the style sees of w [n,D], as standard deviations [n,STYLE]."""
        return (w[:, : P.STYLE] - self.p_mean) / self.p_std

    def moved(self, w):
        """What the texture part of w adds to the decoder's last layer, weights and bias beside each other [n,1+C,hidden+1].

        Light times a material's colour is no sum of the two, hence the hidden layer.
        """
        texture = self.normal(w)[:, P.SLOT["texture"]]
        moved = self.palette(texture) + self.palette_more(F.leaky_relu(self.palette_hidden(texture), 0.2))
        return moved.reshape(len(w), self.config.channels + 1, -1)

    def decoder(self, w):
        """The decoder's last layer of a person, W2 [n,1+C,hidden] and b2 [n,1+C]: the general one, moved by the texture part of w alone.

        So another expression of the same person leaves it as it is.
        """
        moved = self.moved(w)
        return self.decode2.weight + moved[..., :-1], self.decode2.bias + moved[..., -1]

    def style(self, w, style_offset=None):
        """w [n,D] -> style [n,style]."""
        x = self.style_in(self.normal(w))
        x = x + self.style_b(F.leaky_relu(self.style_a(x), 0.2))
        return x if style_offset is None else x + style_offset

    def amounts(self, style):
        """How much of the learned planes a style takes: of the smooth basis [n,basis], of each plane's maps [n,details], of each window's [n,count]."""
        c = self.config
        more, *maps = self.mix(F.leaky_relu(self.mix_hidden(style), 0.2)).split([c.basis, *c.details], 1)
        windows = self.window_mix(F.leaky_relu(self.window_hidden(style), 0.2)).split([count for *_, count in c.windows], 1)
        return self.basis_weight(style) + more, maps, windows

    def smooth(self, amount):
        """A mixture of the basis [n,3C,basis_side,basis_side]."""
        c = self.config
        return (amount @ self.basis).reshape(-1, 3 * c.channels, c.basis_side, c.basis_side)

    def fine(self, maps, windows):
        """Mean and detail [n,3C,plane_side,plane_side] of the amounts of maps and windows.

        Detail is a sum of maps, each of one plane and one direction in feature space, so that what some people have (a rim of glasses, an
        edge of hair) is as fine as what all have. Windows are the same of a part of a plane, and so there can be many for a mouth's shapes.
        """
        c = self.config
        mixed = lambda amount, features, maps: (amount[:, None] * features.t()) @ maps
        detail = [mixed(*one).reshape(-1, c.channels, c.plane_side, c.plane_side) for one in zip(maps, self.features, self.maps)]
        for (plane, left, top, width, height, _), *one in zip(c.windows, windows, self.window_features, self.windows):
            part = mixed(*one).reshape(-1, c.channels, height, width)
            detail[plane] = detail[plane] + F.pad(part, (left, c.plane_side - left - width, top, c.plane_side - top - height))
        return torch.cat(detail, 1) + self.mean

    def frozen(self, style):
        """The style's mixture of learned planes [n,3C,plane_side,plane_side], which inversion leaves alone."""
        basis, *details = self.amounts(style)
        return resize(self.smooth(basis), self.config.plane_side) + self.fine(*details)

    def rough(self, style):
        """What the convolutions make of a style [n,3C,basis_side,basis_side]."""
        x = self.const.expand(style.shape[0], -1, -1, -1)
        for i, conv in enumerate(self.convs):
            x = conv(resize(x, 4 << i) if i else x, style)
        return resize(self.head(x), self.config.basis_side)

    def planes(self, style, plane_offset=None, frozen=None):
        """style -> planes [n,3C,plane_side,plane_side] in the order xy, xz, zy. `frozen`: what `frozen` gives, where known."""
        c, x = self.config, self.rough(style)
        if frozen is None:  # as `frozen`, but the resizing is done once: it is a good part of a training step
            basis, *details = self.amounts(style)
            x = resize(x + self.smooth(basis), c.plane_side) + self.fine(*details)
        else:
            x = resize(x, c.plane_side) + frozen
        return x if plane_offset is None else x + plane_offset

    def background(self, w, rays, background_offset=None):
        """Features behind the volume [n,C,rays,rays]."""
        rgb = w[:, P.SLOT["background"]].reshape(-1, 3, P.BACKGROUND, P.BACKGROUND) * 2 - 1
        f = F.conv2d(rgb, self.ground.weight[:, :, None, None], self.ground.bias)
        f = resize(f, rays)
        return f if background_offset is None else f + background_offset

    def warp(self, w):
        """Displacement that takes a point to the mean identity and to plane coordinates: grid [n,3,s,s,s] indexed z, y, x.

        Both at once, since both are smooth on the grid's scale: looking up a point costs the same as without `contract`.
        """
        s = self.config.warp_side
        back = (w[:, P.SLOT["identity"]] @ self.warp_basis).reshape(-1, 3, s, s, s)
        at = torch.linspace(-RADIUS, RADIUS, s)
        grid = torch.stack([at[None, None].expand(s, s, s), at[None, :, None].expand(s, s, s), at[:, None, None].expand(s, s, s)])
        to = [contract(grid[i] + back[:, i], FOCUS[i], self.config.focus) - grid[i] for i in range(3)]
        return torch.stack(to, 1)

    def prepare(self, w, plane_offset=None, background_offset=None, style_offset=None, rays=None):
        """All that does not depend on the camera, as a dictionary (the state)."""
        v = self.style(w, style_offset)
        weight, bias = self.decoder(w)
        return {
            "planes": self.planes(v, plane_offset),
            "background": self.background(w, rays or self.config.rays, background_offset),
            "style": v,
            "warp": self.warp(w),
            "decode1_weight": self.decode1.weight,
            "decode1_bias": self.decode1.bias,
            "decode2_weight": weight,
            "decode2_bias": bias,
        }

    def upsample(self, state, features):
        """features [n,C,R,R] -> picture [n,3,2R,2R] in [-1,1] (not clamped)."""
        x = self.up2(self.up1(features, state["style"]), state["style"])
        detail = F.pixel_shuffle(self.to_rgb(F.pad(x, (1, 1, 1, 1), mode="replicate")), 2)
        return resize(features[:, :3], 2 * features.shape[-1]) + detail

    def forward(self, w, pose, plane_offset=None, background_offset=None, style_offset=None, rays=None, deform=None):
        """w [n,D], pose [n,6] -> dict of image, features, alpha [n,1,R,R], depth [n,1,R,R] and state."""
        r = rays or self.config.rays
        state = self.prepare(w, plane_offset, background_offset, style_offset, r)
        o, d = G.camera_rays(pose, r)
        t = self.field.depths(state, o, d)
        points = o[:, :, None] + t[..., None] * d[:, :, None]
        if deform is not None:
            points = deform(points)
        f, alpha, weight = self.field.render(state, points, t)
        depth = ((weight * t).sum(-1) / (weight.sum(-1) + 1e-6)).reshape(alpha.shape)
        return {"image": self.upsample(state, f), "features": f, "alpha": alpha, "depth": depth, "state": state}


def weights(density, depths):
    """Compositing weights [.., S] of samples at ascending depths (last interval 0.1)."""
    step = torch.cat([depths[..., 1:] - depths[..., :-1], torch.full_like(depths[..., :1], 0.1)], -1)
    thickness = F.softplus(density - 1) * 15 * step
    before = torch.cumsum(thickness, -1) - thickness
    return torch.exp(-before) * (1 - torch.exp(-thickness))


def importance(weight, depths, count, width):
    """`count` samples a ray where the weight is: inverse of the cumulative sum, at even quantiles."""
    k = depths.shape[-1]
    cdf = torch.cumsum(weight, -1)
    cdf = cdf / cdf[..., -1:]
    u = (torch.arange(count) + 0.5) / count
    index = (cdf[..., None, :] < u[:, None]).sum(-1).clamp(max=k - 1)
    high = cdf.gather(-1, index)
    low = torch.where(index > 0, cdf.gather(-1, (index - 1).clamp(min=0)), torch.zeros_like(high))
    return depths.gather(-1, index) + (((u - low) / (high - low + 1e-8)).clamp(0, 1) - 0.5) * width
