"""Maps laid over their images, for a reader to look at, each with a line of text."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_erosion
from torch import nn

from iqa.backbones import Backbone
from iqa.explain.gradcam import overlay, signed_maps
from iqa.explain.localization import Region, blur_region, concentration, lowering, raising
from iqa.features import read_image
from iqa.images import read_rgb

QUARTERS = ("worst quarter", "third quarter", "second quarter", "best quarter")
IMAGE = "image"
"""The column of the images themselves."""
WIDTH = 288

Pictures = tuple[dict[str, NDArray[np.uint8]], pd.DataFrame]
"""Name to RGB pixels, and a table of where each stands: row, column, picture, caption."""


def by_quarter(
    backbone: Backbone, heads: Mapping[str, nn.Module], images: pd.DataFrame, input_size: int
) -> Pictures:
    """What raises each head's score, in the image nearest the middle of each quality quarter.

    Args:
        backbone: as `iqa.backbones.load` gives it.
        heads: name to head.
        images: columns path, target, bucket (0 to 3); quarters without an image are left out.
        input_size: side of the square that the backbone is to see, in pixels.
    """
    pictures: dict[str, NDArray[np.uint8]] = {}
    rows: list[dict] = []
    for bucket, part in sorted(images.groupby("bucket"), reverse=True):
        row, far = QUARTERS[bucket], (part["target"] - part["target"].median()).abs()
        image = part.loc[far.idxmin()]
        pixels = read_image(image["path"], input_size)
        maps, scores = signed_maps(backbone, heads, pixels[None])
        drawn = {IMAGE: (pixels, f"target {image['target']:.2f}")}
        for name in heads:
            laid = _overlaid(pixels, raising(maps[name][0]))
            drawn[name] = laid, f"{name}: {scores[name][0]:.2f}"
        _add(pictures, rows, f"quarter{bucket}", row, drawn, image["path"])
    return pictures, pd.DataFrame(rows)


def by_region(
    backbone: Backbone,
    heads: Mapping[str, nn.Module],
    path: str,
    place: Region,
    sigma: float,
    input_size: int,
) -> Pictures:
    """What lowers each head's score in an image of which a part, outlined, was blurred."""
    sharp = read_image(path, input_size)
    mask = place.mask(input_size, input_size)
    pixels = blur_region(sharp, mask, sigma)
    maps, _ = signed_maps(backbone, heads, pixels[None])
    row = Path(path).stem
    drawn = {IMAGE: (_outlined(pixels, mask), f"{row}, {place.name}")}
    for name in heads:
        heat = lowering(maps[name][0])
        laid = _outlined(_overlaid(pixels, heat), mask)
        drawn[name] = laid, f"{name}: {concentration(heat, mask):.1f} × chance"
    pictures: dict[str, NDArray[np.uint8]] = {}
    rows: list[dict] = []
    _add(pictures, rows, f"region_{row}", row, drawn, path)
    return pictures, pd.DataFrame(rows)


def _add(
    pictures: dict, rows: list[dict], prefix: str, row: str, drawn: Mapping, path: str
) -> None:
    """Enter the pictures of one row, at the aspect ratio of the file at `path`."""
    whole = read_rgb(path)
    size = WIDTH, round(WIDTH * whole.height / whole.width)
    for column, (pixels, caption) in drawn.items():
        name = f"{prefix}_{column}"
        pictures[name] = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))
        rows.append({"row": row, "column": column, "picture": name, "caption": caption})


def _overlaid(pixels: NDArray[np.uint8], heat: NDArray) -> NDArray[np.uint8]:
    return overlay(pixels, (heat / max(heat.max(), 1e-12)).astype(np.float32))


def _outlined(pixels: NDArray[np.uint8], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    line = mask & ~binary_erosion(mask, iterations=max(1, len(mask) // 128), border_value=1)
    return np.where(line[..., None], np.uint8(255), pixels)
