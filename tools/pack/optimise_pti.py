"""Pivotal tuning inversion (Roich et al. 2022) of a portrait, as the optimisation `pti` of a pack.

Phase `pivot` finds the physical vector w whose picture comes nearest the photo: identity stays as fitted, expression nearly so.
Phase `grow` adapts generator weights and adds offsets to planes and background until the volume covers the person in the photo,
hair and ears that the pivot lacks included. Phase `tune` goes on with the photo, while every second step shows another camera and
expression, whose picture is the photo carried over by the grown volume's geometry.
"""

import torch
import torch.nn.functional as F

from ..heads import params as P
from ..heads.geometry import Morphable, camera_rays
from ..stepgraph.adam import Layout, make_step
from ..stepgraph.phase import Phase
from .generator import Generator
from .optimise_fit import EXPRESSION_BOUNDS
from .optimise_losses import decide, fill, grow, picture_loss, unit
from .optimise_tune import tuning_phases
from .optimise_volume import Sampling, Volume

PIVOT_RATES = {"expression": 0.3, "texture": 1.0, "background": 0.3}
EXPRESSION_PRIOR, TEXTURE_PRIOR = 4.0, 0.01
WITHIN = 1.5  # standard deviations of the training heads about their mean: beyond, what the photo hides (teeth, lids) takes on odd colours


def phases(generator: Generator, morphable: Morphable) -> list[Phase]:
    """The phases of the inversion for a trained generator."""
    volume = Volume(generator).requires_grad_(False)
    return [_pivot_phase(volume), *tuning_phases(volume, morphable)]


def _pivot_phase(volume: Volume) -> Phase:
    generator = volume.generator
    rays, sampling = max(8, generator.config.rays // 2), Sampling(generator.config)
    parts = ("expression", "texture", "background")
    sizes = {"expression": P.E, "texture": P.TEXTURE, "background": P.D - P.STYLE}
    layout = Layout.of({name: torch.zeros(1, sizes[name]) for name in parts}, PIVOT_RATES)
    mean, deviation = (x[None, P.SLOT["texture"]] for x in (generator.p_mean, generator.p_std))
    known = lambda texture: torch.minimum(torch.maximum(texture, mean - WITHIN * deviation), mean + WITHIN * deviation)

    def init(target, person, coefficients, pose, **_):
        person = decide(person)
        small = F.adaptive_avg_pool2d(target, 2 * rays)
        behind = fill(unit(target), 1 - grow(person, max(1, target.shape[-1] // 64)))
        background = F.adaptive_avg_pool2d(behind, P.BACKGROUND).reshape(1, -1)
        before = P.SLOT["texture"].start
        start = torch.cat([coefficients[:, :before], known(coefficients[:, P.SLOT["texture"]]), background], 1)
        style = generator.style(start)
        field = volume.planes(style, volume.frozen(style)), volume.palette(start)
        points, depths = volume.sample(field, start, *camera_rays(pose, rays), sampling.coarse, sampling.fine)
        return {"params": start[:, P.IDENTITY :].reshape(-1), "identity": start[:, : P.IDENTITY], "start": start,
                "points": points, "depths": depths, "small_target": small, "small_person": F.adaptive_avg_pool2d(person, rays)}

    def loss(params, tensors):
        w = torch.cat([tensors["identity"], *(params[name] for name in parts)], 1)
        style = generator.style(w)
        field = volume.planes(style, volume.frozen(style)), volume.palette(w)
        out = volume(field, style, tensors["points"], tensors["depths"], generator.background(w, rays))
        target = unit(tensors["small_target"])
        picture = picture_loss(unit(out["image"]), target)
        low = (unit(out["low"]) - F.avg_pool2d(target, 2)).abs().mean()
        alpha = (out["alpha"] - tensors["small_person"]).abs().mean()
        moved = (w - tensors["start"])[:, : P.STYLE].square()
        prior = EXPRESSION_PRIOR * moved[:, P.SLOT["expression"]].sum() + TEXTURE_PRIOR * moved[:, P.SLOT["texture"]].sum()
        return picture + low + 0.5 * alpha + 0.1 * prior, {"picture": picture, "alpha_error": alpha}

    def project(params):
        colours = {"background": params["background"].clamp(0, 1), "texture": known(params["texture"])}
        return params | colours | {"expression": params["expression"].clamp(*EXPRESSION_BOUNDS)}

    def finish(params, identity, **_):
        return {"w": torch.cat([identity, params[None]], 1)[None]}

    return Phase("pivot", init, make_step(loss, layout, beta1=0.9, beta2=0.99, project=project), finish, steps={"draft": 12, "standard": 30, "fine": 160},
                 learning_rate=0.04, beta2=0.99, ramp_up=0.05, ramp_down=0.5, settle={"loss": "picture", "window": 10, "gain": 0.005})
