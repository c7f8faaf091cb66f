"""The fit of the morphable model to 68 landmarks (Kim et al. 2024), as the optimisation `fit3dmm` of a pack.

Phase `rigid` turns and moves the mean face, phase `full` goes on with identity and expression, each with Adam started anew; everything starts at zero,
whatever the coefficients that are offered. The published fit also compares rendered colours with the picture. That term is missing here: texture
and light, which nothing else touches, stay at zero, and the geometry follows the landmarks and the two priors alone.
"""

from pathlib import Path

import torch

from tools.stepgraph.adam import Layout, make_step
from tools.stepgraph.phase import Phase, export_phase

from . import bfm

LANDMARKS = 100.0  # weight of the landmarks' squared distances, in sides of the crop
IDENTITY, EXPRESSION = 1e-3, 8e-4  # weights of squared coefficients
HEAVY = (*range(28, 31), *range(48, 68))  # landmarks of nose and mouth, which count ten times
RATE = 0.01
STEPS = {"rigid": 1000, "full": 500}
POSE = {"rotation": torch.zeros(1, 3), "translation": torch.zeros(1, 3)}


def weights() -> torch.Tensor:
    """Weights of the landmarks [68], their sum 1."""
    found = torch.ones(bfm.LANDMARKS)
    found[list(HEAVY)] = 10.0
    return found / found.sum()


def distance(shape: bfm.Shape, identity, expression, params, landmarks):
    """The weighted distance of landmarks [1,68,2] in [0,1] of the crop, y down, from those of a face."""
    points = shape(identity, expression)
    seen = bfm.project(bfm.to_camera(points, bfm.rotation(params["rotation"]), params["translation"])) / bfm.SIDE
    found = torch.cat([seen[..., :1], 1 - seen[..., 1:]], -1)
    return LANDMARKS * ((found - landmarks).square().sum(-1) * weights()).sum()


def phases(model: bfm.Morphable) -> list[Phase]:
    """The phases of the fit."""
    shape = model.shape.only(model.keypoints)
    return [_rigid(shape), _full(shape)]


def _rigid(shape) -> Phase:
    layout, (identity, expression) = Layout.of(POSE), (torch.zeros(1, size) for size in (bfm.IDENTITY, bfm.EXPRESSION))

    def init(**_):
        return {"params": torch.zeros(layout.size)}

    def loss(params, tensors):
        return distance(shape, identity, expression, params, tensors["landmarks"]), {}

    def finish(params, **_):
        return {"pose": params[None]}

    return Phase("rigid", init, make_step(loss, layout, beta1=0.9, beta2=0.999), finish, steps=STEPS["rigid"], learning_rate=RATE)


def _full(shape) -> Phase:
    parts = {"identity": torch.zeros(1, bfm.IDENTITY), "expression": torch.zeros(1, bfm.EXPRESSION), **POSE}
    layout = Layout.of(parts)

    def init(pose, **_):
        return {"params": torch.cat([torch.zeros(bfm.IDENTITY + bfm.EXPRESSION), pose[0]])}

    def loss(params, tensors):
        found = distance(shape, params["identity"], params["expression"], params, tensors["landmarks"])
        prior = IDENTITY * params["identity"].square().sum() + EXPRESSION * params["expression"].square().sum()
        return found + prior, {"landmarks_left": found}

    def finish(params, **_):
        found = layout.unflatten(params)
        parts = [found[name] if name in found else torch.zeros(1, end - start) for name, (start, end) in bfm.SLOTS.items()]
        return {"coefficients": torch.cat(parts, 1)}

    return Phase("full", init, make_step(loss, layout, beta1=0.9, beta2=0.999), finish, steps=STEPS["full"], learning_rate=RATE)


def write(model: bfm.Morphable, folder: Path) -> list[dict]:
    """Writes the graphs of the fit; gives the entries of `optimisations.fit3dmm` in pack.yaml."""
    entries, tensors = [], {"landmarks": torch.zeros(1, bfm.LANDMARKS, 2)}
    for phase in phases(model):
        entry, tensors = export_phase("fit3dmm", phase, tensors, folder)
        entries.append(entry)
    return entries
