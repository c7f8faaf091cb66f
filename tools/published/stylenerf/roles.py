"""The roles of a pack (docs/packs.md) that the generator fills, as torch modules.

A person is `theta [F]`, the weights of the synthesis network as one vector, and `background_latent [1,background_z]`. `prepare` makes plain
kernels of them: `field [1,…]` and `upsampler [1,…]`, each one vector, and the picture `background [1,C,R,R]` that stands still. All later
roles take these and hold no weights of their own. C is 256 features and then red, green and blue at low resolution.
"""

from typing import NamedTuple

import torch
import torch.nn as nn

from . import camera, field, flat, upsampler
from . import generator as G
from .configuration import Configuration
from .generator import Generator, Synthesis

STATE = ("field", "background", "upsampler")


class Role(NamedTuple):
    """A module, names of its inputs and outputs, example inputs, and those axes of inputs that are free: {input: {axis: symbol}}."""

    module: nn.Module
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    examples: tuple[torch.Tensor, ...]
    free: dict[str, dict[int, str]]


class Resolved(nn.Module):
    """w [n,L,D], background latent -> what `prepare` gives."""

    def __init__(self, synthesis: Synthesis):
        super().__init__()
        self.synthesis = synthesis

    def forward(self, w, latent=None):
        parts = flat.pack(self.synthesis.resolve_field(w))
        if latent is None:
            return parts
        blocks = self.synthesis.resolve_upsampler(w)
        return parts, self.synthesis.bg_nerf(latent), flat.pack([part[None] for block in blocks for part in block])


class Tuned(nn.Module):
    """Base of the roles that take `theta`: a network whose weights are replaced by it."""

    def __init__(self, synthesis: Synthesis):
        super().__init__()
        self.layout = flat.layout(synthesis)
        self.resolved = [Resolved(synthesis)]  # in a list: its weights are no part of the model

    def call(self, theta, *inputs):
        weights = {f"synthesis.{name}": tensor for name, tensor in self.layout.unflatten(theta).items()}
        return torch.func.functional_call(self.resolved[0], weights, inputs)


class Prepare(Tuned):
    """w [1,L,D], theta [F], background_latent [1,background_z] -> field, background, upsampler."""

    def forward(self, w, theta, background_latent):
        return self.call(theta, w, background_latent)


class LipaintState(Tuned):
    """w [n,L,D], theta [F] -> field [n,…]: of the state, what the rows of w that in-painting moves change."""

    def forward(self, w, theta):
        return self.call(theta, w)


class Camera(nn.Module):
    """pose [n,6] -> origins, directions [n,N,3]."""

    def __init__(self, configuration: Configuration):
        super().__init__()
        self.configuration = configuration

    def forward(self, pose):
        return camera.rays(camera.camera(pose), self.configuration.rays, self.configuration.fov)


class _Volume(nn.Module):
    def __init__(self, configuration: Configuration):
        super().__init__()
        self.configuration = configuration

    def parts(self, vector):
        return flat.unpack(vector, field.shapes(self.configuration))


class Depths(_Volume):
    """field, origins and directions [1,N,3] -> depths [1,N,S] of coarse and fine samples, ascending."""

    def forward(self, field, origins, directions):
        return G.sample(self.configuration, self.parts(field), origins, directions)


class Render(_Volume):
    """field, background, rays [1,N,3], depths [1,N,S], pixels [N] int64 behind the rays, offsets [1,N,S,3] of the samples -> features [1,C,N],
    of which the last three are RGB, and alpha [1,1,N]. `precision` is that of the field's layers."""

    def __init__(self, configuration: Configuration, precision=torch.float32):
        super().__init__(configuration)
        self.precision = precision

    def forward(self, field, background, origins, directions, depths, pixels, offsets):
        behind = background.flatten(2)[:, :, pixels]
        return G.render(self.configuration, self.parts(field), behind, origins, directions, depths, offsets, self.precision)


class Upsample(nn.Module):
    """upsampler, features [1,C,R,R] -> image [1,3,P,P], about in [-1,1]. `precision` is that of the blocks."""

    def __init__(self, configuration: Configuration, precision=torch.float32):
        super().__init__()
        self.configuration, self.precision = configuration, precision

    def forward(self, upsampler_, features):
        shapes = upsampler.shapes(self.configuration)
        parts = iter(flat.unpack(upsampler_.to(self.precision), [shape for block in shapes for shape in block]))
        blocks = [[next(parts)[0] for _ in block] for block in shapes]
        return upsampler.upsample(blocks, features, self.configuration.clamp)


def identity(generator: Generator, latent: torch.Tensor) -> dict[str, torch.Tensor]:
    """The identity tensors of an untuned person."""
    return {"theta": flat.theta(generator.synthesis), "background_latent": latent}


def roles(generator: Generator, latent: torch.Tensor | None = None) -> dict[str, Role]:
    """The roles that the generator fills, all but `identity`, which is constant. `latent [1,background_z]` is an untuned person's background."""
    c, synthesis = generator.configuration, generator.synthesis
    latent = torch.zeros(1, c.background_z) if latent is None else latent
    rays = {name: {1: "N"} for name in ("origins", "directions")}
    with torch.no_grad():
        z, psi, theta = torch.randn(2, c.z_dim), torch.tensor([0.7]), flat.theta(synthesis)
        w = generator.mapping(z, psi)
        pose = torch.tensor([[0.1, -0.2, 0.05, 0, 0, 0], [0.0] * 6])
        origins, directions = (x[:1] for x in Camera(c)(pose))
        prepare, state = Prepare(synthesis), Resolved(synthesis)(w[:1], latent)
        depths = Depths(c)(state[0], origins, directions)
    seen = (*state[:2], origins, directions, depths, torch.arange(c.rays**2), torch.zeros(*depths.shape, 3))
    features = torch.zeros(1, c.features + 3, c.rays, c.rays)
    return {
        "mapping": Role(generator.mapping, ("z", "psi"), ("w",), (z, psi), {"z": {0: "n"}}),
        "prepare": Role(prepare, ("w", "theta", "background_latent"), STATE, (w[:1], theta, latent), {}),
        "lipaint_state": Role(LipaintState(synthesis), ("w", "theta"), ("field",), (w, theta), {"w": {0: "n"}}),
        "camera": Role(Camera(c), ("pose",), ("origins", "directions"), (pose,), {"pose": {0: "n"}}),
        "depths": Role(Depths(c), ("field", "origins", "directions"), ("depths",), (state[0], origins, directions), rays),
        "render": Role(
            Render(c), ("field", "background", "origins", "directions", "depths", "pixels", "offsets"), ("features", "alpha"), seen,
            rays | {"depths": {1: "N"}, "pixels": {0: "N"}, "offsets": {1: "N"}},
        ),
        "upsample": Role(Upsample(c), ("upsampler", "features"), ("image",), (state[2], features), {}),
    }  # fmt: skip


def halves(generator: Generator, roles: dict[str, Role]) -> dict[str, Role]:
    """Those of the generator's roles that are worth it, computing in float16 between tensors of float32: all layers that are large."""
    made = {"render": Render, "upsample": Upsample}
    return {name: roles[name]._replace(module=module(generator.configuration, torch.float16)) for name, module in made.items()}
