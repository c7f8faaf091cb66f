"""The canonical 468-point face mesh, read out of the npm package `@mediapipe/face_mesh`.

The package (Apache-2.0, Copyright The MediaPipe Authors) holds the mesh as a protobuf inside its packed assets:
`Mesh3d { repeated float vertex_buffer = 3; repeated uint32 index_buffer = 4; }`, five floats a vertex (position in
centimetres, texture coordinates). Only this geometry is taken: 468 positions and their triangles.

    npm pack @mediapipe/face_mesh@0.4.1657299874
    python -m tools.tracking.canonical mediapipe-face_mesh-0.4.1657299874.tgz
"""

import struct
import sys
import tarfile
from pathlib import Path

import numpy as np

FILE = Path(__file__).parent / "canonical.npz"
ASSETS = "package/face_mesh_solution_packed_assets.data"
VERTICES = 468
FIRST = struct.pack("<5xf", -3.406404)[5:]  # y of the first vertex


def extract(archive):
    """Positions [468, 3] (centimetres, y up, z out of the face) and triangles [T, 3]."""
    with tarfile.open(archive) as tar:
        data = tar.extractfile(ASSETS).read()
    start = data.index(FIRST) - 6  # tag and x come before
    buffer = data[start : start + VERTICES * 25]
    floats = np.frombuffer(buffer, np.uint8).reshape(-1, 5)
    if not (floats[:, 0] == 0x1D).all():
        raise ValueError(f"{archive}: the mesh is not where it was in version 0.4.1657299874")
    vertices = floats[:, 1:].copy().view("<f4").reshape(VERTICES, 5)[:, :3]
    indices, at = [], start + len(buffer)
    while data[at] == 0x20:
        at, value, shift = at + 1, 0, 0
        while True:
            byte = data[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if byte < 0x80:
                break
        indices.append(value)
    return vertices.astype(np.float32), np.array(indices, np.int32).reshape(-1, 3)


def load():
    """The mesh kept beside this file: (vertices [468, 3], triangles [T, 3])."""
    with np.load(FILE) as f:
        return f["vertices"], f["triangles"]


if __name__ == "__main__":
    v, t = extract(sys.argv[1])
    np.savez_compressed(FILE, vertices=v, triangles=t)
    print(f"{FILE}: {len(v)} vertices, {len(t)} triangles")
