"""Numbers recorded from the published code, and how far ours are from them.

Recorded on a CPU in float32, the half precision of the published up-sampler switched off, at weights that follow from names (`named`). Features are
every eighth channel; pictures are 64 pixels of a side: at 256 px every fourth, at 512 px every eighth, at 1024 px every sixteenth.
"""

import json
import math
from pathlib import Path

import torch
from safetensors.torch import load_file

from ..numbers import normal
from . import flat, named
from .camera import rays
from .frames import Call, Person
from .generator import Generator

FAINT = 1e-5  # of the largest norm: gradients below it are what is left of numbers that cancel, in either code
FOLDER = Path(__file__).parents[3] / "tests/data/published"


class Golden:
    """What was recorded at one resolution: tensors by name, loss and norms of the gradients of the first tuning step."""

    def __init__(self, resolution: int, folder: Path = FOLDER):
        self.path = folder / f"stylenerf_{resolution}.json"
        recorded = json.loads(self.path.read_text())
        self.tensors = load_file(self.path.with_suffix(".safetensors"))
        self.loss, self.norms = recorded["mse_loss"], recorded["gradient_norm"]
        self.resolution = resolution

    def generator(self) -> Generator:
        return named.generator(self.path)

    def target(self):
        """The target of the first tuning step [1,3,P,P]."""
        return torch.tanh(normal("in.target", (1, 3, self.resolution, self.resolution)))


def decibels(ours, theirs) -> float:
    """Peak signal-to-noise ratio, the peak being the range of `theirs`."""
    error = (ours - theirs).square().mean().sqrt().item()
    return 20 * math.log10((theirs.max() - theirs.min()).item() / max(error, 1e-12))


def figures(generator: Generator, call: Call, golden: Golden) -> dict[str, float]:
    """Decibels from each recorded tensor, and how many nearest vertices differ."""
    c, t, found = generator.configuration, golden.tensors, {}
    found["ws"] = decibels(call("mapping", {"z": t["z"], "psi": torch.tensor([0.7])})["w"], t["ws"])
    rest, frame = (dict(zip(("origins", "directions"), rays(t[name], c.rays, c.fov))) for name in ("camera_rest", "camera"))
    identity = {"theta": flat.theta(generator.synthesis), "background_latent": t["latent2"]}
    person = Person(call, t["ws"], identity, rest, t["vertices"][0])
    theirs, order = torch.cat([t["depths"][0], t["depths_fine"][0]], 1).sort(1)
    found["depths"] = decibels((person.depths[0] - c.near) / (c.far - c.near), theirs)
    nearest = torch.cat([t[name].reshape(theirs.shape[0], -1) for name in ("nearest", "nearest_fine")], 1).gather(1, order)
    found["indices that differ"] = float((person.indices.reshape(nearest.shape) != nearest).sum())
    w = torch.cat([t["w_inpainted"][:, None].expand(-1, c.field_ws, -1), t["ws"][:, c.field_ws :]], 1)
    passes = {"rest": person.features(rest, person.state), "deformed": person.deformed(frame, t["moved"][0]), "inpainted": person.inpainted(frame, w)}
    for name, features in passes.items():
        found[f"features_{name}"] = decibels(features[0, :-3:8], t[f"features_{name}"].reshape(-1, *features.shape[2:]))
        found[f"rgb_{name}"] = decibels(features[:, -3:], t[f"rgb_{name}"])
    images = {f"image_{name}": person.picture(features) for name, features in passes.items()}
    images["image"] = person.frame(frame, t["moved"][0], w, torch.nn.functional.interpolate(t["mask_16"], size=(512, 512)))
    for name, image in images.items():
        pitch = image.shape[-1] // t[name].shape[-1]
        found[name] = decibels(image[:, :, ::pitch, ::pitch], t[name])
    return found


def first_step(generator: Generator, golden: Golden) -> tuple[float, float]:
    """Relative errors of the first tuning step: of the loss, and the largest one of the gradients' norms (of faint ones relative to `FAINT`)."""
    t, synthesis, c = golden.tensors, generator.synthesis, generator.configuration
    synthesis.requires_grad_(True)
    loss = (synthesis(t["ws"], t["latent2"], *rays(t["camera_rest"], c.rays, c.fov)) - golden.target()).square().mean()
    loss.backward()
    gradients = {name: p.grad for name, p in synthesis.named_parameters()}
    synthesis.requires_grad_(False).zero_grad(set_to_none=True)
    return errors(golden, loss.item(), gradients)


def errors(golden: Golden, loss: float, gradients: dict[str, torch.Tensor]) -> tuple[float, float]:
    """Relative errors of the first tuning step's loss and, at most, of its gradients' norms, by names within the synthesis network."""
    faint = FAINT * max(golden.norms.values())
    of = lambda name, norm: abs(gradients[name.removeprefix("synthesis.")].norm().item() - norm) / max(norm, faint)
    return abs(loss / golden.loss - 1), max(of(name, norm) for name, norm in golden.norms.items())
