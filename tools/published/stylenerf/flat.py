"""Lists of tensors as one vector, and back: what a model hands on is a few tensors with names, whatever it is made of."""

import math

import torch

from tools.stepgraph.adam import Layout

from .generator import Synthesis


def pack(parts):
    """Tensors [n,…] -> one [n,F]."""
    return torch.cat([part.flatten(1) for part in parts], 1)


def unpack(flat, shapes):
    """A tensor [n,F] -> tensors [n,*shape] for each of the shapes."""
    pieces = flat.split([math.prod(shape) for shape in shapes], 1)
    return [piece.reshape(-1, *shape) for piece, shape in zip(pieces, shapes)]


def layout(synthesis: Synthesis) -> Layout:
    """How the weights of the synthesis network lie in `theta [F]`: its parameters by their published names, in order."""
    return Layout.of({name: parameter.detach() for name, parameter in synthesis.named_parameters()})


def theta(synthesis: Synthesis):
    """The weights of the synthesis network as one vector [F]."""
    return layout(synthesis).flatten(dict(synthesis.named_parameters())).detach()
