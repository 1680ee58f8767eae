"""Demo photographs with the shipped model's score and map, as pictures that a page can hold."""

import base64
import html
import io
import json
from collections.abc import Sequence
from functools import cache

import numpy as np
import pandas as pd
import torch
from IPython.display import HTML
from PIL import Image

from iqa import datasets
from iqa.explain import overlay, score_maps
from iqa.features.squares import square
from iqa.images import read_rgb
from iqa.scoring import Scorer
from iqa.scoring.overlays import explainable

SIDE, MAP_SIDE = 320, 64
"""The longer side of a picture on a page and of its map, which is smooth, in pixels."""


def as_data(picture: Image.Image, side: int = SIDE) -> str:
    """A picture as an address that holds it, WebP."""
    small = picture.convert("RGB")
    small.thumbnail((side, side))
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=50, method=6)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


_scorer = cache(Scorer)
"""The shipped model, opened once a page."""


@cache
def versions(*names: str) -> pd.DataFrame:
    """The demo's versions of photographs, with the model's score in the column model."""
    table = datasets.load("demo").table
    table = table[table["group"].isin(names)]
    return table.assign(model=_scorer().score(list(table["path"]))["score"].to_numpy())


@cache
def undistorted(*names: str) -> pd.DataFrame:
    """The photographs as they are: group, path and the model's score in the column model."""
    table = datasets.load("demo").table.drop_duplicates("group").set_index("group")
    table = table.loc[list(names), ["reference"]].set_axis(["path"], axis=1).reset_index()
    return table.assign(model=_scorer().score(list(table["path"]))["score"].to_numpy())


def scored(names: Sequence[str]) -> HTML:
    """Photographs of the demo, undistorted, each with the model's score and its map."""
    figures = [
        f"<figure>{_pair(said, as_data(read_rgb(row.path)), _map(row.path))}"
        f"<figcaption>{said}</figcaption></figure>"
        for row in undistorted(*names).itertuples()
        for said in [f"{row.group}: score {row.model:.0f} of 100"]
    ]
    return HTML(f'<div class="photographs">{"".join(figures)}</div>')


def _pair(name: str, picture: str, heat: str) -> str:
    """A picture, and the same one under its map, which the page lays over it."""
    return (
        f'<img class="picture" alt="{name}" src="{picture}">'
        f'<div class="map"><img alt="{name}: what raises its score, as a heat map" src="{picture}">'
        f'<span style="background-image: url({heat})"></span></div>'
    )


def _map(path: str) -> str:
    """What raises the score of a file, as colours and an address that holds them."""
    # In this memory format PyTorch takes three quarters of the time.
    model = explainable(_scorer()).to(memory_format=torch.channels_last)
    seen = square(read_rgb(path), _scorer().info.input_size)
    heat = score_maps(model.backbone, model.head, seen[None])[0]
    small = Image.fromarray(heat).resize((MAP_SIDE, MAP_SIDE), Image.Resampling.BILINEAR)
    colours = overlay(np.zeros((MAP_SIDE, MAP_SIDE, 3), np.uint8), np.asarray(small))
    return as_data(Image.fromarray(colours), MAP_SIDE)


def gallery(names: Sequence[str], distortions: Sequence[str]) -> HTML:
    """Photographs as they are (level 0) and distorted (1 to 5), with a slider: scores and map."""
    table = versions(*names)
    pictures: dict[str, dict[str, dict[str, dict[str, str]]]] = {}
    for row in undistorted(*names).itertuples():
        start = _shown(row.path, row.model, "none (undistorted)")
        pictures[row.group] = {kind: {"0": start} for kind in distortions}
    for row in table[table["distortion"].isin(distortions)].itertuples():
        one = _shown(row.path, row.model, f"{row.score:.1f} of 5")
        pictures[row.group][row.distortion][str(row.level)] = one
    name, kind = names[0], distortions[0]
    one = pictures[name][kind]["0"]
    data = json.dumps(pictures).replace("</", "<\\/")
    return HTML(
        f'<div class="gallery"><label>Photograph {_choice(names)}</label>'
        f"<label>Distortion {_choice(distortions)}</label>"
        '<label>Level <input type="range" min="0" max="5" value="0"></label>'
        f"<div>{_pair(f'{name}, {kind}, level 0', one['picture'], one['map'])}</div>"
        '<output aria-live="polite"></output>'
        f'<script type="application/json">{data}</script></div>'
    )


def _shown(path: str, score: float, pseudo_mos: str) -> dict[str, str]:
    """What the gallery shows of a file."""
    picture = {"picture": as_data(read_rgb(path)), "map": _map(path)}
    return picture | {"score": f"{score:.0f} of 100", "pseudo_mos": pseudo_mos}


def _choice(names: Sequence[str]) -> str:
    options = "".join(f"<option>{html.escape(name)}</option>" for name in names)
    return f"<select>{options}</select>"
