"""Checks of the head and the generator: `python -m unittest tools.pack.test_pack`."""

import unittest

import torch

from . import generator as N
from . import geometry as G
from . import mesh as M
from . import params as P
from . import roles as R


class Geometry(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)
        cls.model = G.Morphable()
        cls.neutral = torch.zeros(1, P.K)

    def moved(self, **values):
        c = self.neutral.clone()
        for name, value in values.items():
            c[0, P.IDENTITY + P.EXPRESSION.index(name)] = value
        return self.model(c)[1][0]

    def gap(self, landmarks):
        return float(landmarks[14, 1] - landmarks[13, 1])

    def test_a_rotation_is_orthonormal(self):
        r = G.rotation(torch.tensor([[0.3, -0.5, 0.2, 0, 0, 0]]))[0]
        self.assertLess(float((r @ r.t() - torch.eye(3)).abs().max()), 1e-6)

    def test_signs_of_the_pose(self):
        nose = lambda *pose: self.model(torch.cat([self.neutral[:, : P.STYLE], torch.tensor([pose])], 1))[1][0, 1]
        straight = nose(0.0, 0, 0, 0, 0, 0)
        self.assertGreater(float(nose(0.2, 0, 0, 0, 0, 0)[1] - straight[1]), 0.01)  # nods down
        self.assertGreater(float(nose(0.0, 0.2, 0, 0, 0, 0)[0] - straight[0]), 0.01)  # turns to the right

    def test_rays_meet_what_is_projected(self):
        pose = torch.tensor([[0.1, 0.3, -0.1, 0.05, -0.04, 0.3]])
        point = torch.tensor([[[0.2, -0.3, 0.4]]])
        at = G.project(point, pose)[0, 0] * 64 - 0.5
        o, d = G.pixel_rays(pose, at[:1][None], at[1:][None], 64)
        off = torch.linalg.cross(point - o, d / d.norm(dim=-1, keepdim=True)).norm()
        self.assertLess(float(off), 1e-4)

    def test_the_crop_is_that_of_ffhq(self):
        marks = self.model(self.neutral)[1][0]
        left, right, mouth = marks[[33, 133]].mean(0), marks[[263, 362]].mean(0), marks[[61, 291]].mean(0)
        half = max(2 * (right - left).norm(), 1.8 * (mouth - (left + right) / 2).norm())
        self.assertAlmostEqual(float(half), 0.5, delta=0.03)

    def test_press_shuts_a_slightly_open_mouth(self):
        self.assertGreater(self.gap(self.moved(jaw=0.3)), 0.01)
        self.assertLess(self.gap(self.moved(jaw=0.3, press=1.0)), 0.004)

    def test_lids_close(self):
        height = lambda m: float(m[145, 1] - m[159, 1])
        self.assertLess(height(self.moved(blink_right=1.0)), 0.15 * height(self.moved()))

    def test_the_contour_is_a_polygon_of_the_inner_lip(self):
        self.assertEqual(len(M.CONTOUR), 20)
        self.assertEqual(len(set(M.CONTOUR)), 20)


class Generator(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)
        torch.manual_seed(0)
        cls.model = N.Generator(N.TINY).eval()
        cls.w = P.plausible(torch.randn(1, P.Z), torch.tensor([0.7]))
        cls.pose = torch.tensor([[0.1, 0.2, 0.0, 0.0, 0.0, 0.0]])

    def test_the_roles_together_are_the_generator(self):
        with torch.no_grad():
            whole = self.model(self.w, self.pose, **self.model.extras())["image"]
            identity = R.identity(self.model)
            state = dict(zip(R.STATE, R.Prepare(self.model)(self.w[:, None], **identity)))
            field = [state[k] for k in R.FIELD]
            o, d = R.Camera(N.TINY.rays)(self.pose)
            t = R.Depths(N.TINY)(*field, o, d)
            points = o[:, :, None] + t[..., None] * d[:, :, None]
            features, _ = R.Render(N.TINY)(*field, state["background"], points, t)
            image = R.Upsample()(features, *(state[k] for k in R.UP))
        self.assertLess(float((image - whole).abs().max()), 1e-5)

    def test_depths_ascend(self):
        with torch.no_grad():
            state = self.model.prepare(self.w)
            t = self.model.field.depths(state, *G.camera_rays(self.pose, N.TINY.rays))
        self.assertGreaterEqual(float((t[..., 1:] - t[..., :-1]).min()), 0.0)
        self.assertEqual(t.shape[-1], N.TINY.samples)

    def test_weights_of_samples_are_a_partition(self):
        t = torch.sort(torch.rand(1, 5, 8), -1)[0]
        w = N.weights(torch.randn(1, 5, 8) * 5, t)
        self.assertTrue(bool((w >= 0).all()) and float(w.sum(-1).max()) <= 1 + 1e-5)

    def test_rays_are_free_at_run_time(self):
        with torch.no_grad():
            self.assertEqual(self.model(self.w, self.pose, rays=24)["image"].shape[-1], 48)

    def test_plausible_people_are_neutral(self):
        self.assertEqual(float(self.w[:, P.SLOT["expression"]].abs().max()), 0.0)


if __name__ == "__main__":
    unittest.main()
