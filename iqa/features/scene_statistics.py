"""Natural scene statistics of an image: the 36 features of BRISQUE, without a network.

Source: A. Mittal, A. K. Moorthy, A. C. Bovik, "No-Reference Image Quality Assessment in the
Spatial Domain", IEEE Transactions on Image Processing 21(12), 2012, cited below as MMB.
"""

import os
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import correlate1d
from scipy.special import gammaln

from iqa.errors import UserError
from iqa.features.cache import through_cache
from iqa.features.extraction import Features, Images
from iqa.files import fingerprint
from iqa.images import read_rgb
from iqa.threads import in_order

# Raised when the same images would give other numbers than before.
VERSION = "1"
SCALES = 2
SMALLEST_SIDE = 16

_OFFSETS = np.arange(-3, 4)
# MMB, eq. 2: a circular Gaussian of 7 x 7 pixels, out to three standard deviations, of unit sum.
_WINDOW = np.exp(-0.5 * (_OFFSETS / (7 / 6)) ** 2)
_WINDOW /= _WINDOW.sum()

# Shape parameter -> E[|x|]^2 / E[x^2] of a generalised Gaussian of that shape, which rises with it.
_SHAPES = np.arange(0.2, 10.001, 0.001)
_RATIOS = np.exp(2 * gammaln(2 / _SHAPES) - gammaln(1 / _SHAPES) - gammaln(3 / _SHAPES))


def extract_scene_statistics(dataset: Images, progress: bool = False) -> Features:
    """The `scene_statistics` of every image at its own size, or what the cache holds of them.

    They are kept as `iqa.features.extraction` keeps features. Images are measured by threads, of
    which each holds one image at a time.

    Args:
        dataset: has a `table` with columns `id` and `path`, and an `images_fingerprint`.
        progress: whether to show a progress bar.

    Raises:
        UserError: an image cannot be read, or is smaller than 16 pixels a side.
    """
    name = "scene_statistics"
    key = fingerprint(name, VERSION, dataset.images_fingerprint, *dataset.table["id"])
    values = through_cache(
        dataset.table, key, {"features": name, "version": VERSION}, _of_files, name, progress
    )
    return Features(tuple(dataset.table["id"]), values, key)


def _of_files(paths: Sequence[str]) -> Iterator[NDArray[np.float32]]:
    threads = os.cpu_count() or 1
    return in_order(_of_file, paths, threads, ahead=4 * threads)


def _of_file(path: str) -> NDArray[np.float32]:
    image = read_rgb(path)
    if min(image.size) < SMALLEST_SIDE:
        raise UserError(
            f"{path}: {image.width} x {image.height} pixels are too few for scene statistics; "
            f"expected {SMALLEST_SIDE} a side or more"
        )
    return scene_statistics(np.asarray(image.convert("L"), dtype=np.float32))


def scene_statistics(grey: NDArray) -> NDArray[np.float32]:
    """The 36 features of MMB: 18 at full size and 18 at half of it.

    The 18 are shape and variance of the MSCN coefficients under a generalised Gaussian, then shape,
    mean, left and right variance of the products of horizontal, vertical and both diagonal
    neighbours under an asymmetric one (MMB, table I).

    Args:
        grey: luminance (H, W), in [0, 255], at least 16 pixels a side.

    Returns:
        (36,), finite for any image, a flat one included.
    """
    found: list[float] = []
    image = Image.fromarray(np.asarray(grey, dtype=np.float32))
    for _ in range(SCALES):
        found += _at_one_scale(np.asarray(image))
        size = image.width // 2, image.height // 2
        image = image.resize(size, Image.Resampling.BICUBIC)
    return np.array(found, dtype=np.float32)


def _at_one_scale(grey: NDArray) -> list[float]:
    x = mscn(grey)
    pairs = (
        (x[:, :-1], x[:, 1:]),  # MMB, eqs. 7 to 10
        (x[:-1], x[1:]),
        (x[:-1, :-1], x[1:, 1:]),
        (x[:-1, 1:], x[1:, :-1]),
    )
    symmetric = [_shape_of(_moment_ratio(x)), float(np.mean(np.square(x), dtype=float))]
    return symmetric + [value for a, b in pairs for value in fit_asymmetric(a * b)]


def mscn(grey: NDArray) -> NDArray:
    """Mean-subtracted, contrast-normalised coefficients (MMB, eqs. 1 to 3), (H, W).

    (I - mu) / (sigma + 1), mu and sigma the mean and standard deviation under a Gaussian window of
    7 x 7 pixels; beyond the border the edge is repeated.
    """
    mu = _blurred(grey)
    variance = _blurred(np.square(grey)) - np.square(mu)
    return (grey - mu) / (np.sqrt(np.abs(variance)) + 1)


def _blurred(values: NDArray) -> NDArray:
    rows = correlate1d(values, _WINDOW, axis=0, mode="nearest")
    return correlate1d(rows, _WINDOW, axis=1, mode="nearest")


def fit_asymmetric(x: NDArray) -> tuple[float, float, float, float]:
    """Fit an asymmetric generalised Gaussian by its moments, as MMB do after Lasmar et al. (2009).

    With l and r the root mean squares of the negative and of the positive values, the shape nu
    solves rho(nu) = E[|x|]^2 / E[x^2] * (l^3 + r^3)(l + r) / (l^2 + r^2)^2, where
    rho(nu) = Gamma(2/nu)^2 / (Gamma(1/nu) Gamma(3/nu)), and the mean is
    (r - l) Gamma(2/nu) / sqrt(Gamma(1/nu) Gamma(3/nu)).

    Returns:
        Shape in [0.2, 10], mean, left variance l^2, right variance r^2. Of values that are all 0
        the shape is 10 and the rest 0.
    """
    square = np.square(x)
    left, right = _mean_of(square, x < 0), _mean_of(square, x > 0)
    l, r = np.sqrt(left), np.sqrt(right)  # noqa: E741 (the formula's letters)
    skew = (l**3 + r**3) * (l + r) / (left + right) ** 2 if left + right else 1.0
    shape = _shape_of(_moment_ratio(x) * skew)
    factor = np.exp(gammaln(2 / shape) - (gammaln(1 / shape) + gammaln(3 / shape)) / 2)
    return shape, float((r - l) * factor), left, right


def _mean_of(values: NDArray, where: NDArray) -> float:
    count = np.count_nonzero(where)
    return float(np.sum(values, where=where, dtype=float) / count) if count else 0.0


def _moment_ratio(x: NDArray) -> float:
    """E[|x|]^2 / E[x^2], in [0, 1]; 1 for zeros, as of values that are all equally large."""
    square = float(np.mean(np.square(x), dtype=float))
    return float(np.mean(np.abs(x), dtype=float)) ** 2 / square if square else 1.0


def _shape_of(ratio: float) -> float:
    return float(np.interp(ratio, _RATIOS, _SHAPES))
