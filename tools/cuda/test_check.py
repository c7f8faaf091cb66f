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

    def test_a_table_is_markdown(self):
        self.assertEqual(check.table([["a", "b"], [1, "x\ny"]]), "| a | b |\n| --- | --- |\n| 1 | x<br>y |\n")


if __name__ == "__main__":
    unittest.main()
