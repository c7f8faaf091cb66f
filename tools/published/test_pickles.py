"""Checks of the reader of published files: `python -m unittest tools.published.test_pickles`."""

import io
import os
import pickle
import tempfile
import unittest
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import scipy.io
import torch
from safetensors.torch import save_file

from . import random_weights
from .errors import Unfit
from .pickles import read


class Called:
    """Pickles as a call of any function."""

    def __init__(self, function, *arguments):
        self.reduced = function, arguments

    def __reduce__(self):
        return self.reduced


class Files(unittest.TestCase):
    """Tensors of every format, and the messages for files that are no good."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        torch.manual_seed(0)
        whole = torch.randn(6, 8)
        self.tensors = OrderedDict(
            weight=whole, part=whole[1:3, ::2], turned=whole.t(), half=torch.randn(5).half(), count=torch.tensor(7), none=torch.zeros(0, 3),
        )  # fmt: skip

    def path(self, name):
        return self.folder / name

    def refused(self, path, *parts):
        with self.assertRaises(Unfit) as caught:
            read(path)
        text = str(caught.exception)
        self.assertTrue(text.startswith(path.name), text)
        for part in parts:
            self.assertIn(part, text)
        self.assertLessEqual(text.count("hint: "), 1)
        return text

    def same(self, found, expected):
        self.assertEqual(sorted(found), sorted(expected))
        for name, tensor in expected.items():
            self.assertEqual(found[name].dtype, tensor.dtype, name)
            self.assertTrue(torch.equal(found[name], tensor), name)

    def test_both_formats_of_pytorch(self):
        for zipped in (True, False):
            torch.save({"net": self.tensors, "epoch": 20, "optimiser": {"state": {}, "lr": 0.1}}, self.path("a.pth"), _use_new_zipfile_serialization=zipped)
            self.same(read(self.path("a.pth")).tensors("net"), self.tensors)

    def test_a_module_keeps_the_names_of_its_state_dict(self):
        network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2), torch.nn.ModuleList([torch.nn.Linear(2, 2, bias=False)]))
        torch.save({"net": network}, self.path("a.pt"))
        self.same(read(self.path("a.pt")).tensors("net"), network.state_dict())

    def test_torchscript(self):
        network = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.ReLU(), torch.nn.Linear(2, 2))
        torch.jit.trace(network, torch.zeros(1, 1, 3, 4)).save(self.path("a.pt"))
        self.same(read(self.path("a.pt")).tensors(), network.state_dict())

        class Lists(torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.weight, self.sizes, self.names = torch.nn.Parameter(torch.ones(3)), [1, 2], {"a": 0.5}

            def forward(self, x):
                return x * self.weight + self.sizes[0] + self.names["a"]

        torch.jit.script(Lists()).save(self.path("l.pt"))
        self.same(read(self.path("l.pt")).tensors(), {"weight": torch.ones(3)})

    def test_a_pickle_with_persistent_objects(self):
        tensors = {"b.c.weight": torch.randn(2, 3), "b.bias": torch.randn(3), "w_avg": torch.randn(4)}
        random_weights.write_pickle(self.path("g.pkl"), {"z_dim": 512, "synthesis_kwargs": {"fov": 12}}, tensors)
        found = read(self.path("g.pkl"))
        self.same(found.tensors("G_ema"), tensors)
        self.same(found.tensors("G_ema.b"), {"c.weight": tensors["b.c.weight"], "bias": tensors["b.bias"]})
        self.assertEqual(found.init_kwargs("G_ema")["synthesis_kwargs"], {"fov": 12})

    def test_numbers_of_numpy_in_a_pickle(self):
        gain = np.float64(0.1) / np.sqrt(512)
        for protocol in (2, 4):
            Path(self.path("g.pkl")).write_bytes(pickle.dumps({"gain": gain, "names": {"a"}, "t": self.tensors["part"]}, protocol))
            found = read(self.path("g.pkl"))
            self.assertEqual(found.at("gain"), float(gain))
            self.same(found.tensors(), {"t": self.tensors["part"]})

    def test_safetensors_give_one_network_of_several(self):
        save_file({"a.w": torch.ones(2), "a.b": torch.zeros(3), "ab.w": torch.ones(1)}, self.path("s.safetensors"))
        self.same(read(self.path("s.safetensors")).tensors("a"), {"w": torch.ones(2), "b": torch.zeros(3)})

    def test_matlab(self):
        arrays = {
            "a": np.arange(6.0).reshape(2, 3), "single": np.ones((2, 2, 2), "f4"), "n": np.int32([[1, 2]]), "small": np.uint8([[3]]),
            "large": np.int64([[-(2**40)]]), "wide": np.uint16([[1], [65535]]), "long_name_of_an_array": np.zeros((0, 3)),
        }  # fmt: skip
        for compressed in (False, True):
            scipy.io.savemat(self.path("m.mat"), arrays | {"text": "x", "cells": {"b": 1}}, do_compression=compressed)
            found = read(self.path("m.mat")).tensors()
            self.assertEqual(set(found), set(arrays))
            for name, array in arrays.items():
                self.assertEqual(found[name].shape, array.shape)
                self.assertTrue(np.array_equal(found[name].numpy(), array), name)
        self.assertEqual((found["a"].dtype, found["single"].dtype), (torch.float64, torch.float32))

    def test_what_is_missing_is_named(self):
        torch.save({"net": self.tensors}, self.path("a.pth"))
        with self.assertRaisesRegex(Unfit, "a.pth: `model_state_dict` is missing: `model_state_dict` is none of net"):
            read(self.path("a.pth")).tensors("model_state_dict")
        with self.assertRaisesRegex(Unfit, "cannot be read: No such file"):
            read(self.path("absent.pth"))

    def test_a_hostile_pickle_runs_nothing(self):
        trace = self.path("ran")
        for function, name in ((os.system, "posix.system"), (eval, "builtins.eval"), (torch.load, "torch.serialization.load")):
            hostile = Called(function, f"touch {trace}")
            self.path("h.pkl").write_bytes(pickle.dumps(hostile, 0))
            self.refused(self.path("h.pkl"), "none of the formats")
            for protocol in (2, 4):
                self.path("h.pkl").write_bytes(pickle.dumps({"G_ema": hostile}, protocol))
                wanted = name if protocol > 2 else name.replace("builtins", "__builtin__")
                self.refused(self.path("h.pkl"), f"h.pkl: wants global {wanted}; only tensors are read")
            for zipped in (True, False):
                torch.save({"net": hostile}, self.path("h.pth"), _use_new_zipfile_serialization=zipped)
                self.refused(self.path("h.pth"), "wants global ")
            inner = io.BytesIO()
            torch.save(hostile, inner, _use_new_zipfile_serialization=False)
            self.path("h.pkl").write_bytes(pickle.dumps({"t": Called(torch.storage._load_from_bytes, inner.getvalue())}))
            self.refused(self.path("h.pkl"), "wants global ")
        self.assertFalse(trace.exists())

    def test_the_source_in_a_pickle_is_not_run(self):
        random_weights.write_pickle(self.path("g.pkl"), {}, {"w": torch.ones(1)})
        self.assertIn(b"raise SystemExit", self.path("g.pkl").read_bytes())
        self.same(read(self.path("g.pkl")).tensors("G_ema"), {"w": torch.ones(1)})

    def test_calls_by_other_means_are_refused(self):
        for opcodes in (b"cos\nsystem\n(S'true'\ntR.", b"(S'true'\nios\nsystem\n.", b"\x82\x01.", b"(cos\nsystem\nS'true'\no."):
            self.path("h.pkl").write_bytes(b"\x80\x02" + opcodes)
            self.refused(self.path("h.pkl"), "only tensors are read")

    def test_a_tensor_beyond_its_storage_is_refused(self):
        torch.save({"w": torch.ones(4)}, self.path("a.pth"), _use_new_zipfile_serialization=False)
        data = self.path("a.pth").read_bytes()
        at = data.index(b"K\x00K\x04\x85")  # offset 0, size (4,)
        self.path("a.pth").write_bytes(data[: at + 3] + b"\x09" + data[at + 4 :])
        self.refused(self.path("a.pth"), "a tensor of [9] ends at number 9 of 4")

    def test_truncated_files_say_what_was_expected(self):
        torch.save({"net": self.tensors}, self.path("zip.pth"))
        torch.save({"net": self.tensors}, self.path("old.pth"), _use_new_zipfile_serialization=False)
        random_weights.write_pickle(self.path("g.pkl"), {}, {"w": torch.ones(1000)})
        save_file({"a": torch.ones(100)}, self.path("s.safetensors"))
        scipy.io.savemat(self.path("m.mat"), {"a": np.zeros((50, 5))})
        for name in ("zip.pth", "old.pth", "g.pkl", "s.safetensors", "m.mat"):
            whole = self.path(name).read_bytes()
            for share in (0.0, 0.1, 0.5, 0.9, 0.999):
                self.path(name).write_bytes(whole[: int(len(whole) * share)])
                text = self.refused(self.path(name), "found")
                self.assertRegex(text, r"expected|none of the formats", (name, share))
                self.assertNotIn("Traceback", text)

    def test_damaged_files_are_refused(self):
        tensors, places = {"w": torch.ones(10), "b.w": torch.zeros(4)}, np.random.default_rng(0)
        random_weights.write_pickle(self.path("g.pkl"), {}, tensors)
        torch.save(tensors, self.path("zip.pth"))
        torch.save(tensors, self.path("old.pth"), _use_new_zipfile_serialization=False)
        save_file(tensors, self.path("s.safetensors"))
        scipy.io.savemat(self.path("m.mat"), {"a": np.zeros((5, 5))})
        for name in ("g.pkl", "zip.pth", "old.pth", "s.safetensors", "m.mat"):
            whole = self.path(name).read_bytes()
            for _ in range(100):
                damaged = bytearray(whole)
                for at in places.integers(0, len(whole), 3):
                    damaged[at] = places.integers(256)
                self.path(name).write_bytes(damaged)
                try:
                    read(self.path(name)).tensors()  # what was hit may be a number or a comment
                except Unfit:
                    pass

    def test_a_pickle_without_its_numbers_is_refused(self):
        torch.save(torch.ones(3), self.path("a.pth"))
        with zipfile.ZipFile(self.path("a.pth")) as archive:
            self.path("b.pkl").write_bytes(archive.read("a/data.pkl"))
        self.refused(self.path("b.pkl"), "names tensors whose numbers are not in it")


if __name__ == "__main__":
    unittest.main()
