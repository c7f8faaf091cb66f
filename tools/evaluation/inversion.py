"""The inverted portrait beside the portrait."""

import pathlib
import tempfile

from . import likeness, pictures


def measure(engine, portraits, embed):
    """Figures by portrait: `psnr`, `ssim`, `ms_gmsd` of the picture at rest, `seconds` of the inversion, identity.

    The portrait is its aligned crop at the generator's size. `seconds` are those of the run that made the stored result.
    """
    figures = {}
    for name, path in portraits.items():
        with tempfile.TemporaryDirectory() as folder:
            crop = pathlib.Path(folder) / "crop.png"
            coefficients, nodes = engine.person(path, crop)
            target, large = pictures.read(crop, engine.side), pictures.read(crop)
        expression, pose = engine.split(coefficients)
        frame = engine.animate(path, expression[None], pose[None], ["frames"])["frames"][0]
        row = {"psnr": pictures.psnr(frame, target), "ssim": pictures.ssim(frame, target)}
        row |= {"ms_gmsd": pictures.ms_gmsd(frame, target), "seconds": nodes["person"]["notes"]["seconds"]}
        row["landmark_error_px"] = nodes["shape"]["notes"]["landmark_error_px"]
        if embed:
            row["identity_distance"] = likeness.distance(embed(frame), embed(large))
        figures[name] = row
    return figures
