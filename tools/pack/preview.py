"""Pictures to judge a generator by: `python -m tools.pack.preview GENERATOR.pt OUT.png`.

Rows: 16 people from z; of two of them a yaw sweep and jaws, shut lips, smile, pucker, blinks and gaze; depth.
"""

import argparse

import numpy as np
import torch
from PIL import Image

from ..heads import params as P
from ..heads.params import both
from ..heads.people import plausible
from .studio import generator


def tile(picture):
    return ((picture[0].clamp(-1, 1).permute(1, 2, 0) + 1) * 127.5).byte().numpy()


def main():
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("generator")
    a.add_argument("out")
    a.add_argument("--side", type=int, default=256)
    a.add_argument("--psi", type=float, default=0.7)
    a.add_argument("--seed", type=int, default=0)
    a = a.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(a.seed)
    model, rows = generator(a.generator), []
    people = plausible(torch.randn(16, P.Z), torch.tensor([a.psi]))

    def show(p, expression=None, **pose):
        p = p.clone()
        for k, v in (expression or {}).items():
            p[0, P.IDENTITY + P.UNIT[k]] = v
        at = torch.tensor([[pose.get(k, 0.0) for k in ("pitch", "yaw", "roll", "x", "y", "z")]])
        with torch.no_grad():
            return model(p, at, rays=a.side // 2)

    rows.append([tile(show(p[None])["image"]) for p in people[:8]])
    rows.append([tile(show(p[None])["image"]) for p in people[8:]])
    for p in people[:2, None]:
        rows.append([tile(show(p, yaw=float(y))["image"]) for y in np.linspace(-0.6, 0.6, 8)])
        rows.append([
            tile(show(p, e)["image"])
            for e in ({"jawOpen": 0.2}, {"jawOpen": 0.45}, {"jawOpen": 0.8}, {"jawOpen": 0.2, "mouthClose": 0.2} | both("mouthPress", 0.6),
                      both("mouthSmile", 0.9) | both("mouthStretch", 0.3), {"mouthPucker": 0.9}, both("eyeBlink", 1.0),
                      {"jawOpen": 0.25, "eyeLookOutLeft": 0.9, "eyeLookInRight": 0.9} | both("mouthUpperUp", 0.8) | both("mouthLowerDown", 0.8))
        ])  # fmt: skip
    depth = [show(p[None])["depth"] for p in people[:8]]
    depth = [torch.nn.functional.interpolate((d - 9.0).clamp(0, 1) * -2 + 1, size=a.side).expand(1, 3, -1, -1) for d in depth]
    rows.append([tile(d) for d in depth])
    Image.fromarray(np.concatenate([np.concatenate(r, 1) for r in rows], 0)).save(a.out)


if __name__ == "__main__":
    main()
