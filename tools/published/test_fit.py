"""The fit against a run of the published code: `python -m unittest tools.published.test_fit`."""

import tempfile
import unittest
from pathlib import Path

import torch
from safetensors.torch import load_file

from tools.stepgraph.run import run_phase

from . import bfm, fit
from .source import Source

DATA = Path(__file__).resolve().parents[2] / "tests/data/published"
RECORDED = {"rigid": 200, "full": 100}  # steps


class Fit(unittest.TestCase):
    def test_losses_and_coefficients_are_those_of_the_published_fit(self):
        d, recorded = load_file(DATA / "bfm_small.safetensors"), load_file(DATA / "fit.safetensors")
        arrays = {
            "meanshape": d["mean_shape"], "idBase": d["id_base"], "exBase": d["exp_base"], "meantex": d["mean_tex"], "texBase": d["tex_base"],
            "tri": d["face_buf"] + 1, "point_buf": d["point_buf"] + 1, "keypoints": d["keypoints"][None] + 1,
        }  # fmt: skip
        model = bfm.Morphable(Source(arrays), len(d["point_buf"]), len(d["face_buf"]))
        losses, tensors = [], {"landmarks": recorded["landmarks"].numpy()}
        with tempfile.TemporaryDirectory() as folder:
            for entry in fit.write(model, Path(folder)):
                self.assertEqual((entry["steps"], entry["learning_rate"]), (fit.STEPS[entry["name"]], 0.01))
                entry["steps"] = RECORDED[entry["name"]]
                tensors = run_phase(Path(folder), entry, tensors, threads=1, report=lambda index, found, _: losses.append(found["loss"]))
                if entry["name"] == "rigid":
                    pose = torch.cat([recorded["rigid"][:, slice(*bfm.SLOTS[name])] for name in ("rotation", "translation")], 1)
                    self.assertLess(float((torch.from_numpy(tensors["pose"]) - pose).abs().max()), 1e-3)
        losses = torch.tensor(losses)
        self.assertEqual(losses.shape, recorded["losses"].shape)
        self.assertLess(float(((losses - recorded["losses"]) / recorded["losses"]).abs().max()), 1e-3)
        self.assertLess(float(losses[-1]), 0.5 * float(losses[RECORDED["rigid"]]))
        self.assertLess(float((torch.from_numpy(tensors["coefficients"]) - recorded["full"]).abs().max()), 2e-3)


if __name__ == "__main__":
    unittest.main()
