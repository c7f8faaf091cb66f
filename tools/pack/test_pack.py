"""Checks of the generator: `python -m unittest tools.pack.test_pack`."""

import copy
import unittest

import torch

from ..heads import geometry as G
from ..heads import params as P
from ..heads import people
from . import generator as N
from . import roles as R


class Generator(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)
        torch.manual_seed(0)
        cls.model = N.Generator(N.TINY).eval()
        cls.w = people.plausible(torch.randn(1, P.Z), torch.tensor([0.7]))
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
        both[1, 0, P.IDENTITY + P.UNIT["jawOpen"]] = 1  # one is shut, one is open
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
