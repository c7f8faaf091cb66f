"""Convolutions and linear layers of the published networks.

Batch normalisation at inference is a scale and a shift a channel (Ioffe & Szegedy 2015): both are folded into the convolution before it, in
float64, so that none is left in the graphs.
"""

import torch
import torch.nn as nn

from .source import Source

EPSILON = 1e-5  # of batch normalisation


def convolution(source: Source, name: str, inputs: int, outputs: int, side=3, stride=1, padding=None, norm=None, bias=False) -> nn.Conv2d:
    """A convolution called `name`; `norm` is the name of the batch normalisation after it, `padding` half its side if not given."""
    padding = side // 2 if padding is None else padding
    made = nn.Conv2d(inputs, outputs, side, stride, padding, bias=bias or norm is not None, device="meta")  # nothing to initialise
    weight = source.take(name + ".weight", outputs, inputs, side, side).double()
    shift = source.take(name + ".bias", outputs).double() if bias else torch.zeros(outputs, dtype=torch.float64)
    if norm:
        gain, offset, mean, variance = (
            source.take(f"{norm}.{part}", outputs).double() for part in ("weight", "bias", "running_mean", "running_var")
        )
        gain = gain / (variance + EPSILON).sqrt()
        weight, shift = weight * gain[:, None, None, None], (shift - mean) * gain + offset
    made.weight = nn.Parameter(weight.float(), requires_grad=False)
    if made.bias is not None:
        made.bias = nn.Parameter(shift.float(), requires_grad=False)
    return made


def linear(source: Source, name: str, inputs: int, outputs: int) -> nn.Linear:
    """A linear layer called `name`."""
    return joined([(source.take(name + ".weight", outputs, inputs), source.take(name + ".bias", outputs))])


def joined(layers: list[tuple[torch.Tensor, torch.Tensor]]) -> nn.Linear:
    """One linear layer of several over the same inputs: weights [o,i] and biases [o] of each."""
    weight, bias = (torch.cat(parts) for parts in zip(*layers))
    made = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
    made.weight, made.bias = nn.Parameter(weight, requires_grad=False), nn.Parameter(bias, requires_grad=False)
    return made
