"""Pivotal tuning inversion (Roich et al. 2022) of a portrait as NeRFFaceSpeech does it: the optimisation `pti` of a pack.

Phase `pivot` looks for the style w, the same in all rows, and the background's latent whose picture comes nearest the photo as VGG's
features see it at 256 px; noise on w fades out over three quarters of the steps. Phase `tune` adapts all weights of the synthesis network
until the picture is the photo's, as LPIPS sees it.

A perceptual network gives `features(image)` of pictures [n,3,h,w] in [-1,1] as vectors [n,F]: the sum of squared differences is the distance.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from tools.stepgraph.adam import Layout, make_step
from tools.stepgraph.phase import Phase, export_phase

from . import camera, flat
from .generator import Generator

SIDE = 256  # pixels at which the pivot's pictures are compared, if they are larger
SAMPLES, SEED = 600, 123  # styles whose mean the pivot starts from
NOISE, NOISE_RAMP = 0.05, 0.75  # of w's spread at the first step, and the share of the steps after which there is none
CLOSE = 0.06  # perceptual distance at which tuning ends


def phases(generator: Generator, vgg, lpips) -> list[Phase]:
    """The phases of the inversion; `vgg` and `lpips` are perceptual networks."""
    return [pivot(generator, vgg), tune(generator, lpips)]


def rays(generator: Generator, pose):
    """pose [1,6] -> the rays of the photo, by name."""
    c = generator.configuration
    return dict(zip(("origins", "directions"), camera.rays(camera.camera(pose), c.rays, c.fov)))


def spread(generator: Generator):
    """Mean [1,D] and spread (a number) of styles: the root of the mean squared distance from the mean."""
    random = np.random.RandomState(SEED)
    z = torch.from_numpy(random.randn(SAMPLES, generator.configuration.z_dim)).float()
    with torch.no_grad():
        w = generator.mapping(z, 1.0)[:, 0]
    mean = w.mean(0, keepdim=True)
    return mean, (w - mean).square().sum(1).mean().sqrt().item(), random


def pivot(generator: Generator, vgg) -> Phase:
    c, synthesis = generator.configuration, generator.synthesis
    mean, distance, random = spread(generator)
    latent = torch.from_numpy(random.randn(1, c.background_z)).float()
    layout = Layout.of({"w": mean, "background_latent": latent})

    def seen(image):
        side = image.shape[-1]
        return vgg.features(F.avg_pool2d(image, side // SIDE) if side > SIDE else image)

    def init(target, pose, **_):
        start = layout.flatten({"w": mean, "background_latent": latent})
        return {"params": start, "target_features": seen(target), **rays(generator, pose)}

    def loss(params, tensors):
        fading = (1 - tensors["progress"] / NOISE_RAMP).clamp(min=0).square()
        w = params["w"] + tensors["noise"] * (distance * NOISE * fading)
        image = synthesis(w[:, None].expand(-1, c.ws, -1), params["background_latent"], tensors["origins"], tensors["directions"])
        return (seen(image) - tensors["target_features"]).square().sum(), {}

    def finish(params, **_):
        named = layout.unflatten(params)
        return {"w": named["w"][:, None].expand(-1, c.ws, -1) + 0.0, "background_latent": named["background_latent"] + 0.0}

    step = make_step(loss, layout, beta1=0.9, beta2=0.999)
    return Phase("pivot", init, step, finish, steps=1000, learning_rate=0.01, ramp_up=0.05, ramp_down=0.25, noises=c.w_dim)


def tune(generator: Generator, lpips) -> Phase:
    synthesis = generator.synthesis
    weights = {name: p.detach() for name, p in synthesis.named_parameters()}
    layout = flat.layout(synthesis)

    def init(target, pose, **_):
        return {"params": layout.flatten(weights), "target_features": lpips.features(target), **rays(generator, pose)}

    def loss(params, tensors):
        inputs = (tensors[name] for name in ("w", "background_latent", "origins", "directions"))
        image = torch.func.functional_call(synthesis, params, tuple(inputs))
        picture = (image - tensors["target"]).square().mean()
        perceptual = (lpips.features(image) - tensors["target_features"]).square().sum()
        return picture + perceptual, {"picture": picture, "perceptual": perceptual}

    step = make_step(loss, layout, beta1=0.9, beta2=0.999)
    return Phase(
        "tune", init, step, lambda params, **_: {"theta": params + 0.0}, steps=2000, learning_rate=3e-4,
        stop={"loss": "perceptual", "below": CLOSE},
    )  # fmt: skip


def offered(generator: Generator) -> dict[str, torch.Tensor]:
    """Examples of what the host offers `pti`."""
    side = generator.configuration.resolution
    return {"target": torch.zeros(1, 3, side, side), "pose": torch.zeros(1, 6)}


def write(generator: Generator, vgg, lpips, folder: str | Path, report=None) -> list[dict]:
    """Writes the graphs of both phases to `folder`; gives the entries of `optimisations.pti` in pack.yaml. `report(phase)` hears of each.

    Afterwards constants are to be shared among the pack's models (tools/stepgraph/share.py).
    """
    entries, tensors = [], offered(generator)
    for phase in phases(generator, vgg, lpips):
        entry, tensors = export_phase("pti", phase, tensors, folder)
        entries.append(entry)
        if report:
            report(phase.name)
    return entries
