"""Takes libraries out of wheels: `unpack.py FOLDER WHEEL…`.

ONNX Runtime's go to FOLDER, those that its CUDA provider loads to FOLDER/cuda. Prints what it wrote.
"""

import re
import sys
import zipfile
from pathlib import Path, PurePosixPath

# libonnxruntime.so.1.31.1, libonnxruntime_providers_cuda.so, …; not the Python module.
RUNTIME = re.compile(r"libonnxruntime(\.so\.[0-9.]+|_providers_(cuda|shared)\.so)")
# libcudart.so.13, …
CUDA = re.compile(r"lib(cudart|cublas|cublasLt|curand|cudnn\w*|nvrtc[\w-]*)\.so\.[0-9.]+")


def main() -> None:
    if len(sys.argv) < 3:
        sys.exit("usage: unpack.py FOLDER WHEEL…")
    folder = Path(sys.argv[1])
    for wheel in sys.argv[2:]:
        with zipfile.ZipFile(wheel) as archive:
            for member in archive.namelist():
                name = PurePosixPath(member).name
                if RUNTIME.fullmatch(name):
                    target = folder / name
                elif CUDA.fullmatch(name):
                    target = folder / "cuda" / name
                else:
                    continue
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, target.open("wb") as out:
                    while block := source.read(1 << 20):
                        out.write(block)
                print(target)


if __name__ == "__main__":
    main()
