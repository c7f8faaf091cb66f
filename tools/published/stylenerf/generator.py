"""The StyleNeRF generator (Gu et al. 2022): a style and a background latent to a picture, by a neural field and a 2-D up-sampler."""

import torch
import torch.nn as nn

from . import field, marching, upsampler
from .background import Background
from .camera import rays
from .configuration import Configuration
from .mapping import Mapping

PROGRESS = "synthesis.alpha"  # how far training had got with its resolution, 1 at the end
CONSTANT = ("resample_filter",)  # buffers of the published modules whose values are part of the code here


class Synthesis(nn.Module):
    """Everything behind the mapping network. Names of its parameters are the published ones."""

    def __init__(self, configuration: Configuration):
        super().__init__()
        c = self.configuration = configuration
        self.fg_nerf, self.bg_nerf = field.Field(c), Background(c)
        inputs = c.features
        for side in c.resolutions:
            setattr(self, f"b{side}", upsampler.Block(c, side, inputs))
            inputs = c.channels(side)

    def blocks(self):
        return [getattr(self, f"b{side}") for side in self.configuration.resolutions]

    def resolve_field(self, w):
        """w [n,L,D] -> parts of the field (`field.shapes`)."""
        return self.fg_nerf.resolve(w[:, : self.configuration.field_ws])

    def resolve_upsampler(self, w):
        """w [1,L,D] -> parts of the up-sampler's blocks (`upsampler.shapes`). A block's RGB shares its row of w with the next block."""
        start = self.configuration.field_ws
        return [block.resolve(w[:, start + 2 * i : start + 2 * i + 3]) for i, block in enumerate(self.blocks())]

    def forward(self, w, latent, origins, directions):
        """w [1,L,D], background latent [1,background_z], rays [1,N,3] -> picture [1,3,P,P]."""
        c = self.configuration
        parts = self.resolve_field(w)
        features, _ = render_sampled(c, parts, self.bg_nerf(latent), origins, directions)
        return upsampler.upsample(self.resolve_upsampler(w), features, c.clamp)


def points_on(origins, directions, depths):
    """Rays [N,3] and depths [N,S] along them -> points [N·S,3]."""
    return (origins[:, None] + depths[..., None] * directions[:, None]).reshape(-1, 3)


def sample(c: Configuration, parts, origins, directions):
    """Field parts and rays [1,N,3] -> ascending depths [1,N,S] of coarse and fine samples."""
    near, far = sample_apart(c, parts, origins, directions)[:2]
    return torch.cat([near, far], 1).sort(1)[0][None]


def sample_apart(c: Configuration, parts, origins, directions):
    """As `sample`, but coarse depths, fine ones [N,S/2], and density and hidden layer of the coarse ones."""
    even = marching.coarse(c.near, c.far, c.coarse).expand(origins.shape[1], -1)
    density, hidden = field.decode(parts, points_on(origins[0], directions[0], even), c.frequencies)
    weights, _ = marching.weights(density.reshape(even.shape), even, directions[0])
    return even, marching.fine(weights.detach(), c.near, c.far), density, hidden


def composite(parts, hidden, weights, behind, background):
    """Hidden layers [N·S,hidden] with weights [N,S], the share of light from behind [N], background [C,N] -> features [1,C,N], alpha [1,1,N]."""
    mixed = torch.bmm(weights[:, None].to(hidden.dtype), hidden.reshape(*weights.shape, -1))[:, 0].to(weights.dtype)
    alpha = weights.sum(1)
    return (field.finish(parts, mixed, alpha) + behind * background)[None], alpha[None, None]


def render(c: Configuration, parts, background, origins, directions, depths, offsets=None, precision=torch.float32):
    """Field parts, background [1,C,N] behind the rays, rays [1,N,3], ascending depths [1,N,S], displacements [1,N,S,3] -> features [1,C,N], RGB last,
    and alpha [1,1,N]. The field's layers compute in `precision`; rays, weights along them and what follows are float32."""
    points = points_on(origins[0], directions[0], depths[0])
    if offsets is not None:
        points = points + offsets.reshape(-1, 3)
    density, hidden = field.decode([part.to(precision) for part in parts], points, c.frequencies)
    weights, behind = marching.weights(density.float().reshape(depths.shape[1:]), depths[0], directions[0])
    return composite(parts, hidden, weights, behind, background[0])


def render_sampled(c: Configuration, parts, background, origins, directions):
    """As `render`, at depths of its own, which no gradient reaches: features as a picture [1,C,R,R], and depths [1,N,S]."""
    even, fine, density, hidden = sample_apart(c, parts, origins, directions)
    fine_density, fine_hidden = field.decode(parts, points_on(origins[0], directions[0], fine), c.frequencies)
    depths, order = torch.cat([even, fine], 1).sort(1)
    density = torch.cat([density.reshape(even.shape), fine_density.reshape(even.shape)], 1).gather(1, order)
    weights, behind = marching.weights(density, depths, directions[0])
    apart = weights.gather(1, order.argsort(1))  # as the samples lie: moving a weight is cheaper than moving a hidden layer
    both = torch.cat([x.reshape(*even.shape, -1) for x in (hidden, fine_hidden)], 1)
    features, _ = composite(parts, both, apart, behind, background.flatten(2)[0])
    return features.reshape(1, -1, c.rays, c.rays), depths[None]


class Generator(nn.Module):
    def __init__(self, configuration: Configuration):
        super().__init__()
        self.configuration = configuration
        self.mapping, self.synthesis = Mapping(configuration), Synthesis(configuration)

    def forward(self, z, psi, latent, cameras):
        """z [1,Z], psi [1], background latent [1,background_z], cameras [1,3,4] -> picture [1,3,P,P]."""
        c = self.configuration
        return self.synthesis(self.mapping(z, psi), latent, *rays(cameras, c.rays, c.fov))


def build(kwargs: dict, state: dict[str, torch.Tensor]) -> Generator:
    """The generator that a checkpoint describes: its constructor's arguments, and its tensors by their published names.

    Raises a ValueError that names the first tensor which is missing, left over or of another shape.
    """
    generator = Generator(Configuration.of(kwargs))
    state = {name: tensor for name, tensor in state.items() if name.rpartition(".")[2] not in CONSTANT}
    progress = state.pop(PROGRESS, None)
    if progress is not None and float(progress) != 1:
        raise ValueError(f"{PROGRESS}: {float(progress):g}, expected 1: the training of this network had not come to its full resolution")
    expected = generator.state_dict()
    averages = [name for name in expected if name.endswith("w_avg") and name not in state]
    state |= {name: expected[name] for name in averages if name != "mapping.w_avg"}
    for name, tensor in expected.items():
        if name not in state:
            raise ValueError(f"{name}: missing, expected a tensor of {tuple(tensor.shape)}")
        if state[name].shape != tensor.shape:
            raise ValueError(f"{name}: {tuple(state[name].shape)}, expected {tuple(tensor.shape)}")
    if extra := sorted(state.keys() - expected.keys()):
        raise ValueError(f"{extra[0]}: a tensor that this network does not have")
    generator.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    return generator.eval().requires_grad_(False)
