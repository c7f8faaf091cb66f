"""The mapping network: a normal vector z to a style w (Karras et al. 2019), with truncation towards the mean style."""

import torch
import torch.nn as nn

from .configuration import Configuration
from .layers import GAIN, TINY, Linear, rectify

RATE = 0.01


class Mapping(nn.Module):
    def __init__(self, configuration: Configuration):
        super().__init__()
        sizes = [configuration.z_dim] + [configuration.w_dim] * configuration.mapping_layers
        for index, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
            setattr(self, f"fc{index}", Linear(inputs, outputs, RATE))
        self.register_buffer("w_avg", torch.zeros(configuration.w_dim))
        self.layers, self.ws = configuration.mapping_layers, configuration.ws

    def forward(self, z, psi):
        """z [n,Z], psi [1] or a number -> w [n,L,D], the same in every row. With psi = 1 nothing is truncated."""
        x = z * torch.rsqrt(z.square().mean(1, keepdim=True) + TINY)
        for index in range(self.layers):
            x = rectify(getattr(self, f"fc{index}")(x)) * GAIN
        x = self.w_avg + psi * (x - self.w_avg)
        return x[:, None].expand(-1, self.ws, -1)
