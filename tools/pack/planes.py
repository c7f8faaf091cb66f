"""What three planes hold at points, as operators that step graphs keep whole: `TriplaneFeatures` and `TriplaneGradient` of docs/packs.md.

As plain operators the look-up of 230,000 points and its gradient write hundreds of megabytes and take most of a step. Only the
planes get a gradient: the points of an inversion are given.
"""

import torch
import torch.nn.functional as F
from onnx import parser

from ..stepgraph.lower import lowers

AXES, SIGN = ((0, 1), (0, 2), (2, 1)), (1.0, -1.0, 1.0)  # of space along columns and rows of the planes xy, xz, zy; rows go down


def _grid(points, radius):
    """Where points `[M,3]` lie in the planes: `[3,M,1,2]` in [-1,1]."""
    at = points / radius * torch.tensor(SIGN, dtype=points.dtype)
    return torch.stack([at[:, pair] for pair in AXES])[:, :, None]


@torch.library.custom_op("talkgraph::triplane_features", mutates_args=())
def _features(planes: torch.Tensor, points: torch.Tensor, radius: float) -> torch.Tensor:
    found = F.grid_sample(planes[0].permute(0, 3, 1, 2), _grid(points, radius), align_corners=False, padding_mode="border")
    return found[..., 0].sum(0).t().contiguous()


@torch.library.custom_op("talkgraph::triplane_gradient", mutates_args=())
def _gradient(points: torch.Tensor, gradient: torch.Tensor, radius: float, height: int, width: int) -> torch.Tensor:
    planes = torch.zeros(3, gradient.shape[1], height, width, dtype=gradient.dtype)
    every = gradient.t()[None, :, :, None].expand(3, -1, -1, -1)
    given = torch.ops.aten.grid_sampler_2d_backward(every, planes, _grid(points, radius), 0, 1, False, [True, False])[0]
    return given.permute(0, 2, 3, 1)[None].contiguous()


@_features.register_fake
def _(planes, points, radius):
    return points.new_empty(points.shape[0], planes.shape[-1])


@_gradient.register_fake
def _(points, gradient, radius, height, width):
    return gradient.new_empty(1, 3, height, width, gradient.shape[1])


class _LookUp(torch.autograd.Function):
    # not register_autograd of the operator: torch.func cannot see through that

    @staticmethod
    def forward(planes, points, radius):
        return _features(planes, points, radius)

    @staticmethod
    def setup_context(context, inputs, output):
        planes, points, context.radius = inputs
        context.save_for_backward(points)
        context.texels = planes.shape[2:4]

    @staticmethod
    def backward(context, gradient):
        return _gradient(*context.saved_tensors, gradient.detach(), context.radius, *context.texels), None, None


def features(planes, points, radius):
    """The sum `[M,C]` of what planes `[1,3,H,W,C]` over [-radius, radius]³ hold at points `[M,3]`."""
    return _LookUp.apply(planes, points, radius)


FEATURES = parser.parse_function("""
<domain: "talkgraph", opset_import: ["": 20]>
TriplaneFeatures <radius> (planes, points) => (features)
{
    radius = Constant <value_float: float = @radius> ()
    sign = Constant <value = float[3] {1.0, -1.0, 1.0}> ()
    axes = Constant <value = int64[3,2] {0, 1, 0, 2, 2, 1}> ()
    zero = Constant <value = int64[1] {0}> ()
    two = Constant <value = int64[1] {2}> ()
    scaled = Div (points, radius)
    at = Mul (scaled, sign)
    places = Gather <axis = 1> (at, axes)
    by_plane = Transpose <perm = [1, 0, 2]> (places)
    grid = Unsqueeze (by_plane, two)
    texels = Squeeze (planes, zero)
    channels_first = Transpose <perm = [0, 3, 1, 2]> (texels)
    found = GridSample <mode = "linear", padding_mode = "border", align_corners = 0> (channels_first, grid)
    summed = ReduceSum <keepdims = 0> (found, zero)
    flat = Squeeze (summed, two)
    features = Transpose <perm = [1, 0]> (flat)
}
""")

# ScatterElements rather than ScatterND, whose rows ONNX Runtime adds on several threads that race.
GRADIENT = parser.parse_function("""
<domain: "talkgraph", opset_import: ["": 20]>
TriplaneGradient <radius, height, width> (points, gradient) => (planes)
{
    radius = Constant <value_float: float = @radius> ()
    height = Constant <value_int: int = @height> ()
    width = Constant <value_int: int = @width> ()
    sign = Constant <value = float[3] {1.0, -1.0, 1.0}> ()
    axes = Constant <value = int64[3,2] {0, 1, 0, 2, 2, 1}> ()
    front = Constant <value = int64[1] {0}> ()
    numbers = Constant <value = int64[3,1,1] {0, 1, 2}> ()
    single = Constant <value = int64[1] {1}> ()
    three = Constant <value = int64[1] {3}> ()
    rest = Constant <value = int64[1] {-1}> ()
    none = Constant <value_float = 0.0> ()
    half = Constant <value_float = 0.5> ()
    one = Constant <value_float = 1.0> ()

    scaled = Div (points, radius)
    at = Mul (scaled, sign)
    places = Gather <axis = 1> (at, axes)
    by_plane = Transpose <perm = [1, 0, 2]> (places)
    rows = Unsqueeze (height, front)
    columns = Unsqueeze (width, front)
    counts = Concat <axis = 0> (columns, rows)
    count = Cast <to = 1> (counts)
    last = Sub (count, one)
    shifted = Add (by_plane, one)
    halved = Mul (shifted, half)
    texel = Mul (halved, count)
    centred = Sub (texel, half)
    after = Max (centred, none)
    inside = Min (after, last)

    whole = Floor (inside)
    highest = Sub (last, one)
    low = Min (whole, highest)
    far = Sub (inside, low)
    near = Sub (one, far)
    near_x, near_y = Split <axis = 2, num_outputs = 2> (near)
    far_x, far_y = Split <axis = 2, num_outputs = 2> (far)
    weight_0 = Mul (near_x, near_y)
    weight_1 = Mul (far_x, near_y)
    weight_2 = Mul (near_x, far_y)
    weight_3 = Mul (far_x, far_y)
    weights = Concat <axis = 0> (weight_0, weight_1, weight_2, weight_3)
    updates = Mul (weights, gradient)

    low_whole = Cast <to = 7> (low)
    column, row = Split <axis = 2, num_outputs = 2> (low_whole)
    plane_size = Mul (height, width)
    plane_start = Mul (numbers, plane_size)
    row_start = Mul (row, width)
    in_plane = Add (row_start, column)
    corner_0 = Add (plane_start, in_plane)
    corner_1 = Add (corner_0, single)
    corner_2 = Add (corner_0, width)
    corner_3 = Add (corner_2, single)
    corners = Concat <axis = 0> (corner_0, corner_1, corner_2, corner_3)
    update_shape = Shape (updates)
    indices = Expand (corners, update_shape)

    channels = Shape <start = 1> (gradient)
    listed = Concat <axis = 0> (rest, channels)
    flat_indices = Reshape (indices, listed)
    flat_updates = Reshape (updates, listed)
    texels = Mul (three, plane_size)
    table_shape = Concat <axis = 0> (texels, channels)
    table = ConstantOfShape (table_shape)
    summed = ScatterElements <axis = 0, reduction = "add"> (table, flat_indices, flat_updates)
    shape = Concat <axis = 0> (single, three, rows, columns, channels)
    planes = Reshape (summed, shape)
}
""")


@lowers(torch.ops.talkgraph.triplane_features.default)
def _lower_features(b, out, planes, points, radius):
    return b.call(FEATURES, [b.whole(planes), b.whole(points)], radius=radius)


@lowers(torch.ops.talkgraph.triplane_gradient.default)
def _lower_gradient(b, out, points, gradient, radius, height, width):
    return b.call(GRADIENT, [b.whole(points), b.whole(gradient)], radius=radius, height=height, width=width)
