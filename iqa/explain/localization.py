"""How much of a map lies on a region that is known to be damaged: a part that was blurred."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import nn

from iqa.backbones import Backbone
from iqa.explain.gradcam import signed_maps


@dataclass(frozen=True)
class Region:
    """A rectangle of an image, in shares of its sides.

    Attributes:
        name: of its place.
        side: of its height in the image's height, and of its width in the image's width.
        top: of what lies above it in what it leaves free, 0 to 1.
        left: of what lies to its left in what its width leaves free, 0 to 1.
        width: of its width in the image's width, where that is another share than `side`.
    """

    name: str
    side: float
    top: float
    left: float
    width: float | None = None

    def mask(self, height: int, width: int) -> NDArray[np.bool_]:
        """Where it lies, (height, width).

        >>> int(Region("centre", 0.5, 0.5, 0.5).mask(8, 8).sum())
        16
        """
        wide = self.side if self.width is None else self.width
        rows, columns = round(self.side * height), round(wide * width)
        top, left = round(self.top * (height - rows)), round(self.left * (width - columns))
        mask = np.zeros((height, width), bool)
        mask[top : top + rows, left : left + columns] = True
        return mask


_PLACES = {
    "top left": (0.1, 0.1),
    "top right": (0.1, 0.9),
    "centre": (0.5, 0.5),
    "bottom left": (0.9, 0.1),
    "bottom right": (0.9, 0.9),
}


def regions(sides: Sequence[float]) -> list[Region]:
    """Five places (four corners, a little inwards, and the centre) of each side."""
    return [Region(name, side, *place) for side in sides for name, place in _PLACES.items()]


def sharp_photographs(images: pd.DataFrame, most: int) -> pd.DataFrame:
    """What to blur a part of: columns group and path, at most `most` of them, one a content.

    The undistorted photographs that `images` were made from, where the table knows them (column
    reference); else the images rated best, in which a blur has something to destroy.
    """
    return best_first(images).drop_duplicates("group").head(most)[["group", "path"]]


def best_first(images: pd.DataFrame) -> pd.DataFrame:
    """`images` from the best rated to the worst, each at the path of its reference, if known."""
    if "reference" in images:
        images = images.assign(path=images["reference"])
    return images.sort_values("target", ascending=False, kind="stable")


def blur(image: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    """`image` (H, W, 3) under a Gaussian blur of `sigma` pixels."""
    soft = gaussian_filter(image.astype(np.float32), (sigma, sigma, 0), mode="nearest")
    return soft.round().astype(np.uint8)


def blur_region(
    image: NDArray[np.uint8], mask: NDArray[np.bool_], sigma: float
) -> NDArray[np.uint8]:
    """`image` (H, W, 3) with a Gaussian blur of `sigma` pixels inside `mask` (H, W) alone."""
    return np.where(mask[..., None], blur(image, sigma), image)


def concentration(heat: NDArray, mask: NDArray[np.bool_]) -> float:
    """Share of the mass of `heat` inside `mask`, divided by the mask's share of the area.

    1 is chance, as for an even map; 0 is nothing inside; the most, for a map that lies inside
    altogether, is one over the mask's share. NaN where the map is empty or the mask is.

    Args:
        heat: (H, W), not negative.
        mask: (H, W).

    >>> mask = np.array([[True, False, False, False]])
    >>> concentration(np.ones((1, 4)), mask), concentration(mask.astype(float), mask)
    (1.0, 4.0)
    """
    total, area = heat.sum(), mask.mean()
    return float(heat[mask].sum() / total / area) if total > 0 and area > 0 else float("nan")


def lowering(signed: NDArray) -> NDArray:
    """The part of a signed map that lowers the score: max(0, -map)."""
    return np.maximum(-signed, 0)


def raising(signed: NDArray) -> NDArray:
    """The part of a signed map that raises the score: max(0, map), the usual Grad-CAM."""
    return np.maximum(signed, 0)


def localize(
    backbone: Backbone,
    heads: Mapping[str, nn.Module],
    image: NDArray[np.uint8],
    places: Sequence[Region],
    sigma: float,
) -> pd.DataFrame:
    """Blur each of `places` in turn, and measure how the maps of the score lie on it.

    Args:
        backbone: as `iqa.backbones.load` gives it.
        heads: name to head, features (N, D) to scores (N,).
        image: uint8 RGB (H, W, 3), at the size that the backbone is to see.
        places: the regions.
        sigma: of the blur in pixels.

    Returns:
        A row a head and region: head, place, side; `lowering`, the concentration on the blurred
        region of the map of what lowers the score; `lowering_before`, the same on the same region
        of the image that is not blurred; `raising`, of the map of what raises the score, blurred;
        `change`, the score of the blurred image minus that of the image.
    """
    masks = [place.mask(*image.shape[:2]) for place in places]
    images = [image, *(blur_region(image, mask, sigma) for mask in masks)]
    # One image at a time: the layers of many at once would take gigabytes.
    found = [signed_maps(backbone, heads, one[None]) for one in images]
    rows = []
    for name in heads:
        before, *after = (maps[name][0] for maps, _ in found)
        score, *scores = (float(values[name][0]) for _, values in found)
        for row, (place, mask) in enumerate(zip(places, masks, strict=True)):
            rows.append(
                {
                    "head": name,
                    "place": place.name,
                    "side": place.side,
                    "lowering": concentration(lowering(after[row]), mask),
                    "lowering_before": concentration(lowering(before), mask),
                    "raising": concentration(raising(after[row]), mask),
                    "change": scores[row] - score,
                }
            )
    return pd.DataFrame(rows)
