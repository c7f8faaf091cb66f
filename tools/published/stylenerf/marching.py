"""Ray marching: depths of coarse and fine samples, and the weights of their compositing (Mildenhall et al. 2020, NeRF)."""

import torch
import torch.nn.functional as F

FLAT = 1e-5  # added to weights, so that empty rays are sampled evenly


def weights(density, depths, directions):
    """density and ascending depths [N,S], directions [N,3] -> weights [N,S] and the share of light from behind all samples [N].

    A sample reaches to the next one; the last has no thickness.
    """
    steps = (depths[:, 1:] - depths[:, :-1]) * directions.norm(dim=1, keepdim=True)
    thickness = F.pad(density.relu()[:, :-1] * steps, (0, 1))
    passed = torch.exp(-(thickness @ torch.triu(torch.ones(2 * [depths.shape[1]]), 1)))
    return passed * (1 - torch.exp(-thickness)), passed[:, -1]


def coarse(near: float, far: float, count: int):
    """Even depths [count]."""
    share = torch.linspace(0, 1, count)
    return far * share + near * (1 - share)


def fine(weights, near: float, far: float):
    """Weights [N,S] of even samples -> depths [N,S] at even quantiles of what is between the first and the last of them.

    The distribution is constant between the middles of neighbouring samples.
    """
    count = weights.shape[1]
    even = torch.linspace(0, 1, count)
    edges = (even[1:] + even[:-1]) / 2
    mass = weights[:, 1:-1] + FLAT
    mass = mass / mass.sum(1, keepdim=True)
    below = F.pad(mass @ torch.triu(torch.ones(count - 2, count - 2)), (1, 0))
    rank = (below[:, None] < even[:, None]).sum(2)  # of a quantile among the edges
    first, last = (rank - 1).clamp(min=0), rank.clamp(max=count - 2)
    low, high = below.gather(1, first), below.gather(1, last)
    room = high - low
    share = (even - low) / torch.where(room < FLAT, 1.0, room)
    start, end = edges[first], edges[last]
    at = start + share * (end - start)
    return far * at + near * (1 - at)
