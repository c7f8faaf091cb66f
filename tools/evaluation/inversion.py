"""The inverted portrait beside the portrait."""

import pathlib
import tempfile

from . import likeness, pictures


def measure(engine, portraits, embed):
    """Figures by portrait: `psnr`, `ssim`, `ms_gmsd` of the picture at rest, `seconds` of the inversion, and likeness.

    `shape_error`: how far the landmarks' shape differs (see `likeness`); `identity_distance`: dlib's measure, one person below 0.6.

    The portrait is its aligned crop at the generator's size. `seconds` are those of the run that made the stored result.
    """
    figures = {}
    for name, path in portraits.items():
        with tempfile.TemporaryDirectory() as folder:
            crop = pathlib.Path(folder) / "crop.png"
            coefficients, nodes = engine.person(path, crop)
            target, large = pictures.read(crop, engine.side), pictures.read(crop)
        expression, pose = engine.split(coefficients)
        out = engine.animate(path, expression[None], pose[None], ["frames", "landmarks"])
        frame = out["frames"][0]
        row = {"psnr": pictures.psnr(frame, target), "ssim": pictures.ssim(frame, target)}
        row |= {"ms_gmsd": pictures.ms_gmsd(frame, target), "seconds": nodes["person"]["notes"]["seconds"]}
        row["landmark_error_px"] = nodes["shape"]["notes"]["landmark_error_px"]
        own = engine.tensors("person", {"portrait": path}, ["landmarks"])["landmarks"]
        row["shape_error"] = likeness.shape_error(own[0], out["landmarks"][0])
        if embed:
            row["identity_distance"] = likeness.distance(embed(frame), embed(large))
        figures[name] = row
    return figures
