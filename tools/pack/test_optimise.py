"""Checks of fit and inversion on the tiny pack's own files: `python -m unittest tools.pack.test_optimise`."""

import unittest
from pathlib import Path

import numpy as np
import torch

from ..heads import geometry, people
from ..heads import params as P
from ..stepgraph.check import compare
from ..stepgraph.phase import example_step
from ..stepgraph.run import evaluate, run, session
from . import generator as N
from . import marching, optimise_fit, optimise_losses, optimise_pti, optimise_view, recover, tiny
from . import planes as planes_module

PACK = Path(__file__).parents[2] / "models" / "tiny"


def person(seed=0):
    """Coefficients of a plausible person that looks a little aside."""
    torch.manual_seed(seed)
    p = people.plausible(torch.randn(1, P.Z), torch.tensor([0.7]))[:, : P.STYLE]
    return torch.cat([p, torch.tensor([[0.05, 0.2, 0.03, 0.01, -0.02, 0.1]])], 1)


class Views(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        torch.set_num_threads(1)
        cls.morphable = geometry.Morphable()

    def test_a_polygon_has_an_inside(self):
        square = torch.tensor([[0.2, 0.2], [0.8, 0.2], [0.8, 0.6], [0.2, 0.6]])
        inside = optimise_view.inside_polygon(optimise_view.pixel_centres(100), square).reshape(100, 100)
        self.assertAlmostEqual(float(inside.mean()), 0.6 * 0.4, places=3)
        self.assertEqual((float(inside[40, 50]), float(inside[70, 50])), (1.0, 0.0))

    def test_an_open_mouth_is_seen_and_carried_back(self):
        c = person()
        shut, jaw = torch.cat([c[:, : P.STYLE], torch.zeros(1, P.D - P.STYLE)], 1), P.IDENTITY + P.UNIT["jawOpen"]
        opened = shut.clone()
        opened[:, jaw] = 0.7
        pose = c[:, P.STYLE :]
        areas = [float(optimise_view.mouth_mask(self.morphable, w, pose, optimise_view.pixel_centres(128)).sum()) for w in (shut, opened)]
        self.assertLess(areas[0] + 20, areas[1])
        slot = P.SLOT["expression"]
        at = [self.morphable.head_frame(w[:, : P.IDENTITY], w[:, slot])[:, 152:153] for w in (shut, opened)]  # the chin
        back = optimise_view.carry_back(self.morphable, opened, shut, at[1])
        self.assertLess(float((back - at[0]).norm()), 0.3 * float((at[1] - at[0]).norm()))

    def test_eyes_are_masked_where_lids_have_come_down(self):
        c = person()
        awake, lids = torch.cat([c[:, : P.STYLE], torch.zeros(1, P.D - P.STYLE)], 1), [P.IDENTITY + i for name, i in P.UNIT.items() if name.startswith("eyeBlink")]
        asleep = awake.clone()
        asleep[:, lids] = 1.0
        masks = lambda w: optimise_view.eyes_masks(self.morphable, awake, w, c[:, P.STYLE :], optimise_view.pixel_centres(128))
        self.assertEqual(sum(float(mask.sum()) for mask in masks(awake)), 0.0)
        left, right = masks(asleep)
        column = lambda mask: float((mask[0, 0].sum(0) * torch.arange(128)).sum() / mask.sum())
        self.assertGreater(column(left), column(right) + 20)  # the person's left is at the picture's right
        landmarks = self.morphable(c)[1][0] * 128
        middle = landmarks[optimise_view.M.EYE_L_LOWER + optimise_view.M.EYE_L_UPPER, 0].mean()
        self.assertLess(abs(column(left) - float(middle)), 2.0)

    def test_some_views_blink_and_lids_never_open_beyond_the_photo(self):
        w, pose = torch.zeros(1, P.D), torch.zeros(1, 6)
        lid = P.IDENTITY + P.UNIT["eyeBlinkLeft"]
        draws = torch.rand(200, optimise_view.RANDOMS, generator=torch.Generator().manual_seed(2))
        lids = torch.stack([optimise_view.random_view(pose, w, random)[1][0, lid] for random in draws])
        self.assertTrue(0.35 < float((lids > 0).float().mean()) < 0.65)
        self.assertTrue(0.4 <= float(lids[lids > 0].min()) and float(lids.max()) <= 1.0)

    def test_rays_go_into_an_open_mouth_and_not_into_a_shut_one(self):
        c = person()
        w = torch.cat([c[:, : P.STYLE], torch.zeros(1, P.D - P.STYLE)], 1)
        pose, widest = c[:, P.STYLE :], optimise_view.opened(w, optimise_view.WIDEST)
        torch.testing.assert_close(optimise_view.opened(widest, 0.2), widest)  # never shuts
        shares = []
        for jaw in (0.0, 0.3, optimise_view.WIDEST):
            (origins, directions), inside = optimise_view.mouth_rays(self.morphable, optimise_view.opened(w, jaw), pose, 24)
            shares.append(float(inside.mean()))
        self.assertTrue(shares[0] < 0.05 < shares[1] < shares[2] < 0.95, shares)
        at = geometry.project(origins + geometry.DISTANCE * directions, pose)[0]
        seen = optimise_view.mouth_mask(self.morphable, widest, pose, at).reshape(-1)
        self.assertEqual(float((seen - inside[0, :, 0]).abs().sum()), 0.0)

    def test_a_tile_is_a_part_of_the_whole_view(self):
        part, pose = optimise_view.Tile(8, 16, torch.tensor([0.3, 0.7])), person()[:, P.STYLE :]
        x, y = int(part.columns[0]), int(part.rows[0])
        self.assertEqual((x, y), (2, 6))
        whole = geometry.camera_rays(pose, 16)[1].reshape(16, 16, 3)[y : y + 8, x : x + 8]
        torch.testing.assert_close(part.rays(pose)[1][0], whole.reshape(-1, 3))
        fine = geometry.camera_rays(pose, 32)[1].reshape(32, 32, 3)[2 * y : 2 * y + 16, 2 * x : 2 * x + 16]
        torch.testing.assert_close(part.rays(pose, 2)[1][0], fine.reshape(-1, 3))
        places = optimise_view.pixel_centres(32).reshape(1, 32, 32, 2).permute(0, 3, 1, 2)
        of = lambda line: torch.cat([2 * line[:1] + i for i in range(16)])
        found = optimise_view.cut(places, of(part.rows), of(part.columns))
        torch.testing.assert_close(part.pixel_centres(), found[0].permute(1, 2, 0).reshape(-1, 2))

    def test_what_can_hold_nothing_is_known(self):
        pose, mask = person()[:, P.STYLE :], torch.zeros(1, 1, 64, 64)
        mask[:, :, 16:, 24:40] = 1
        origins, directions = geometry.camera_rays(pose, 16)
        points = origins[:, :, None] + directions[:, :, None] * torch.tensor([9.0, 9.5, 10.0])[:, None]
        photo = {"depth": torch.full((1, 1, 16, 16), 9.5)}
        void = lambda empty: optimise_view.void(mask, photo, pose, points, torch.full((1, 256, 3), empty)).reshape(16, 16, 3)
        solid, hollow = void(0.0), void(1.0)
        self.assertEqual(float(torch.cat([solid[:, :5], solid[:, 11:]], 1).min()), 1.0)  # beside the outline
        self.assertEqual(float(solid[5:, 6:10].max()), 0.0)
        self.assertEqual(hollow[8, 8].tolist(), [1.0, 0.0, 1.0])  # before and behind the surface where the pivot is empty

    def test_teeth_that_the_photo_shows_stay_in_place(self):
        c = person()
        jaw = P.IDENTITY + P.UNIT["jawOpen"]
        w = torch.cat([c[:, : P.STYLE], torch.zeros(1, P.D - P.STYLE)], 1)
        w[:, jaw] = 0.35
        pose, wider = c[:, P.STYLE :], w.clone()
        wider[:, jaw] = 0.6
        rays = geometry.camera_rays(pose, 128)
        photo = {"target": torch.ones(1, 3, 128, 128)}
        view = {"depth": torch.full((1, 1, 64, 64), geometry.DISTANCE), "image": torch.zeros(1, 3, 128, 128)}
        at = optimise_view.pixel_centres(128)
        small, large = (optimise_view.mouth_mask(self.morphable, x, pose, at) for x in (w, wider))
        inside = optimise_view.carry_teeth(self.morphable, photo, w, pose, rays, view, large)
        torch.testing.assert_close(inside[:, :1], small * large)
        self.assertLess(0.3, float((small * large).sum() / large.sum()))

    def test_filling_keeps_what_is_known(self):
        image, known = torch.rand(1, 3, 16, 16), (torch.rand(1, 1, 16, 16) > 0.5).float()
        filled = optimise_losses.fill(image, known)
        torch.testing.assert_close(filled * known, image * known)
        self.assertTrue(bool(((filled >= 0) & (filled <= 1)).all()))


class Recovery(unittest.TestCase):
    def test_a_pack_gives_its_weights_back(self):
        found, weights = recover.recover(PACK, N.TINY).state_dict(), tiny.generator().state_dict()
        self.assertEqual(list(found), list(weights))
        self.assertEqual([name for name in weights if not torch.equal(found[name], weights[name])], [])


class Marching(unittest.TestCase):
    def test_its_gradient_is_that_of_autograd(self):
        torch.manual_seed(3)
        rays, samples, channels, hidden = 5, 7, 4, 6
        random = lambda *shape: torch.randn(*shape, dtype=torch.float64)
        trained = [random(1, 3, 8, 8, channels), random(hidden, channels), random(hidden), random(1 + channels, hidden), random(1 + channels)]
        points, depths = random(rays * samples, 3), random(rays, samples).sort(1)[0]
        empty, marked = (torch.rand(rays, samples, dtype=torch.float64).round() for _ in range(2))
        given = points, depths, empty, marked

        def plain(planes, *decoder):
            grid = planes_module._grid(points, marching.RADIUS)
            found = torch.nn.functional.grid_sample(planes[0].permute(0, 3, 1, 2), grid, align_corners=False, padding_mode="border")
            return marching.composite(found[..., 0].sum(0).t(), *decoder, *given[1:])

        loss = lambda march: lambda *inputs: sum((out * out.detach().cos()).sum() for out in march(*inputs))
        every = tuple(range(len(trained)))
        ours = torch.func.grad_and_value(loss(lambda *inputs: marching.march(*inputs, *given)), every)(*trained)
        theirs = torch.func.grad_and_value(loss(plain), every)(*trained)
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)


class Phases(unittest.TestCase):
    def test_the_fit_meets_the_landmarks(self):
        truth, morphable = person(), geometry.Morphable()
        landmarks = morphable(truth)[1]
        fitted = run(PACK, "fit3dmm", {"landmarks": landmarks.numpy(), "coefficients": np.zeros((1, P.K), np.float32)}, threads=1)
        seen = morphable(torch.tensor(fitted["coefficients"]))[1]
        self.assertLess(float(optimise_fit.landmark_error(seen, landmarks)), 0.25)

    def test_a_shut_mouth_is_taken_for_thin_lips_before_pressed_ones(self):
        truth, morphable, pressed = person(), geometry.Morphable(), [P.IDENTITY + P.UNIT[name] for name in optimise_fit.PRESSED]
        truth[:, pressed] = 0.3
        landmarks = morphable(truth)[1]
        offered = {"landmarks": landmarks.numpy(), "coefficients": np.zeros((1, P.K), np.float32)}
        fitted = torch.tensor(run(PACK, "fit3dmm", offered, threads=1)["coefficients"])
        self.assertLess(float(optimise_fit.landmark_error(morphable(fitted)[1], landmarks)), 0.5)
        self.assertLess(float(fitted[0, pressed].mean()), 0.2)

    @staticmethod
    def portrait(c, side):
        """What the inversion of a person is offered: noise in a disc."""
        across = torch.linspace(-1, 1, side)
        disc = (across[:, None] ** 2 + across[None] ** 2 < 0.5).float()[None, None]
        return {"target": torch.rand(1, 3, side, side) * 2 - 1, "person": disc, "coefficients": c, "pose": c[:, P.STYLE :]}

    def test_a_pivot_stays_among_the_heads_of_the_training(self):
        generator, c, slot = tiny.generator(), person(), P.SLOT["texture"]
        c[:, slot] = 9.0
        pivot = optimise_pti.phases(generator, geometry.Morphable())[0]
        farthest = (generator.p_mean + optimise_pti.WITHIN * generator.p_std)[slot]
        texture = slice(P.E, P.E + P.TEXTURE)
        known = pivot.init(**self.portrait(c, generator.config.side))
        start = known.pop("params")
        torch.testing.assert_close(start[texture], farthest)
        inputs = example_step(pivot, known, start + 5)
        stepped = evaluate(session(PACK / "pti_pivot_step.onnx", 1), {name: x.numpy() for name, x in inputs.items()})
        np.testing.assert_allclose(stepped["params_out"][texture], farthest, atol=1e-6)

    def test_every_step_of_the_inversion_equals_autograd(self):
        generator = tiny.generator()
        c = person()
        tensors = self.portrait(c, generator.config.side)
        for phase in optimise_pti.phases(generator, geometry.Morphable()):
            with torch.no_grad():
                known = tensors | phase.init(**tensors)
                params = known.pop("params")
                started = evaluate(session(PACK / f"pti_{phase.name}_init.onnx", 1), {k: x.numpy() for k, x in tensors.items()})
                np.testing.assert_allclose(started["params"], params.numpy(), atol=1e-5)
                sees = {"step": known}
                if phase.view:
                    sees["view_step"] = known | phase.view(**known, random=torch.rand(phase.randoms))
                tensors = tensors | phase.finish(**known, params=params)
            moved = params + 0.02 * torch.randn_like(params)  # at the start itself L1 losses stand on their kinks
            for part, seen in sees.items():
                result = compare(getattr(phase, part), example_step(phase, seen, moved), PACK / f"pti_{phase.name}_{part}.onnx",
                                 beta1=phase.beta1, beta2=phase.beta2, rate=phase.learning_rate, steps=5)
                with self.subTest(phase=phase.name, part=part):
                    self.assertLess(result["gradient_error"], 1e-4)
                    # five steps of Adam amplify rounding where L1 losses have kinks
                    self.assertLess(result["loss_error"], 5e-4)
                    self.assertTrue(result["repeatable"])


if __name__ == "__main__":
    unittest.main()
