"""Writes a pack: every role that the weights at hand can fill, and `pack.yaml` with digests."""

from pathlib import Path

import numpy as np
import onnx
import torch
import yaml

from tools.speech.mel import WINDOW

from ..heads import params as P
from . import digest, export
from . import networks as W
from .optimise_fit import EXPRESSION_BOUNDS

ROLES = [
    "mapping", "identity", "prepare", "occupancy", "camera", "depths", "render", "upsample", "lipaint", "lipaint_state", "deep3d",
    "morphable_model", "audio2exp", "audio2exp_encoder", "audio2exp_head",
    "expression_reader", "parse", "face_detector", "face_mesh", "face_parts", "iris", "person_mask",
]  # fmt: skip
SETUP = ("face_detector", "face_mesh", "face_parts", "iris", "person_mask")  # come from set-up
LARGE = 2**15  # numbers of a constant that is worth storing as float16
HALF_PRECISION = {"deep3d": 1e-3, "parse": 1e-2}  # error of coefficients and logits from weights of float16
STARTS = {"mouth": ("jaw", "mouth", "cheekPuff", "noseSneer", "tongue"), "eyes": ("eyeBlink", "eyeSquint", "eyeWide", "cheekSquint"), "brows": ("brow",), "gaze": ("eyeLook",)}
REGIONS = {region: [name for name in P.EXPRESSION if name.startswith(starts)] for region, starts in STARTS.items()}
MOUTH, TORSO = [7, 8, 9], [10, 14, 15]


def networks(folder, sizes, weights=None, log=print):
    """Exports `deep3d` and `parse`; `weights` maps a role to a file of trained weights, None: random ones."""
    for role, model, side in (("deep3d", W.Deep3D(sizes), 224), ("parse", W.Parse(sizes), sizes.parse_side)):
        if weights is not None:
            model.load_state_dict(torch.load(weights[role], weights_only=True))
        elif role == "parse":  # it starts at zero
            torch.nn.init.normal_(model.out.weight, 0, 0.5), torch.nn.init.normal_(model.prior)
        model.eval()
        examples = [{"image": torch.rand(n, 3, side, side)} for n in (2, 1)]
        output = "coefficients" if role == "deep3d" else "logits"
        onnx_model = export.trace(model, examples[0], [output], ("image", output))
        # weights are most of these files, and their errors are hundreds of times what half precision loses
        half = [i.name for i in onnx_model.graph.initializer if weights is not None and np.prod(i.dims) >= LARGE]
        export.halve(onnx_model, half)
        shape = ["n", P.K] if role == "deep3d" else ["n", W.CLASSES, side, side]
        export.name_shapes(onnx_model, {"image": ["n", 3, side, side], output: shape})
        error = export.check(role, onnx_model, model, examples, HALF_PRECISION[role] if half else export.TOLERANCE)
        onnx.save(onnx_model, folder / f"{role}.onnx")
        log(f"{role}: {(folder / (role + '.onnx')).stat().st_size / 1e6:.2f} MB, {error:.1e} from torch")


def coefficients():
    """The `coefficients` section: half-open ranges."""
    s = P.STYLE
    ranges = {k: [P.SLOT[k].start, P.SLOT[k].stop] for k in ("identity", "expression", "texture")}
    return {"size": P.K, **ranges, "rotation": [s, s + 3], "translation": [s + 3, s + 6]}


def _flow(value):
    return yaml.safe_dump(value, default_flow_style=True, width=10**6, sort_keys=False).strip()


def pack_yaml(folder, name, version, resolution, parse_side, setup=None, defaults=None, optimisations=None):
    """Writes pack.yaml with an entry for every role whose file exists; set-up roles are named when `setup` has them."""
    lines = [
        "talkgraph_pack: 1", f"name: {name}", f"version: {version}", "licence: MIT OR Apache-2.0",
        f"resolution: {resolution}", "coefficients:",
    ]  # fmt: skip
    lines += [f"  {k}: {_flow(v) if isinstance(v, list) else v}" for k, v in coefficients().items()]
    lines.append(f"expression: {_flow(P.EXPRESSION)}")
    lines += ["regions:"] + [f"  {k}: {_flow(v)}" for k, v in REGIONS.items()]
    lines.append(f"expression_bounds: {_flow(list(EXPRESSION_BOUNDS))}")
    lines.append("expression_range: [0, 1]")
    lines += ["parsing:", f"  mouth: {MOUTH}", f"  torso: {TORSO}", f"  size: {parse_side}", "  mean: [0, 0, 0]", "  std: [1, 1, 1]"]
    # What our audio2exp sees, and the scale that makes up for its movements being smaller than its targets'.
    defaults = {"mel": {"columns": WINDOW}, "audio2exp": {"scale": 1.2}} | (defaults or {})
    lines += ["defaults:"] + [f"  {k}: {_flow(v)}" for k, v in defaults.items()]
    lines.append("roles:")
    for role in ROLES:
        file = f"{role}.onnx"
        if role in SETUP:
            if setup is None or not (Path(setup) / file).is_file():
                continue
            file = f'"@setup/{file}"'
        elif not (folder / file).is_file():
            continue
        lines.append(f"  {role}: {{ file: {file}, blake3: '' }}")
    if optimisations:
        lines.append("optimisations:")
        for kind, phases in optimisations.items():
            lines.append(f"  {kind}:")
            lines += [f"    - {_flow(phase)}" for phase in phases]
    path = folder / "pack.yaml"
    path.write_text("\n".join(lines) + "\n")
    return digest.update(path, setup)


def enter(folder, role, setup=None):
    """Names the file of a role that was made with the rest of the pack."""
    path = folder / "pack.yaml"
    lines = [line for line in path.read_text().splitlines() if not line.startswith(f"  {role}:")]
    lines.insert(lines.index("roles:") + 1, f"  {role}: {{ file: {role}.onnx, blake3: '' }}")
    path.write_text("\n".join(lines) + "\n")
    return digest.update(path, setup)
