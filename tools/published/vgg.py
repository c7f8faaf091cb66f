"""LPIPS over VGG16 (Simonyan & Zisserman 2015), whose features the projection compares at 256 px."""

import torch

from .errors import Unfit
from .perceptual import Perceptual
from .source import Source

WIDTHS = (64, 64, "pool", 128, 128, "pool", 256, 256, 256, "pool", 512, 512, 512, "pool", 512, 512, 512)
SIDE = 256  # of the pictures that the projection compares


def _layers():
    plan, taps, inputs, place = [], [], 3, 0
    for width in WIDTHS:
        if width == "pool":
            taps.append(len(plan) - 1)
            plan.append(("pool", 2))
            place += 1
        else:
            plan.append((f"features.{place}", inputs, width, 3, 1, 1))
            inputs, place = width, place + 2  # torchvision counts each ReLU
    return plan, taps + [len(plan) - 1]


PLAN, TAPS = _layers()


def named(tensors: dict[str, torch.Tensor], place: str) -> dict[str, torch.Tensor]:
    """The thirteen convolutions under torchvision's names, whatever they are called: files differ in that, and agree in order and shapes."""
    kernels = [(name, t) for name, t in tensors.items() if t.dim() == 4 and t.shape[2:] == (3, 3)]
    convolutions = [layer for layer in PLAN if layer[0] != "pool"]
    if [tuple(t.shape[:2]) for _, t in kernels] != [(layer[2], layer[1]) for layer in convolutions]:
        raise Unfit(place, f"expected the thirteen 3x3 convolutions of VGG16, found {len(kernels)} such kernels of other shapes or order")
    found = {}
    for (name, kernel), layer in zip(kernels, convolutions):
        bias = tensors.get(name.removesuffix("weight") + "bias")
        if bias is None:
            raise Unfit(f"{place}, {name}", "has no bias beside it")
        found |= {layer[0] + ".weight": kernel, layer[0] + ".bias": bias}
    return found


def vgg(backbone: Source, heads: Source) -> Perceptual:
    """`backbone` holds torchvision's names (`named`), `heads` vgg.pth of the package `lpips`."""
    return Perceptual(backbone, heads, PLAN, TAPS)
