"""Variation of mel clips in dB: what recordings differ by and mouths do not. Middle strength measured best."""

import math

import torch

from .mel import BANDS

_BAND = torch.arange(BANDS, dtype=torch.float32)
_PLACE = _BAND / (BANDS - 1)


def _chance(count, probability, dimensions=2):
    return (torch.rand(count, *[1] * (dimensions - 1)) < probability).float()


def _warp(mel):
    """Stretches and shifts the bands by up to 6 % and one band: other vocal tracts."""
    count, columns, _ = mel.shape
    on = _chance(count, 0.7)
    scale = 1.0 + on * (torch.rand(count, 1) - 0.5) * 0.12
    position = (_BAND * scale + on * (torch.rand(count, 1) - 0.5) * 2.0).clamp(0, BANDS - 1.001)
    low = position.long()
    share = (position - low)[:, None]
    low = low[:, None].expand(-1, columns, -1)
    return mel.gather(2, low) * (1 - share) + mel.gather(2, low + 1) * share


def _filter(mel):
    """A gain of ±15 dB, a smooth equaliser, and now and then a low or a high pass."""
    count = len(mel)
    tilt = (torch.rand(count, 1) - 0.5) * 10.0 * _PLACE
    for k in (1, 2, 3, 5):
        tilt = tilt + 1.3 * torch.randn(count, 1) * torch.cos(math.pi * k * _PLACE + 2 * math.pi * torch.rand(count, 1))
    above = (_BAND - (40 + 50 * torch.rand(count, 1))).clamp(min=0) * -4.0 * _chance(count, 0.18)
    below = (_BAND - (8 * torch.rand(count, 1) - 4)).clamp(max=0) * 4.0 * _chance(count, 0.4)
    gain = (torch.rand(count, 1) - 0.5) * 30.0
    return mel + (gain + tilt * _chance(count, 0.8) + (above + below).clamp(min=-60.0))[:, None]


def _power(mel):
    return 10.0 ** (mel / 10.0)


def _mean_power(power):
    return power.mean(dim=(1, 2), keepdim=True) + 1e-12


def _mix(power, other, probability, least, most):
    """Adds another sound, `least` to `most` dB weaker than the clip."""
    count = len(power)
    weaker = 10.0 ** (-(least + (most - least) * torch.rand(count, 1, 1)) / 10.0)
    level = weaker * _mean_power(power) / _mean_power(other)
    return power + _chance(count, probability, 3) * level * other


def augment(mel, backgrounds):
    """`mel [n, columns, 80]` in dB and as many clips without speech, to varied clips in dB."""
    count = len(mel)
    power = _power(_filter(_warp(mel)))
    power = _mix(power, power.roll(1, 0), 0.12, 12.0, 30.0)
    power = _mix(power, _power(backgrounds), 0.35, 3.0, 30.0)
    # A noise floor, now and then below what the network can see: files that are digitally silent in pauses.
    floor = -100.0 + 55.0 * torch.rand(count, 1, 1) ** 1.8 - 40.0 * _chance(count, 0.2, 3)
    slope = (torch.rand(count, 1, 1) - 0.7) * 30.0 * _PLACE
    power = power + _power(floor + slope + 4.0 * torch.randn_like(mel))
    varied = 10.0 * torch.log10(power)
    # A few bands missing.
    first, width = torch.rand(count, 1) * BANDS, torch.rand(count, 1) * 10.0 * _chance(count, 0.15)
    missing = (_BAND > first) & (_BAND < first + width)
    return varied.masked_fill(missing[:, None], -100.0)
