"""An inverted head turned from side to side."""

import numpy as np

from . import likeness, silhouette

DEGREES = np.arange(-20, 21, 5)


def _row(pictures, alpha, embed):
    front = len(DEGREES) // 2
    each = lambda measure: max(measure(one) for one in alpha)
    row = {"holes": each(silhouette.holes), "specks": each(silhouette.specks), "ghosts": each(silhouette.ghosts)}
    row["silhouette_step"] = min(silhouette.overlap(a, b) for a, b in zip(alpha, alpha[1:]))
    areas = np.array([(one > silhouette.SOLID).sum() for one in alpha]) / max(1, (alpha[front] > silhouette.SOLID).sum())
    row["area_range"] = float(np.ptp(areas))
    if embed:
        faces = [embed(picture) for picture in pictures]
        row["identity"] = min(likeness.cosine(face, faces[front]) for face in faces)
        row["identity_distance"] = max(likeness.distance(face, faces[front]) for face in faces)
    return row


def measure(engine, portraits, embed):
    """Figures by portrait, each the worst over the sweep around the portrait's own pose.

    `holes`, `specks`, `ghosts`: see `silhouette`. `silhouette_step`: overlap of silhouettes 5 degrees apart; `area_range`: by how
    much the silhouette's area changes. `identity`: cosine of the embeddings of a turned and the unturned picture; `identity_distance`: dlib's measure
    (one person below 0.6).
    """
    figures = {}
    for name, path in portraits.items():
        coefficients, _ = engine.person(path)
        expression, pose = engine.split(coefficients)
        poses = np.repeat(pose[None], len(DEGREES), 0)
        poses[:, 1] += np.deg2rad(DEGREES)
        out = engine.animate(path, np.repeat(expression[None], len(DEGREES), 0), poses, ["frames", "features"])
        figures[name] = _row(out["frames"], out["features"]["alpha"][:, 0], embed)
    return figures
