"""Checks of the head and the generator: `python -m unittest tools.pack.test_pack`."""

import copy
import unittest

import numpy as np
import torch

from . import data, gaze
from . import generator as N
from . import geometry as G
from . import mesh as M
from . import params as P
from . import roles as R
from . import shade as S


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

    def test_eyes_turn_within_their_lids_and_stay_behind_them(self):
        model, still = G.Morphable(), torch.zeros(1, P.K)
        moved = {name: still.clone() for name in ("gaze_x", "gaze_y", "blink_left")}
        for name, row in moved.items():
            row[0, P.SLOT["expression"].start + P.EXPRESSION.index(name)] = 1.0
        points = lambda row: model(row)[0][0, model.skin_count :].reshape(2, -1, 3)
        rest = points(still)
        middle = rest.shape[1] // 2
        right, up = points(moved["gaze_x"]) - rest, points(moved["gaze_y"]) - rest
        lids = model(still)[0][0][[33, 133, 362, 263], 0]
        half = (lids[1::2] - lids[::2]) / 2
        torch.testing.assert_close(right[:, middle, 0], gaze.TURN[0] * half, atol=1e-4, rtol=0.05)
        self.assertTrue((up[:, middle, 1] > 0.4 * right[:, middle, 0]).all())
        # Nothing leaves the eye, and what is farther from where it looks moves less.
        self.assertTrue((points(moved["gaze_x"])[..., 0] <= lids[1::2, None]).all())
        self.assertTrue((right[:, middle, 0] > right[:, middle - 3 :][:, 0, 0]).all())
        torch.testing.assert_close(points(moved["blink_left"]), rest)

    def test_lids_close(self):
        height = lambda m: float(m[145, 1] - m[159, 1])
        self.assertLess(height(self.moved(blink_right=1.0)), 0.15 * height(self.moved()))

    def test_lids_meet_whatever_the_shape_of_the_eyes(self):
        c = self.neutral.clone()
        for size in (-2.6, 2.6):
            c[0, : P.IDENTITY] = size * torch.linspace(1, -1, P.IDENTITY).sign()
            for blink, most in ((1.0, 0.004), (0.0, 1.0)):
                c[0, P.IDENTITY + P.EXPRESSION.index("blink_left")] = blink
                marks = self.model(c)[1][0]
                gap = (marks[M.EYE_L_LOWER, 1] - marks[M.EYE_L_UPPER, 1])[1:-1]
                self.assertLess(float(gap.abs().max()), most)

    def test_the_contour_is_a_polygon_of_the_inner_lip(self):
        self.assertEqual(len(M.CONTOUR), 20)
        self.assertEqual(len(set(M.CONTOUR)), 20)


class Drawing(unittest.TestCase):
    """Pictures of the head: what data holds and what expressions show."""

    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)
        cls.renderer = S.Renderer()
        cls.people = P.plausible(torch.randn(4, P.Z, generator=torch.Generator().manual_seed(5)), torch.ones(1)).numpy()
        cls.people[:, P.SLOT["glasses"]] = 0

    def draw(self, person=0, yaw=0.0, **expression):
        p = self.people[person].copy()
        pose = data.centred(self.renderer, p, np.array([0, yaw, 0, 0, 0, 0]))
        for name, value in expression.items():
            p[P.IDENTITY + P.EXPRESSION.index(name)] = value
        return data.picture(self.renderer, p, pose)

    def test_a_row_has_the_documented_sizes(self):
        row = self.draw()
        expected = {"image": ((256, 256, 3), "uint8"), "labels": ((256, 256), "uint8"), "depth": ((128, 128), "float16"), "mask": ((128, 128), "uint8")}
        self.assertEqual({k: (v.shape, str(v.dtype)) for k, v in row.items()}, expected)

    def test_depth_and_mask_agree(self):
        row = self.draw(yaw=0.4)
        self.assertTrue((row["depth"][row["mask"] == 255] < 5).all())
        self.assertTrue((row["depth"][row["mask"] == 0] == 9).all())

    def test_a_picture_depends_on_its_parameters_alone(self):
        self.assertTrue(np.array_equal(self.draw(jaw=0.5)["image"], self.draw(jaw=0.5)["image"]))

    def test_a_blink_leaves_no_eye(self):
        eyes = lambda row: int(np.isin(row["labels"], (S.EYE_L, S.EYE_R)).sum())
        for person in range(4):
            self.assertGreater(eyes(self.draw(person)), 60)
            self.assertLess(eyes(self.draw(person, blink_left=1, blink_right=1)), 3)

    def test_a_shut_mouth_shows_no_inside_and_an_open_one_shows_teeth(self):
        for person in range(4):
            self.assertLess(int((self.draw(person)["labels"] == S.MOUTH).sum()), 25)
            for expression in ({"jaw": 1.0}, {"upper_raise": 0.9, "lower_drop": 0.9}):
                row = self.draw(person, **expression)
                inside = row["image"][row["labels"] == S.MOUTH].min(-1)
                self.assertGreater(int((inside > 90).sum()), 60, (person, expression))

    def test_necks_are_skin_without_a_collar_and_cloth_with_a_high_one(self):
        skin, self.people = [], self.people.copy()
        for collar in (0.0, 1.0):
            self.people[:, P.SLOT["collar"]] = collar
            skin.append(sum(int(np.isin(self.draw(i)["labels"], (S.NECK_C, S.BODY)).sum()) for i in range(4)))
        self.assertGreater(skin[0], 1000)
        self.assertLess(skin[1], 0.5 * skin[0])

    def test_turned_faces_show_nothing_of_the_body_in_the_mouth(self):
        for yaw in (-0.5, 0.5):
            labels = self.draw(1, yaw, jaw=1.0)["labels"]
            rows, columns = np.nonzero(labels == S.MOUTH)
            inner = labels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
            self.assertFalse(np.isin(inner, (S.CLOTHES, S.NECK_C, S.BODY, S.BACKGROUND)).any())


class Generator(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)
        torch.manual_seed(0)
        cls.model = N.Generator(N.TINY).eval()
        cls.w = P.plausible(torch.randn(1, P.Z), torch.tensor([0.7]))
        cls.pose = torch.tensor([[0.1, 0.2, 0.0, 0.0, 0.0, 0.0]])

    def test_expansion_undoes_contraction(self):
        x = torch.linspace(-N.RADIUS, N.RADIUS, 41)
        for middle in N.FOCUS:
            torch.testing.assert_close(N.expand(N.contract(x, middle, 2.0), middle, 2.0), x, atol=1e-5, rtol=0)

    def test_the_roles_together_are_the_generator(self):
        with torch.no_grad():
            whole = self.model(self.w, self.pose, **self.model.extras())["image"]
            state = dict(zip(R.STATE, R.Prepare(self.model)(self.w[:, None], **R.offsets(self.model))))
            field = [state[k] for k in R.FIELD]
            o, d = R.Camera(N.TINY.rays)(self.pose)
            occupancy = R.everywhere()["occupancy"]
            t = R.Depths(N.TINY)(*field, occupancy, o, d)
            pixels = torch.arange(N.TINY.rays**2)
            features, *_ = R.Render(N.TINY)(*field, occupancy, state["background"], o, d, t, pixels, *R.still().values())
            features = features.reshape(1, N.TINY.channels, N.TINY.rays, N.TINY.rays)
            image = R.Upsample()(features, *(state[k] for k in R.UP))
        self.assertLess(float((image - whole).abs().max()), 1e-5)

    def test_a_part_of_the_rays_is_a_part_of_the_picture(self):
        with torch.no_grad():
            state = dict(zip(R.STATE, R.Prepare(self.model)(self.w[:, None], **R.offsets(self.model))))
            field = [state[k] for k in R.FIELD] + list(R.everywhere().values())
            o, d = R.Camera(N.TINY.rays)(self.pose)
            t = R.Depths(N.TINY)(*field, o, d)
            pixels = torch.arange(N.TINY.rays**2)
            render = lambda keep: R.Render(N.TINY)(
                *field, state["background"], o[:, keep], d[:, keep], t[:, keep], pixels[keep], *R.still().values()
            )
            whole, part = render(pixels), render(pixels[5::9])
        for a, b in zip(whole, part):
            self.assertLess(float((a[..., 5::9] - b).abs().max()), 1e-5)

    def test_what_is_called_empty_is_seen_by_no_ray(self):
        with torch.no_grad():
            state = dict(zip(R.STATE, R.Prepare(self.model)(self.w[:, None], **R.offsets(self.model))))
            field = [state[k] for k in R.FIELD]
            o, d = R.Camera(N.TINY.rays)(self.pose)
            t = torch.linspace(0.3, 2, 9).expand(1, o.shape[1], 9)
            for cells, expected in ((torch.zeros(1, 1, 3, 4, 5), 0.0), (torch.ones(1, 1, 3, 4, 5), 0.1)):
                rays = (cells, state["background"], o, d, t, torch.arange(o.shape[1]), *R.still().values())
                alpha = R.Render(N.TINY)(*field, *rays)[1]
                self.assertTrue(float(alpha.max()) == 0.0 if expected == 0.0 else float(alpha.max()) > expected)

    def test_a_window_changes_its_part_of_its_plane_alone(self):
        model, c = copy.deepcopy(self.model), N.TINY
        with torch.no_grad():
            style = model.style(self.w)
            before = model.frozen(style)
            for (plane, left, top, width, height, _), maps in zip(c.windows, model.windows):
                maps.normal_()
                moved = (model.frozen(style) - before).reshape(3, c.channels, c.plane_side, c.plane_side).abs().amax(1)
                self.assertGreater(float(moved[plane, top : top + height, left : left + width].min()), 0)
                moved[plane, top : top + height, left : left + width] = 0
                self.assertEqual(float(moved.max()), 0)
                maps.zero_()

    def test_a_wide_open_mouth_shows_no_lips_of_the_photo(self):
        prepare, state = R.Prepare(self.model), R.offsets(self.model)
        planes = R.Planes(prepare)
        added = torch.ones_like(state["plane_offset"])
        both = self.w.repeat(2, 1)[:, None]
        both[1, 0, P.SLOT["expression"].start + P.EXPRESSION.index("jaw")] = 1  # one is shut, one is open
        of = lambda kept, offset: planes(both, state["theta"], prepare.fixed(offset), state["style_offset"], torch.tensor([kept]))
        with torch.no_grad():
            plain, all_, less = of(1.0, state["plane_offset"]), of(1.0, added), of(0.0, added)
        torch.testing.assert_close(all_, plain + 1)
        torch.testing.assert_close(less[0], all_[0])
        lost = (all_ - less)[1, :, :, :, 0]
        self.assertLess(float(lost[1:].abs().max()), 1e-5)  # the plane xy alone
        self.assertTrue(0.01 < float(lost[0].mean()) < 0.2 and float(lost[0].max()) > 0.5)
        torch.testing.assert_close(lost[0], lost[0].flip(1), atol=1e-3, rtol=0)
        self.assertLess(float(lost[0, : N.TINY.plane_side // 2].max()), 0.1)  # below the eyes

    def test_planes_of_expressions_are_those_of_the_generator(self):
        model = copy.deepcopy(self.model)
        with torch.no_grad():
            for learned in (*model.maps, *model.windows, model.mix.weight):
                learned.normal_(0, 0.1)
            prepare, state = R.Prepare(model), {name: x + 0.1 * torch.randn_like(x) for name, x in R.offsets(model).items() if name != "theta"}
            w = self.w.repeat(2, 1) + 0.1 * torch.randn(2, P.D)
            found = R.Planes(prepare)(w[:, None], model.theta(), prepare.fixed(state["plane_offset"]), state["style_offset"], torch.ones(1))
            expected = model.planes(model.style(w, state["style_offset"]), state["plane_offset"])
        torch.testing.assert_close(found, R.texels(expected))

    def test_a_finished_picture_is_that_of_the_generator(self):
        with torch.no_grad():
            state = self.model.prepare(self.w)
            prepared = dict(zip(R.STATE, R.Prepare(self.model)(self.w[:, None], **R.offsets(self.model))))
            features = torch.randn_like(state["background"])
            found = R.Upsample()(features, *(prepared[name] for name in R.UP))
            torch.testing.assert_close(found, self.model.upsample(state, features))

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
