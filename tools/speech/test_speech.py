"""python -m unittest tools.speech.test_speech"""

import pathlib
import tempfile
import unittest

import numpy as np
import torch

from . import EXPRESSION, SAMPLE_RATE, SPOKEN_INDEX, background, mel, network, phones, visemes
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
        self.assertEqual(targets.shape, (25, 6))
        self.assertLess(targets[:, visemes.JAW].max(), 1e-3)
        np.testing.assert_allclose(targets[:, visemes.PRESS], 0.5, atol=1e-3)

    def test_a_stop_between_vowels_shuts_the_lips(self):
        targets, _ = visemes.curves([(0.2, 0.4, "AA"), (0.4, 0.48, "B"), (0.48, 0.7, "AA")], 1.0)
        shut = targets[10]  # 0.40 to 0.44 s
        self.assertGreater(shut[visemes.PRESS], 0.9)
        self.assertLess(shut[visemes.JAW], 0.2)
        self.assertGreater(targets[7, visemes.JAW], 0.7)

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

    def test_other_channels_keep_the_reference_and_the_ratio_shuts_the_eyes(self):
        head = random_model().head
        reference = torch.rand(3, len(EXPRESSION))
        with torch.no_grad():
            still, shut = (head(torch.rand(3, 8), reference, torch.full((3, 1), ratio)) for ratio in (0.0, 1.0))
        blinks = [EXPRESSION.index("blink_left"), EXPRESSION.index("blink_right")]
        kept = [i for i in range(len(EXPRESSION)) if i not in SPOKEN_INDEX]
        torch.testing.assert_close(still[:, kept], reference[:, kept])
        torch.testing.assert_close(shut[:, blinks], torch.ones(3, 2))

    def test_an_ensemble_is_the_mean_of_its_members(self):
        members = [random_model(), network.Audio2Exp(width=3, hidden=8, embedding=8, head=8).eval()]
        mel_, reference, ratio = torch.rand(2, 1, mel.BANDS, mel.WINDOW) * 8 - 4, torch.rand(2, 1, len(EXPRESSION)), torch.rand(2, 1)
        gain = torch.tensor([network.PRESS_GAIN if name == "press" else 1.0 for name in EXPRESSION])
        with torch.no_grad():
            each = [member(mel_, reference, ratio) for member in members]
            both = network.Ensemble(members).eval()(mel_, reference * gain, ratio)
        self.assertGreater(float((each[0] - each[1]).abs().max()), 1e-3)
        torch.testing.assert_close(both, gain * (each[0] + each[1]) / 2)

    def test_exported_halves_run_over_a_clip(self):
        with tempfile.TemporaryDirectory() as folder:
            members = [random_model(), network.Audio2Exp(width=3, hidden=8, embedding=4, head=8).eval()]
            export(network.Ensemble(members).eval(), pathlib.Path(folder))
            sound = background.music(1.0, np.random.default_rng(0))
            curves = Runner(folder)(sound, root=np.full(len(EXPRESSION), 0.25))
        self.assertEqual(curves.shape, (25, len(EXPRESSION)))
        np.testing.assert_allclose(curves[:, EXPRESSION.index("smile")], 0.25, atol=1e-6)


if __name__ == "__main__":
    unittest.main()
