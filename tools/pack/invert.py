"""Inverts portraits with a pack and shows what comes out, on ONNX Runtime alone:

    python -m tools.pack.invert PACK SETUP OUT PHOTO… [--threads N]

SETUP is the set-up's folder of face networks. For every photo OUT gets NAME.png with the rows
photo, pivot, tuned, alpha, up, down · yaw -20° to 20° · jawOpen 0 to 0.7 · stretch, pucker, smile, blink, an open mouth from either side
and the figures (PSNR, SSIM, landmark error, seconds) go to standard output.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import yaml
from PIL import Image
from scipy.ndimage import uniform_filter

from ..heads.params import both
from ..stepgraph.run import evaluate, run, session
from .photo import Photos


BOX = np.array([[-1] * 3, [1] * 3], np.float32)
# A face at rest, and no part of the volume known to be empty.
REST = {"occupancy": np.ones((1,) * 5, np.float32)} | {
    name + end: value for name in ("motion", "detail") for end, value in (("", np.zeros((1, 3, 2, 2, 2), np.float32)), ("_box", BOX))
}


class Pack:
    """The roles that show an inverted person."""

    def __init__(self, folder: Path, threads: int):
        self.folder, self.threads = folder, threads
        self.about = yaml.safe_load((folder / "pack.yaml").read_text())
        self.side, self.ranges = self.about["resolution"], self.about["coefficients"]
        names = ("mapping", "identity", "prepare", "camera", "depths", "render", "upsample", "lipaint", "deep3d")
        self.roles = {name: session(folder / self.about["roles"][name]["file"], threads) for name in names}

    def call(self, role: str, tensors: dict) -> dict:
        return evaluate(self.roles[role], tensors)

    def render(self, person: dict, pose: np.ndarray, change: dict[str, float] | None = None) -> tuple[np.ndarray, np.ndarray]:
        """The picture `[P,P,3]` uint8 and alpha `[R,R]` of a person's identity tensors, with the expression changed."""
        if change:
            move = np.array([[change.get(name, 0.0) for name in self.about["expression"]]], np.float32)
            inpainted = self.call("lipaint", {"w": person["w"], "expression": move, "reference": np.zeros_like(move)})
            person = person | {"w": inpainted["w_inpainted"]}
        known = self.call("prepare", person) | self.call("camera", {"pose": pose}) | REST
        known |= self.call("depths", known)
        known["pixels"] = np.arange(known["origins"].shape[1])
        known |= self.call("render", known)
        side = int(len(known["pixels"]) ** 0.5)
        known["features"] = known["features"].reshape(1, -1, side, side)
        return picture(self.call("upsample", known)["image"]), known["alpha"].reshape(side, side)


def picture(image: np.ndarray) -> np.ndarray:
    """`[1,3,P,P]` in [-1,1] -> `[P,P,3]` uint8."""
    return np.clip(np.rint(image[0].transpose(1, 2, 0) * 127.5 + 127.5), 0, 255).astype(np.uint8)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(-10 * np.log10(((a / 255.0 - b / 255.0) ** 2).mean()))


def ssim(a: np.ndarray, b: np.ndarray) -> float:
    """Structural similarity (Wang et al. 2004) of pictures `[P,P,3]` uint8: mean over channels and whole 7x7 windows."""
    a, b, k = a.astype(np.float64), b.astype(np.float64), 7
    mean = lambda x: uniform_filter(x, (k, k, 1))[k // 2 : -(k // 2), k // 2 : -(k // 2)]
    ma, mb, unbiased = mean(a), mean(b), k * k / (k * k - 1)
    va, vb, both = (unbiased * (mean(x * y) - mx * my) for x, y, mx, my in ((a, a, ma, ma), (b, b, mb, mb), (a, b, ma, mb)))
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float(((2 * ma * mb + c1) * (2 * both + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))).mean())


def invert(pack: Pack, photo: dict, threads: int) -> tuple[dict, dict[str, float]]:
    """Deep3D, fit and inversion; gives all tensors and seconds and errors by name."""
    large = Image.fromarray(picture(photo["target"])).resize((224, 224), Image.BICUBIC)
    image = np.asarray(large, np.float32).transpose(2, 0, 1)[None] / 255
    start = {"image": image, "landmarks": photo["landmarks"], **pack.call("deep3d", {"image": image})}
    figures, losses = {}, {}
    report = lambda phase, index, found, seconds: losses.update(found)
    began = time.perf_counter()
    fitted = run(pack.folder, "fit3dmm", start, threads=threads, report=report)
    figures |= {"landmark error px of 128": losses["error"], "fit s": time.perf_counter() - began}
    pose = fitted["coefficients"][:, pack.ranges["rotation"][0] :]
    began, cpu = time.perf_counter(), time.process_time()
    offered = {"target": photo["target"], "person": photo["person"], "coefficients": fitted["coefficients"], "pose": pose}
    result = run(pack.folder, "pti", offered, threads=threads)
    figures |= {"pti s": time.perf_counter() - began, "cpu s": time.process_time() - cpu}
    return result, figures


def sheet(pack: Pack, result: dict, photo: dict) -> tuple[np.ndarray, dict[str, float]]:
    """The rows of pictures and the quality at the photo's own pose."""
    pose = result["pose"]
    tuned = {name: result[name] for name in (i.name for i in pack.roles["prepare"].get_inputs())}
    untuned = pack.call("identity", {"w": result["w"]}) | {"w": result["w"]}
    target, (image, alpha) = picture(photo["target"]), pack.render(tuned, pose)
    grey = Image.fromarray((alpha * 255).clip(0, 255).astype(np.uint8)).resize((pack.side, pack.side)).convert("RGB")
    turned = lambda yaw=0.0, pitch=0.0, **change: pack.render(tuned, pose + np.array([[pitch, yaw, 0, 0, 0, 0]], np.float32), change)[0]
    rows = [
        [target, pack.render(untuned, pose)[0], image, np.asarray(grey), turned(pitch=-0.15), turned(pitch=0.15)],
        [turned(yaw=yaw) for yaw in np.deg2rad(np.linspace(-20, 20, 6))],
        [turned(jawOpen=jaw) for jaw in np.linspace(0, 0.7, 6)],
        [turned(**both("mouthStretch", 0.8)), turned(mouthPucker=0.8), turned(**both("mouthSmile", 0.8)), turned(**both("eyeBlink", 1.0)),
         turned(yaw=-0.25, jawOpen=0.4), turned(yaw=0.25, jawOpen=0.4)],
    ]  # fmt: skip
    quality = {"psnr dB": psnr(image, target), "ssim": ssim(image, target),
               "pivot psnr dB": psnr(rows[0][1], target)}
    return np.concatenate([np.concatenate(row, 1) for row in rows]), quality


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("setup", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    pack, photos = Pack(arguments.pack, arguments.threads), Photos(arguments.setup)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for path in arguments.photos:
        photo = photos.load(path, pack.side)
        result, figures = invert(pack, photo, arguments.threads)
        pictures, quality = sheet(pack, result, photo)
        Image.fromarray(pictures).save(arguments.out / f"{path.stem}.png")
        print(f"{path.name}: " + ", ".join(f"{name} {value:.3f}" for name, value in (quality | figures).items()), flush=True)


if __name__ == "__main__":
    main()
