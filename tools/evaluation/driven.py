"""How a driven video follows its driver: the face mesh looks at both."""

import numpy as np

from ..tracking import face
from . import engine as E
from . import landmarks, likeness

GRAPHS = ("given_poses", "video_driven", "reenact")
LAGS = 6  # frames to either side
CORNERS = (61, 291)


def curves(seen):
    """What a clip's landmarks say of every frame: angles in degrees, openings in eye distances, lids 1 open and 0 shut."""
    flat, _, rotation = face.unpose(seen)
    lids = face.lids_apart(face.eyes(seen)).mean(1)
    return {
        **{name: np.degrees(rotation[:, k]) for k, name in enumerate(("pitch", "yaw", "roll"))},
        "mouth": landmarks.mouth_gap(flat),
        "width": np.linalg.norm(flat[:, CORNERS[0]] - flat[:, CORNERS[1]], axis=-1),
        "lids": lids / np.percentile(lids, 75),
    }


def follow(driver, video):
    """`correlation` and `gain` without delay, the `lag` of the best correlation in frames (positive: the video is late), `error`: the mean difference."""
    n = min(len(driver), len(video))
    driver, video = driver[:n], video[:n]
    moved = driver - driver.mean()
    at = lambda lag: (driver[max(0, -lag) : n - max(0, lag)], video[max(0, lag) : n - max(0, -lag)])
    lags = range(-LAGS, LAGS + 1)
    best = max(lags, key=lambda lag: np.corrcoef(*at(lag))[0, 1])
    return {
        "correlation": float(np.corrcoef(driver, video)[0, 1]),
        "gain": float(moved @ (video - video.mean()) / (moved @ moved)),
        "lag": int(best),
        "error": float(np.abs(driver - video).mean()),
        "range": float(np.ptp(driver)),
    }


def blinks(lids):
    """Frames in which the lids are nearest to each other, once a blink."""
    shut = lids < 0.6
    edges = np.flatnonzero(np.diff(np.concatenate([[0], shut.astype(int), [0]])))
    return [first + int(np.argmin(lids[first:last])) for first, last in zip(edges[::2], edges[1::2])]


def measure(engine, portraits, driving, speech, embed):
    """By graph and portrait: how angles, mouth and lids follow, and how far the person is from the photo (dlib's distance)."""
    import tempfile, pathlib

    driver = curves(engine.landmarks(driving))
    figures = {}
    for graph in GRAPHS:
        for name, portrait in portraits.items():
            inputs = {"portrait": portrait, "driving": driving}
            settings = []
            if graph != "reenact":
                inputs["speech"] = speech
            if graph == "video_driven":
                settings = ["drive.weight=1"]
            with tempfile.TemporaryDirectory() as folder:
                video = pathlib.Path(folder) / "video.mp4"
                engine.run(E.ROOT / "graphs" / f"{graph}.yaml", inputs, {"video": video}, settings)
                seen = curves(engine.landmarks(video))
            row = {key: follow(driver[key], seen[key]) for key in driver}
            found, true = blinks(seen["lids"]), blinks(driver["lids"])
            row["blinks"] = {"driver": len(true), "found": sum(any(abs(a - b) <= 2 for b in found) for a in true),
                             "invented": sum(all(abs(a - b) > 2 for a in true) for b in found)}
            figures[f"{graph} {name}"] = row
    return figures
