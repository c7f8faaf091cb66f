"""Face parsing with BiSeNet (Yu et al. 2018) of 16 classes. Like the published network it has no spatial path of its own: the ResNet's
features at an eighth of the side take its place. Of the three heads only the first is used; the others served training."""

import torch
import torch.nn as nn
import torch.nn.functional as F

from .layers import convolution
from .resnet import ResNet
from .source import Source

CLASSES = 16
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet, as the input is normalised
SIDE = 512  # of the input in the published system
STEP = 32  # a side must be a multiple of this


def _unit(source, name, inputs, outputs, side=3):
    return convolution(source, name + ".conv", inputs, outputs, side, norm=name + ".bn")


def _twice(x):
    return F.interpolate(x, scale_factor=2, mode="nearest")


def _mean(x):
    return x.mean((2, 3), keepdim=True)


class Refinement(nn.Module):
    """Features whose channels are weighted by what their means say."""

    def __init__(self, source: Source, inputs: int, outputs: int):
        super().__init__()
        self.unit = _unit(source, "conv", inputs, outputs)
        self.attention = convolution(source, "conv_atten", outputs, outputs, side=1, norm="bn_atten")

    def forward(self, x):
        x = F.relu(self.unit(x))
        return x * torch.sigmoid(self.attention(_mean(x)))


class Context(nn.Module):
    """image -> features at an eighth of the side: those of the ResNet, and those that know the whole picture."""

    def __init__(self, source: Source):
        super().__init__()
        self.resnet = ResNet(source.under("resnet"), (2, 2, 2, 2), bottleneck=False)
        self.refine16, self.refine32 = (Refinement(source.under(f"arm{size}"), size * 16, 128) for size in (16, 32))
        self.head16, self.head32 = (_unit(source, f"conv_head{size}", 128, 128) for size in (16, 32))
        self.whole = _unit(source, "conv_avg", 512, 128, side=1)

    def forward(self, image):
        _, eighth, x16, x32 = self.resnet(image)
        x = self.refine32(x32) + F.relu(self.whole(_mean(x32)))
        x = self.refine16(x16) + F.relu(self.head32(_twice(x)))
        return eighth, F.relu(self.head16(_twice(x)))


class Fusion(nn.Module):
    """Both kinds of features as one, with channels weighted by what their means say."""

    def __init__(self, source: Source):
        super().__init__()
        self.unit = _unit(source, "convblk", 256, 256, side=1)
        self.squeeze = convolution(source, "conv1", 256, 64, side=1)
        self.spread = convolution(source, "conv2", 64, 256, side=1)

    def forward(self, fine, whole):
        x = F.relu(self.unit(torch.cat([fine, whole], 1)))
        return x + x * torch.sigmoid(self.spread(F.relu(self.squeeze(_mean(x)))))


class BiSeNet(nn.Module):
    """image [n,3,Q,Q], normalised with MEAN and STD -> logits [n,16,Q,Q]. Q is a multiple of 32."""

    def __init__(self, source: Source):
        super().__init__()
        self.context, self.fusion = Context(source.under("cp")), Fusion(source.under("ffm"))
        self.unit = _unit(source, "conv_out.conv", 256, 256)
        self.classes = convolution(source, "conv_out.conv_out", 256, CLASSES, side=1)

    def forward(self, image):
        x = self.classes(F.relu(self.unit(self.fusion(*self.context(image)))))
        return F.interpolate(x, scale_factor=8, mode="bilinear", align_corners=True)
