"""Grad-CAM overlays of scored files."""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from iqa.errors import UserError
from iqa.explain import overlay, score_maps
from iqa.features.squares import square
from iqa.files import fingerprint, written_whole
from iqa.images import read_as
from iqa.models import QualityModel
from iqa.scoring.scorer import Scorer

# The longer side of an overlay, in pixels: larger ones show no more.
LONGEST = 1024


def explainable(scorer: Scorer) -> QualityModel:
    """The scorer's model, if it has a layer for Grad-CAM.

    Raises:
        UserError: It has none.
    """
    model = scorer.model
    if isinstance(model, QualityModel) and hasattr(model.backbone, "spec"):
        return model
    raise UserError(
        f"model {scorer.info.name}: no layer is known that Grad-CAM could look at; score without "
        "--explain, or choose a model with a backbone of `iqa backbones`"
    )


def save_overlay(scorer: Scorer, path: str, folder: Path) -> Path:
    """Write what raises the score of the file `path` as a PNG in `folder`; returns where.

    The map is computed at the size that the model sees and shown over the whole image.

    Raises:
        UserError: The model has no layer for Grad-CAM, or the file cannot be read.
    """
    model, size = explainable(scorer), scorer.info.input_size

    def seen_and_shown(whole: Image.Image) -> tuple[NDArray[np.uint8], Image.Image]:
        seen = square(whole, size)
        whole.thumbnail((LONGEST, LONGEST))
        return seen, whole

    seen, image = read_as(
        seen_and_shown, path, at_least=max(size, LONGEST), max_pixels=scorer.max_pixels
    )
    heat = score_maps(model.backbone, model.head, seen[None])[0]
    stretched = Image.fromarray(heat).resize(image.size, Image.Resampling.BILINEAR)
    shown = overlay(np.asarray(image), np.asarray(stretched))
    target = folder / overlay_name(path)
    with written_whole(target) as draft:
        Image.fromarray(shown).save(draft)
    return target


def overlay_name(path: str) -> str:
    """The file name of the overlay of `path`: tells the two apart that are both called `1.jpg`.

    >>> overlay_name("a/1.jpg").rsplit("-", 1)[0], overlay_name("b/1.jpg").rsplit("-", 1)[0]
    ('a_1.jpg', 'b_1.jpg')
    """
    parts = [part for part in Path(path).parts if part not in ("/", "..")]
    # The fingerprint also keeps `a_1.jpg` from `a/1.jpg`; file systems allow 255 bytes.
    mark = fingerprint(os.fsencode(os.path.abspath(path)))[:8]
    text = os.fsencode("_".join(parts)).decode(errors="replace").replace("\ufffd", "_")
    return f"{text[-60:]}-{mark}.png"
