"""Finished frames at the photo's size beside the photo."""

import pathlib
import tempfile

import numpy as np
from PIL import Image
from scipy import ndimage
from scipy.spatial import Delaunay

from . import engine as E
from . import pictures

FILM = E.ROOT / "graphs" / "from_image.yaml"
STAGES = ("mel", "talk", "frames/render/deformed", "frames/render/mouth", "frames/render/upsample", "frames/sharp", "mux")
SIDE = 1024
TURNS = (5, 10, 15)  # degrees to each side
JAWS = (0.15, 0.3, 0.45, 0.6)  # jawOpen
SWAY = 12  # frames of a slow sway with a moving jaw
_BAND = 4  # rays around the head's edge that are not looked at for strays


def _curves(expression, pose, opens):
    """Expressions, poses and the kind of every frame; `opens`: which coefficient opens the jaw."""
    rows = [("rest", 0.0, 0.0)] + [("speaking", jaw, 0.0) for jaw in JAWS]
    rows += [(f"yaw{turn}", 0.0, sign * turn) for turn in TURNS for sign in (-1, 1)]
    rows += [("sway", 0.15 + 0.15 * np.sin(k / 2), 3 * np.sin(k / 6)) for k in range(SWAY)]
    expressions, poses = np.repeat(expression[None], len(rows), 0), np.repeat(pose[None], len(rows), 0)
    expressions[:, opens] += [jaw for _, jaw, _ in rows]
    poses[:, 1] += np.deg2rad([yaw for *_, yaw in rows])
    return expressions.astype("f4"), poses.astype("f4"), np.array([kind for kind, *_ in rows])


def _large(plane):
    """A plane of rays at SIDE x SIDE."""
    rays = plane.shape[0]
    at = (np.arange(SIDE) + 0.5) * rays / SIDE - 0.5
    return ndimage.map_coordinates(plane.astype("f4"), np.meshgrid(at, at, indexing="ij"), order=1, mode="nearest")


def _luma(picture):
    return picture.astype("f4") @ np.array([0.299, 0.587, 0.114], "f4")


def _energy(luma):
    """Squared gradient of every pixel."""
    down, right = np.gradient(luma)
    return down**2 + right**2


class _Frame:
    """A frame and where in the photo its pixels are."""

    def __init__(self, picture, flow, visible, alpha, hull):
        self.luma = _luma(picture)
        scale = SIDE / flow.shape[-1]
        rows, columns = np.mgrid[0:SIDE, 0:SIDE].astype("f4")
        self.place = np.stack([rows + scale * _large(flow[1]), columns + scale * _large(flow[0])])
        inside = hull.find_simplex((self.place[::-1].reshape(2, -1).T + 0.5) / SIDE).reshape(SIDE, SIDE) >= 0
        self.face = inside & (_large(visible) > 0.9) & (_large(alpha) > 0.95)

    def of(self, plane):
        """What the photo's `plane` has where this frame shows it."""
        return ndimage.map_coordinates(plane, self.place, order=1, mode="nearest")


def _sharpness(frame, energy):
    return float(_energy(frame.luma)[frame.face].mean() / frame.of(energy)[frame.face].mean())


def _flicker(frames, luma):
    """Mean second difference along time, in grey levels, of what a face has beyond the photo moved with it."""
    beyond = np.stack([frame.luma - frame.of(luma) for frame in frames])
    face = np.logical_and.reduce([frame.face for frame in frames])
    return float(np.abs(np.diff(beyond, 2, axis=0))[:, face].mean())


def _strays(picture, photo, alphas):
    """Mean difference of fine structure, in grey levels, where neither the frame nor the photo has the head."""
    away = ~ndimage.binary_dilation(np.maximum(*alphas) > 0.02, iterations=_BAND)
    away = _large(away) > 0.99
    fine = lambda one: one - ndimage.gaussian_filter(one, 2)
    return float(np.abs(fine(_luma(picture)) - fine(_luma(photo)))[away].mean()) if away.any() else 0.0


def _stages(engine, portrait):
    """Seconds by node of the demo's five seconds of speech with a known face, in all, and the most memory in MB."""
    with tempfile.TemporaryDirectory() as folder:
        inputs = {"portrait": portrait, "speech": E.ROOT / "graphs" / "media" / "speech.wav"}
        report = engine.report(FILM, inputs, {"video": pathlib.Path(folder) / "video.mp4"}, refresh=STAGES)
    nodes = {node["id"]: node for node in report["nodes"]}
    return {
        "seconds": {stage: nodes[stage]["seconds"] for stage in STAGES} | {"all": report["wall_seconds"]},
        "peak_mb": report["peak_rss_bytes"] / 1e6,
        "inversion_seconds": nodes["person/pti"]["notes"]["seconds"],
    }


def measure(engine, portraits, strips):
    """Figures by portrait; a picture of each goes to the folder `strips`.

    `psnr`, `ssim`: at rest, against the photo's crop. `sharpness`: energy of the face's gradients, frame to photo, over the same skin; 1 is as sharp as
    the photo. `flicker`, `strays`: see the functions; `strays` is the worst turn's. `seconds`, `peak_mb`: see `_stages`; `inversion_seconds` are those of the run
    that made the stored result.
    """
    figures = {}
    for name, path in portraits.items():
        coefficients, _ = engine.person(path)
        expressions, poses, kinds = _curves(*engine.split(coefficients), engine.expressions.index("jawOpen"))
        with tempfile.TemporaryDirectory() as folder:
            crop = pathlib.Path(folder) / "crop.png"
            engine.run("person", {"portrait": path}, {"large": crop})
            photo = pictures.read(crop)
        landmarks = engine.tensors("person", {"portrait": path}, ["landmarks"])["landmarks"][0]
        out = engine.animate(path, expressions, poses, ["sharp", "features", "correspondence"])
        sharp, alpha, seen = out["sharp"], out["features"]["alpha"][:, 0], out["correspondence"]
        hull = Delaunay(landmarks)
        frames = [_Frame(*one, hull) for one in zip(sharp, seen["flow"], seen["visible"][:, 0], alpha)]
        luma = _luma(photo)
        energy = _energy(luma)
        groups = {kind: np.flatnonzero(kinds == kind) for kind in dict.fromkeys(kinds)}
        sharpness = {
            kind: min(_sharpness(frames[k], energy) for k in group) for kind, group in groups.items() if kind != "sway"
        }
        rest = groups["rest"][0]
        turned = [k for turn in TURNS for k in groups[f"yaw{turn}"]]
        figures[name] = {
            "psnr": pictures.psnr(sharp[rest], photo),
            "ssim": pictures.ssim(sharp[rest], photo),
            "sharpness": sharpness,
            "flicker": _flicker([frames[k] for k in groups["sway"]], luma),
            "strays": max(_strays(sharp[k], photo, (alpha[k], alpha[rest])) for k in turned),
        } | _stages(engine, path)
        strips.mkdir(parents=True, exist_ok=True)
        shown = [groups["yaw15"][0], groups["yaw10"][0], rest, groups["speaking"][-1], groups["yaw10"][1], groups["yaw15"][1]]
        Image.fromarray(np.concatenate([photo, *sharp[shown]], axis=1)).save(strips / f"{name}.png")
    return figures
