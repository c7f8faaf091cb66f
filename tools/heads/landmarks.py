"""Where the face mesh's 468 landmarks lie on the head: `python -m tools.heads.landmarks [--people N]` finds them anew and writes landmarks.npz.

Rendered people, looked at from several sides, go through the face mesh (MediaPipe's, of the set-up); what it finds is cast back onto the
mesh, averaged in the neutral head's frame, made symmetric and brought onto the surface. Edges of the lids and the inner lips lie on their
own lines of the mesh.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.spatial import cKDTree

from ..pack.photo import FACE_IN_CROP, MESH_SIDE, _square
from ..stepgraph.run import session
from ..tracking import face
from . import head as H
from . import params as P
from . import points as M
from . import view as G
from .raster import raster

FILE = Path(__file__).with_name("landmarks.npz")
FACING, FAR = 0.12, 1.6  # cosine to the view from which a hit counts; centimetres from the median within which it does
YAWS, PITCHES = (-0.5, -0.25, 0.0, 0.25, 0.5), (-0.15, 0.0, 0.15)
SIDE = 256
INNER = (M.LIPS_U[3], M.LIPS_L[3])


def load():
    """Fine vertices `[468,3]` and their weights `[468,3]`, of the landmarks."""
    with np.load(FILE) as f:
        return f["vertices"], f["weights"]


def person(rng):
    """p [D] of a plausible person without what hides the face, neutral."""
    import torch

    from . import people

    p = people.plausible(torch.tensor(rng.normal(size=(1, P.Z)), dtype=torch.float32), 0.9 * torch.ones(1))[0].numpy()
    for name in ("glasses", "fringe", "scarf", "cap", "chin_beard", "cheek_beard", "moustache"):
        p[P.SLOT[name]] = 0
    return p


class FaceMesh:
    """The set-up's face mesh on a picture in which a face fills most."""

    def __init__(self):
        from . import assets

        self.model = session(assets.home() / "models" / "face_mesh.onnx", 1)

    def __call__(self, picture, rounds=3):
        """picture uint8 [s,s,3] -> landmarks [468,2] in pixels."""
        photo = Image.fromarray(np.pad(picture, ((SIDE // 2,) * 2, (SIDE // 2,) * 2, (0, 0)), mode="edge"))
        centre, across, half = np.array(photo.size) / 2, np.array([1.0, 0.0]), 0.4 * len(picture)
        for _ in range(rounds):
            square, (corner, axes) = _square(photo, centre, across, half, MESH_SIDE)
            found = self.model.run(None, {self.model.get_inputs()[0].name: np.asarray(square, np.float32)[None] / 255})[0]
            points = corner + found.reshape(468, 3)[:, :2] / MESH_SIDE @ axes.T
            line = points[[263, 362]].mean(0) - points[[33, 133]].mean(0)
            across = line / np.linalg.norm(line)
            centre, half = (points.min(0) + points.max(0)) / 2, FACE_IN_CROP / 2 * np.ptp(points, axis=0).max()
        return points - SIDE // 2


def screen(fine, pose, side):
    """Fine vertices [M,3] in centimetres -> x and y in pixels and camera depth [M,3]."""
    import torch

    at = torch.tensor((fine - np.array(G.ORIGIN)) / G.SCALE, dtype=torch.float32)[None]
    pose = torch.tensor(pose, dtype=torch.float32)[None]
    depth = G.DISTANCE - (at @ G.rotation(pose).transpose(1, 2) + pose[:, None, 3:])[0, :, 2].numpy()
    return np.concatenate([G.project(at, pose)[0].numpy() * side, depth[:, None]], 1)


def observe(renderer, mesh, rng, count):
    """What the face mesh sees of `count` people, one view each: list of (p, pose, landmarks [468,2] in pixels of SIDE)."""
    seen = []
    for i in range(count):
        p = person(rng)
        pose = np.array([PITCHES[i % 3], YAWS[i % 5], 0, 0, -0.02, 0])
        seen.append((p, pose, mesh(np.ascontiguousarray(renderer.draw(p, pose, SIDE, 1)["big"]))))
    return seen


def cast(head, p, pose, points):
    """Where landmarks [468,2] in pixels meet the skin: places on the neutral head [468,3] and weights [468], 0 where they miss."""
    fine = head.fine(head.coarse(p[P.SLOT["identity"]], p[P.SLOT["expression"]]))
    skin = head.fine_faces[head.fine_part == H.SKIN]
    at = screen(fine, pose, 2 * SIDE)
    _, triangle, bary = raster(at, skin, 2 * SIDE)
    x, y = np.clip((2 * points).astype(int), 0, 2 * SIDE - 1).T
    k = y * 2 * SIDE + x
    hit = triangle[k]
    corners = skin[np.maximum(hit, 0)]
    w = np.concatenate([bary[k], 1 - bary[k].sum(1, keepdims=True)], 1)
    a, b, c = (at[corners[:, i]] * [1, 1, -2 * SIDE / (2 * G.TAN * G.DISTANCE)] for i in range(3))
    normal = np.cross(b - a, c - a)
    facing = np.abs(normal[:, 2]) / np.maximum(np.linalg.norm(normal, axis=1), 1e-9)
    return np.einsum("lk,lkx->lx", w, head.neutral_fine[corners]), np.where((hit >= 0) & (facing > FACING), facing**2, 0)


def gather(places, weights):
    """places [n,468,3], weights [n,468] -> symmetric mean places [468,3], and how much was seen of each [468]."""
    masked = np.where(weights[..., None] > 0, places, np.nan)
    middle = np.nanmedian(masked, axis=0)
    near = np.linalg.norm(places - middle, axis=-1) < FAR
    w = weights * near + 1e-6 * (np.abs(weights) > 0)
    total = w.sum(0)
    mean = (w[..., None] * places).sum(0) / np.maximum(total, 1e-9)[:, None]
    other = face.mirror()
    both = np.stack([mean, mean[other] * [-1, 1, 1]])
    share = np.stack([total, total[other]])[..., None]
    return (share * both).sum(0) / np.maximum(share.sum(0), 1e-9), total


def nearest(points, v, faces):
    """The points of a mesh nearest to points [n,3]: vertices [n,3] and weights [n,3]."""
    tree = cKDTree(v[faces].mean(1))
    best, at, weights = np.full(len(points), np.inf), np.zeros((len(points), 3), int), np.zeros((len(points), 3))
    for k in tree.query(points, 24)[1].T:
        a, b, c = (v[faces[k, i]] for i in range(3))
        e, f, g = b - a, c - a, points - a
        ee, ef, ff, eg, fg = ((p * q).sum(1) for p, q in ((e, e), (e, f), (f, f), (e, g), (f, g)))
        d = np.maximum(ee * ff - ef * ef, 1e-12)
        w = np.stack([np.zeros_like(d), (ff * eg - ef * fg) / d, (ee * fg - ef * eg) / d], 1)
        w[:, 0] = 1 - w[:, 1] - w[:, 2]
        w = np.maximum(w, 0)
        w /= w.sum(1, keepdims=True)
        off = np.linalg.norm(w[:, :1] * a + w[:, 1:2] * b + w[:, 2:] * c - points, axis=1)
        closer = off < best
        best[closer], at[closer], weights[closer] = off[closer], faces[k][closer], w[closer]
    return at, weights


def on_line(x, row, v):
    """The place on a row of vertices (x ascending) at x: vertices [3] and weights [3]."""
    along = v[row, 0]
    x = np.clip(x, along[0], along[-1])
    i = int(np.clip(np.searchsorted(along, x) - 1, 0, len(row) - 2))
    t = (x - along[i]) / (along[i + 1] - along[i])
    return [row[i], row[i + 1], row[i]], [1 - t, t, 0.0]


def settle(head, places):
    """Places [468,3] on the neutral head -> vertices and weights on its surface, lids and inner lips on their lines."""
    lining = head.masks["mouth_inside"] > 0.3
    skin = head.fine_faces[(head.fine_part == H.SKIN)]
    skin = skin[~lining[skin].any(1)]
    at, weights = nearest(places, head.neutral_fine, skin)
    v = head.neutral_fine
    lids = {name: head.shape.rows(name) for name in ("lids_Left", "lids_Right", "lips")}
    for name, upper, lower in (("lids_Left", M.EYE_L_UPPER, M.EYE_L_LOWER), ("lids_Right", M.EYE_R_UPPER, M.EYE_R_LOWER), ("lips", *INNER)):
        for marks, row in zip((upper, lower), lids[name]):
            # The marks' own range goes onto the line's, corner onto corner.
            x = places[marks, 0]
            first, last = v[row[[0, -1]], 0] if x[0] < x[-1] else v[row[[-1, 0]], 0]
            for mark, t in zip(marks, (x - x[0]) / (x[-1] - x[0])):
                at[mark], weights[mark] = on_line(first + np.clip(t, 0, 1) * (last - first), row, v)
    return at, weights


def error(head, seen, at, weights):
    """Distance of the landmarks from what the face mesh saw, in pixels of SIDE: [n,468]."""
    out = []
    for p, pose, points in seen:
        fine = head.fine(head.coarse(p[P.SLOT["identity"]], p[P.SLOT["expression"]]))
        where = np.einsum("lk,lkx->lx", weights, fine[at])
        out.append(np.linalg.norm(screen(where, pose, SIDE)[:, :2] - points, axis=1))
    return np.array(out)


def main():
    from .render import Renderer

    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("--people", type=int, default=40)
    a.add_argument("--held-out", type=int, default=10)
    a.add_argument("--seed", type=int, default=11)
    a = a.parse_args()
    head = H.Head()
    seen = observe(Renderer(head), FaceMesh(), np.random.default_rng(a.seed), a.people + a.held_out)
    used, held = seen[: a.people], seen[a.people :]
    found = [cast(head, *s) for s in used]
    places, total = gather(*(np.array(x) for x in zip(*found)))
    at, weights = settle(head, places)
    np.savez_compressed(FILE, vertices=at.astype(np.int32), weights=weights.astype(np.float32))
    for name, some in (("used", used), ("held out", held)):
        e = error(head, some, at, weights)
        print(f"{name}: mean {e.mean():.2f}, median {np.median(e):.2f}, 95 % {np.quantile(e, 0.95):.2f} px of {SIDE}; worst landmarks {np.argsort(-e.mean(0))[:8].tolist()}")
    print(f"least seen: {total.min():.1f}")


if __name__ == "__main__":
    main()
