"""The background: a field over directions and inverse distances outside the unit sphere (Zhang et al. 2020, NeRF++).

It is seen by one camera that never moves, so that it stands still behind a moving head.
"""

import torch
import torch.nn as nn

from .camera import background_camera, rays
from .configuration import Configuration
from .encoding import encode
from .layers import Plain, Pointwise


def outside(origins, directions, inverse):
    """Rays [N,3] that start within the unit sphere -> where they are at inverse distances [S] of the origin [N,S,4]: direction, inverse distance."""
    directions = directions / directions.norm(dim=1, keepdim=True)
    nearest = (origins - (origins * directions).sum(1, keepdim=True) * directions)[:, None]
    inverse = inverse[:, None].expand(len(origins), -1, -1)
    beyond = torch.sqrt(1 - inverse.square() * nearest.square().sum(2, keepdim=True))
    return torch.cat([inverse * nearest + beyond * directions[:, None], inverse], 2)


class Background(nn.Module):
    def __init__(self, configuration: Configuration):
        super().__init__()
        c = self.configuration = configuration
        self.fc_in = Plain(8 * c.background_frequencies + c.background_z, c.background_hidden)
        self.blocks = nn.ModuleList(Plain(c.background_hidden, c.background_hidden) for _ in range(c.background_blocks - 1))
        self.sigma_out = Plain(c.background_hidden, 1)
        self.feat_out = Plain(c.background_hidden, c.features)
        self.to_rgb = Pointwise(c.features, 3)

    def forward(self, latent):
        """latent [1,background_z] -> features and then RGB [1,features + 3,R,R] of a picture without a person."""
        c = self.configuration
        inverse = torch.linspace(c.background_start, 0, c.background_samples)
        origins, directions = rays(background_camera(c.radius), c.rays, c.fov)
        points = encode(outside(origins[0], directions[0], inverse), c.background_frequencies).flatten(0, 1)
        x = torch.cat([points, latent.expand(len(points), -1)], 1)
        for layer in (self.fc_in, *self.blocks):
            x = layer(x).relu()
        density = self.sigma_out(x).reshape(-1, c.background_samples).relu()
        # the last sample is infinitely far and opaque
        passed = torch.exp(-(density[:, :-1] * (c.background_start / (c.background_samples - 1))).cumsum(1))
        share = torch.cat([torch.ones_like(passed[:, :1]), passed], 1) - torch.cat([passed, torch.zeros_like(passed[:, :1])], 1)
        hidden = (share[:, :, None] * x.reshape(*density.shape, -1)).sum(1)
        features = self.feat_out(hidden)
        rgb = features @ self.to_rgb.kernel().t() + self.to_rgb.bias
        return torch.cat([features, rgb], 1).t().reshape(1, -1, c.rays, c.rays)
