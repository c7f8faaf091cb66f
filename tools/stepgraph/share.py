"""Keeps large constants that several ONNX files of a folder hold only once, in a data file beside them.

    python -m tools.stepgraph.share FOLDER

The models refer to the data file as ONNX external data, which ONNX Runtime resolves beside the model. Each reference carries the
tensor's SHA-1, so the digest of a model changes with the constants it uses. Constants whose values are all exact in half
precision are stored so, behind a Cast. Run it again after any file of the folder was written anew.
"""

import argparse
import hashlib
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

DATA = "shared.bin"
LARGE = 64 * 1024  # bytes from which on sharing is worth it
PAGE = 4096  # alignment of a tensor in the data file, for memory mapping


def _stored(tensor: TensorProto) -> np.ndarray:
    """The array as it goes to the file: in half precision where that is exact."""
    array = numpy_helper.to_array(tensor)
    if array.dtype == np.float32:
        with np.errstate(over="ignore"):
            half = array.astype(np.float16)
        if np.array_equal(half.astype(np.float32), array):
            return half
    return array


def _key(array: np.ndarray):
    return array.dtype.str, array.shape, hashlib.sha1(array.tobytes()).hexdigest()


def _refer(model: onnx.ModelProto, places: dict) -> int:
    """Point initialisers of `model` at their `places` in the data file; gives how many."""
    count, casts = 0, []
    for tensor in model.graph.initializer:
        if len(tensor.raw_data) < LARGE:
            continue
        array = _stored(tensor)
        key = _key(array)
        if key not in places:
            continue
        name, kind = tensor.name, tensor.data_type
        half = array.dtype == np.float16 and kind == TensorProto.FLOAT
        form = (name + "_half", TensorProto.FLOAT16) if half else (name, kind)
        stored = helper.make_tensor(*form, array.shape, array.tobytes(), raw=True)
        stored.ClearField("raw_data")
        stored.data_location = TensorProto.EXTERNAL
        for entry, value in {"location": DATA, "offset": places[key], "length": array.nbytes, "checksum": key[2]}.items():
            stored.external_data.add(key=entry, value=str(value))
        tensor.CopyFrom(stored)
        if half:
            casts.append(helper.make_node("Cast", [name + "_half"], [name], to=TensorProto.FLOAT))
        count += 1
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return count


def share(folder: str | Path) -> dict[str, int]:
    """Share constants among the models of `folder`; gives the number of shared ones by file."""
    folder = Path(folder)
    models = {path: onnx.load(path) for path in sorted(folder.glob("*.onnx"))}
    arrays, users = {}, Counter()
    for model in models.values():
        keys = set()
        for tensor in model.graph.initializer:
            if len(tensor.raw_data) >= LARGE:
                array = _stored(tensor)
                arrays[_key(array)] = array
                keys.add(_key(array))
        users.update(keys)
    data, places = bytearray(), {}
    for key, array in arrays.items():
        if users[key] > 1:
            data.extend(bytes(-len(data) % PAGE))
            places[key] = len(data)
            data.extend(array.tobytes())
    if places:
        (folder / DATA).write_bytes(data)
    else:
        (folder / DATA).unlink(missing_ok=True)
    counts = {}
    for path, model in models.items():
        before = model.SerializeToString()
        if counts_here := _refer(model, places):
            counts[path.name] = counts_here
        after = model.SerializeToString()
        if after != before or path.read_bytes() != after:
            path.write_bytes(after)
    return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    for name, count in share(folder).items():
        print(f"{name}: {count} shared, {(folder / name).stat().st_size / 1e6:.2f} MB left")
    if (folder / DATA).exists():
        print(f"{DATA}: {(folder / DATA).stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
