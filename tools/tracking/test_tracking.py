"""python -m unittest tools.tracking.test_tracking"""

import unittest

import numpy as np
import onnxruntime
import torch

from . import curves, face, train


def turned(points, rotation, size, place):
    """What a camera sees of points that are turned (R = Ry·Rx·Rz), as tensors of `align`."""
    pitch, yaw, roll = rotation
    cos, sin = np.cos, np.sin
    x = np.array([[1, 0, 0], [0, cos(pitch), -sin(pitch)], [0, sin(pitch), cos(pitch)]])
    y = np.array([[cos(yaw), 0, sin(yaw)], [0, 1, 0], [-sin(yaw), 0, cos(yaw)]])
    z = np.array([[cos(roll), -sin(roll), 0], [sin(roll), cos(roll), 0], [0, 0, 1]])
    seen = size * points @ (y @ x @ z).T
    flat = np.stack([seen[:, 0] + 0.5 + place[0], 0.5 - seen[:, 1] + place[1]], -1)
    return {"landmarks": flat[None], "near": seen[None, :, 2]}


class Face(unittest.TestCase):
    def test_the_pose_is_taken_out_and_told(self):
        seen = turned(face.mean(), (0.2, -0.3, 0.1), 0.25, (0.02, -0.05))
        flat, _, rotation = face.unpose(seen)
        np.testing.assert_allclose(flat[0], face.mean(), atol=1e-6)
        np.testing.assert_allclose(rotation[0], (0.2, -0.3, 0.1), atol=1e-6)

    def test_every_point_has_one_on_the_other_side(self):
        mirror = face.mirror()
        np.testing.assert_array_equal(mirror[mirror], np.arange(468))
        self.assertEqual((mirror[33], mirror[61]), (263, 291))


class Gaze(unittest.TestCase):
    def open_eyes(self):
        """Two open eyes `[2,21,2]`."""
        eyes = np.zeros((2, 21, 2))
        eyes[:, face.LOWER, 1], eyes[:, face.UPPER, 1] = 0.15, -0.15
        return eyes

    def test_irises_lie_in_the_frame_of_the_head(self):
        mean = face.mean()
        seen = turned(mean, (0.2, -0.3, 0.1), 0.25, (0.02, -0.05))
        middles = mean[list(face.BEFORE)].mean(1)
        at = turned(middles, (0.2, -0.3, 0.1), 0.25, (0.02, -0.05))["landmarks"]
        seen["eyes"] = np.repeat(at[:, :, None], 21, 2)
        corners = mean[np.array(face.CORNERS)].mean(1)
        np.testing.assert_allclose(face.irises(seen)[0], middles[:, :2] - corners[:, :2] * [0, 1], atol=1e-6)

    def test_irises_aside_are_a_gaze(self):
        eyes, rest = self.open_eyes(), np.array([[-0.5, 0.0], [0.5, 0.0]])
        found = face.gaze(rest[None] + [0.03, 0.01], rest, eyes[None], eyes)
        np.testing.assert_allclose(found, [[0.03 / face.GAZE[0], 0.01 / face.GAZE[1]]])

    def test_a_shut_eye_tells_none(self):
        eyes, rest = self.open_eyes(), np.array([[-0.5, 0.0], [0.5, 0.0]])
        moved = rest[None] + [[0.03, 0], [-0.1, 0]]
        wink, shut = eyes.copy(), 0.1 * eyes
        wink[1] *= 0.1
        np.testing.assert_allclose(face.gaze(moved, rest, wink[None], eyes)[:, 0], [0.03 / face.GAZE[0]])
        np.testing.assert_allclose(face.gaze(moved, rest, shut[None], eyes), [[0, 0]], atol=1e-9)


class Curves(unittest.TestCase):
    def test_the_face_does_nothing_first_and_much_then(self):
        expression, pose = curves.draw(3)
        self.assertTrue((expression[: curves.LEAD] == 0).all())
        self.assertTrue((np.ptp(expression[curves.LEAD :], axis=0) > 0.2).mean() > 0.7)
        self.assertLess(np.abs(pose).max(), 0.51)
        np.testing.assert_array_equal(expression, curves.draw(3)[0])


class Reader(unittest.TestCase):
    def test_the_model_reads_what_was_trained(self):
        rng = np.random.default_rng(0)
        faces, eyes, rotation = rng.normal(0, 0.1, (4, 468, 3)), rng.normal(0, 0.1, (4, 2, 21, 2)), rng.normal(0, 0.1, (4, 3))
        neutral, neutral_eyes = faces.mean(0), eyes.mean(0)
        irises = rng.normal(0, 0.02, (4, 2, 2))
        x = train.features(faces, eyes, rotation, neutral, neutral_eyes)
        torch.manual_seed(0)
        net = train.Net(x.shape[1], len(train.READ))
        torch.nn.init.normal_(net.last.weight, std=0.1)
        turns = np.array([[1.3, 1.0, 0.9], [0.1, 0.0, 0.0]])
        session = onnxruntime.InferenceSession(train.model(net, turns).SerializeToString())
        single = lambda array: array.astype(np.float32)
        expression, pose, mean = session.run(None, {
            "face": single(faces), "neutral": single(neutral[None]), "eyes": single(eyes),
            "neutral_eyes": single(neutral_eyes[None]), "rotation": single(rotation),
            "irises": single(irises), "neutral_irises": single(irises.mean(0)[None]),
        })  # fmt: skip
        with torch.no_grad():
            np.testing.assert_allclose(train.read(expression), net(torch.tensor(single(x))).numpy(), atol=1e-4)
        at = train.UNIT
        across = expression[:, at["eyeLookOutLeft"]] - expression[:, at["eyeLookInLeft"]]
        up = expression[:, at["eyeLookUpRight"]] - expression[:, at["eyeLookDownRight"]]
        np.testing.assert_allclose(np.stack([across, up], 1), face.gaze(irises, irises.mean(0), eyes, neutral_eyes), rtol=1e-3, atol=1e-3)
        np.testing.assert_array_equal(expression[:, at["eyeLookOutLeft"]], expression[:, at["eyeLookInRight"]])
        np.testing.assert_allclose(pose, rotation * turns[0] + turns[1], atol=1e-6)
        np.testing.assert_allclose(mean[0], face.mean(), atol=1e-6)

    def test_a_mirror_swaps_the_lids_and_turns_the_head_the_other_way(self):
        expression = np.zeros((1, train.E))
        expression[0, train.UNIT["eyeBlinkLeft"]] = 1
        flat = face.mean()[None]
        _, _, rotation, expression, pose = train.mirrored(
            flat, np.zeros((1, 2, 21, 2)), np.array([[0.1, 0.2, 0.3]]), expression, np.array([[0.1, 0.2, 0.3]])
        )
        self.assertEqual((expression[0, train.UNIT["eyeBlinkRight"]], expression.sum()), (1, 1))
        np.testing.assert_allclose(rotation, [[0.1, -0.2, -0.3]])
        np.testing.assert_allclose(pose, rotation)


if __name__ == "__main__":
    unittest.main()
