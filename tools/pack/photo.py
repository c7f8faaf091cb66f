"""Photos for tries of the inversion: the FFHQ crop, landmarks and mask of a portrait, with the set-up's face networks."""

from pathlib import Path

import numpy as np
from PIL import Image

from ..heads.crop import crop
from ..stepgraph.run import session

MESH_SIDE, MASK_SIDE = 192, 256
FACE_IN_CROP = 1.5  # side of the mesh network's crop over the extent of the landmarks
MARGIN = 0.25  # of the photo's side, reflected around it
ROUNDS = 3


class Photos:
    """Loads portraits with one large face near their centre; `folder` holds face_mesh.onnx and person_mask.onnx."""

    def __init__(self, folder: Path):
        self.mesh, self.mask = (session(Path(folder) / f"{name}.onnx", 1) for name in ("face_mesh", "person_mask"))

    def load(self, path: Path, side: int) -> dict[str, np.ndarray]:
        """`target [1,3,P,P]` in [-1,1], `person [1,1,P,P]` and `landmarks [1,468,2]` in [0,1] of the crop."""
        photo = np.asarray(Image.open(path).convert("RGB"))
        margin = int(MARGIN * max(photo.shape))
        photo = Image.fromarray(np.pad(photo, ((margin, margin), (margin, margin), (0, 0)), mode="reflect"))
        centre, across, half = np.array(photo.size) / 2, np.array([1.0, 0.0]), max(photo.size) / 3
        for _ in range(ROUNDS):
            points = self._landmarks(photo, centre, across, half)
            line = points[[263, 362]].mean(0) - points[[33, 133]].mean(0)
            across = line / np.linalg.norm(line)
            centre, half = (points.min(0) + points.max(0)) / 2, FACE_IN_CROP / 2 * np.ptp(points, axis=0).max()
        eyes, mouth, half = crop(points)
        picture, place = _square(photo, eyes + 0.1 * (mouth - eyes), across, half, side)
        large, _ = _square(photo, eyes + 0.1 * (mouth - eyes), across, half, MASK_SIDE)
        mask = _first(self.mask, np.asarray(large, np.float32)[None] / 255).reshape(MASK_SIDE, MASK_SIDE)
        mask = np.asarray(Image.fromarray(mask).resize((side, side), Image.BOX))
        landmarks = np.linalg.solve(place[1], (points - place[0]).T).T
        return {"target": np.asarray(picture, np.float32).transpose(2, 0, 1)[None] / 127.5 - 1,
                "person": mask[None, None].clip(0, 1).astype(np.float32), "landmarks": landmarks[None].astype(np.float32)}

    def _landmarks(self, photo, centre, across, half):
        picture, (corner, axes) = _square(photo, centre, across, half, MESH_SIDE)
        found = _first(self.mesh, np.asarray(picture, np.float32)[None] / 255)
        return corner + found.reshape(468, 3)[:, :2] / MESH_SIDE @ axes.T


def _first(model, image):
    return model.run(None, {model.get_inputs()[0].name: image})[0]


def _square(photo, centre, across, half, side):
    """The square around `centre` with the unit vector `across` as its x axis, and its place: corner and axes (columns)."""
    down = np.array([-across[1], across[0]])
    corner, axes = centre - half * (across + down), np.stack([2 * half * across, 2 * half * down], 1)
    fine = 2 * side
    (a, b), (d, e) = axes / fine
    picture = photo.transform((fine, fine), Image.AFFINE, (a, b, corner[0], d, e, corner[1]), Image.BICUBIC)
    return picture.resize((side, side), Image.BOX), (corner, axes)
