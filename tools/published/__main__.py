"""Makes a model pack from the published checkpoints.

    python -m tools.published --weights DIR -o models/nerffacespeech [--roles deep3d,audio2exp,parse] [--config ffhq_1024] [--setup DIR] [--half]

DIR is the folder that the published code calls `pretrained_networks`. Without --roles every network is wanted, and files that are missing are named
before anything is done. With it the pack holds what is named:

    generator        mapping, identity, prepare, camera, depths, render, upsample, lipaint_state
    inversion        the optimisation `pti` of that generator, with AlexNet and VGG16 from torchvision and their heads from the package `lpips`
    deep3d           photo to the 257 coefficients of the Basel Face Model
    morphable_model  coefficients to deformation anchors, landmarks, lips; the optimisation `fit3dmm`
    audio2exp        with audio2exp_encoder and audio2exp_head
    parse            16 classes
    lipaint

Of single networks `parse` fits any pack whose generator is aligned like FFHQ. `deep3d`, `morphable_model`, `audio2exp` and `lipaint` speak of the same
257 coefficients and go together; other generators need another set.
"""

import argparse
import logging
import sys
import time
from pathlib import Path

import torch

from tools.stepgraph import share

from . import bfm, fit, pack, roles, weights
from .errors import Unfit
from .pickles import read

GENERATOR, INVERSION = "generator", "inversion"
DISTANCES = ("alexnet", "vgg16")
CONFIGS = {"ffhq_256": 256, "ffhq_512": 512, "ffhq_1024": 1024}


def main(arguments=None, log=print):
    parser = argparse.ArgumentParser(prog="tools.published", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, required=True, help="folder of published files")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the pack")
    parser.add_argument("--roles", type=lambda text: text.split(","), help="networks to export, joined by commas; all of them if absent")
    parser.add_argument("--config", choices=CONFIGS, default="ffhq_1024", help="which generator the pack is for")
    parser.add_argument("--setup", type=Path, help="folder of the networks that set-up makes, `.talkgraph/models`")
    parser.add_argument("--half", action="store_true", help="render, upsample, deep3d and parse in float16 too, for GPUs: `run --precision f16` takes them")
    options = parser.parse_args(arguments)
    start = time.monotonic()
    try:
        make(options, log)
    except Unfit as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    sizes = [file.stat().st_size for file in options.output.iterdir()]
    log(f"{options.output}: {sum(sizes) / 1e9:.2f} GB in {len(sizes)} files, {(time.monotonic() - start) / 60:.1f} minutes")
    return 0


def make(options, log):
    """The pack that the options ask for."""
    known = {GENERATOR, INVERSION, *roles.PARTS}
    asked = known if options.roles is None else set(options.roles)
    if strangers := sorted(asked - known):
        raise Unfit("--roles", f"no network is called {strangers[0]}", f"there are {', '.join(sorted(known))}")
    if INVERSION in asked and GENERATOR not in asked:
        raise Unfit("--roles", "inversion without generator, which it is made for")
    sources = {}
    for use, path in weights.require(options.weights, files(asked, options.config)).items():
        published = weights.generator(options.config) if use == GENERATOR else weights.FILES[use]
        sources[use] = published, path, weights.digest(path)
        log(f"{use}: {path.name}, {path.stat().st_size / 1e6:.1f} MB, blake3 {sources[use][2]}")
        log(f"  {published.licence}")
    resolution, parts, fitted = CONFIGS[options.config], [], None
    for name in (part for part in roles.PARTS if part in asked):  # all files are read before anything is written
        tensors = weights.source(sources[name][1], sources[name][0])
        parts += roles.PARTS[name](tensors, ws=rows(resolution))
        if name == "morphable_model":
            fitted = bfm.Morphable(tensors)
    generator = load_generator(sources[GENERATOR][1], options.config) if GENERATOR in asked else None
    distances = [weights.perceptual(options.weights, name) for name in DISTANCES] if INVERSION in asked else None

    options.output.mkdir(parents=True, exist_ok=True)
    written, optimisations = [], {}
    for role in parts:
        written += roles.write(role, options.output, options.half, log)
    if fitted:
        optimisations["fit3dmm"] = fit.write(fitted, options.output)
        log(f"fit3dmm: {', '.join(str(phase['steps']) for phase in optimisations['fit3dmm'])} steps")
    if generator:
        written += export_generator(generator, options.output, log, options.half)
    if distances:
        optimisations["pti"] = export_inversion(generator, *distances, options.output, log)
    share.share(options.output)
    pack.write(options.output, pack.sections(resolution, sources), written, sources, options.setup, optimisations)


def files(asked: set[str], config: str) -> dict[str, weights.Published]:
    """The files that what is asked for is made of, by what they are used for."""
    uses = [name for name in roles.PARTS if name in asked]
    if INVERSION in asked:
        uses += [use for name in DISTANCES for use in (name, f"{name}_heads")]
    found = {GENERATOR: weights.generator(config)} if GENERATOR in asked else {}
    return found | {use: weights.FILES[use] for use in uses}


def rows(resolution: int) -> int:
    """L: rows of w of a generator of that many pixels. The field takes ten, each doubling of 32 px two more, the last picture one."""
    return 10 + 2 * (resolution.bit_length() - 6) + 1


def load_generator(path: Path, config: str):
    """The generator of a file, which must be that of the configuration."""
    from . import stylenerf

    checkpoint, key = read(path), weights.generator(config).key
    try:
        generator = stylenerf.build(checkpoint.init_kwargs(key), checkpoint.tensors(key))
    except ValueError as error:
        raise Unfit(f"{path.name}, {key}", str(error), "the generator of StyleNeRF for faces is expected") from error
    found = generator.configuration.resolution
    if found != CONFIGS[config]:
        raise Unfit(path.name, f"made for {found} px, expected {CONFIGS[config]} for --config {config}")
    return generator


def export_generator(generator, folder: Path, log, half: bool = False) -> list[str]:
    """Writes the generator's roles; gives their names, and `ROLE.half` of those that compute in float16."""
    from .stylenerf.export import export

    return list(export(generator, folder, report=lambda role, size: log(f"{role}: {size / 1e6:.2f} MB"), half=half))


def export_inversion(generator, lpips, vgg, folder: Path, log) -> list[dict]:
    """Writes the graphs of the inversion; gives its phases for pack.yaml."""
    from .stylenerf import inversion

    start = time.monotonic()

    def report(phase):
        size = sum(file.stat().st_size for file in folder.glob(f"pti_{phase}_*.onnx"))
        log(f"pti, {phase}: {size / 1e6:.2f} MB, {time.monotonic() - start:.1f} s")

    return inversion.write(generator, vgg, lpips, folder, report)


if __name__ == "__main__":
    for name in ("torch.onnx", "onnxscript"):  # they speak of packages that nobody needs
        logging.getLogger(name).setLevel(logging.ERROR)
    torch.set_grad_enabled(False)
    sys.exit(main())
