"""Arrays of MATLAB 5 files, which is what the published morphable models are kept in."""

import io
import struct
import warnings

import numpy as np
import scipy.io
import torch

from .errors import AGAIN, Unfit, truncated

MAGIC = b"MATLAB 5.0 MAT-file"
HEADER = 128  # bytes before the first array


def read(path, place) -> dict[str, torch.Tensor]:
    """The numeric arrays of a file by name."""
    data = path.read_bytes()
    _check(data, place)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            arrays = scipy.io.loadmat(io.BytesIO(data))
        except Exception as error:  # whatever a damaged file makes of SciPy's reader
            raise Unfit(place, f"not a sound MATLAB file: {error}", AGAIN) from error
    numeric = {name: a for name, a in arrays.items() if isinstance(a, np.ndarray) and a.dtype.kind in "fiub"}
    return {name: torch.from_numpy(np.ascontiguousarray(a.astype(a.dtype.newbyteorder("=")))) for name, a in numeric.items()}


def _check(data, place):
    """Each array says how long it is: their sum is what the file must have."""
    order = "<" if data[126:128] == b"IM" else ">"
    at = HEADER
    while at < len(data):
        if at + 8 > len(data):
            raise truncated(place, f"{at + 8} or more", len(data))
        length = struct.unpack_from(order + "I", data, at + 4)[0]
        at += 8 + length
        if at > len(data):
            raise truncated(place, f"{at} or more", len(data))
    if len(data) <= HEADER:
        raise truncated(place, f"more than {HEADER}", len(data))
