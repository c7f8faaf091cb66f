"""Marching along given samples of rays, as operators that step graphs keep whole: `TriplaneMarch` and `TriplaneMarchGradient` of docs/packs.md.

As plain operators the decoding of 230,000 points and its gradient write hidden units a dozen times over, which is most of a step's
memory and half of its time. Planes and decoder get a gradient; samples are given.
"""

import torch
import torch.nn.functional as F
from onnx import parser

from ..stepgraph.lower import lowers
from . import export
from . import generator as N
from . import planes as looked_up

STOP = 1e-5  # transmittance at which a kernel ends a ray: a gradient sees farther than a picture
EMPTY = -20.0  # density before softplus of what is not there
ATTRIBUTES = export.marching() | {"stop": STOP}
RADIUS = ATTRIBUTES["radius"]


def _decode(found, weight1, bias1, weight2, bias2, depths, empty):
    """What `found [N·S,C]` stands for: hidden units before and after the rectifier `[N·S,U]`, density `[N,S]` and colours `[N,S,C]`."""
    before = F.linear(found, weight1, bias1)
    hidden = F.leaky_relu(before, ATTRIBUTES["slope"])
    decoded = F.linear(hidden, weight2, bias2)
    density = torch.where(empty > 0.5, torch.full_like(depths, EMPTY), decoded[:, 0].reshape(depths.shape))
    return before, hidden, density, decoded[:, 1:].reshape(*depths.shape, -1)


def composite(found, weight1, bias1, weight2, bias2, depths, empty, marked):
    """What `march` gives, of features `[N·S,C]` that were looked up."""
    _, _, density, colours = _decode(found, weight1, bias1, weight2, bias2, depths, empty)
    weight = N.weights(density, depths)
    sums = torch.stack([weight.sum(1), (weight * depths).sum(1), (weight * marked).sum(1)])
    return torch.matmul(weight[:, None], colours)[:, 0].t(), sums


@torch.library.custom_op("talkgraph::triplane_march", mutates_args=())
def _march(
    planes: torch.Tensor, weight1: torch.Tensor, bias1: torch.Tensor, weight2: torch.Tensor, bias2: torch.Tensor,
    points: torch.Tensor, depths: torch.Tensor, empty: torch.Tensor, marked: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:  # fmt: skip
    found = looked_up._features(planes, points, RADIUS)
    features, sums = composite(found, weight1, bias1, weight2, bias2, depths, empty, marked)
    return features.contiguous(), sums


@torch.library.custom_op("talkgraph::triplane_march_gradient", mutates_args=())
def _gradient(
    planes: torch.Tensor, weight1: torch.Tensor, bias1: torch.Tensor, weight2: torch.Tensor, bias2: torch.Tensor, points: torch.Tensor,
    depths: torch.Tensor, empty: torch.Tensor, marked: torch.Tensor, to_features: torch.Tensor, to_sums: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:  # fmt: skip
    # the same as `GRADIENT`: torch takes no gradients inside an operator
    found = looked_up._features(planes, points, RADIUS)
    before, hidden, density, colours = _decode(found, weight1, bias1, weight2, bias2, depths, empty)
    weight, by_ray = N.weights(density, depths), to_features.t()
    rate = ATTRIBUTES["density"] * torch.cat([depths[:, 1:] - depths[:, :-1], torch.full_like(depths[:, :1], ATTRIBUTES["last"])], 1)
    shifted = density - ATTRIBUTES["shift"]
    behind = torch.exp(-torch.cumsum(F.softplus(shifted) * rate, 1))
    worth = torch.matmul(colours, by_ray[:, :, None])[..., 0] + to_sums[0, :, None] + to_sums[1, :, None] * depths + to_sums[2, :, None] * marked
    gained = worth * weight
    lost = gained.sum(1, keepdim=True) - torch.cumsum(gained, 1)
    to_density = torch.where(empty > 0.5, torch.zeros_like(depths), (worth * behind - lost) * torch.sigmoid(shifted) * rate)
    to_decoded = torch.cat([to_density.reshape(-1, 1), (weight[..., None] * by_ray[:, None]).reshape(len(found), -1)], 1)
    to_hidden = to_decoded @ weight2
    to_before = torch.where(before > 0, to_hidden, ATTRIBUTES["slope"] * to_hidden)
    return to_before @ weight1, to_before.t() @ found, to_before.sum(0), to_decoded.t() @ hidden, to_decoded.sum(0)


@_march.register_fake
def _(planes, weight1, bias1, weight2, bias2, points, depths, empty, marked):
    return points.new_empty(planes.shape[-1], depths.shape[0]), points.new_empty(3, depths.shape[0])


@_gradient.register_fake
def _(planes, weight1, bias1, weight2, bias2, points, depths, empty, marked, to_features, to_sums):
    to_points = points.new_empty(points.shape[0], planes.shape[-1])
    return to_points, *(x.new_empty(x.shape) for x in (weight1, bias1, weight2, bias2))


class _Marching(torch.autograd.Function):
    # not register_autograd of the operator: torch.func cannot see through that

    @staticmethod
    def forward(*inputs):
        return _march(*inputs)

    @staticmethod
    def setup_context(context, inputs, output):
        context.save_for_backward(*inputs)

    @staticmethod
    def backward(context, to_features, to_sums):
        planes, *others = (x.detach() for x in (*context.saved_tensors, to_features, to_sums))
        to_points, *to_decoder = _gradient(planes, *others)
        return looked_up._gradient(others[4], to_points, RADIUS, *planes.shape[2:4]), *to_decoder, None, None, None, None


def march(planes, weight1, bias1, weight2, bias2, points, depths, empty, marked):
    """Features `[C,N]` of N rays of S samples before the background, and sums `[3,N]`: alpha, weighted depth, and how much is seen of what is marked.

    planes `[1,3,H,W,C]`, decoder as `Field` has it, canonical points `[N·S,3]`; depths, empty (1 where nothing is) and marked `[N,S]`.
    """
    return _Marching.apply(planes, weight1, bias1, weight2, bias2, points, depths, empty, marked)


_DECODED = """
    slope = Constant <value_float: float = @slope> ()
    shift = Constant <value_float: float = @shift> ()
    density = Constant <value_float: float = @density> ()
    last = Constant <value_float: float = @last> ()
    none = Constant <value = int64[1] {0}> ()
    one = Constant <value = int64[1] {1}> ()
    two = Constant <value = int64[1] {2}> ()
    end = Constant <value = int64[1] {-1}> ()
    far = Constant <value = int64[1] {4294967296}> ()
    along = Constant <value_int = 1> ()
    half = Constant <value_float = 0.5> ()
    unit = Constant <value_float = 1.0> ()
    hollow = Constant <value_float = -20.0> ()
    found = talkgraph.TriplaneFeatures <radius: float = @radius> (planes, points)
    before_rectifier = Gemm <transB = 1> (found, decode1_weight, decode1_bias)
    hidden = LeakyRelu <alpha: float = @slope> (before_rectifier)
    decoded = Gemm <transB = 1> (hidden, decode2_weight, decode2_bias)
    first = Slice (decoded, none, one, one)
    others = Slice (decoded, one, far, one)
    shape = Shape (depths)
    by_ray = Concat <axis = 0> (shape, end)
    colours = Reshape (others, by_ray)
    raw = Reshape (first, shape)
    nothing = Greater (empty, half)
    dense = Where (nothing, hollow, raw)
    shifted = Sub (dense, shift)
    next = Slice (depths, one, far, one)
    previous = Slice (depths, none, end, one)
    steps = Sub (next, previous)
    rays = Slice (shape, none, one)
    column = Concat <axis = 0> (rays, one)
    last_steps = Expand (last, column)
    step = Concat <axis = 1> (steps, last_steps)
    rate = Mul (step, density)
    soft = Softplus (shifted)
    thickness = Mul (soft, rate)
    before = CumSum <exclusive = 1> (thickness, along)
    less = Neg (before)
    light = Exp (less)
    thin = Neg (thickness)
    passed = Exp (thin)
    opacity = Sub (unit, passed)
    weight = Mul (light, opacity)
"""

MARCH = parser.parse_function("""
<domain: "talkgraph", opset_import: ["": 20, "talkgraph": 1]>
TriplaneMarch <radius, slope, shift, density, last, stop> (planes, decode1_weight, decode1_bias, decode2_weight, decode2_bias, points, depths, empty, marked) => (features, sums)
{""" + _DECODED + """
    row = Unsqueeze (weight, one)
    summed = MatMul (row, colours)
    flat = Squeeze (summed, one)
    features = Transpose <perm = [1, 0]> (flat)
    deep = Mul (weight, depths)
    picked = Mul (weight, marked)
    alpha = ReduceSum <keepdims = 0> (weight, one)
    depth = ReduceSum <keepdims = 0> (deep, one)
    share = ReduceSum <keepdims = 0> (picked, one)
    alpha_row = Unsqueeze (alpha, none)
    depth_row = Unsqueeze (depth, none)
    share_row = Unsqueeze (share, none)
    sums = Concat <axis = 0> (alpha_row, depth_row, share_row)
}
""")

# With w a sample's weight, T the transmittance behind it and g what its weight is worth: the gradient of its thickness is g·T − Σ g·w
# of the samples behind.
GRADIENT = parser.parse_function("""
<domain: "talkgraph", opset_import: ["": 20, "talkgraph": 1]>
TriplaneMarchGradient <radius, slope, shift, density, last, stop> (planes, decode1_weight, decode1_bias, decode2_weight, decode2_bias, points, depths, empty, marked, to_features, to_sums) => (to_points, to_decode1_weight, to_decode1_bias, to_decode2_weight, to_decode2_bias)
{""" + _DECODED + """
    behind = Mul (light, passed)
    features_by_ray = Transpose <perm = [1, 0]> (to_features)
    feature_column = Unsqueeze (features_by_ray, two)
    products = MatMul (colours, feature_column)
    by_colour = Squeeze (products, two)
    sums_by_ray = Transpose <perm = [1, 0]> (to_sums)
    to_alpha, to_depth, to_share = Split <axis = 1, num_outputs = 3> (sums_by_ray)
    by_depth = Mul (to_depth, depths)
    by_share = Mul (to_share, marked)
    worth_0 = Add (by_colour, to_alpha)
    worth_1 = Add (worth_0, by_depth)
    worth = Add (worth_1, by_share)
    gained = Mul (worth, weight)
    lost = CumSum <exclusive = 1, reverse = 1> (gained, along)
    own = Mul (worth, behind)
    to_thickness = Sub (own, lost)
    steep = Sigmoid (shifted)
    steepness = Mul (steep, rate)
    to_dense = Mul (to_thickness, steepness)
    zero = Sub (unit, unit)
    to_raw = Where (nothing, zero, to_dense)
    raw_column_shape = Concat <axis = 0> (end, one)
    to_first = Reshape (to_raw, raw_column_shape)
    weight_column = Unsqueeze (weight, two)
    feature_row = Unsqueeze (features_by_ray, one)
    to_colours = Mul (weight_column, feature_row)
    others_shape = Shape (others)
    to_others = Reshape (to_colours, others_shape)
    to_decoded = Concat <axis = 1> (to_first, to_others)
    to_decode2_weight = Gemm <transA = 1> (to_decoded, hidden)
    to_decode2_bias = ReduceSum <keepdims = 0> (to_decoded, none)
    to_hidden = MatMul (to_decoded, decode2_weight)
    leaked = Mul (to_hidden, slope)
    positive = Greater (before_rectifier, zero)
    to_before = Where (positive, to_hidden, leaked)
    to_decode1_weight = Gemm <transA = 1> (to_before, found)
    to_decode1_bias = ReduceSum <keepdims = 0> (to_before, none)
    to_points = MatMul (to_before, decode1_weight)
}
""")


def _lower(function):
    def lower(b, out, *inputs):
        b.use(looked_up.FEATURES)
        return b.call(function, [b.whole(x) for x in inputs], **ATTRIBUTES)

    return lower


lowers(torch.ops.talkgraph.triplane_march.default)(_lower(MARCH))
lowers(torch.ops.talkgraph.triplane_march_gradient.default)(_lower(GRADIENT))
