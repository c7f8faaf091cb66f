"""Lowering of a functional ATen graph of static shapes to a plain ONNX model."""

from . import elementwise, linear, shapes  # noqa: F401  (each registers its operators)
from .walk import lower, lowers

__all__ = ["lower", "lowers"]
