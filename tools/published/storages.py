"""Tensors in PyTorch's files: the zip archive of today, the older stream of pickles, and tensors inside a plain pickle.

Formats as PyTorch writes them: the zip archive holds `data.pkl` and a file of raw numbers a storage; the older stream holds a magic number,
a version, a description of the machine, the object, the keys of its storages, and their numbers in that order.
"""

import io
import struct
import zipfile
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch

from .errors import AGAIN, Unfit, truncated
from .opcodes import Global, Machine, Record

MAGIC = 0x1950A86A20F9469CFC6C  # what the older stream begins with
TYPES = {
    "FloatStorage": torch.float32, "DoubleStorage": torch.float64, "HalfStorage": torch.float16, "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64, "IntStorage": torch.int32, "ShortStorage": torch.int16, "CharStorage": torch.int8, "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}  # fmt: skip


@dataclass
class Storage:
    """Numbers of one type, known by name until they are read: `numbers` [count] comes last in the older stream."""

    kind: torch.dtype
    count: int
    numbers: torch.Tensor | None = None


@dataclass(frozen=True)
class Kind:
    """The type of a NumPy number, as NumPy abbreviates it."""

    name: str


def known(place: str) -> dict:
    """What pickles of weights may ask for, and what answers. `place` names the file in errors."""
    tensor = partial(_tensor, place)
    return {
        "collections.OrderedDict": lambda items=(): dict(items),
        "torch._utils._rebuild_tensor_v2": tensor,
        "torch._utils._rebuild_tensor": lambda storage, offset, size, stride: tensor(storage, offset, size, stride, False, {}),
        "torch._utils._rebuild_parameter": lambda data, requires_grad, hooks: data,
        "torch.storage._load_from_bytes": partial(_inner, place),
        "torch_utils.persistence._reconstruct_persistent_obj": partial(_persistent, place),
        "dnnlib.util.EasyDict": lambda items=(): dict(items),
        "builtins.set": lambda items=(): set(items),
        "__builtin__.set": lambda items=(): set(items),
        "torch.Size": lambda sizes=(): tuple(sizes),
        # numbers that NumPy made: `numpy.float64(0.1)` as an attribute of a layer
        "numpy.core.multiarray.scalar": partial(_scalar, place),
        "numpy._core.multiarray.scalar": partial(_scalar, place),
        "numpy.dtype": lambda name, *_: Kind(name),
        "_codecs.encode": lambda text, encoding: text.encode("latin1"),
        # lists and types in TorchScript
        **{f"torch.jit._pickle.build_{kind}list": lambda items: list(items) for kind in ("int", "double", "bool", "tensor")},
        "torch.jit._pickle.restore_type_tag": lambda value, _: value,
    } | {f"torch.{name}": partial(_refuse, place, name) for name in TYPES}


def _refuse(place, name, *_):
    raise Unfit(place, f"calls torch.{name}; only tensors are read")


def _persistent(place, meta):
    """An object of `torch_utils.persistence`: its state; the source code beside it is not looked at."""
    if not isinstance(meta, dict) or not isinstance(meta.get("state"), dict):
        raise Unfit(place, "not a sound pickle: a persistent object without a state", AGAIN)
    return Record(str(meta.get("class_name")), meta["state"])


def _scalar(place, kind, data=b""):
    name = kind.name if isinstance(kind, Kind) else None
    if name not in ("f8", "f4", "f2", "i8", "i4", "b1") or not isinstance(data, bytes):
        raise Unfit(place, f"holds a NumPy scalar of type {name!r}; only numbers are read")
    return np.frombuffer(data, np.dtype("?" if name == "b1" else "<" + name), 1)[0].item()


def _tensor(place, storage, offset, size, stride, requires_grad=False, hooks=None, metadata=None):
    whole = [offset, *size, *stride]
    if not isinstance(storage, Storage) or len(size) != len(stride) or not all(type(x) is int and x >= 0 for x in whole):
        raise Unfit(place, "not a sound pickle: a tensor without numbers", AGAIN)
    last = offset + sum((n - 1) * step for n, step in zip(size, stride)) if all(size) else offset - 1
    if last >= storage.count:
        raise Unfit(place, f"a tensor of {list(size)} ends at number {last + 1} of {storage.count}", AGAIN)
    return Pending(storage, offset, tuple(size), tuple(stride))


@dataclass
class Pending:
    """A tensor whose numbers may not have been read yet."""

    storage: Storage
    offset: int
    size: tuple
    stride: tuple

    def read(self) -> torch.Tensor:
        return torch.as_strided(self.storage.numbers, self.size, self.stride, self.offset)


def _named(place, identity) -> tuple[str, Storage]:
    """The key of a persistent id and the storage that it stands for, without its numbers."""
    sound = isinstance(identity, tuple) and len(identity) >= 5 and identity[0] == "storage"
    if not sound or not isinstance(identity[1], Global) or identity[1].name not in TYPES or type(identity[4]) is not int or identity[4] < 0:
        raise Unfit(place, "refers to something other than a tensor's numbers; only tensors are read")
    if len(identity) > 5 and identity[5] is not None:
        raise Unfit(place, "has a view of a storage, as PyTorch wrote before 2017; save it anew with a newer PyTorch")
    return str(identity[2]), Storage(TYPES[identity[1].name], identity[4])


def _numbers(data, kind, count):
    if count == 0:
        return torch.zeros(0, dtype=kind)
    return torch.frombuffer(bytearray(data), dtype=kind, count=count)


DAMAGE = (zipfile.BadZipFile, EOFError, OSError, ValueError, RuntimeError, NotImplementedError, struct.error)  # what `zipfile` makes of it


class _Archive:
    """A zip archive of PyTorch, opened."""

    def __init__(self, path, place):
        self.place = place
        try:
            self.zip = zipfile.ZipFile(path)
        except DAMAGE as error:
            fault = f"truncated: expected a zip archive's directory at its end, found none in {path.stat().st_size} bytes"
            raise Unfit(place, fault, AGAIN) from error
        self.entries = {entry.filename: entry for entry in self.zip.infolist()}

    def read(self, name, length=None):
        """The bytes of an entry, which must be `length` long."""
        place, entry = f"{self.place}, {name}", self.entries.get(name)
        if entry is None:
            raise Unfit(place, "missing", AGAIN)
        if length is not None and entry.file_size != length:
            raise Unfit(place, f"expected {length} bytes, found {entry.file_size}", AGAIN)
        if entry.compress_type != zipfile.ZIP_STORED:
            raise Unfit(place, "compressed, as PyTorch never writes it")
        try:
            return self.zip.read(entry)
        except DAMAGE as error:
            raise Unfit(place, f"damaged: {error}", AGAIN) from error


def read_zip(path, place):
    """The object in a zip archive of PyTorch."""
    archive = _Archive(path, place)
    with archive.zip:
        pickles = [name for name in archive.entries if name.endswith("/data.pkl") and name.count("/") == 1]
        if len(pickles) != 1:
            raise Unfit(place, "a zip archive that PyTorch did not write: expected one data.pkl")
        folder, storages = pickles[0].removesuffix("data.pkl"), {}
        if folder + "byteorder" in archive.entries and archive.read(folder + "byteorder") != b"little":
            raise Unfit(place, "its numbers are big-endian, expected little-endian")

        def load(identity):
            key, storage = _named(place, identity)
            if key not in storages:
                data = archive.read(f"{folder}data/{key}", storage.count * storage.kind.itemsize)
                storage.numbers, storages[key] = _numbers(data, storage.kind, storage.count), storage
            return storages[key]

        pickled = archive.read(pickles[0])
        return Machine(place, known(place), load).run(io.BytesIO(pickled), len(pickled))


def read_stream(stream, size, place):
    """The object in a stream that begins with a pickle: PyTorch's older format, or a plain pickle."""
    storages = {}

    def load(identity):
        key, storage = _named(place, identity)
        return storages.setdefault(key, storage)

    first = Machine(place, known(place), load).run(stream, size)
    if first != MAGIC:
        if storages:
            raise Unfit(place, "names tensors whose numbers are not in it", AGAIN)
        return first
    version, _, found, keys = (Machine(place, known(place), load).run(stream, size) for _ in range(4))
    if version != 1001:
        raise Unfit(place, f"expected version 1001 of PyTorch's older format, found {version}")
    if not isinstance(keys, list) or set(map(str, keys)) != set(storages):
        raise Unfit(place, "not a sound file: its storages are not those that its tensors name", AGAIN)
    for key in keys:
        storage = storages[str(key)]
        count = int.from_bytes(_exactly(stream, 8, size, place), "little")
        if count != storage.count:
            raise Unfit(place, f"storage {key}: expected {storage.count} numbers, found {count}", AGAIN)
        storage.numbers = _numbers(_exactly(stream, count * storage.kind.itemsize, size, place), storage.kind, count)
    return found


def _exactly(stream, count, size, place):
    start = stream.tell()
    if start + count > size:
        raise truncated(place, f"{start + count} or more", size)
    return stream.read(count)


def _inner(place, data):
    """A storage inside a plain pickle: bytes of the older format."""
    if not isinstance(data, bytes):
        raise Unfit(place, "not a sound pickle: a storage without bytes", AGAIN)
    found = read_stream(io.BytesIO(data), len(data), f"{place}, a storage in it")
    if not isinstance(found, Storage):
        raise Unfit(place, "not a sound pickle: a storage without numbers", AGAIN)
    return found


def resolve(found):
    """`found` with every pending tensor read, in place where it is a dictionary or list."""
    seen = {}

    def visit(x):
        if isinstance(x, Pending):
            return x.read()
        if id(x) in seen:
            return seen[id(x)][0]
        if isinstance(x, Record):
            seen[id(x)] = x, x
            x.state = visit(x.state)
        elif isinstance(x, dict):
            seen[id(x)] = x, x
            for key in x:
                x[key] = visit(x[key])
        elif isinstance(x, list):
            seen[id(x)] = x, x
            x[:] = map(visit, x)
        elif isinstance(x, tuple):
            made = tuple(map(visit, x))
            seen[id(x)] = made, x
            return made
        return x

    return visit(found)
