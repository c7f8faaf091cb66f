"""pack.yaml of the published networks.

The file is a list of sections in order, `sections`; further ones are added there. What no section has room for, each source file with its digest and
licence, stands in comments at the top.
"""

from pathlib import Path

import yaml

from tools.pack import digest

from . import bfm, bisenet, landmarks

NAME, VERSION = "nerffacespeech", 1
MOUTH, TORSO = [7, 8, 9], [10, 14, 15]  # classes of the published parsing
RANGE = [-3, 3]  # of expression coefficients, in standard deviations of the people that the basis was made from
SKIP = 3  # the generator's low-resolution RGB beside its features, which the published blend leaves alone
HALF = ".half"  # what follows a role's name where it computes in float16
SETUP = ("face_detector", "face_mesh", "face_parts", "person_mask")  # networks that come from set-up


def licence(sources: dict) -> str:
    """The pack's licence in one line: that of each file, the strictest first. `sources` is {use: (Published, path, digest)}."""
    kept = [f"{use} {published.licence}" for use, (published, *_) in sorted(sources.items(), key=lambda item: item[1][0].free)]
    bound = not all(published.free for published, *_ in sources.values())
    return ("non-commercial use only: " if bound else "") + "; ".join(kept)


def sections(resolution: int, sources: dict) -> dict:
    """The sections of pack.yaml but for roles and optimisations, in order. What concerns a single network stands there only with it."""
    slots = {name: list(slot) for name, slot in bfm.SLOTS.items()}
    order = ("identity", "expression", "texture", "light", "rotation", "translation")
    own = {"morphable_model": {"landmarks": landmarks.POINTS}, "generator": {"unblended": SKIP}}
    extra = {key: value for use, keys in own.items() if use in sources for key, value in keys.items()}
    return {
        "talkgraph_pack": 1,
        "name": NAME,
        "version": VERSION,
        "licence": licence(sources),
        "resolution": resolution,
        "coefficients": {"size": bfm.SIZE} | {name: slots[name] for name in order},
        "expression": [f"expression_{index:02}" for index in range(bfm.EXPRESSION)],
        "expression_range": RANGE,
        "parsing": {"mouth": MOUTH, "torso": TORSO, "size": bisenet.SIDE, "mean": list(bisenet.MEAN), "std": list(bisenet.STD)},
        **extra,
    }


def write(folder: Path, top: dict, roles: list[str], sources: dict, setup: Path | None = None, optimisations: dict | None = None) -> Path:
    """Writes FOLDER/pack.yaml for the roles whose files are there (`ROLE.half` computes in float16), and for the networks of set-up that `setup` holds."""
    lines = []
    for use, (published, path, digest_) in sources.items():
        lines.append(f"# {use}: {path.name}, blake3 {digest_}, {published.licence}")
    for name, value in top.items():
        if isinstance(value, dict):
            lines += [f"{name}:"] + [f"  {key}: {_flow(inner)}" for key, inner in value.items()]
        else:
            lines.append(f"{name}: {_flow(value)}")
    lines.append("roles:")
    for role in (role for role in roles if not role.endswith(HALF)):
        half = f", half: {{ file: {role}{HALF}.onnx, blake3: '' }}" if role + HALF in roles else ""
        lines.append(f"  {role}: {{ file: {role}.onnx, blake3: ''{half} }}")
    if setup:
        lines += [f"  {role}: {{ file: \"@setup/{role}.onnx\", blake3: '' }}" for role in SETUP if (setup / f"{role}.onnx").is_file()]
    for kind, phases in (optimisations or {}).items():
        lines += [] if "optimisations:" in lines else ["optimisations:"]
        lines += [f"  {kind}:"] + [f"    - {_flow(phase)}" for phase in phases]
    path = folder / "pack.yaml"
    path.write_text("\n".join(lines) + "\n")
    digest.update(path, setup)
    return path


def _flow(value) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, width=10**6, sort_keys=False, allow_unicode=True).strip()
    return text.removesuffix("\n...").removesuffix("...").strip()
