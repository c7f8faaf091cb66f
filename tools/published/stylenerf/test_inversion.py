"""Tests of the inversion's step graphs: `python -m unittest tools.published.stylenerf.test_inversion`."""

import tempfile
import unittest
from pathlib import Path

import numpy as np
import torch

from tools.stepgraph.export import export
from tools.stepgraph.phase import example_step
from tools.stepgraph.run import evaluate, run_phase, session

from . import flat, inversion
from .golden import Golden, errors
from .measure import Tower, compare
from .roles import roles
from .test_stylenerf import tiny_generator

PLAN = [(8, 11, 4, 2), "tap", 3, (12, 3, 1, 1), "tap", 2, (12, 3, 1, 1), "tap"]


class Blind:
    """A perceptual network that sees no difference."""

    def features(self, image):
        return torch.zeros(1, 1)


class Published(unittest.TestCase):
    def test_the_first_step_of_the_tuning_graph_at_64(self):
        golden = Golden(64)
        generator = golden.generator()
        phase, t = inversion.tune(generator, Blind()), golden.tensors
        known = {"target": golden.target(), "pose": torch.zeros(1, 6), "w": t["ws"], "background_latent": t["latent2"]}
        with torch.no_grad():
            known |= phase.init(**known)
        example = example_step(phase, known, known.pop("params"))
        with tempfile.TemporaryDirectory() as folder:
            export(phase.step, example, Path(folder) / "step.onnx")
            found = evaluate(session(Path(folder) / "step.onnx", 2), {name: tensor.numpy() for name, tensor in example.items()})
        gradient = torch.from_numpy(found["m_out"]) / (1 - phase.beta1)
        loss, worst = errors(golden, float(found["loss"][0]), flat.layout(generator.synthesis).unflatten(gradient))
        self.assertLess(loss, 1e-3)
        self.assertLess(worst, 1e-3)


class Inversion(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.generator = tiny_generator()
        cls.tower = Tower(PLAN).eval().requires_grad_(False)
        cls.scratch = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.scratch.cleanup)
        cls.folder = Path(cls.scratch.name)
        cls.entries = {entry["name"]: entry for entry in inversion.write(cls.generator, cls.tower, cls.tower, cls.folder)}
        with torch.no_grad():
            c = cls.generator.configuration
            other = cls.generator.mapping(torch.randn(1, c.z_dim), 1.0), torch.randn(1, c.background_z)
            cls.pose = torch.tensor([[0.05, -0.1, 0.02, 0.0, 0.0, 0.0]])
            cls.target = cls.generator.synthesis(*other, *inversion.rays(cls.generator, cls.pose).values())
        cls.photo = {"target": cls.target, "pose": cls.pose}

    def run_phases(self, **changes):
        tensors, losses = {name: tensor.numpy() for name, tensor in self.photo.items()}, {"pivot": [], "tune": []}
        for name, heard in losses.items():
            told = lambda index, found, seconds, heard=heard: heard.append(found)
            tensors = run_phase(self.folder, self.entries[name] | changes.get(name, {}), tensors, threads=1, report=told)
        return tensors, losses

    def test_steps_are_torchs(self):
        known = self.photo
        for phase in inversion.phases(self.generator, self.tower, self.tower):
            with torch.no_grad():
                started = known | phase.init(**known)
                example = example_step(phase, started, started.pop("params"))
                found = compare(phase, example, self.folder / self.entries[phase.name]["step"], 20, 1)
                known = known | phase.finish(**started | {"params": example["params"]})
            self.assertLess(found["gradient_error"], 1e-3, phase.name)
            self.assertLess(found["loss_error"], 1e-2, phase.name)

    def test_both_phases_come_nearer_and_leave_a_person(self):
        tensors, losses = self.run_phases(pivot={"steps": 30, "learning_rate": 0.05}, tune={"steps": 20, "stop": None})
        self.assertLess(losses["pivot"][-1]["loss"], losses["pivot"][0]["loss"])
        self.assertLess(losses["tune"][-1]["picture"], losses["tune"][0]["picture"])
        prepare = roles(self.generator)["prepare"]
        shapes = {name: tensors[name].shape for name in prepare.inputs}
        self.assertEqual(shapes, {name: tuple(x.shape) for name, x in zip(prepare.inputs, prepare.examples)})

    def test_tuning_that_starts_close_enough_changes_nothing(self):
        tensors, losses = self.run_phases(pivot={"steps": 1}, tune={"stop": {"loss": "perceptual", "below": 1e6}})
        self.assertEqual(len(losses["tune"]), 1)
        np.testing.assert_array_equal(tensors["theta"], flat.theta(self.generator.synthesis).numpy())

    def test_noise_fades_and_is_gone_in_the_last_quarter(self):
        phase = inversion.pivot(self.generator, self.tower)
        with torch.no_grad():
            started = self.photo | phase.init(**self.photo)
        example = example_step(phase, started, started.pop("params"))

        def loss(noise, progress):
            changed = {"noise": noise * example["noise"], "progress": torch.tensor([progress])}
            return float(phase.step(**example | changed)["loss"])

        self.assertNotEqual(loss(1, 0.5), loss(0, 0.5))
        self.assertEqual(loss(1, 0.75), loss(0, 0.75))


if __name__ == "__main__":
    unittest.main()
