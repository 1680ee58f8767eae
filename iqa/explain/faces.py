"""Where a photograph shows a face, and where else in it a box of the same size can lie."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from iqa.errors import UserError
from iqa.explain.localization import Region, best_first, blur
from iqa.images import read_rgb

LONGER_SIDE = 340
"""Of an image in which faces are looked for, in pixels."""
NEIGHBOURS, FEWER = 10, 3
"""Windows that must agree on a face, and on what may be one. The fewer, the more are no faces."""
LEAST, MOST = 0.005, 0.25
"""Of a face's box in the area of the image."""


@dataclass(frozen=True)
class Portrait:
    """A photograph with a face.

    Attributes:
        group: its content.
        path: of its file.
        face: the largest face that was found.
        taken: whatever may be a face, this one too.
    """

    group: str
    path: str
    face: Region
    taken: tuple[Region, ...]


def find_faces(image: Image.Image, neighbours: int = NEIGHBOURS) -> list[Region]:
    """Boxes of frontal faces in an RGB image, the largest first.

    By a cascade of Haar features that OpenCV ships (Lienhart, Kuranov, Pisarevsky, DAGM 2003).

    Args:
        image: of any size; looked at with a longer side of `LONGER_SIDE` pixels.
        neighbours: windows that must agree on a face.

    Raises:
        UserError: OpenCV is not of a version with cascades.
    """
    scale = LONGER_SIDE / max(image.size)
    width, height = (round(side * scale) for side in image.size)
    grey = image.resize((width, height), Image.Resampling.BICUBIC).convert("L")
    least, most = (round(share**0.5 * LONGER_SIDE) for share in (LEAST, MOST))
    found = _cascade().detectMultiScale(
        np.asarray(grey), 1.1, neighbours, minSize=(least, least), maxSize=(most, most)
    )
    boxes = sorted(map(tuple, found), key=lambda box: (-box[2] * box[3], box))
    return [
        _region(box, width, height)
        for box in boxes
        if LEAST <= box[2] * box[3] / (width * height) <= MOST
    ]


def portraits(images: pd.DataFrame, most: int) -> list[Portrait]:
    """The best-rated of `images` with a face, at most `most`, one a content."""
    found: dict[str, Portrait] = {}
    for row in best_first(images).drop_duplicates("path").itertuples():
        if len(found) == most:
            break
        if row.group not in found:
            image = read_rgb(row.path)
            if faces := find_faces(image):
                taken = *faces, *find_faces(image, FEWER)
                found[row.group] = Portrait(row.group, row.path, faces[0], taken)
    return list(found.values())


def lost_detail(image: NDArray[np.uint8], sigma: float) -> NDArray[np.float32]:
    """What a blur of `sigma` pixels changes at each pixel, the mean over colours, 0 to 255.

    Args:
        image: uint8 RGB (H, W, 3).
        sigma: of the blur in pixels.

    Returns:
        (H, W).
    """
    change = image.astype(np.float32) - blur(image, sigma)
    return np.abs(change).mean(axis=2)


def controls(face: Region, taken: Sequence[Region], detail: NDArray) -> list[Region]:
    """Boxes of the size of `face` that touch none of `taken`; none where there is no room.

    Args:
        face: the box of a face.
        taken: all boxes that may be of a face.
        detail: (H, W), as `lost_detail` gives it.

    Returns:
        "other side", `face` mirrored from left to right, else upside down, else both, or the first
        free place of a grid; and "as detailed", of all these places the one in which a blur changes
        nearly as much as in the face.
    """
    size = detail.shape
    faces = np.any([one.mask(*size) for one in (face, *taken)], axis=0)
    mirrored = [(face.top, 1 - face.left), (1 - face.top, face.left), (1 - face.top, 1 - face.left)]
    grid = product(np.linspace(0, 1, 9), repeat=2)
    places = [replace(face, name="other side", top=top, left=left) for top, left in mirrored]
    places += [replace(face, name="other side", top=top, left=left) for top, left in grid]
    free = [place for place in places if not faces[place.mask(*size)].any()]
    if not free:
        return []

    def apart(place: Region) -> float:
        return abs(detail[place.mask(*size)].mean() - detail[face.mask(*size)].mean())

    return [free[0], replace(min(free, key=apart), name="as detailed")]


@cache
def _cascade() -> Any:
    import cv2

    if not hasattr(cv2, "CascadeClassifier"):
        raise UserError(
            f"OpenCV {cv2.__version__} finds no faces: pip install 'opencv-python-headless<5'"
        )
    folder = Path(cv2.__file__).parent / "data"
    return cv2.CascadeClassifier(str(folder / "haarcascade_frontalface_alt2.xml"))


def _region(box: tuple[int, ...], width: int, height: int) -> Region:
    """A box of pixels (left, top, width, height) in an image of `width` and `height`."""
    x, y, wide, high = map(int, box)
    top, left = y / max(1, height - high), x / max(1, width - wide)
    return Region("face", high / height, top, left, wide / width)
