"""Drawn heads that no training saw, rendered by the pack from their own parameters."""

import numpy as np

from ..heads import params as P
from ..heads.crop import framed
from ..heads.picture import picture, random_person
from ..heads.render import Renderer
from ..pack.invert import Pack

SEED = 20_000  # training draws with seeds [7, worker, shard]
_FACE = range(1, 10)  # parsing classes: skin to lower lip, without neck, ears, hair and clothes


def decibels(error):
    return float(-10 * np.log10(np.mean(error)))


def draw(renderer, rng, side):
    """A person: parameters `[D]`, pose `[6]`, the picture `[side,side,3]` uint8 and where its face is."""
    p = random_person(rng)
    pose = framed(renderer, p, rng)
    drawn = picture(renderer, p, pose, side)
    return p, pose.astype(np.float32), drawn["image"], np.isin(drawn["labels"], _FACE)


def measure(folder, heads=100, threads=2):
    """Mean over heads of the PSNR of the whole picture, `psnr`, and of the face, `face_psnr`; and by how far they are turned."""
    pack, renderer = Pack(folder, threads), Renderer()
    size = next(port.shape[-1] for port in pack.roles["identity"].get_inputs() if port.name == "w")
    if size != P.D:
        raise ValueError(f"{folder}: w of {size} numbers, expected {P.D}\nhint: tools/heads draws people for packs of its own version")
    rows = []
    for i in range(heads):
        p, pose, picture, face = draw(renderer, np.random.default_rng([SEED, i]), pack.side)
        w = {"w": p.astype(np.float32)[None, None]}
        shown, _ = pack.render(pack.call("identity", w) | w, pose[None])
        error = ((shown.astype(float) - picture) / 255.0) ** 2
        rows.append((decibels(error), decibels(error[face]), abs(np.rad2deg(pose[1]))))
    rows = np.array(rows)
    figures = {"psnr": rows[:, 0].mean(), "face_psnr": rows[:, 1].mean(), "face_psnr_worst_tenth": np.sort(rows[:, 1])[: max(1, heads // 10)].mean()}
    for low, high in ((0, 15), (15, 30), (30, 90)):
        band = rows[(rows[:, 2] >= low) & (rows[:, 2] < high)]
        if len(band):
            figures[f"face_psnr_yaw_{low}_{high}"] = band[:, 1].mean()
    return {name: float(value) for name, value in figures.items()} | {"heads": heads}
