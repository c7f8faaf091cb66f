"""Writes the optimisations of a pack, `fit3dmm` and `pti`, for a trained generator.

Afterwards constants are to be shared among the pack's models (tools/stepgraph/share.py), then digests taken.
"""

import re
from pathlib import Path

import torch
import yaml

from ..heads import geometry, people
from ..heads import params as P
from ..stepgraph.phase import export_phase
from . import generator as N
from . import optimise_fit, optimise_pti


def write(generator: N.Generator, folder: Path) -> dict[str, list[dict]]:
    """Write the graphs of all phases to `folder`; gives the block `optimisations` of pack.yaml."""
    morphable, side = geometry.Morphable(), generator.config.side
    coefficients = torch.cat([people.plausible(torch.zeros(1, P.Z), torch.ones(1))[:, : P.STYLE], torch.zeros(1, 6)], 1)
    offered = {
        "fit3dmm": {"image": torch.zeros(1, 3, 224, 224), "landmarks": morphable(coefficients)[1], "coefficients": coefficients},
        "pti": {"target": torch.zeros(1, 3, side, side), "person": torch.ones(1, 1, side, side), "coefficients": coefficients,
                "pose": coefficients[:, P.STYLE :]},
    }
    block = {}
    for name, phases in (("fit3dmm", optimise_fit.phases(morphable)), ("pti", optimise_pti.phases(generator, morphable))):
        block[name], tensors = [], offered[name]
        for phase in phases:
            entry, tensors = export_phase(name, phase, tensors, folder)
            block[name].append(entry)
    return block


def put_block(path: Path, block: dict):
    """Replace the top-level block `optimisations:` of the pack file at `path`, or append it; the rest stays as written."""
    lines = ["optimisations:"]
    for name, phases in block.items():
        lines.append(f"  {name}:")
        lines += ["    - " + yaml.safe_dump(phase, default_flow_style=True, sort_keys=False, width=1000).strip() for phase in phases]
    text = path.read_text() if path.exists() else ""
    text = re.sub(r"^optimisations:[^\n]*\n((?:[ \t#][^\n]*)?\n)*", "", text + "\n", flags=re.M).rstrip("\n")
    path.write_text((text + "\n" if text else "") + "\n".join(lines) + "\n")
