"""A whole `from_image` of eight frames, held to frames recorded from the published code.

Both sides have the random weights of `random_weights` and one person: the generator's weights, each moved by a hundredth of itself, stand for what an
inversion leaves. The published code was given the photo that `align` cuts, and the coefficients that `fit3dmm` finds (of the portrait's landmarks, for
no face is found in noise). Pose of the photo, torso, speech to expression, deformation, in-painting, masks, blending, frames and how
pictures are scaled are its own. The parsing of noise has no mouth and no neck: other classes stand for them in this pack.
"""

import math
import shutil
from pathlib import Path

import torch
import yaml
from safetensors.torch import load_file

from . import random_weights
from .numbers import normal

DATA = Path(__file__).parents[2] / "tests/data/published"
LEAST = 45.0  # decibels of the range of a recorded frame
MOUTH, TORSO = [0, 7, 8], [6, 13, 15]  # classes that the parsing of noise has
PSI, FRAMES = 0.7, 8


def recorded(config: str) -> Path:
    """Where frames of a generator's configuration are, if they were recorded."""
    return DATA / f"from_image_{config.rpartition('_')[2]}.safetensors"


def person(config: str) -> dict[str, torch.Tensor]:
    """What `sample.given` takes: z, the background's latent, and tuned weights."""
    from .stylenerf import build, flat

    theta = flat.theta(build(*random_weights.stylenerf(config)).synthesis)
    theta = theta * (1 + 0.01 * normal("in.theta", theta.shape))
    return {"z": normal("in.z", (1, 512)), "theta": theta, "background_latent": normal("in.background", (1, 32))}


def graph(made: dict) -> dict:
    """`from_image` whose person is given and whose stages are written; its nodes are otherwise as they stand."""
    nodes = made["nodes"]
    made["inputs"]["given"] = "tensors"
    nodes["person"] = {"type": "sample", "in": {"given": "given"}, "params": {"psi": PSI}}
    del nodes["mux"], nodes["matte"]
    made["outputs"] = {}
    for name, source in {"guess": "guess.coefficients", "coefficients": "shape.coefficients", "torso": "torso.parsing"}.items():
        nodes[f"write_{name}"] = {"type": "write_tensors", "in": {"tensors": source}}
    for name, source in {"expression": "talk.expression", "mask": "soft.sequence", "frames": "frames.frames"}.items():
        nodes[f"write_{name}"] = {"type": "write_tensors", "in": {"sequence": source}}
    made["outputs"] = {name.removeprefix("write_"): f"{name}.file" for name in nodes if name.startswith("write_")}
    return made


def classes(pack: Path, folder: Path) -> Path:
    """A copy of the pack with the classes of this test."""
    copy = folder / "pack"
    shutil.copytree(pack, copy, copy_function=lambda source, target: Path(target).hardlink_to(source))
    described = copy / "pack.yaml"
    text = described.read_text()
    described.unlink()
    found = yaml.safe_load(text)["parsing"]
    for name, chosen in {"mouth": MOUTH, "torso": TORSO}.items():
        text = text.replace(f"{name}: {found[name]}", f"{name}: {chosen}")
    described.write_text(text)
    return copy


def decibels(ours, theirs) -> float:
    """Range of what was recorded over the root mean square error."""
    ours, theirs = ours.float(), theirs.float()
    error = (ours - theirs).square().mean().sqrt().item()
    return 20 * math.log10((theirs.max() - theirs.min()).item() / max(error, 1e-12))


def compare(folder: Path, config: str) -> dict[str, float]:
    """Decibels from what was recorded, of each stage that was written to `folder`, and of the frames one by one."""
    theirs = load_file(recorded(config))
    ours = {name: next(iter(load_file(folder / f"{name}.safetensors").values())) for name in ("guess", "coefficients", "expression", "mask", "torso", "frames")}
    found = {name: decibels(ours[name], theirs[name]) for name in ("guess", "coefficients", "expression")}
    found["torso"] = decibels(ours["torso"][:, ::4, ::4], theirs["torso"])
    pitch = ours["mask"].shape[-1] // theirs["mask"].shape[-1]
    found["mask of the last frame"] = decibels(ours["mask"][-1:, :, ::pitch, ::pitch], theirs["mask"])
    pitch = ours["frames"].shape[1] // theirs["frames"].shape[1]
    for index, (a, b) in enumerate(zip(ours["frames"][:, ::pitch, ::pitch], theirs["frames"], strict=True)):
        found[f"frame {index}"] = decibels(a, b)
    return found
