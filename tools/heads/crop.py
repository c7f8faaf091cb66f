"""The FFHQ crop of a face (Karras et al. 2019): poses whose picture it is."""

import numpy as np

from .view import DISTANCE


def centred(renderer, p, pose):
    """`pose` moved so that the picture is the FFHQ crop of the face."""
    pose = pose.copy()
    for _ in range(2):
        eyes, mouth, size = crop(renderer.landmarks(p, pose))
        centre = eyes + 0.1 * (mouth - eyes)
        pose[5] += (1 - 2 * size) * (DISTANCE - pose[5])
        pose[3] -= (centre[0] - 0.5) * 2
        pose[4] += (centre[1] - 0.5) * 2
    return pose


def framed(renderer, p, rng):
    """A random pose whose crop is the FFHQ crop of the face, up to a small jitter."""
    pitch, yaw, roll = (rng.normal(size=3) * [0.13, 0.30, 0.06]).tolist()
    pose = np.array([np.clip(pitch, -0.35, 0.35), np.clip(yaw, -0.65, 0.65), np.clip(roll, -0.15, 0.15), 0, 0, 0])
    pose = centred(renderer, p, pose)
    pose[3:5] += rng.normal(size=2) * 0.03
    pose[5] += rng.normal() * 0.35
    return pose


def crop(landmarks):
    """Eyes' middle, mouth's middle and half side of the FFHQ crop from 468 landmarks."""
    left, right = landmarks[[33, 133]].mean(0), landmarks[[263, 362]].mean(0)
    eyes, mouth = (left + right) / 2, landmarks[[61, 291]].mean(0)
    return eyes, mouth, max(2.0 * np.linalg.norm(right - left), 1.8 * np.linalg.norm(mouth - eyes))


def reduce(a, k):
    """Box filter by k over the first two axes."""
    return a.reshape(a.shape[0] // k, k, a.shape[1] // k, k, *a.shape[2:]).mean((1, 3))
