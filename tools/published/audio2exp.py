"""SadTalker's network from sound to expression (Zhang et al. 2023), in two halves: only the last one, a linear layer, sees the
expression before. So the encoder runs for all frames in one batch, and the recurrence is a product of a row and a matrix."""

import torch
import torch.nn as nn
import torch.nn.functional as F

from .layers import convolution, linear
from .source import Source

BANDS, COLUMNS = 80, 16  # of a window of mel
EXPRESSION, EMBEDDING = 64, 512
# channels, stride in rows and columns, whether the input is added; 3x3 but for the last, edges padded but for the last two
LAYERS = (
    (32, 1, False), (32, 1, True), (32, 1, True),
    (64, (3, 1), False), (64, 1, True), (64, 1, True),
    (128, 3, False), (128, 1, True), (128, 1, True),
    (256, (3, 2), False), (256, 1, True),
    (512, 1, False), (512, 1, False),
)  # fmt: skip


class Encoder(nn.Module):
    """mel [n,1,80,16] -> embedding [n,512]."""

    def __init__(self, source: Source):
        super().__init__()
        self.layers, inputs, last = nn.ModuleList(), 1, len(LAYERS) - 1
        for index, (outputs, stride, _) in enumerate(LAYERS):
            side, padding = 1 if index == last else 3, 1 if index < last - 1 else 0
            name = f"audio_encoder.{index}.conv_block"
            self.layers.append(convolution(source, name + ".0", inputs, outputs, side, stride, padding, norm=name + ".1", bias=True))
            inputs = outputs

    def forward(self, mel):
        x = mel
        for layer, (_, _, residual) in zip(self.layers, LAYERS):
            x = F.relu(layer(x) + x if residual else layer(x))
        return x.flatten(1)


class Head(nn.Module):
    """embedding [n,512], reference [n,64], ratio [n,1] (of blinking) -> expression [n,64]."""

    def __init__(self, source: Source):
        super().__init__()
        self.layer = linear(source, "mapping1", EMBEDDING + EXPRESSION + 1, EXPRESSION)

    def forward(self, embedding, reference, ratio):
        return self.layer(torch.cat([embedding, reference, ratio], 1))


class Audio2Exp(nn.Module):
    """mel [n,1,80,16], reference [n,1,64], ratio [n,1] -> expression [n,1,64]."""

    def __init__(self, source: Source):
        super().__init__()
        self.encoder, self.head = Encoder(source), Head(source)

    def forward(self, mel, reference, ratio):
        return self.head(self.encoder(mel), reference[:, 0], ratio)[:, None]
