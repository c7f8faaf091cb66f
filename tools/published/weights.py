"""Which published file fills which roles: names, places in the file, tensors, and licences.

Nothing is fetched and nothing is bundled. A file is looked for where the published code expects it below the folder of weights, then anywhere
below by its name alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from blake3 import blake3

from . import audio2exp, bfm, bisenet, deep3d, lipaint, lpips, pickles, vgg
from .errors import Unfit
from .perceptual import Perceptual
from .source import Source, wanted

README = "the folder of pretrained networks that the README of NeRFFaceSpeech_Code links"
LPIPS = "the package `lpips` on PyPI, version 0.1.4"


@dataclass(frozen=True)
class Published:
    """A file. `names` are those it is known by, the first where the published code looks for it; `key` is the place of the tensors in it."""

    names: tuple[str, ...]
    key: str
    where: str
    licence: str
    free: bool  # whether its licence admits commercial use
    build: Callable[[Source], object] | None = None  # the network of its tensors
    rename: Callable[[dict, str], dict] | None = None  # of its tensors
    hint: str | None = None  # when a tensor does not fit

    @property
    def name(self) -> str:
        return self.names[0]


FILES = {
    "deep3d": Published(
        ("Deep3DFaceRecon_pytorch/face_recon/epoch_20.pth",), "net_recon", README, "MIT (Deep3DFaceRecon_pytorch)", True, deep3d.Deep3D,
    ),
    "morphable_model": Published(
        ("BFM/BFM_model_front.mat", "BFM_for_3DMM-Fitting-Pytorch/BFM/BFM09_model_info.mat"), "",
        "made from the Basel Face Model 2009 by the published code on its first run; ask for the model at faces.dmi.unibas.ch",
        "Basel Face Model licence: non-commercial research, not to be handed on", False, bfm.Morphable,
    ),
    "audio2exp": Published(
        ("sad_talker_pretrained/SadTalker_V0.0.2_256.safetensors",), "audio2exp", "the releases of SadTalker, v0.0.2-rc", "Apache-2.0 (SadTalker)", True,
        audio2exp.Audio2Exp,
    ),
    "parse": Published(
        ("seg.pth",), "", README, "MIT (NeRFFaceSpeech_Code); what it was trained on is not said, so taken for non-commercial", False, bisenet.BiSeNet,
        hint="16 classes are expected; public BiSeNets for faces have 19 and mean others by them",
    ),
    "lipaint": Published(
        ("LipaintNet.pt",), "model_state_dict", README, "MIT (NeRFFaceSpeech_Code); trained with StyleNeRF and the Basel Face Model: non-commercial", False,
        lipaint.Step,
    ),
    "alexnet": Published(
        ("alexnet-owt-7be5be79.pth", "alexnet-owt-4df8aa71.pth"), "", "torchvision's model zoo", "BSD-3-Clause (torchvision), trained on ImageNet", True,
        lambda source: lpips.lpips(source, Source(_ones(lpips))),
    ),
    "alexnet_heads": Published(
        ("lpips/weights/v0.1/alex.pth",), "", LPIPS, "BSD-2-Clause (lpips)", True, lambda source: [source.take(*head) for head in _heads(lpips)],
    ),
    "vgg16": Published(
        ("vgg16.pt", "vgg16-397923af.pth"), "", "metrics of stylegan2-ada-pytorch, or torchvision's model zoo",
        "BSD-3-Clause (torchvision), trained on ImageNet", True,
        lambda source: vgg.vgg(source, Source(_ones(vgg))), vgg.named,
    ),
    "vgg16_heads": Published(
        ("lpips/weights/v0.1/vgg.pth",), "", LPIPS, "BSD-2-Clause (lpips)", True, lambda source: [source.take(*head) for head in _heads(vgg)],
    ),
}  # fmt: skip


def generator(config: str) -> Published:
    """The generator's file for a configuration such as `ffhq_1024`."""
    where = f"{README}, or that of StyleNeRF"
    return Published((f"{config}.pkl",), "G_ema", where, "CC BY-NC 4.0 (StyleNeRF), trained on FFHQ (CC BY-NC-SA 4.0): non-commercial", False)


def _heads(network):
    return [(f"lin{index}.model.1.weight", 1, network.PLAN[tap][2], 1, 1) for index, tap in enumerate(network.TAPS)]


def _ones(network):
    return {name: torch.ones(shape) for name, *shape in _heads(network)}


def shapes(published: Published) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the tensors that are taken from a file."""
    return wanted(published.build)


def find(folder: Path, published: Published) -> Path | None:
    """The file in the folder of weights, or None."""
    for name in published.names:
        if (folder / name).is_file():
            return folder / name
    for name in published.names:
        found = sorted(path for path in folder.rglob(Path(name).name) if path.is_file())
        if len(found) > 1 and len({digest(path) for path in found}) > 1:
            places = ", ".join(str(path.relative_to(folder)) for path in found)
            raise Unfit(folder, f"{len(found)} different files called {Path(name).name}: {places}", f"keep the one at {name}")
        if found:
            return found[0]
    return None


def require(folder: Path, wanted: dict[str, Published]) -> dict[str, Path]:
    """The files by what they are wanted for. All that are missing are named in one error."""
    if not folder.is_dir():
        raise Unfit(folder, "no such folder of weights", "--weights takes the folder that the published code calls pretrained_networks")
    found = {use: find(folder, published) for use, published in wanted.items()}
    missing = [f"{use}: {' or '.join(wanted[use].names)}, from {wanted[use].where}" for use, path in found.items() if path is None]
    if missing:
        files = "a file is" if len(missing) == 1 else f"{len(missing)} files are"
        raise Unfit(folder, "\n  ".join([f"{files} missing:", *missing]), "--roles names those to make a pack of with what is there")
    return found


def perceptual(folder: Path, name: str) -> Perceptual:
    """The perceptual distance over `alexnet` or `vgg16`, from two files."""
    uses = {use: FILES[use] for use in (name, f"{name}_heads")}
    backbone, heads = (source(path, uses[use]) for use, path in require(folder, uses).items())
    return {"alexnet": lpips.lpips, "vgg16": vgg.vgg}[name](backbone, heads)


def digest(path: Path) -> str:
    """blake3 of a file, 64 hex digits."""
    return blake3(max_threads=blake3.AUTO).update_mmap(path).hexdigest()


def source(path: Path, published: Published) -> Source:
    """The tensors of a file, ready to be taken."""
    tensors = pickles.read(path).tensors(published.key)
    if published.rename:
        tensors = published.rename(tensors, path.name)
    return Source(tensors, path.name, published.hint)
