"""LipaintNet (Kim et al. 2024): the w that shows the inside of a mouth with a given expression.

A perceptron adds a step to w. The published system puts the result into the layers of the field, the first ten, and leaves those that
enlarge the picture. It looks at the expression alone: the role's `reference` is not among its inputs.
"""

import torch
import torch.nn as nn
import torch.nn.functional as F

from .audio2exp import EXPRESSION
from .layers import linear
from .source import Source

W, LAYERS = 512, 10


class Step(nn.Module):
    """w [n,512], expression [n,64] -> w [n,512], moved."""

    def __init__(self, source: Source):
        super().__init__()
        sizes = (W + EXPRESSION, W, W, W, W)
        self.layers = nn.ModuleList([linear(source, f"fc{i + 1}", sizes[i], sizes[i + 1]) for i in range(4)])

    def forward(self, w, expression):
        x = torch.cat([w, expression], 1)
        for layer in self.layers[:-1]:
            x = F.relu(layer(x))
        return w + self.layers[-1](x)


class Lipaint(nn.Module):
    """w [1,L,512], expression [n,64] -> w_inpainted [n,L,512]."""

    def __init__(self, source: Source):
        super().__init__()
        self.step = Step(source)

    def forward(self, w, expression):
        same = torch.zeros_like(expression[:, :1])  # a batch of w, made of the expressions' by broadcasting
        moved = self.step(w[:, 0] + same, expression)
        return torch.cat([moved[:, None].expand(-1, LAYERS, -1), w[:, LAYERS:] + same[:, None]], 1)
