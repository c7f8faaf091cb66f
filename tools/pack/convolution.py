"""Modulated convolutions, channels last, as one operator: `ModulatedConv` of docs/packs.md.

As plain operators the enlarging, padding, scaling and rectifying around a convolution take as long as itself, and a convolution whose
weights come as an input is not among ONNX Runtime's fast ones.
"""

import torch
import torch.nn.functional as F
from onnx import parser
from torch.onnx import register_custom_op_symbolic, symbolic_helper

from . import generator as N
from .fused import DOMAIN

NAME = "ModulatedConv"


@torch.library.custom_op("talkgraph::modulated_conv", mutates_args=())
def modulated(
    x: torch.Tensor, weight: torch.Tensor, scale_in: torch.Tensor, scale_out: torch.Tensor, bias: torch.Tensor, enlarge: int, slope: float, gain: float
) -> torch.Tensor:
    """x [n,h,w,I], weight [O,I,3,3], scale_in [n,I], scale_out [n,O], bias [O] -> [n,h·enlarge,w·enlarge,O], as StyleGAN2 has it.

    x, a square here where it is enlarged, is enlarged linearly (once or twice), its edges are repeated.
    """
    x = x.permute(0, 3, 1, 2)
    x = x if enlarge == 1 else N.resize(x, x.shape[-1] * enlarge)
    x = F.pad(x * scale_in[:, :, None, None], (1, 1, 1, 1), mode="replicate")
    y = F.conv2d(x, weight) * scale_out[:, :, None, None] + bias[:, None, None]
    return (F.leaky_relu(y, slope) * gain).permute(0, 2, 3, 1).contiguous()


def _call(g, x, weight, scale_in, scale_out, bias, enlarge, slope, gain):
    value = symbolic_helper._parse_arg
    attributes = {"enlarge_i": value(enlarge, "i"), "slope_f": value(slope, "f"), "gain_f": value(gain, "f")}
    y = g.op(f"{DOMAIN}::{NAME}", x, weight, scale_in, scale_out, bias, **attributes)
    return y.setType(x.type().with_sizes([None] * 4))


register_custom_op_symbolic("talkgraph::modulated_conv", _call, 20)

BODY = parser.parse_function("""
<domain: "talkgraph", opset_import: ["": 20]>
ModulatedConv <enlarge, slope, gain> (x, weight, scale_in, scale_out, bias) => (y)
{
    times = Constant <value_int: int = @enlarge> ()
    gain = Constant <value_float: float = @gain> ()
    front = Constant <value = int64[1] {0}> ()
    after = Constant <value = int64[2] {2, 3}> ()
    behind = Constant <value = int64[2] {1, 2}> ()
    single = Constant <value = float[2] {1.0, 1.0}> ()
    edges = Constant <value = int64[8] {0, 0, 1, 1, 0, 0, 1, 1}> ()
    nowhere = Constant <value = float[0] {}> ()
    factor = Cast <to = 1> (times)
    factors = Unsqueeze (factor, front)
    scales = Concat <axis = 0> (single, factors, factors)

    channels_first = Transpose <perm = [0, 3, 1, 2]> (x)
    large = Resize <mode = "linear", coordinate_transformation_mode = "half_pixel"> (channels_first, nowhere, scales)
    scale_first = Unsqueeze (scale_in, after)
    scaled = Mul (large, scale_first)
    padded = Pad <mode = "edge"> (scaled, edges)
    found = Conv (padded, weight)
    scale_last = Unsqueeze (scale_out, after)
    normal = Mul (found, scale_last)
    shift = Unsqueeze (bias, behind)
    shifted = Add (normal, shift)
    leaky = LeakyRelu <alpha: float = @slope> (shifted)
    gained = Mul (leaky, gain)
    y = Transpose <perm = [0, 2, 3, 1]> (gained)
}
""")


def rough(generator, style):
    """`Generator.rough` of a generator whose last convolution has the side of the basis, channels last [n,basis_side,basis_side,3C]."""
    assert generator.config.basis_side == 4 << (len(generator.convs) - 1)
    x = generator.const.permute(0, 2, 3, 1).expand(style.shape[0], -1, -1, -1)
    for i, conv in enumerate(generator.convs):
        x = modulated(x, conv.weight, *conv.scales(style), conv.bias, 2 if i else 1, 0.2, N.GAIN)
    head = generator.head
    return x @ head.weight[:, :, 0, 0].t() + head.bias


def plain(x, weight, bias, slope=1.0, gain=1.0):
    """The same operator with nothing to modulate."""
    one = lambda size: x.new_ones(1, size)
    return modulated(x, weight, one(weight.shape[1]), one(weight.shape[0]), bias, 1, slope, gain)
