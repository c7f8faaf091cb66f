"""Ray deformation (Kim et al. 2024, NeRFFaceSpeech): samples of rays follow the vertex of the morphable model that is nearest to them.

Vertices are projected: y and z of the volume. Nearness is looked at in these two coordinates, at the frontal view at rest, once; a sample
keeps its vertex whatever camera sees it.
"""

import torch

PIECE = 1024  # points whose distances to all vertices are held at once


def nearest(points, vertices):
    """points [M,3] and vertices [V,2] -> index of each point's nearest vertex [M], by the last two coordinates."""
    found = []
    for piece in points[:, 1:].split(PIECE):
        found.append((piece[:, None] - vertices).square().sum(2).argmin(1))
    return torch.cat(found)


def offsets(vertices, moved, indices):
    """Vertices at rest and moved [V,2], indices [M] -> displacement of each sample [M,3]: back from where its vertex went."""
    return torch.nn.functional.pad((vertices - moved)[indices], (1, 0))
