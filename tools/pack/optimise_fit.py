"""The 3DMM fit: coefficients from the 468 face landmarks, as the optimisation `fit3dmm` of a pack.

Phase `pose` moves the head rigidly, phase `full` also fits identity and expression. Losses are in squared pixels of a 128 px crop.
"""

import copy

import torch

from ..heads import geometry
from ..heads import params as P
from ..heads import points as M
from ..stepgraph.adam import Layout, make_step
from ..stepgraph.phase import Phase

POINTS = 468
PIXELS = 128.0
FEATURE_WEIGHT = 4.0  # of eyes and lips against 1 for the rest of the face
IDENTITY_PRIOR, EXPRESSION_PRIOR = 1.5e-3, 5e-3  # times the squared norm: both are in about standard deviations
# Landmarks of a shut mouth fit thin lips and pressed ones alike: taken for pressed, they would stay so through all speech.
PRESS_PRIOR = 8.0  # times that of the rest of the expression
PRESSED = ("mouthClose", "mouthPressLeft", "mouthPressRight", "mouthRollLower", "mouthRollUpper")
EXPRESSION_BOUNDS = (0.0, 1.0)
POSE_RATES = {"rotation": 1.0, "translation": 1.0}
FULL_RATES = {"rotation": 0.3, "translation": 0.3, "identity": 4.0, "expression": 2.0}


def landmark_model(morphable: geometry.Morphable) -> geometry.Morphable:
    """The morphable model cut down to the landmarks."""
    return copy.deepcopy(morphable).cut(POINTS)


def landmark_weights() -> torch.Tensor:
    """Weights of the landmarks `[M]`, their mean 1."""
    rings = [M.EYE_L_LOWER, M.EYE_L_UPPER, M.EYE_R_LOWER, M.EYE_R_UPPER, *M.LIPS_U, *M.LIPS_L]
    weights = torch.ones(POINTS)
    weights[torch.tensor(sorted({i for ring in rings for i in ring} | set(M.CORNERS)))] = FEATURE_WEIGHT
    return weights / weights.mean()


def place(vertices, pose, landmarks):
    """The pose `[1,6]` whose translation puts the centre and spread of projected `vertices` onto those of `landmarks`."""
    seen = geometry.project(vertices, pose)
    spread = lambda x: (x - x.mean(1, keepdim=True)).square().sum(-1).mean().sqrt()
    depth = (geometry.DISTANCE - pose[:, 5]) * (spread(seen) / spread(landmarks))
    offset = (landmarks.mean(1) - 0.5) * 2 * geometry.TAN * depth[:, None]
    middle = (vertices @ geometry.rotation(pose).transpose(1, 2)).mean(1)
    x, y = offset[:, :1] - middle[:, :1], -offset[:, 1:] - middle[:, 1:2]
    return torch.cat([pose[:, :3], x, y, geometry.DISTANCE - depth[:, None]], 1)


def landmark_loss(seen, landmarks, weights):
    return ((seen - landmarks) * PIXELS).square().sum(-1).mul(weights).mean()


def landmark_error(seen, landmarks):
    """Mean distance in pixels of a 128 px crop."""
    return ((seen - landmarks) * PIXELS).square().sum(-1).sqrt().mean()


def phases(morphable: geometry.Morphable) -> list[Phase]:
    """The phases of the fit for a morphable model."""
    model, weights = landmark_model(morphable), landmark_weights()
    return [_pose_phase(model, weights), _full_phase(model, weights)]


def _pose_phase(model, weights) -> Phase:
    layout = Layout.of({"rotation": torch.zeros(1, 3), "translation": torch.zeros(1, 3)}, POSE_RATES)

    def init(coefficients, landmarks, **_):
        identity, expression, pose = geometry.split(coefficients)
        vertices = model.head_frame(identity.clamp(-2, 2), expression.clamp(*EXPRESSION_BOUNDS))
        pose = place(vertices, pose, landmarks)
        return {"params": pose.reshape(-1), "head": vertices, "unposed": coefficients[:, : P.STYLE]}

    def loss(params, tensors):
        seen = geometry.project(tensors["head"], torch.cat([params["rotation"], params["translation"]], 1))
        return landmark_loss(seen, tensors["landmarks"], weights), {"error": landmark_error(seen, tensors["landmarks"])}

    def finish(params, unposed, **_):
        return {"coefficients": torch.cat([unposed, params.reshape(1, 6)], 1)}

    return Phase("pose", init, make_step(loss, layout, beta1=0.9, beta2=0.99), finish, steps=80, learning_rate=0.02,
                 beta2=0.99, ramp_down=0.7)


def _full_phase(model, weights) -> Phase:
    layout = Layout.of({"rotation": torch.zeros(1, 3), "translation": torch.zeros(1, 3), "identity": torch.zeros(1, P.IDENTITY),
                        "expression": torch.zeros(1, P.E)}, FULL_RATES)
    priors = torch.tensor([PRESS_PRIOR if name in PRESSED else 1.0 for name in P.EXPRESSION])

    def init(coefficients, **_):
        identity, expression, pose = geometry.split(coefficients)
        return {"params": layout.flatten({"rotation": pose[:, :3], "translation": pose[:, 3:], "identity": identity.clamp(-2, 2),
                                          "expression": expression.clamp(*EXPRESSION_BOUNDS)}),
                "texture": coefficients[:, P.SLOT["texture"]]}

    def loss(params, tensors):
        vertices = model.head_frame(params["identity"], params["expression"])
        seen = geometry.project(vertices, torch.cat([params["rotation"], params["translation"]], 1))
        total = landmark_loss(seen, tensors["landmarks"], weights)
        total = total + IDENTITY_PRIOR * params["identity"].square().sum() + EXPRESSION_PRIOR * (priors * params["expression"].square()).sum()
        return total, {"error": landmark_error(seen, tensors["landmarks"])}

    def project(params):
        return params | {"expression": params["expression"].clamp(*EXPRESSION_BOUNDS)}

    def finish(params, texture, **_):
        parts = layout.unflatten(params) | {"texture": texture}
        order = ("identity", "expression", "texture", "rotation", "translation")
        return {"coefficients": torch.cat([parts[name] for name in order], 1)}

    return Phase("full", init, make_step(loss, layout, beta1=0.9, beta2=0.99, project=project), finish, steps=250,
                 learning_rate=0.02, beta2=0.99, ramp_up=0.05, ramp_down=0.5)
