"""Face reconstruction of Deep3DFaceRecon (Deng et al. 2019): a ResNet-50 and seven linear heads over its mean features."""

import torch.nn as nn

from .layers import joined
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
        heads = [source.under(f"final_layers.{index}") for index in range(len(HEADS))]
        self.heads = joined(
            [(head.take("weight", size, FEATURES, 1, 1).flatten(1), head.take("bias", size)) for head, size in zip(heads, HEADS.values())]
        )

    def forward(self, image):
        return self.heads(self.backbone(image)[-1].mean((2, 3)))
