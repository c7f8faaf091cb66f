"""python -m unittest tools.cuda.test_check"""

import tempfile
import unittest
from pathlib import Path

import numpy as np
import safetensors.numpy

from . import check


class Table(unittest.TestCase):
    def test_differences_are_told_in_decibels_of_the_range(self):
        with tempfile.TemporaryDirectory() as folder:
            a, b = Path(folder) / "a", Path(folder) / "b"
            x = np.linspace(0, 2, 101)
            safetensors.numpy.save_file({"x": x}, a)
            safetensors.numpy.save_file({"x": x + 0.002}, b)
            most, least = check.differences(a, b)
            self.assertAlmostEqual(most, 0.002)
            self.assertAlmostEqual(least, 60.0, 3)
            self.assertEqual(check.differences(a, a), (0.0, np.inf))

    def test_what_the_device_left_is_named(self):
        one = lambda kind, provider, share: {"type": kind, "provider": provider, "count": 3, "seconds": share, "share": share}
        operators = [one("Conv", "CUDAExecutionProvider", 0.9), one("ScatterElements", "CPUExecutionProvider", 0.09), one("Cast", "CPUExecutionProvider", 0.01)]
        model = {"model": "render", "device": "cuda:0", "runs": 2, "seconds": 1.0, "copies": 4, "operators": operators}
        self.assertEqual(check.placed(model), ["render", 2, "1.00", 4, "3 ScatterElements 9.0 %, 3 Cast 1.0 %", "Conv 90 %, ScatterElements 9 %"])
        self.assertEqual(check.placed(model | {"device": "cpu"})[4], "runs there")

    def test_work_is_counted_by_device(self):
        done = lambda device: {"ph": "X", "args": {"device": device}}
        self.assertEqual(check.shares({"traceEvents": [done("cuda:1"), done("cuda:0"), done("cuda:1"), {"ph": "X"}, {"ph": "i"}]}), "cuda:0 1, cuda:1 2")
        self.assertEqual(check.shares({"traceEvents": [{"ph": "X"}]}), "all")
        self.assertEqual(check.pair("cpu"), "cpu,cpu")

    def test_the_least_ratio_is_told(self):
        row = lambda case, psnr: {"case": case, "output": "image", "psnr": psnr}
        self.assertEqual(check.least({"rows": [row("a", None), row("b", 71.2), row("c", 130.0)]}), "71 dB (b: image)")

    def test_a_table_is_markdown(self):
        self.assertEqual(check.table([["a", "b"], [1, "x\ny"]]), "| a | b |\n| --- | --- |\n| 1 | x<br>y |\n")


if __name__ == "__main__":
    unittest.main()
