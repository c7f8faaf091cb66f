"""Residual networks (He et al. 2016) without their classifier: four stages of blocks behind a stem that quarters the side."""

import torch.nn as nn
import torch.nn.functional as F

from .layers import convolution
from .source import Source


class Block(nn.Module):
    """A residual block: the given convolutions beside a shortcut, which is a 1x1 convolution where sides or channels change."""

    def __init__(self, path: list[nn.Conv2d], shortcut: nn.Conv2d | None):
        super().__init__()
        self.path = nn.ModuleList(path)
        self.shortcut = shortcut

    def forward(self, x):
        y = x
        for layer in self.path[:-1]:
            y = F.relu(layer(y))
        return F.relu(self.path[-1](y) + (x if self.shortcut is None else self.shortcut(x)))


def _basic(source, inputs, width, stride):
    """Two 3x3 convolutions; gives the layers and the number of channels that they end with."""
    first = convolution(source, "conv1", inputs, width, stride=stride, norm="bn1")
    return [first, convolution(source, "conv2", width, width, norm="bn2")], width


def _bottleneck(source, inputs, width, stride):
    """1x1 to fewer channels, 3x3, 1x1 to four times as many. The stride is the 3x3 convolution's, as in ResNet "v1.5"."""
    reduce = convolution(source, "conv1", inputs, width, side=1, norm="bn1")
    spread = convolution(source, "conv2", width, width, stride=stride, norm="bn2")
    return [reduce, spread, convolution(source, "conv3", width, 4 * width, side=1, norm="bn3")], 4 * width


class ResNet(nn.Module):
    """Image [n,3,h,w] -> what the four stages give, at a quarter, an eighth, a 16th and a 32nd of the side."""

    def __init__(self, source: Source, counts: tuple[int, ...], bottleneck: bool):
        super().__init__()
        make = _bottleneck if bottleneck else _basic
        self.stem = convolution(source, "conv1", 3, 64, side=7, stride=2, norm="bn1")
        self.stages, channels = nn.ModuleList(), 64
        for stage, count in enumerate(counts):
            blocks = []
            for index in range(count):
                below = source.under(f"layer{stage + 1}.{index}")
                stride = 2 if stage and not index else 1
                path, outputs = make(below, channels, 64 << stage, stride)
                change = stride > 1 or outputs != channels
                shortcut = convolution(below, "downsample.0", channels, outputs, side=1, stride=stride, norm="downsample.1") if change else None
                blocks.append(Block(path, shortcut))
                channels = outputs
            self.stages.append(nn.Sequential(*blocks))

    def forward(self, image):
        x = F.max_pool2d(F.relu(self.stem(image)), 3, 2, 1)
        seen = []
        for stage in self.stages:
            x = stage(x)
            seen.append(x)
        return seen
