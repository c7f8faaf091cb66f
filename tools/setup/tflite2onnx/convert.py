"""The conversion. Pictures are NHWC in TensorFlow Lite and NCHW in between here; the network's own inputs and outputs keep
NHWC, so one transposition stands at each end. Float16 weights become float32."""

import struct

from . import attention
from .onnx import Array, Graph, integers
from .tflite import Model, Operator, read

OPSET = 20
IR_VERSION = 10
_TO_NCHW = [0, 3, 1, 2]
_TO_NHWC = [0, 2, 3, 1]
_ACTIVATIONS = {0: None, 1: "Relu", 3: "Relu6"}


def convert(data: bytes, inputs: list[str], outputs: dict[str, list[int]], name: str) -> bytes:
    """Converts a `.tflite` file into an ONNX file.

    `inputs` names the inputs and `outputs` the outputs with their shapes, both in the file's order.
    """
    model = read(data)
    if (len(model.inputs), len(model.outputs)) != (len(inputs), len(outputs)):
        found = f"{len(model.inputs)} inputs and {len(model.outputs)} outputs"
        raise ValueError(f"{name}: {found}, but the names are {inputs} and {[*outputs]}")
    return _Converter(model, name).build(inputs, outputs)


class _Converter:
    def __init__(self, model: Model, name: str):
        self.model = model
        self.graph = Graph(name)
        self.values: dict[int, Array] = {k: t.data for k, t in enumerate(model.tensors) if t.data is not None}
        self.fresh = 0

    def build(self, inputs: list[str], outputs: dict[str, list[int]]) -> bytes:
        model = self.model
        for tensor, label in zip(model.inputs, inputs):
            self.emit("Transpose", [label], out=_name(tensor), perm=_TO_NCHW)
        for operator in model.operators:
            self.operator(operator)
        for tensor, (label, shape) in zip(model.outputs, outputs.items()):
            source = _name(tensor)
            if len(model.tensors[tensor].shape) == 4:
                source = self.emit("Transpose", [source], perm=_TO_NHWC)
            self.emit("Reshape", [source, self.constant(integers(shape))], out=label)
        shapes = {label: model.tensors[tensor].shape for tensor, label in zip(model.inputs, inputs)}
        return self.graph.file(shapes, outputs, IR_VERSION, OPSET)

    def operator(self, op: Operator) -> None:
        if op.kind == "DEQUANTIZE":
            self.values[op.outputs[0]] = self.values[op.inputs[0]]
            return
        simple = {"RELU": "Relu", "HARD_SWISH": "HardSwish", "LOGISTIC": "Sigmoid"}
        handlers = {
            "CONV_2D": self.conv,
            "DEPTHWISE_CONV_2D": self.conv,
            "MAX_POOL_2D": self.pool,
            "AVERAGE_POOL_2D": self.pool,
            "PAD": self.pad,
            "PRELU": self.prelu,
            "ADD": self.binary,
            "MUL": self.binary,
            "RESHAPE": self.reshape,
            "CONCATENATION": self.concat,
            "RESIZE_BILINEAR": self.resize,
            "STRIDED_SLICE": self.whole_slice,
            "Convolution2DTransposeBias": self.transposed_conv,
            "Landmarks2TransformMatrix": lambda op: attention.matrix(self, op),
            "TransformLandmarks": lambda op: attention.landmarks(self, op),
            "TransformTensorBilinear": lambda op: attention.features(self, op),
        }
        if op.kind in simple:
            self.emit(simple[op.kind], [_name(op.inputs[0])], out=_name(op.outputs[0]))
        elif op.kind in handlers:
            handlers[op.kind](op)
        else:
            raise ValueError(f"custom operator {op.kind} is not supported")

    def conv(self, op: Operator) -> None:
        depthwise = op.kind == "DEPTHWISE_CONV_2D"
        source, weight, bias = op.inputs
        kernel = self.values[weight]
        # Convolution kernels are [out,h,w,in], depthwise ones [1,h,w,out]; ONNX wants [out,in/groups,h,w].
        kernel = kernel.transposed(3, 0, 1, 2) if depthwise else kernel.transposed(0, 3, 1, 2)
        first_dilation = 5 if depthwise else 4
        dilations = [op.options.scalar(first_dilation + 1, "i", 1), op.options.scalar(first_dilation, "i", 1)]
        strides = [op.options.scalar(2, "i", 1), op.options.scalar(1, "i", 1)]
        self.activated(
            op,
            op.options.scalar(4 if depthwise else 3, "b"),
            "Conv",
            [_name(source), self.constant(kernel), self.constant(self.values[bias])],
            kernel_shape=list(kernel.shape[2:]),
            strides=strides,
            dilations=dilations,
            group=self.model.tensors[source].shape[3] if depthwise else 1,
            pads=self.padding(op, source, kernel.shape[2:], strides, dilations),
        )

    def pool(self, op: Operator) -> None:
        strides = [op.options.scalar(2, "i"), op.options.scalar(1, "i")]
        kernel = [op.options.scalar(4, "i"), op.options.scalar(3, "i")]
        kind = "MaxPool" if op.kind == "MAX_POOL_2D" else "AveragePool"
        pads = self.padding(op, op.inputs[0], kernel, strides, [1, 1])
        self.activated(
            op, op.options.scalar(5, "b"), kind, [_name(op.inputs[0])], kernel_shape=kernel, strides=strides, pads=pads
        )

    def padding(self, op: Operator, source: int, kernel, strides, dilations) -> list[int]:
        """Explicit pads: TensorFlow's SAME puts the odd one at the end."""
        if op.options.scalar(0, "b") == 1:
            return [0, 0, 0, 0]
        before, after = [], []
        for size, k, stride, dilation in zip(self.model.tensors[source].shape[1:3], kernel, strides, dilations):
            total = max((-(-size // stride) - 1) * stride + (k - 1) * dilation + 1 - size, 0)
            before.append(total // 2)
            after.append(total - total // 2)
        return before + after

    def pad(self, op: Operator) -> None:
        # Rows of before and after, one an axis; ONNX wants all before, then all after.
        pads = self.values[op.inputs[1]].values
        pads = [pads[2 * axis + end] for end in (0, 1) for axis in _TO_NCHW]
        self.emit("Pad", [_name(op.inputs[0]), self.constant(integers(pads))], out=_name(op.outputs[0]), mode="constant")

    def prelu(self, op: Operator) -> None:
        slope = self.values[op.inputs[1]].values
        slope = Array((len(slope), 1, 1), slope)
        self.emit("PRelu", [_name(op.inputs[0]), self.constant(slope)], out=_name(op.outputs[0]))

    def binary(self, op: Operator) -> None:
        shapes = [self.model.tensors[k].shape for k in op.inputs]
        constant = [k in self.values for k in op.inputs]
        if any(constant) and any(len(shape) == 4 for shape in shapes):
            raise ValueError(f"{op.kind}: constants are supported only beside tensors that are no pictures")
        kind = "Add" if op.kind == "ADD" else "Mul"
        operands = [self.constant(self.values[k]) if k in self.values else _name(k) for k in op.inputs]
        self.activated(op, op.options.scalar(0, "b"), kind, operands)

    def reshape(self, op: Operator) -> None:
        source = _name(op.inputs[0])
        shape = self.model.tensors[op.outputs[0]].shape
        before = len(self.model.tensors[op.inputs[0]].shape)
        if (before == 4) == (len(shape) == 4):
            raise ValueError("RESHAPE: only from 4-D to another rank and back is supported")
        if before == 4:
            source = self.emit("Transpose", [source], perm=_TO_NHWC)
            self.emit("Reshape", [source, self.constant(integers(shape))], out=_name(op.outputs[0]))
        else:
            source = self.emit("Reshape", [source, self.constant(integers(shape))])
            self.emit("Transpose", [source], out=_name(op.outputs[0]), perm=_TO_NCHW)

    def whole_slice(self, op: Operator) -> None:
        """A slice that takes all, as a network's last step sometimes is."""
        source, target = (self.model.tensors[k].shape for k in (op.inputs[0], op.outputs[0]))
        if source != target:
            raise ValueError(f"STRIDED_SLICE: only one that takes all is supported, found {source} to {target}")
        self.emit("Identity", [_name(op.inputs[0])], out=_name(op.outputs[0]))

    def concat(self, op: Operator) -> None:
        axis = op.options.scalar(0, "i")
        if len(self.model.tensors[op.outputs[0]].shape) == 4:
            axis = _TO_NCHW.index(axis % 4)
        self.emit("Concat", [_name(k) for k in op.inputs], out=_name(op.outputs[0]), axis=axis)

    def resize(self, op: Operator) -> None:
        align, half = op.options.scalar(2, "b"), op.options.scalar(3, "b")
        mode = "align_corners" if align else "half_pixel" if half else "asymmetric"
        shape = self.model.tensors[op.outputs[0]].shape
        shape = integers(shape[axis] for axis in _TO_NCHW)
        self.emit(
            "Resize",
            [_name(op.inputs[0]), "", "", self.constant(shape)],
            out=_name(op.outputs[0]),
            mode="linear",
            coordinate_transformation_mode=mode,
        )

    def transposed_conv(self, op: Operator) -> None:
        """MediaPipe's transposed convolution with bias: options are three int32 (padding, stride width, stride height)."""
        _, stride_w, stride_h = struct.unpack("<3i", op.custom[:12])
        source, weight, bias = op.inputs
        kernel = self.values[weight].transposed(3, 0, 1, 2)  # [out,h,w,in] to [in,out,h,w]
        strides = [stride_h, stride_w]
        before, after = [], []
        sizes = self.model.tensors[source].shape[1:3], self.model.tensors[op.outputs[0]].shape[1:3]
        for small, large, k, stride in zip(*sizes, kernel.shape[2:], strides):
            total = (small - 1) * stride + k - large
            before.append(total // 2)
            after.append(total - total // 2)
        self.emit(
            "ConvTranspose",
            [_name(source), self.constant(kernel), self.constant(self.values[bias])],
            out=_name(op.outputs[0]),
            kernel_shape=list(kernel.shape[2:]),
            strides=strides,
            pads=before + after,
        )

    def activated(self, op: Operator, activation: int, kind: str, inputs: list[str], **attributes) -> None:
        """An operator followed by its fused activation."""
        if activation not in _ACTIVATIONS:
            raise ValueError(f"{op.kind}: fused activation {activation} is not supported")
        function = _ACTIVATIONS[activation]
        out = _name(op.outputs[0])
        if function is None:
            self.emit(kind, inputs, out=out, **attributes)
            return
        source = self.emit(kind, inputs, **attributes)
        if function == "Relu":
            self.emit("Relu", [source], out=out)
        else:
            limits = [self.constant(Array((), [limit])) for limit in (0, 6)]
            self.emit("Clip", [source, *limits], out=out)

    def emit(self, kind: str, inputs: list[str], out: "str | None" = None, **attributes) -> str:
        out = out or self.label()
        self.graph.node(kind, inputs, out, **attributes)
        return out

    def name(self, tensor: int) -> str:
        """What a tensor of the model is called in the graph."""
        return _name(tensor)

    def whole(self, values: "list[int]") -> str:
        """A constant vector of whole numbers."""
        return self.constant(integers(values))

    def constant(self, value: Array) -> str:
        label = self.label()
        self.graph.constant(label, value)
        return label

    def label(self) -> str:
        self.fresh += 1
        return f"c{self.fresh}"


def _name(tensor: int) -> str:
    return f"t{tensor}"
