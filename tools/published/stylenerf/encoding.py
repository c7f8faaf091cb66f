"""Positional encoding of points (Mildenhall et al. 2020, NeRF)."""

import math

import torch


def encode(points, octaves: int):
    """points [...,d] -> [...,2·d·octaves]: an octave's sines of all coordinates, then its cosines, then the next octave's."""
    scales = math.pi * 2.0 ** torch.arange(octaves, dtype=torch.float32)
    angles = points[..., None, :] * scales[:, None]
    return torch.stack([angles.sin(), angles.cos()], -2).flatten(-3)
