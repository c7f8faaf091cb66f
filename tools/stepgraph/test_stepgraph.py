"""Tests of the step-graph exporter: `python -m unittest tools.stepgraph.test_stepgraph`."""

import math
import tempfile
import unittest
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from onnx import numpy_helper

from . import check, share
from .adam import Layout, adam
from .decompose import activations, convolution, indexing, pooling, resampling, rows, scans
from .export import export
from .run import evaluate, learning_rate, session


def gradients(function, inputs, grad):
    return torch.autograd.grad(function(*inputs), inputs, grad)


class Decompositions(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(0)

    def close(self, ours, theirs):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)

    def test_grid_sampling_and_both_gradients(self):
        for mode, name in ((resampling.ZEROS, "zeros"), (resampling.BORDER, "border")):
            for align in (True, False):
                x = torch.randn(2, 5, 7, 9, dtype=torch.float64, requires_grad=True)
                grid = (torch.rand(2, 4, 3, 2, dtype=torch.float64) * 2.6 - 1.3).requires_grad_()
                sample = lambda x, grid: F.grid_sample(x, grid, padding_mode=name, align_corners=align)
                grad = torch.randn(2, 5, 4, 3, dtype=torch.float64)
                with torch.no_grad():
                    ours = resampling.grid_sampler_2d(x, grid, 0, mode, align)
                    to_x, to_grid = resampling.grid_sampler_2d_backward(grad, x, grid, 0, mode, align, [True, True])
                self.close(ours, sample(x, grid))
                self.close((to_x, to_grid), gradients(sample, (x, grid), grad))

    def test_grid_sampling_of_one_channel(self):
        x, grid = torch.randn(2, 1, 7, 9, dtype=torch.float64), torch.rand(2, 4, 3, 2, dtype=torch.float64) * 2.6 - 1.3
        self.close(resampling.grid_sampler_2d(x, grid, 0, resampling.BORDER, False), F.grid_sample(x, grid, padding_mode="border", align_corners=False))

    def test_sums_over_many_rows(self):
        x, y = torch.randn(rows.MANY, 7, dtype=torch.float64), torch.randn(rows.MANY, 5, dtype=torch.float64)
        self.close(rows.column_sums(x, [0]), x.sum(0))
        self.close(rows.column_sums(x, [0], True), x.sum(0, keepdim=True))
        self.close(rows.long_product(x.t(), y), x.t() @ y)
        for kept in (rows.column_sums(x, [1]), rows.column_sums(x, None), rows.column_sums(x > 0, [0]), rows.long_product(x[:-1].t(), y[:-1])):
            self.assertIs(kept, NotImplemented)

    def test_leaky_gradients(self):
        x = torch.tensor([-2.0, -1e-20, 0.0, 1e-20, 3.0], dtype=torch.float64)
        grad = torch.randn_like(x)
        self.close(activations.leaky_relu_backward(grad, x, 0.2, False), torch.ops.aten.leaky_relu_backward(grad, x, 0.2, False))

    def test_convolution_gradients(self):
        for stride, padding, groups, kernel in ((1, 1, 1, 3), (2, 1, 1, 3), (2, 0, 2, 3), (1, 0, 2, 1), (1, 0, 1, 1)):
            x = torch.randn(2, 4, 8, 7, dtype=torch.float64, requires_grad=True)
            w = torch.randn(6, 4 // groups, kernel, kernel, dtype=torch.float64, requires_grad=True)
            forward = lambda x, w: F.conv2d(x, w, stride=stride, padding=padding, groups=groups)
            grad = torch.randn_like(forward(x, w))
            with torch.no_grad():
                ours = convolution.convolution_backward(
                    grad, x, w, None, [stride], [padding], [1], False, [0], groups, [True, True, False])
            self.close(ours[:2], gradients(forward, (x, w), grad))

    def test_max_pooling_gradients(self):
        for kernel, stride, size in ((2, 2, (8, 6)), (3, 2, (9, 7)), (3, 2, (8, 10)), (2, 2, (7, 9)), (3, 1, (6, 5)), (2, 3, (8, 8))):
            x = torch.randint(0, 4, (2, 3, *size)).double().requires_grad_()  # with many ties
            forward = lambda x: F.max_pool2d(x, kernel, stride)
            grad = torch.randn_like(forward(x))
            with torch.no_grad():
                ours = pooling.max_pool2d_backward(grad, x, [kernel], [stride], [0], [1], False, None)
            self.close(ours, gradients(forward, (x,), grad)[0])

    def test_edges_cumulative_sums_and_views(self):
        x = torch.randn(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
        forward = lambda x: F.pad(x, (1, 2, 2, 1), mode="replicate")
        grad = torch.randn_like(forward(x))
        theirs = gradients(forward, (x,), grad)[0]
        with torch.no_grad():
            self.close(indexing.replication_pad2d(x, [1, 2, 2, 1]), forward(x))
            self.close(indexing.replication_pad2d_backward(grad, x, [1, 2, 2, 1]), theirs)
            for dim in (1, 3):
                self.close(scans.cumsum(x, dim), torch.cumsum(x, dim))
            box = x[:, :, 1:3, 2:4]
            self.close(indexing.as_strided(x, box.shape, box.stride(), box.storage_offset()), box)


class Graphs(unittest.TestCase):
    def exported(self, function, **tensors):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "graph.onnx"
            model = export(function, tensors, path)
            return model, evaluate(session(path, 1), {k: x.numpy() for k, x in tensors.items()})

    def test_a_step_equals_autograd(self):
        step, example = check.small_problem()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "step.onnx"
            export(step, example, path)
            result = check.compare(step, example, path, beta1=0.9, beta2=0.99, rate=1e-3)
        self.assertLess(result["gradient_error"], check.LARGEST_GRADIENT_ERROR)
        self.assertLess(result["loss_error"], check.LARGEST_LOSS_ERROR)
        self.assertTrue(result["repeatable"])

    def test_constants_may_be_split(self):
        constant = torch.randn(3, 6)
        _, got = self.exported(lambda a: {"c": a * constant.split([2, 4], 1)[1]}, a=torch.ones(3, 4))
        np.testing.assert_array_equal(got["c"], constant[:, 2:].numpy())

    def test_one_tensor_under_two_names_stays_two_inputs(self):
        x = torch.arange(3.0)
        model, _ = self.exported(lambda a, b: {"c": a - 2 * b}, a=x, b=x)
        self.assertEqual([i.name for i in model.graph.input], ["a", "b"])

    def test_unread_inputs_are_dropped_and_a_name_cannot_be_both(self):
        model, got = self.exported(lambda a, b: {"c": a * 2}, a=torch.ones(2), b=torch.ones(2))
        self.assertEqual([i.name for i in model.graph.input], ["a"])
        np.testing.assert_array_equal(got["c"], [2, 2])
        with self.assertRaisesRegex(ValueError, "'a'"):
            self.exported(lambda a: {"a": a * 2}, a=torch.ones(2))

    def test_long_runs_of_one_number_are_not_stored(self):
        model, got = self.exported(lambda a: {"c": a + torch.cat([torch.zeros(50_000), torch.ones(50_000)])}, a=torch.ones(100_000))
        self.assertLess(model.ByteSize(), 10_000)
        np.testing.assert_array_equal(got["c"][[0, -1]], [1, 2])

    def test_adam_is_torchs(self):
        layout = Layout.of({"a": torch.zeros(2), "b": torch.zeros(3)}, {"b": 4.0})
        start, grads = torch.randn(5), torch.randn(6, 5)
        theirs = [start[:2].clone().requires_grad_(), start[2:].clone().requires_grad_()]
        optimiser = torch.optim.Adam([{"params": theirs[0], "lr": 0.01}, {"params": theirs[1], "lr": 0.04}], betas=(0.9, 0.99))
        params, m, v = start, torch.zeros(5), torch.zeros(5)
        for t, grad in enumerate(grads, 1):
            theirs[0].grad, theirs[1].grad = grad[:2], grad[2:]
            optimiser.step()
            params, m, v = adam(params, grad, m, v, 0.01 / (1 - 0.9**t), math.sqrt(1 - 0.99**t), beta1=0.9, beta2=0.99, rates=layout.rates())
        torch.testing.assert_close(params, torch.cat(theirs).detach())


class Host(unittest.TestCase):
    def test_learning_rate_rises_and_falls(self):
        phase = {"steps": 10, "learning_rate": 2.0, "ramp_up": 0.2, "ramp_down": 0.5}
        rates = [learning_rate(phase, i) for i in range(10)]
        self.assertEqual(rates[:3], [1.0, 2.0, 2.0])
        self.assertEqual(sorted(rates[5:], reverse=True), rates[5:])
        self.assertGreater(rates[9], 0)

    def test_shared_constants_are_kept_once_and_found(self):
        half = torch.randn(300, 200).half().float()
        with tempfile.TemporaryDirectory() as folder:
            folder = Path(folder)
            for name in ("one", "two"):
                export(lambda a: {"c": a @ half}, {"a": torch.ones(1, 300)}, folder / f"{name}.onnx")
            before = evaluate(session(folder / "one.onnx", 1), {"a": np.ones((1, 300), np.float32)})
            for _ in range(2):  # sharing again changes nothing
                self.assertEqual(share.share(folder), {"one.onnx": 1, "two.onnx": 1})
                self.assertLess((folder / "one.onnx").stat().st_size, 2_000)
                self.assertEqual((folder / share.DATA).stat().st_size, half.numel() * 2)
                after = evaluate(session(folder / "two.onnx", 1), {"a": np.ones((1, 300), np.float32)})
                np.testing.assert_allclose(after["c"], before["c"], rtol=1e-5)
            stored = onnx.load(folder / "one.onnx").graph.initializer
            self.assertTrue(any(np.array_equal(numpy_helper.to_array(t), half.numpy()) for t in stored))


if __name__ == "__main__":
    unittest.main()
