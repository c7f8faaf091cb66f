"""What a host does with the roles to make a frame, for tests and measurements.

Two passes: one whose samples follow the face, one in-painted, whose samples lie as at rest. (The published code makes a third and throws it away.)
`call(role, tensors)` runs a role, be it in torch or on ONNX Runtime, and gives its outputs by name.
"""

from typing import Callable

import onnxruntime
import torch

from . import blending, deformation
from .generator import points_on
from .roles import Role

Tensors = dict[str, torch.Tensor]
Call = Callable[[str, Tensors], Tensors]


def in_torch(roles: dict[str, Role]) -> Call:
    def call(name, tensors):
        role = roles[name]
        with torch.no_grad():
            found = role.module(*(tensors[key] for key in role.inputs))
        return dict(zip(role.outputs, found if isinstance(found, tuple) else (found,)))

    return call


def in_onnx(files: dict, threads: int = 2) -> Call:
    """`files` maps roles to paths; each is opened when first called."""
    sessions = {}

    def call(name, tensors):
        if name not in sessions:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads, options.log_severity_level = threads, 3
            sessions[name] = onnxruntime.InferenceSession(str(files[name]), options, providers=["CPUExecutionProvider"])
        session = sessions[name]
        found = session.run(None, {i.name: tensors[i.name].numpy() for i in session.get_inputs()})
        return {output.name: torch.from_numpy(value) for output, value in zip(session.get_outputs(), found)}

    return call


class Person:
    """A person at rest: the state, the frontal depths that every camera's samples keep, and which vertex each sample follows.

    w [1,L,D]; identity tensors; frontal rays [1,N,3]; vertices [V,2], projected, at rest.
    """

    def __init__(self, call: Call, w, identity: Tensors, rays: Tensors, vertices):
        self.call, self.w, self.identity, self.vertices = call, w, identity, vertices
        self.state = call("prepare", identity | {"w": w})
        self.depths = call("depths", self.state | rays)["depths"]
        self.indices = deformation.nearest(points_on(rays["origins"][0], rays["directions"][0], self.depths[0]), vertices)

    def features(self, rays: Tensors, state: Tensors, offsets=None):
        """Features as a picture [1,C,R,R], RGB last, along rays [1,N,3]; `offsets [N·S,3]` move the samples."""
        shape = (*self.depths.shape, 3)
        offsets = torch.zeros(shape) if offsets is None else offsets.reshape(shape)
        pixels = torch.arange(shape[1])
        found = self.call("render", state | rays | {"depths": self.depths, "pixels": pixels, "offsets": offsets})["features"]
        side = round(shape[1] ** 0.5)
        return found.reshape(1, -1, side, side)

    def deformed(self, rays: Tensors, moved):
        """Features of the pass whose samples follow vertices [V,2] that moved."""
        return self.features(rays, self.state, deformation.offsets(self.vertices, moved, self.indices))

    def inpainted(self, rays: Tensors, w):
        """Features of the pass with another w [1,L,D], whose samples lie as at rest."""
        field = self.call("lipaint_state", self.identity | {"w": w})
        return self.features(rays, self.state | field)

    def picture(self, features):
        return self.call("upsample", self.state | {"features": features})["image"]

    def frame(self, rays: Tensors, moved, w, mask):
        """A finished picture [1,3,P,P]: both passes blended by the mask [1,1,m,m], 0 where the in-painted one shows."""
        return self.picture(blending.blend(self.deformed(rays, moved), self.inpainted(rays, w), mask))
