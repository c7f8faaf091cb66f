"""Runs graphs in the talkgraph binary and reads what comes out."""

import json
import os
import pathlib
import subprocess
import tempfile

import numpy as np
import safetensors.numpy
import yaml

GRAPHS = pathlib.Path(__file__).parent / "graphs"
ROOT = pathlib.Path(__file__).parents[2]


class Failed(RuntimeError):
    """A graph did not run; the message is the binary's own."""


class Engine:
    """The binary with a pack; every run shares the user's cache."""

    def __init__(self, binary, pack):
        self.binary, self.pack = pathlib.Path(binary), pathlib.Path(pack)
        if not self.binary.exists():
            raise FileNotFoundError(f"{binary}: no such file\nhint: cargo build --release")
        self.about = yaml.safe_load((self.pack / "pack.yaml").read_text())
        self.side, self.expressions = self.about["resolution"], self.about["expression"]
        if "jawOpen" not in self.expressions:
            raise Failed(f"{pack}: its expression is {', '.join(self.expressions[:3])}, …, expected face units\nhint: make pack trains a pack of them")

    def run(self, graph, inputs, outputs, settings=()):
        """Runs a graph; `inputs` and `outputs`: name to path. Gives the report's nodes by name.

        Raises Failed with the binary's message.
        """
        return {node["id"]: node for node in self.report(graph, inputs, outputs, settings)["nodes"]}

    def report(self, graph, inputs, outputs, settings=(), refresh=()):
        """The whole report of a run like `run`'s, in which the nodes `refresh` run again though they are stored."""
        graph = graph if isinstance(graph, pathlib.Path) else GRAPHS / f"{graph}.yaml"
        with tempfile.TemporaryDirectory() as folder:
            report = pathlib.Path(folder) / "report.json"
            command = [self.binary, "run", "-q", graph, "--pack", self.pack, "--report", report]
            for flag, ports in (("-i", inputs), ("-o", outputs)):
                for name, path in ports.items():
                    command += [flag, f"{name}={path}"]
            for setting in settings:
                command += ["--set", setting]
            for node in refresh:
                command += ["--refresh", node]
            environment = os.environ | {"NO_COLOR": "1"}
            done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True)
            if done.returncode:
                raise Failed(done.stderr.strip() or f"{graph}: exit status {done.returncode}")
            return json.loads(report.read_text())

    def tensors(self, graph, inputs, names, settings=()):
        """The tensors of the graph outputs `names`, by output; a file of one tensor gives that tensor."""
        with tempfile.TemporaryDirectory() as folder:
            paths = {name: pathlib.Path(folder) / f"{name}.safetensors" for name in names}
            self.run(graph, inputs, paths, settings)
            read = {name: safetensors.numpy.load_file(path) for name, path in paths.items()}
        # Of landmarks, the points: what else `align` says of frames is asked for with `landmarks`.
        alone = lambda name, one: one[name] if name == "landmarks" else next(iter(one.values())) if len(one) == 1 else one
        return {name: alone(name, one) for name, one in read.items()}

    def landmarks(self, clip):
        """All that `align` says of the frames of a video or a folder: `landmarks [n,468,2]`, `near [n,468]`, `eyes [n,2,21,2]`, `found [n]` …"""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "landmarks.safetensors"
            self.run("track", {"film": clip}, {"landmarks": path})
            return safetensors.numpy.load_file(path)

    def animate(self, portrait, expression, pose, names):
        """Outputs of the graph `animate` for curves `[n,E]` and `[n,6]`."""
        with tempfile.TemporaryDirectory() as folder:
            curves = pathlib.Path(folder) / "curves.safetensors"
            safetensors.numpy.save_file({"expression": expression, "pose": pose}, curves)
            return self.tensors("animate", {"portrait": portrait, "curves": curves}, names)

    def person(self, portrait, crop=None):
        """Inverts a portrait: reference coefficients `[K]` and the nodes' report; writes the aligned crop to `crop`."""
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "coefficients.safetensors"
            outputs = {"coefficients": path} | ({"crop": crop} if crop else {})
            nodes = self.run("person", {"portrait": portrait}, outputs)
            return safetensors.numpy.load_file(path)["coefficients"][0], nodes

    def split(self, coefficients):
        """Expression and pose `[…,E]`, `[…,6]` of coefficients `[…,K]`."""
        ranges = self.about["coefficients"]
        part = lambda name: coefficients[..., slice(*ranges[name])]
        joined = [part("rotation"), part("translation")]
        return part("expression"), np.concatenate(joined, axis=-1)
