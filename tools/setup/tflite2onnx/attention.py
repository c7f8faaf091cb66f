"""MediaPipe's custom operators of networks that look closer at parts of what they see (Grishchenko et al. 2020, arXiv:2006.10962).

A part is a turned rectangle about some landmarks. A matrix takes places in it, counted in its own pixels, to places in the features;
the part's features are read there, and landmarks found in it are brought back by a like matrix. Matrices are [1,4,4], of which the first two rows
and the columns for x, y and 1 matter.
"""

from . import flexbuffer
from .onnx import Array, integers


def matrix(to, op) -> None:
    """`Landmarks2TransformMatrix`: landmarks [1,M,3] to the matrix of the part about some of them.

    Its x axis goes from one landmark to another; it is as large as the bounds of `subset_idxs` in its own frame, times a scale.
    """
    options = flexbuffer.read(op.custom)
    points = to.emit("Slice", [to.name(op.inputs[0]), *map(to.whole, ([0], [2], [2]))])  # [1,M,2]
    pick = lambda indices: to.emit("Gather", [points, to.constant(integers(indices))], axis=1)
    across = to.emit("Sub", [pick([options["right_rotation_idx"]]), pick([options["left_rotation_idx"]])])  # [1,1,2]
    u = to.emit("Div", [across, to.emit("ReduceL2", [across, to.whole([2])], keepdims=1)])
    quarter = to.constant(Array((2, 2), [0.0, 1.0, -1.0, 0.0]))  # (dx, dy) to (-dy, dx)
    v = to.emit("MatMul", [u, quarter])
    axes = to.emit("Concat", [u, v], axis=1)  # [1,2,2], rows u and v
    own = to.emit("MatMul", [pick(options["subset_idxs"]), to.emit("Transpose", [axes], perm=[0, 2, 1])])
    least, most = (to.emit(kind, [own, to.whole([1])], keepdims=1) for kind in ("ReduceMin", "ReduceMax"))
    half = to.constant(Array((1,), [0.5]))
    centre = to.emit("MatMul", [to.emit("Mul", [to.emit("Add", [least, most]), half]), axes])
    sizes = [options[f"scale_{axis}"] / options[f"output_{side}"] for axis, side in (("x", "width"), ("y", "height"))]
    scale = to.emit("Mul", [to.emit("Sub", [most, least]), to.constant(Array((1, 1, 2), sizes))])  # [1,1,2]
    scaled = to.emit("Mul", [axes, to.emit("Transpose", [scale], perm=[0, 2, 1])])  # rows u and v times the size of a pixel
    middle = to.constant(Array((1, 1, 2), [options["output_width"] / 2, options["output_height"] / 2]))
    corner = to.emit("Sub", [centre, to.emit("MatMul", [middle, scaled])])
    zeros = to.constant(Array((1, 1, 2), [0.0, 0.0]))
    upper = to.emit("Transpose", [to.emit("Concat", [scaled, zeros, corner], axis=1)], perm=[0, 2, 1])  # [1,2,4]
    lower = to.constant(Array((1, 2, 4), [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]))
    to.emit("Concat", [upper, lower], out=to.name(op.outputs[0]), axis=1)


def _moved(to, places: str, matrix: str) -> str:
    """Places [1,n,2] taken through a matrix [1,4,4]."""
    rows = to.emit("Slice", [matrix, *map(to.whole, ([0], [2], [1]))])  # [1,2,4]
    columns = lambda indices: to.emit("Gather", [rows, to.constant(integers(indices))], axis=2)
    turn = to.emit("Transpose", [columns([0, 1])], perm=[0, 2, 1])
    shift = to.emit("Transpose", [columns([3])], perm=[0, 2, 1])
    return to.emit("Add", [to.emit("MatMul", [places, turn]), shift])


def landmarks(to, op) -> None:
    """`TransformLandmarks`: landmarks [1,n,2] of a part to where they are."""
    moved = _moved(to, to.name(op.inputs[0]), to.name(op.inputs[1]))
    to.emit("Identity", [moved], out=to.name(op.outputs[0]))


def features(to, op) -> None:
    """`TransformTensorBilinear`: the features of a part, bilinear between those about each place."""
    options = flexbuffer.read(op.custom)
    rows, columns = options["output_height"], options["output_width"]
    places = [x + 0.5 for row in range(rows) for column in range(columns) for x in (column, row)]  # middles of pixels
    moved = _moved(to, to.constant(Array((1, rows * columns, 2), places)), to.name(op.inputs[1]))
    _, height, width, _ = to.model.tensors[op.inputs[0]].shape
    # GridSample counts from -1 at one edge to 1 at the other.
    spans = to.constant(Array((1, 1, 2), [2 / width, 2 / height]))
    grid = to.emit("Sub", [to.emit("Mul", [moved, spans]), to.constant(Array((1,), [1.0]))])
    grid = to.emit("Reshape", [grid, to.constant(integers([1, rows, columns, 2]))])
    to.emit(
        "GridSample", [to.name(op.inputs[0]), grid], out=to.name(op.outputs[0]), align_corners=0, mode="linear", padding_mode="border"
    )
