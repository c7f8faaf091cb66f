"""Recomputes the blake3 digests of a pack: `python -m tools.pack.digest PACK.yaml [--setup FOLDER]`.

Files named `@setup/NAME` are looked up in the set-up folder; those that are absent keep the digest they have.
"""

import argparse
import re
from pathlib import Path

from blake3 import blake3

_ENTRY = re.compile(r'(file:\s*"?)([^",}]+?)("?\s*,\s*blake3:\s*)[^\s},]*(\s*[},])')


def digest(path):
    """64 hex digits of a file."""
    return blake3(Path(path).read_bytes()).hexdigest()


def update(path, setup=None):
    """Rewrites `path` with current digests; gives the names of files that were not found."""
    path, missing = Path(path), []

    def replace(m):
        name = m[2].strip()
        file = path.parent / name
        if name.startswith("@setup/"):
            file = Path(setup) / name[len("@setup/") :] if setup else None
        if file is None or not file.is_file():
            missing.append(name)
            return m[0]
        return f"{m[1]}{m[2]}{m[3]}{digest(file)}{m[4]}"

    path.write_text(_ENTRY.sub(replace, path.read_text()))
    return missing


if __name__ == "__main__":
    a = argparse.ArgumentParser(description=__doc__)
    a.add_argument("pack", type=Path)
    a.add_argument("--setup", type=Path)
    a = a.parse_args()
    for name in update(a.pack, a.setup):
        print(f"{name}: not found, its digest is left as it was")
