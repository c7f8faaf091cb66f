"""One reader for the files that weights are published in. Nothing in them is executed.

`read` tells the format by content, since endings mislead (`.pth.tar` is no archive, `.pt` may be any of three formats):

    zip archive of PyTorch    .pth .pt, TorchScript too
    older stream of PyTorch   .pth .tar .pt
    plain pickle              .pkl, with PyTorch's storages in it and objects of `torch_utils.persistence`
    MATLAB 5                  .mat
    safetensors               .safetensors
"""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from . import matlab, storages
from .errors import AGAIN, Unfit, truncated
from .opcodes import Record

LONGEST_HEADER = 100 * 2**20  # of a safetensors file


class Checkpoint:
    """What a file holds. `place` is its name in errors."""

    def __init__(self, place: str, found):
        self.place, self.found = place, found

    def at(self, key: str):
        """What stands at a path of keys joined by dots; "" is all of it."""
        here = self.found
        for part in key.split(".") if key else ():
            inside = _members(here)
            if part not in inside:
                raise Unfit(self.place, f"`{key}` is missing: `{part}` is none of {_few(inside)}", "is it the file that its name says?")
            here = inside[part]
        return here

    def tensors(self, key: str = "") -> dict[str, torch.Tensor]:
        """The tensors below `key` by their names as `state_dict` gives them."""
        found = {}
        _gather(self.at(key), "", found, set())
        if not found:
            raise Unfit(self.place, f"no tensors at `{key}`" if key else "no tensors", "is it the file that its name says?")
        return found

    def init_kwargs(self, key: str) -> dict:
        """What the network at `key` was built with: its true configuration."""
        record = self.at(key)
        kwargs = record.state.get("_init_kwargs") if isinstance(record, Record) and isinstance(record.state, dict) else None
        if not isinstance(kwargs, dict):
            raise Unfit(self.place, f"`{key}` does not say what it was built with (`_init_kwargs`)")
        return kwargs


class _Lazy(Checkpoint):
    """A safetensors file, of which only the tensors asked for are read: published ones hold several networks."""

    def __init__(self, place, path, names):
        super().__init__(place, dict.fromkeys(names))
        self.path = path

    def tensors(self, key=""):
        prefix = key + "." if key else ""
        wanted = [name for name in self.found if name.startswith(prefix)]
        if not wanted:
            raise Unfit(self.place, f"no tensors at `{key}`", "is it the file that its name says?")
        try:
            with safe_open(self.path, "pt") as file:
                return {name[len(prefix) :]: file.get_tensor(name) for name in wanted}
        except (SafetensorError, RuntimeError) as error:
            raise Unfit(self.place, f"not a sound safetensors file: {error}", AGAIN) from error


def read(path: str | Path) -> Checkpoint:
    """The weights in a file; `Unfit` says what is wrong with it."""
    path = Path(path)
    place = path.name
    try:
        size = path.stat().st_size
        with open(path, "rb") as file:
            head = file.read(32)
            if head.startswith(b"PK\x03\x04"):
                found = storages.read_zip(path, place)
            elif head.startswith(matlab.MAGIC):
                return Checkpoint(place, matlab.read(path, place))
            elif head[8:9] == b"{":
                return _Lazy(place, path, _names(path, size, place))
            elif size == 0:
                raise truncated(place, "some", 0)
            elif not head.startswith(b"\x80"):
                raise Unfit(place, "none of the formats that weights are published in", AGAIN)
            else:
                file.seek(0)
                found = storages.read_stream(file, size, place)
        return Checkpoint(place, storages.resolve(found))
    except OSError as error:
        raise Unfit(path, f"cannot be read: {error.strerror or error}") from error
    except RecursionError as error:
        raise Unfit(place, "nested too deeply", AGAIN) from error


def _names(path, size, place):
    """Names of the tensors of a safetensors file, whose length is checked."""
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > LONGEST_HEADER:
            raise Unfit(place, f"not a sound safetensors file: a header of {length} bytes", AGAIN)
        if 8 + length > size:
            raise truncated(place, f"{8 + length} or more", size)
        try:
            entries = {name: entry for name, entry in json.loads(file.read(length)).items() if name != "__metadata__"}
            ends = [entry["data_offsets"][1] for entry in entries.values()]
            expected = 8 + length + max(ends, default=0)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
            raise Unfit(place, "not a sound safetensors file: its header is damaged", AGAIN) from error
    if size < expected:
        raise truncated(place, expected, size)
    return list(entries)


def _members(x):
    """What can be reached from `x` by a key."""
    if isinstance(x, Record):
        state = x.state if isinstance(x.state, dict) else {}
        parts = {}
        for group in ("_parameters", "_buffers", "_modules"):
            if isinstance(state.get(group), dict):
                parts |= {name: part for name, part in state[group].items() if part is not None}
        # TorchScript keeps tensors and parts beside each other
        return parts or {name: part for name, part in state.items() if isinstance(part, (Record, torch.Tensor))}
    return {str(name): part for name, part in x.items()} if isinstance(x, dict) else {}


def _gather(x, name, found, above):
    if isinstance(x, torch.Tensor):
        found[name] = x
    elif id(x) not in above:
        for part, inside in _members(x).items():
            if isinstance(inside, (dict, Record, torch.Tensor)):
                _gather(inside, f"{name}.{part}" if name else part, found, above | {id(x)})


def _few(names):
    names = sorted(names)
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "") if names else "nothing"
