"""StyleNeRF (Gu et al. 2022) as NeRFFaceSpeech (Kim et al. 2024) uses it: the generator in torch, and the roles of a pack that it fills.

    configuration   sizes and constants, read from a checkpoint's arguments
    layers          linear layers, plain and modulated by a style
    mapping         z to w
    camera          poses, cameras, rays
    encoding        positional encoding of points
    field           points to density and features
    background      the field outside the unit sphere
    marching        samples along rays and the weights of their compositing
    upsampler       features to a picture
    generator       all of them together; `build` makes one from a checkpoint's tensors
    deformation     samples that follow the vertices of a morphable model
    blending        features of two passes mixed by a mask
    flat            lists of tensors as one vector
    roles           what the generator does under the contract of docs/packs.md, as modules
    export          the roles as ONNX files
    inversion       pivotal tuning as step graphs
    frames          what a host does with the roles to make a frame, for tests
    named, golden   weights that follow from names, and numbers recorded from the published code with them
    measure         step graphs beside torch
"""

from .configuration import Configuration
from .generator import Generator, build

__all__ = ["Configuration", "Generator", "build"]
