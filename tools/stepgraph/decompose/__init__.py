"""Decompositions of ATen operators into ones that ONNX has and runs fast: the table that tracing uses."""

from . import activations, convolution, indexing, pooling, resampling, rows, scans  # noqa: F401  (each registers its decompositions)
from .table import TABLE

__all__ = ["TABLE"]
