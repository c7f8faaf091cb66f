"""Pivotal tuning inversion (Roich et al. 2022) of a portrait, as the optimisation `pti` of a pack.

Phase `pivot` finds the physical vector w whose picture comes nearest the photo: identity stays as fitted, expression nearly so.
Phase `tune` then adapts generator weights and adds offsets to planes and background until the photo is met, while every second
step shows another camera and expression, whose picture is the photo carried over by the pivot's geometry.
"""

import torch
import torch.nn.functional as F

from ..stepgraph.adam import Layout, make_step
from ..stepgraph.phase import Phase
from . import params as P
from . import optimise_view as view
from .generator import Generator
from .geometry import Morphable
from .optimise_losses import fill, grow, picture_loss, unit, variation
from .optimise_volume import Volume

PIVOT_RATES = {"expression": 0.3, "texture": 1.0, "background": 0.3}
EXPRESSION_PRIOR, TEXTURE_PRIOR = 1.0, 0.01
TUNE_RATES = {"generator.": 1.0, "plane_offset": 8.0, "background_offset": 8.0}
PLANE_VARIATION, PLANE_SIZE = 0.02, 0.02  # penalties that keep unseen parts of the plane offset smooth and small


class Sampling:
    """Samples a ray of the two phases: coarse ones along the whole ray and fine ones at the pivot's surface."""

    def __init__(self, config):
        self.coarse, self.fine = max(4, config.coarse // 2), max(4, config.fine * 2 // 3)


def phases(generator: Generator, morphable: Morphable) -> list[Phase]:
    """The phases of the inversion for a trained generator."""
    volume = Volume(generator).requires_grad_(False)
    return [_pivot_phase(volume), _tune_phase(volume, morphable)]


def _masked_mean(x, mask):
    return (x * mask).mean() / (mask.mean() + 0.02)


# ------------------------------------------------------------------------------------------------------------------- pivot


def _pivot_phase(volume: Volume) -> Phase:
    generator = volume.generator
    rays, sampling = max(8, generator.config.rays // 2), Sampling(generator.config)
    parts = ("expression", "texture", "background")
    sizes = {"expression": P.E, "texture": P.TEXTURE, "background": P.D - P.STYLE}
    layout = Layout.of({name: torch.zeros(1, sizes[name]) for name in parts}, PIVOT_RATES)

    def init(target, person, coefficients, pose, **_):
        small = F.adaptive_avg_pool2d(target, 2 * rays)
        behind = fill(unit(target), 1 - grow(person, target.shape[-1] // 32))
        background = F.adaptive_avg_pool2d(behind, P.BACKGROUND).reshape(1, -1)
        start = torch.cat([coefficients[:, : P.STYLE], background], 1)
        style = generator.style(start)
        planes = volume.planes(style, volume.frozen(style))
        points, depths = volume.sample(planes, start, pose, rays, sampling.coarse, sampling.fine)
        return {"params": start[:, P.IDENTITY :].reshape(-1), "identity": start[:, : P.IDENTITY], "start": start,
                "points": points, "depths": depths, "small_target": small, "small_person": F.adaptive_avg_pool2d(person, rays)}

    def loss(params, tensors):
        w = torch.cat([tensors["identity"], *(params[name] for name in parts)], 1)
        style = generator.style(w)
        planes = volume.planes(style, volume.frozen(style))
        out = volume(planes, style, tensors["points"], tensors["depths"], generator.background(w, rays))
        target = unit(tensors["small_target"])
        picture = picture_loss(unit(out["image"]), target)
        low = (unit(out["low"]) - F.avg_pool2d(target, 2)).abs().mean()
        alpha = (out["alpha"] - tensors["small_person"]).abs().mean()
        moved = (w - tensors["start"])[:, : P.STYLE].square()
        prior = EXPRESSION_PRIOR * moved[:, P.SLOT["expression"]].sum() + TEXTURE_PRIOR * moved[:, P.SLOT["texture"]].sum()
        return picture + low + 0.5 * alpha + 0.1 * prior, {"picture": picture, "alpha_error": alpha}

    def project(params):
        colours = {"background": params["background"].clamp(0, 1)}
        return params | colours | {"expression": params["expression"].clamp(-0.4, 1.1)}

    def finish(params, identity, **_):
        return {"w": torch.cat([identity, params[None]], 1)[None]}

    return Phase("pivot", init, make_step(loss, layout, beta1=0.9, beta2=0.99, project=project), finish, steps=80,
                 learning_rate=0.04, beta2=0.99, ramp_up=0.05, ramp_down=0.5)


# -------------------------------------------------------------------------------------------------------------------- tune


def _tune_phase(volume: Volume, morphable: Morphable) -> Phase:
    generator, config = volume.generator, volume.generator.config
    rays, sampling = config.rays, Sampling(config)
    tuned = [f"generator.{name}" for name in generator.tuned()]
    weights = {name: p for name, p in volume.named_parameters() if name in tuned}
    offsets = {name: x for name, x in generator.extras().items() if name != "style_offset"}
    layout = Layout.of({name: weights[name] for name in tuned} | offsets, TUNE_RATES)

    def pivot(w, pose):
        """The pivot's volume from a camera and what a step needs to render the same view."""
        style = generator.style(w)
        frozen = volume.frozen(style)
        planes = volume.planes(style, frozen)
        points, depths = volume.sample(planes, w, pose, rays, sampling.coarse, sampling.fine)
        out = volume(planes, style, points, depths, generator.background(w, rays))
        return {"style": style, "frozen": frozen, "points": points, "depths": depths}, out

    def init(target, person, pose, w, **_):
        scene, out = pivot(w[0], pose)
        behind = fill(unit(target), 1 - grow(person, config.side // 32))
        start = torch.cat([generator.theta(), *(x.reshape(-1) for x in offsets.values())])
        return {"params": start, **scene, "w_pivot": w[0], "photo_alpha": out["alpha"], "photo_depth": out["depth"], "behind": behind,
                "low_person": F.adaptive_avg_pool2d(person, rays)}

    def view_(target, person, pose, w_pivot, photo_alpha, photo_depth, random, **_):
        pose_view, w_view = view.random_view(pose, w_pivot, random)
        scene, out = pivot(w_view, pose_view)
        photo = {"target": unit(target), "person": person, "alpha": photo_alpha, "depth": photo_depth}
        picture, mask = view.carry_photo(morphable, photo, w_pivot, pose, w_view, pose_view, out)
        mouth = grow(view.mouth_mask(morphable, w_view, pose_view, config.side), max(1, config.side // 128))
        return scene | {"view_picture": picture, "view_mask": mask * (1 - mouth), "view_mouth": mouth, "pivot_image": unit(out["image"]),
                        "pivot_alpha": out["alpha"], "pivot_depth": out["depth"],
                        "view_open": view.open_background(person, out["alpha"])}

    def render(params, tensors):
        named = {name: params[name] for name in tuned}
        return torch.func.functional_call(_Tuned(volume), {f"volume.{k}": x for k, x in named.items()}, (params, tensors))

    def speckle(out):
        """Alpha that is neither: half-transparent shells show as coloured specks from the side."""
        return 0.1 * (out["alpha"] * (1 - out["alpha"])).mean()

    def photo_loss(params, tensors):
        out = render(params, tensors)
        target, person = unit(tensors["target"]), tensors["low_person"]
        picture = picture_loss(unit(out["image"]), target)
        low = (unit(out["low"]) - F.avg_pool2d(target, 2)).abs().mean()
        solid = (tensors["photo_alpha"] > 0.7).to(target.dtype)
        added = (person > 0.5).to(target.dtype) * (tensors["photo_alpha"] < 0.5).to(target.dtype)
        shape = ((out["depth"] - tensors["photo_depth"]).abs().clamp(max=0.5) * solid).mean()
        # what the pivot lacks (ears, hair) is put at the depth of the head's sides
        side = view.G.DISTANCE - tensors["pose"][:, 5] + 0.15
        shape = shape + ((out["depth"] - side).abs().clamp(max=0.8) * added).mean()
        alpha = (out["alpha"] - person).abs().mean()
        total = picture + 0.5 * low + 0.5 * shape + alpha + speckle(out)
        return total, {"picture": picture, "alpha_error": alpha, "depth_error": shape}

    def view_loss(params, tensors):
        out = render(params, tensors)
        image, mask = unit(out["image"]), tensors["view_mask"]
        picture = picture_loss(image, tensors["view_picture"], mask) * mask.mean()
        solid = (tensors["pivot_alpha"] > 0.7).to(mask.dtype)
        shape = ((out["depth"] - tensors["pivot_depth"]).abs().clamp(max=0.5) * solid).mean()
        alpha = F.relu(tensors["pivot_alpha"] - out["alpha"]).mean()
        mouth = ((image - tensors["pivot_image"]).abs() * tensors["view_mouth"]).mean()
        behind = ((image - tensors["behind"]).abs() * tensors["view_open"]).mean()
        stray = (out["alpha"] * F.adaptive_avg_pool2d(tensors["view_open"], rays)).mean()
        offset = params["plane_offset"]
        plane = PLANE_VARIATION * variation(offset) + PLANE_SIZE * offset.square().mean()
        total = 1.5 * picture + 0.5 * shape + 0.3 * alpha + 2 * mouth + behind + 0.5 * stray + plane + speckle(out)
        return total, {"picture": picture, "depth_error": shape, "mouth_error": mouth, "behind_error": behind}

    def finish(params, **_):
        named = layout.unflatten(params)
        theta = torch.cat([named[name].reshape(-1) for name in tuned])
        return {"theta": theta, **{name: named[name] for name in offsets}, "style_offset": generator.extras()["style_offset"]}

    step = lambda loss: make_step(loss, layout, beta1=0.9, beta2=0.99)
    return Phase("tune", init, step(photo_loss), finish, steps=150, learning_rate=1e-3, beta2=0.99, ramp_up=0.05, ramp_down=0.5,
                 view=view_, view_step=step(view_loss), view_every=2, randoms=view.RANDOMS)


class _Tuned(torch.nn.Module):
    """The volume as a function of tuned parameters and a scene, for `functional_call`."""

    def __init__(self, volume):
        super().__init__()
        self.volume = volume

    def forward(self, params, scene):
        planes = self.volume.planes(scene["style"], scene["frozen"], params["plane_offset"])
        rays = params["background_offset"].shape[-1]
        background = self.volume.generator.background(scene["w_pivot"], rays, params["background_offset"])
        return self.volume(planes, scene["style"], scene["points"], scene["depths"], background)
