"""How a driven video follows its driver: the face mesh looks at both.

The mouth of `given_poses` follows the speech, not the driver: of that mode only the angles are to be looked at.
"""

import pathlib
import subprocess
import tempfile

import numpy as np
import safetensors.numpy
from PIL import Image

from ..tracking import face
from . import engine as E
from . import landmarks, likeness

GRAPHS = ("given_poses", "video_driven", "reenact")
LAGS = 6  # frames to either side
CORNERS = (61, 291)


def curves(seen):
    """What a clip's landmarks say of every frame: angles in degrees, openings and irises aside in eye distances, lids 1 open and 0 shut."""
    flat, _, rotation = face.unpose(seen)
    lids = face.lids_apart(face.eyes(seen)).mean(1)
    return {
        **{name: np.degrees(rotation[:, k]) for k, name in enumerate(("pitch", "yaw", "roll"))},
        "mouth": landmarks.mouth_gap(flat),
        "width": np.linalg.norm(flat[:, CORNERS[0]] - flat[:, CORNERS[1]], axis=-1),
        "lids": lids / np.percentile(lids, 75),
        "gaze": _held(face.irises(seen)[..., 0].mean(1), lids / np.percentile(lids, 75) > 0.7),
    }


def _held(values, known):
    """`values` where they are `known`, and lines between."""
    at = np.arange(len(values))
    return np.interp(at, at[known], values[known]) if known.any() else values


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


def played(names, frames=250, seed=0, fps=25):
    """Curves `[n,E]` and `[n,6]` of a driver as people are: speech, blinks every few seconds, glances aside, a smile and raised brows now and then, a slow head."""
    rng, t = np.random.default_rng(seed), np.arange(frames) / fps
    expression, pose = np.zeros((frames, len(names)), np.float32), np.zeros((frames, 6), np.float32)
    slow = lambda period, phase: 0.5 - 0.5 * np.cos(2 * np.pi * (t / period + phase))

    def put(name, values):
        for unit in (name, name + "Left", name + "Right"):
            if unit in names:
                expression[:, names.index(unit)] = values

    talking = slow(4.0, 0.0) > 0.25  # pauses in between
    put("jawOpen", 0.4 * talking * np.abs(np.sin(2 * np.pi * 1.7 * t)) * (0.5 + 0.5 * slow(2.3, 0.1)))
    rounded = talking * np.clip(np.sin(2 * np.pi * 0.9 * t), -1, 1)
    put("mouthStretch", 0.7 * np.maximum(rounded, 0)), put("mouthPucker", 0.7 * np.maximum(-rounded, 0))
    put("mouthSmile", 0.7 * np.maximum(0, slow(5.0, 0.5) - 0.4) / 0.6)
    for name in ("browInnerUp", "browOuterUp"):
        put(name, 0.8 * np.maximum(0, slow(3.7, 0.3) - 0.4) / 0.6)
    glance = lambda period, size: size * np.clip(2.5 * np.sin(2 * np.pi * t / period), -1, 1)
    aside, up = glance(3.3, 0.7), glance(4.7, 0.5)
    for way, values in (("OutLeft", aside), ("InRight", aside), ("InLeft", -aside), ("OutRight", -aside), ("Up", up), ("Down", -up)):
        put("eyeLook" + way, np.maximum(values, 0))
    begun, begin, lids = [], 20, np.zeros(frames)
    while begin < frames - 12:
        begun.append(begin + 2)
        lids[begin : begin + 5] = (0.5, 1.0, 1.0, 0.6, 0.2)
        begin += int(rng.integers(35, 70))
    put("eyeBlink", lids)
    for axis, (size, period) in enumerate(((6, 3.1), (12, 5.3), (5, 4.1))):
        pose[:, axis] = np.radians(size) * np.sin(2 * np.pi * t / period + axis)
    return expression, pose, begun


def render(engine, folder, seed=900):
    """A drawn head that does what `played` says, as pictures in `folder`; gives the curves and the blinks' frames."""
    expression, pose, begun = played(list(engine.expressions))
    with tempfile.TemporaryDirectory() as scratch:
        curves_file = pathlib.Path(scratch) / "curves.safetensors"
        safetensors.numpy.save_file({"expression": expression, "pose": pose}, curves_file)
        drawn = E.ROOT / "tools" / "tracking" / "drawn.yaml"
        frames = engine.tensors(drawn, {"curves": curves_file}, ["frames"], [f"head.seed={seed}", "head.psi=0.7"])["frames"]
    for i, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{i:04d}.png")
    return expression, pose, begun


def blinked(found, true, within=2):
    return {
        "true": len(true),
        "found": sum(any(abs(a - b) <= within for b in found) for a in true),
        "invented": sum(all(abs(a - b) > within for a in true) for b in found),
    }


def drive(engine, graph, portrait, driving, speech, video):
    """Makes `video` with a mode, the driver alone moving the face in `video_driven`."""
    inputs = {"portrait": portrait, "driving": driving}
    if graph != "reenact":
        inputs["speech"] = speech
    settings = ["drive.weight=1"] if graph == "video_driven" else []
    engine.run(E.ROOT / "graphs" / f"{graph}.yaml", inputs, {"video": video}, settings)


def compare(engine, driver, video, true=None):
    """Figures of a video beside its driver's curves; `true`: frames in which the driver blinks, where that is known."""
    seen = curves(engine.landmarks(video))
    row = {key: follow(driver[key], seen[key]) for key in driver}
    n = len(driver["lids"])
    found = [frame for frame in blinks(seen["lids"]) if frame < n]
    row["blinks"] = blinked(found, blinks(driver["lids"]) if true is None else true)
    return row


def identity(engine, portrait, video, embed):
    """dlib's distance of the person in the video from the photo: the mean over ten frames."""
    with tempfile.TemporaryDirectory() as folder:
        crop = pathlib.Path(folder) / "crop.png"
        engine.person(portrait, crop)
        photo = embed(np.asarray(Image.open(crop).convert("RGB")))
        command = ["ffmpeg", "-v", "error", "-i", video, "-vf", "scale=256:256", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
        raw = subprocess.run(command, check=True, capture_output=True).stdout
    frames = np.frombuffer(raw, np.uint8).reshape(-1, 256, 256, 3)
    picked = frames[:: max(1, len(frames) // 10)]
    return float(np.mean([likeness.distance(photo, embed(frame)) for frame in picked]))


def measure(engine, portraits, driving, speech, embed):
    """By driver, graph and portrait: how angles, mouth and lids follow, and how far the person is from the photo.

    The first driver is drawn, so that what it does is known: `read` is how tracking reads it (correlation with the truth). The second, where
    `driving` names one, is a real clip.
    """
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        drawn = folder / "drawn"
        drawn.mkdir()
        truth, _, begun = render(engine, drawn)
        read = engine.tensors("motion", {"film": drawn}, ["motion"])["motion"]["expression"]
        names = [name for name in engine.expressions if truth[:, engine.expressions.index(name)].any()]
        at = {name: engine.expressions.index(name) for name in names}
        figures["read"] = {name: float(np.corrcoef(truth[:, c], read[:, c])[0, 1]) for name, c in at.items()}
        drivers = {"drawn": (drawn, begun)} | ({"clip": (driving, None)} if driving else {})
        for label, (clip, true) in drivers.items():
            driver = curves(engine.landmarks(clip))
            for graph in GRAPHS if label == "clip" else ("reenact",):
                for name, portrait in portraits.items():
                    video = folder / f"{label}-{graph}-{name}.mp4".replace(" ", "_")
                    drive(engine, graph, portrait, clip, speech, video)
                    row = compare(engine, driver, video, true)
                    if embed:
                        row["identity_distance"] = identity(engine, portrait, video, embed)
                    figures[f"{label}, {graph}, {name}"] = row
    return figures
