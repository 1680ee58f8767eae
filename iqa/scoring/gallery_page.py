"""Scored photographs as a page in one file that loads nothing: small pictures, by score."""

import base64
import io
import math
import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from PIL import Image

from iqa.errors import UserError, printable
from iqa.images import read_as
from iqa.models import ModelInfo
from iqa.scoring.ranking import ranked
from iqa.scoring.scorer import Row
from iqa.threads import in_order

_TEMPLATE = Path(__file__).with_suffix(".html.j2")

SIDE = 224
"""The longer side of a small picture in pixels: some 5 kB each, 35 MB for a page of 5,000."""

_AHEAD = 64


def write_gallery(
    rows: Sequence[Row],
    info: ModelInfo,
    file: TextIO,
    max_pixels: int,
    maps: Path | None = None,
) -> None:
    """Write the page of `rows`, the best first; pictures are read again and not held.

    Args:
        rows: of files.
        info: of the model that scored them.
        file: where the page, HTML, is written to.
        max_pixels: as for scoring.
        maps: the folder of the overlays that `save_overlay` wrote.
    """
    import jinja2  # here, as most scoring does without

    scored = [row for row in ranked(rows) if row.score is not None]
    scores = [row.score for row in scored if row.score is not None]
    # Names of files are other people's text: all of them are escaped.
    environment = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    page = environment.from_string(_TEMPLATE.read_text(encoding="utf-8"))
    threads = os.cpu_count() or 1
    show = partial(_card, max_pixels=max_pixels, maps=maps)
    parts = page.stream(
        cards=in_order(show, scored, threads, _AHEAD),
        count=len(scored),
        errors=[(printable(row.path), row.error) for row in rows if row.error is not None],
        model=rows[0].model if rows else info.name,
        info=info,
        scale=_scale(scores, info),
        explained=maps is not None,
    )
    parts.enable_buffering(5)
    file.writelines(parts)


def _scale(scores: Sequence[float], info: ModelInfo) -> dict[str, Any]:
    """Of the slider, whose ends show all photographs and the best; and decimals of a score."""
    decimals = max(0, 3 - math.floor(math.log10(info.high - info.low)))
    step = 10.0**-decimals
    ends = (min(scores), max(scores)) if scores else (info.low, info.high)
    low, high = (round(math.floor(end / step) * step, decimals) for end in ends)
    return {"low": low, "high": high, "step": f"{step:.{decimals}f}", "format": f"%.{decimals}f"}


def _card(row: Row, max_pixels: int, maps: Path | None) -> dict[str, Any]:
    card: dict[str, Any] = {
        "path": printable(row.path),
        "name": printable(Path(row.path).name),
        "score": row.score,
        "better_than": row.better_than,
    }
    try:
        card["picture"] = _small(row.path, max_pixels)
        if maps:
            from iqa.scoring.overlays import overlay_name

            card["map"] = _small(maps / overlay_name(row.path), max_pixels)
    except UserError as fault:  # the file is gone, or another than before
        card["fault"] = str(fault)
    return card


def _small(path: str | Path, max_pixels: int) -> dict[str, Any]:
    """A small picture of the image file `path`: a data URI and its size in pixels."""

    def shrunk(image: Image.Image) -> dict[str, Any]:
        image.thumbnail((SIDE, SIDE))
        file = io.BytesIO()
        image.save(file, "WEBP", quality=60)
        uri = f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
        return {"uri": uri, "width": image.width, "height": image.height}

    return read_as(shrunk, path, at_least=SIDE, max_pixels=max_pixels)
