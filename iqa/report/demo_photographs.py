"""Demo photographs with the shipped model's score and map, as pictures that a page can hold."""

import base64
import io
import json
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pandas as pd
from IPython.display import HTML
from PIL import Image

from iqa import datasets
from iqa.images import read_rgb
from iqa.scoring import Scorer
from iqa.scoring.overlays import save_overlay

SIDE = 320
"""The longer side of a picture on a page, in pixels."""


def as_data(picture: Image.Image) -> str:
    """A picture as an address that holds it, WebP."""
    small = picture.convert("RGB")
    small.thumbnail((SIDE, SIDE))
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=78)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode()


_scorer = cache(Scorer)
"""The shipped model, opened once a page."""


@cache
def _versions(*names: str) -> pd.DataFrame:
    """The demo's versions of photographs, with the model's score in the column model."""
    table = datasets.load("demo").table
    table = table[table["group"].isin(names)]
    return table.assign(model=_scorer().score(list(table["path"]))["score"].to_numpy())


def scored(names: Sequence[str]) -> HTML:
    """Photographs of the demo, undistorted, each with the model's score and its map."""
    table, scorer = datasets.load("demo").table, _scorer()
    figures = []
    for name in names:
        path = table.loc[table["group"] == name, "reference"].iloc[0]
        score = scorer.score([path])["score"].iloc[0]
        figures.append(
            f'<figure><img alt="{name}" src="{as_data(read_rgb(path))}">'
            f'<img alt="{name}: what raises its score, as a heat map" src="{_map(scorer, path)}">'
            f"<figcaption>{name}: score {score:.0f} of 100</figcaption></figure>"
        )
    return HTML(f'<div class="photographs">{"".join(figures)}</div>')


def _map(scorer: Scorer, path: str) -> str:
    """What raises the score of a file, laid over it, as an address that holds it."""
    with tempfile.TemporaryDirectory() as folder:
        return as_data(read_rgb(str(save_overlay(scorer, path, Path(folder)))))


def gallery(names: Sequence[str], distortions: Sequence[str]) -> HTML:
    """Photographs under distortions of five levels, with a slider: both scores and the map."""
    table = _versions(*names)
    chosen = table[table["distortion"].isin(distortions)]
    pictures: dict[str, dict[str, dict[str, dict[str, str]]]] = {}
    for row in chosen.itertuples():
        one = {"picture": as_data(read_rgb(row.path)), "pseudo_mos": f"{row.score:.1f} of 5"}
        one |= {"score": f"{row.model:.0f} of 100", "map": _map(_scorer(), row.path)}
        pictures.setdefault(row.group, {}).setdefault(row.distortion, {})[str(row.level)] = one
    first = next(iter(pictures))
    options = "".join(f"<option>{name}</option>" for name in pictures)
    kinds = "".join(f"<option>{name}</option>" for name in pictures[first])
    data = json.dumps(pictures).replace("</", "<\\/")
    return HTML(
        f'<div class="gallery"><label>Photograph <select>{options}</select></label>'
        f"<label>Distortion <select>{kinds}</select></label>"
        '<label>Level <input type="range" min="1" max="5" value="1"></label>'
        f'<div><img class="picture" alt="" width="{SIDE}">'
        f'<img class="map" alt="" width="{SIDE}"></div>'
        "<output></output>"
        f'<script type="application/json">{data}</script></div>'
    )


def scores_by_level(names: Sequence[str]) -> pd.DataFrame:
    """The model's score and the pseudo-MOS of photographs, by distortion and level: means."""
    means = _versions(*names).groupby(["distortion", "level"])[["score", "model"]].mean()
    return means.rename(columns={"score": "pseudo_mos"}).reset_index()
