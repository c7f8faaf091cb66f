"""Linear layers with weights scaled at run time, and those modulated by a style (Karras et al. 2020, StyleGAN2).

Activated layers use a leaky rectifier of slope 0.2 and a gain of √2. The rectifier lets a positive factor through, so that the gain is
part of the kernel and the bias that `kernel` and `shift` give.
"""

import math

import torch
import torch.nn as nn
import torch.nn.functional as F

SLOPE, GAIN = 0.2, math.sqrt(2)
TINY = 1e-8


def rectify(x):
    return F.leaky_relu(x, SLOPE)


class Linear(nn.Module):
    """x [n,inputs] -> [n,outputs]; `rate` is the factor of the learning rate that the stored weights were trained with."""

    def __init__(self, inputs: int, outputs: int, rate: float = 1.0, bias: float = 0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full([outputs], bias))
        self.gain, self.rate = rate / math.sqrt(inputs), rate

    def forward(self, x):
        return F.linear(x, self.weight * self.gain, self.bias * self.rate)


class Pointwise(nn.Module):
    """A 1x1 convolution: kernel [outputs,inputs] and bias [outputs]."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.gain = 1 / math.sqrt(inputs)

    def kernel(self):
        return self.weight[:, :, 0, 0] * self.gain


class Plain(nn.Module):
    """A linear layer whose weights are used as stored."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(outputs, inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(outputs).uniform_(-bound, bound))

    def forward(self, x):
        return F.linear(x, self.weight, self.bias)


class Modulated(nn.Module):
    """A 1x1 convolution whose inputs are scaled by a style; `activated` ones are demodulated and rectified."""

    def __init__(self, w_dim: int, inputs: int, outputs: int, activated: bool = True, magnitude: bool = False):
        super().__init__()
        self.affine = Linear(w_dim, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.randn(outputs, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.activated = activated
        if magnitude:
            self.register_buffer("w_avg", torch.ones([]))

    def kernel(self, w):
        """w [n,D] -> the kernel [n,outputs,inputs] that the style makes."""
        kernel = self.weight[None, :, :, 0, 0] * self.affine(w)[:, None]
        if not self.activated:
            return kernel / math.sqrt(kernel.shape[2])
        kernel = kernel * torch.rsqrt(kernel.square().sum(2, keepdim=True) + TINY)
        if hasattr(self, "w_avg"):
            kernel = kernel * torch.rsqrt(self.w_avg)
        return kernel * GAIN

    def shift(self):
        """The bias [outputs] that goes with the kernel."""
        return self.bias * GAIN if self.activated else self.bias
