"""LPIPS over AlexNet (Krizhevsky 2014), the perceptual loss of the tuning."""

from .perceptual import Perceptual
from .source import Source

PLAN = [
    ("features.0", 3, 64, 11, 4, 2), ("pool", 3), ("features.3", 64, 192, 5, 1, 2), ("pool", 3),
    ("features.6", 192, 384, 3, 1, 1), ("features.8", 384, 256, 3, 1, 1), ("features.10", 256, 256, 3, 1, 1),
]  # fmt: skip
TAPS = [0, 2, 4, 5, 6]


def lpips(backbone: Source, heads: Source) -> Perceptual:
    """`backbone` holds torchvision's AlexNet, `heads` alex.pth of the package `lpips`."""
    return Perceptual(backbone, heads, PLAN, TAPS)
