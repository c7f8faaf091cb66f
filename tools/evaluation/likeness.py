"""Whether two pictures show one person: cosine similarity of dlib's face embedding, and of the shape of the landmarks.

The embedding is dlib's ResNet (King 2017, in the PyPI package `face-recognition-models`), trained on photos of people; it judges only. It is
asked for the face that fills the given crop, so no detector of its own comes in between.
"""

import importlib.util
import pathlib

import numpy as np
from PIL import Image

_SIDE = 256  # pictures are brought to this side first
# The face within the crop that `align` cuts, as fractions of its side: left, top, right, bottom.
_FACE = (0.22, 0.30, 0.78, 0.86)
SAME = 0.6  # distance up to which dlib takes two faces for one person


class Embedder:
    """128 numbers for a face. Raises ModuleNotFoundError where the packages are missing."""

    def __init__(self):
        import dlib  # judges are optional: see `embedder`

        folder = importlib.util.find_spec("face_recognition_models")
        if folder is None:
            raise ModuleNotFoundError("face_recognition_models")
        models = pathlib.Path(folder.origin).parent / "models"
        self._rectangle = dlib.rectangle
        self._shape = dlib.shape_predictor(str(models / "shape_predictor_5_face_landmarks.dat"))
        self._network = dlib.face_recognition_model_v1(str(models / "dlib_face_recognition_resnet_model_v1.dat"))

    def __call__(self, picture):
        """`[H,W,3]` uint8 of an aligned crop to `[128]`."""
        large = np.asarray(Image.fromarray(picture).resize((_SIDE, _SIDE), Image.Resampling.BICUBIC))
        box = self._rectangle(*(int(edge * _SIDE) for edge in _FACE))
        return np.array(self._network.compute_face_descriptor(large, self._shape(large, box)))


def embedder():
    """An Embedder, or None where its packages are missing."""
    try:
        return Embedder()
    except ModuleNotFoundError:
        return None


def cosine(a, b):
    return float(a @ b / np.sqrt((a @ a) * (b @ b)))


def distance(a, b):
    """dlib's own measure: people are taken for one below 0.6."""
    return float(np.linalg.norm(a - b))


def shape_error(a, b):
    """How far two sets of landmarks `[M,2]` differ but for place, size and turn, as a share of their spread."""
    a, b = (points - points.mean(0) for points in (a, b))
    a, b = (points / np.linalg.norm(points) for points in (a, b))
    u, s, v = np.linalg.svd(a.T @ b)
    s[-1] *= np.sign(np.linalg.det(u @ v))
    return float(np.sqrt(max(0.0, 1.0 - s.sum() ** 2)))
