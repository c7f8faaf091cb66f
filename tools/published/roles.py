"""The published networks as roles of a pack: names and shapes of docs/packs.md. The generator's are in `stylenerf.roles`."""

import time
from dataclasses import dataclass
from pathlib import Path

import onnx
import torch
import torch.nn as nn

from tools.pack import export

from . import audio2exp, bfm, bisenet, deep3d, lipaint
from .errors import Unfit
from .half import halved
from .source import Source

OPSET = export.OPSET


@dataclass
class Role:
    """A role's name, its module, the shapes of its tensors with names where an axis is free, and its outputs' names."""

    name: str
    module: nn.Module
    shapes: dict[str, list]
    outputs: tuple[str, ...]

    def examples(self, sizes: dict[str, int]) -> dict[str, torch.Tensor]:
        """Random inputs with free axes of these sizes."""
        inputs = {name: shape for name, shape in self.shapes.items() if name not in self.outputs}
        return {name: torch.rand([sizes.get(axis, axis) for axis in shape]) for name, shape in inputs.items()}


def _deep3d(source: Source, **_):
    yield Role("deep3d", deep3d.Deep3D(source), {"image": ["n", 3, 224, 224], "coefficients": ["n", deep3d.SIZE]}, ("coefficients",))


def _morphable_model(source: Source, **_):
    module = bfm.MorphableModel(bfm.Morphable(source))
    corners = bfm.INNER_LIP[1] - bfm.INNER_LIP[0]
    shapes = {
        "coefficients": ["n", bfm.SIZE], "vertices": ["n", module.anchors, 3], "landmarks": ["n", bfm.LANDMARKS, 2], "contour": ["n", corners, 2],
    }  # fmt: skip
    yield Role("morphable_model", module, shapes, ("vertices", "landmarks", "contour"))


def _audio2exp(source: Source, **_):
    whole, e = audio2exp.Audio2Exp(source), audio2exp.EXPRESSION
    mel, embedding = ["n", 1, audio2exp.BANDS, audio2exp.COLUMNS], ["n", audio2exp.EMBEDDING]
    yield Role(
        "audio2exp", whole, {"mel": mel, "reference": ["n", 1, e], "ratio": ["n", 1], "expression": ["n", 1, e]}, ("expression",),
    )  # fmt: skip
    yield Role("audio2exp_encoder", whole.encoder, {"mel": mel, "embedding": embedding}, ("embedding",))
    yield Role(
        "audio2exp_head", whole.head, {"embedding": embedding, "reference": ["n", e], "ratio": ["n", 1], "expression": ["n", e]}, ("expression",),
    )  # fmt: skip


def _parse(source: Source, **_):
    side = bisenet.SIDE
    yield Role(
        "parse", bisenet.BiSeNet(source), {"image": ["n", 3, side, side], "logits": ["n", bisenet.CLASSES, side, side]}, ("logits",),
    )  # fmt: skip


def _lipaint(source: Source, ws: int, **_):
    shapes = {"w": [1, ws, lipaint.W], "expression": ["n", audio2exp.EXPRESSION], "w_inpainted": ["n", ws, lipaint.W]}
    yield Role("lipaint", lipaint.Lipaint(source), shapes, ("w_inpainted",))


# The files' parts in `weights.FILES` and what makes roles of them; each takes the file's tensors and `ws`, the rows of w.
PARTS = {"deep3d": _deep3d, "morphable_model": _morphable_model, "audio2exp": _audio2exp, "parse": _parse, "lipaint": _lipaint}


HALF = ("deep3d", "parse")  # roles that are convolutions through and through, and large
LOST = 0.01  # most that float16 may cost, of the largest number that comes out


def to_onnx(role: Role) -> onnx.ModelProto:
    """The model of a role: standard operators only, free axes as in its shapes."""
    free = {name: {i: axis for i, axis in enumerate(shape) if isinstance(axis, str)} for name, shape in role.shapes.items()}
    model = export.trace(role.module.eval(), role.examples({"n": 2}), role.outputs, axes={name: axes for name, axes in free.items() if axes})
    export.name_shapes(model, role.shapes)
    return model


def write(role: Role, folder: Path, half: bool = False, log=print) -> list[str]:
    """Writes FOLDER/ROLE.onnx, held against torch in float32 at batches of one and three; with `half` also ROLE.half.onnx, which computes in float16,
    for the roles of `HALF`. Gives what was written, without the ending."""
    start, examples = time.monotonic(), [role.examples({"n": n}) for n in (1, 3)]
    whole = to_onnx(role)
    models = {role.name: (whole, export.TOLERANCE)}
    if half and role.name in HALF:
        with torch.no_grad():
            models[f"{role.name}.half"] = halved(whole), LOST * float(role.module(*examples[0].values()).abs().max())
    for name, (model, tolerance) in models.items():
        try:
            error = export.check(name, model, role.module, examples, tolerance)
        except ValueError as fault:
            raise Unfit("exporter", str(fault)) from fault
        path = folder / f"{name}.onnx"
        onnx.save(model, path)
        log(f"{name}: {path.stat().st_size / 1e6:.2f} MB, {error:.1e} from torch, {time.monotonic() - start:.1f} s")
    return list(models)
