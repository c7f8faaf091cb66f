"""How alike two pictures are. Pictures are `[H,W,3]` uint8 of one size."""

import numpy as np
from PIL import Image
from scipy.ndimage import convolve
from skimage.metrics import structural_similarity

_SCALES = 4
_GRADIENT_CONSTANT = 170.0  # of GMSD, for values 0..255


def read(path, side=None):
    """A picture file, brought to `side` pixels if given, by the triangle filter with which `pti` makes its target."""
    image = Image.open(path).convert("RGB")
    if side:
        image = image.resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(image)


def psnr(a, b):
    """Peak signal to noise ratio in decibels; infinite for equal pictures."""
    error = np.mean((a.astype(float) - b.astype(float)) ** 2)
    return float(10 * np.log10(255.0**2 / error)) if error else float("inf")


def ssim(a, b):
    """Structural similarity (Wang et al. 2004) with its Gaussian window, averaged over colours; 1 for equal pictures."""
    return float(structural_similarity(a, b, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False))


def _gradient(luma):
    kernel = np.array([[1, 0, -1]] * 3) / 3
    return np.hypot(convolve(luma, kernel, mode="nearest"), convolve(luma, kernel.T, mode="nearest"))


def _halved(luma):
    height, width = (size // 2 * 2 for size in luma.shape)
    return luma[:height, :width].reshape(height // 2, 2, width // 2, 2).mean((1, 3))


def ms_gmsd(a, b):
    """A perceptual distance without weights: multi-scale gradient magnitude similarity deviation.

    GMSD (Xue et al. 2014) is the standard deviation over the picture of how alike the edges are, and follows people's
    judgement of quality closely; here its root mean square over four scales of the luma (after Zhang et al. 2017, whose
    weights are left out). 0 for equal pictures; a faint blur is about 0.02, a strong one 0.1 and more.
    """
    a, b = (picture.astype(float) @ [0.299, 0.587, 0.114] for picture in (a, b))
    deviations = []
    for _ in range(_SCALES):
        a, b = _halved(a), _halved(b)  # GMSD itself looks at the halved picture
        if min(a.shape) < 8:
            break
        g, h = _gradient(a), _gradient(b)
        deviations.append(np.std((2 * g * h + _GRADIENT_CONSTANT) / (g**2 + h**2 + _GRADIENT_CONSTANT)))
    return float(np.sqrt(np.mean(np.square(deviations))))
