"""Face reconstruction of Deep3DFaceRecon (Deng et al. 2019): a ResNet-50 and seven linear heads over its mean features."""

import torch
import torch.nn as nn

from .layers import convolution
from .resnet import ResNet
from .source import Source

# What the heads give, in this order: the 257 coefficients of the morphable model.
HEADS = {"identity": 80, "expression": 64, "texture": 80, "rotation": 3, "light": 27, "translation": 2, "distance": 1}
SIZE = sum(HEADS.values())
FEATURES = 2048


class Deep3D(nn.Module):
    """image [n,3,224,224], RGB in [0,1] -> coefficients [n,257].

    The published code gives pictures to the network as they are: no mean is subtracted. `source` is the state dict `net_recon`.
    """

    def __init__(self, source: Source):
        super().__init__()
        self.backbone = ResNet(source.under("backbone"), (3, 4, 6, 3), bottleneck=True)
        heads = [
            convolution(source, f"final_layers.{index}", FEATURES, size, side=1, bias=True) for index, size in enumerate(HEADS.values())
        ]
        self.heads = nn.Linear(FEATURES, SIZE).requires_grad_(False)  # the seven as one
        self.heads.weight.data = torch.cat([head.weight.flatten(1) for head in heads])
        self.heads.bias.data = torch.cat([head.bias for head in heads])

    def forward(self, image):
        return self.heads(self.backbone(image)[-1].mean((2, 3)))
