"""Deletion and insertion curves: does a map find the parts of an image that the score rests on?

Petsiuk, Das, Saenko, "RISE", BMVC 2018, section 4.2. What is deleted is blurred, not made grey: a
grey patch is a damage of its own to a judge of quality.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from iqa.explain.localization import blur

Engine = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


class Curves(NamedTuple):
    """Scores (..., K + 1) while the shares 0, 1/K, ..., 1 of the pixels are exchanged.

    Attributes:
        deletion: from the sharp image to the blurred one.
        insertion: from the blurred image to the sharp one.
    """

    deletion: NDArray
    insertion: NDArray


def first_pixels(heat: NDArray, share: float) -> NDArray[np.bool_]:
    """The `share` of the pixels with the highest values; of equals, those read first.

    >>> first_pixels(np.array([[0.1, 0.9], [0.5, 0.1]]), 0.5).tolist()
    [[False, True], [True, False]]
    """
    chosen = np.zeros(heat.size, bool)
    chosen[np.argsort(-heat, axis=None, kind="stable")[: round(share * heat.size)]] = True
    return chosen.reshape(heat.shape)


def curves(
    sharp: NDArray,
    blurred: NDArray,
    heat: NDArray,
    steps: int,
    score: Callable[[NDArray], NDArray],
) -> Curves:
    """Exchange pixels in the order of `heat`, the highest first, and score after each step.

    Args:
        sharp: the image, (H, W, 3).
        blurred: what stands for a deleted pixel, (H, W, 3).
        heat: (H, W); a constant is added to it or a positive factor without effect.
        steps: K.
        score: images (M, H, W, 3) to scores (M, ...).
    """
    chosen = [first_pixels(heat, k / steps)[..., None] for k in range(1, steps)]
    between = [np.where(mask, blurred, sharp) for mask in chosen]
    back = [np.where(mask, sharp, blurred) for mask in chosen]
    found = np.moveaxis(score(np.stack([sharp, blurred, *between, *back])), 0, -1)
    whole, gone = found[..., :1], found[..., 1:2]
    deletion, insertion = found[..., 2 : steps + 1], found[..., steps + 1 :]
    return Curves(
        np.concatenate([whole, deletion, gone], axis=-1),
        np.concatenate([gone, insertion, whole], axis=-1),
    )


def area(curve: NDArray) -> NDArray:
    """Area under a curve (..., K + 1) over the share of pixels, 0 to 1, by trapezoids: (...).

    >>> float(area(np.array([1.0, 0.5, 0.0])))
    0.5
    """
    return (curve[..., 1:] + curve[..., :-1]).mean(axis=-1) / 2


def random_heat(
    size: tuple[int, int], cells: tuple[int, int], rng: np.random.Generator
) -> NDArray[np.float32]:
    """Noise as coarse as a map: `cells` (h, w) of random height, enlarged to `size` (H, W).

    Single pixels at random would be no fair control: a map exchanges whole parts.
    """
    values = torch.from_numpy(rng.random((1, 1, *cells), dtype=np.float32))
    return nn.functional.interpolate(values, size, mode="bilinear", align_corners=False)[
        0, 0
    ].numpy()


def compare_orders(
    engine: Engine,
    heads: Mapping[str, nn.Module],
    image: NDArray[np.uint8],
    maps: Mapping[str, NDArray],
    controls: list[NDArray],
    sigma: float,
    steps: int,
) -> pd.DataFrame:
    """Curves of each head by its own map, and by `controls`, the mean over these.

    Args:
        engine: images (M, H, W, 3) to features (M, D).
        heads: name to head, features to scores.
        image: uint8 RGB (H, W, 3).
        maps: name of each head to its map (H, W), the most important pixels highest.
        controls: maps (H, W) that know nothing of the image.
        sigma: of the blur in pixels.
        steps: K of `Curves`.

    Returns:
        A row a head, kind ("deletion", "insertion"), order ("map", "random") and share: score.
    """
    blurred = blur(image, sigma)

    @torch.inference_mode()
    def score(images: NDArray) -> NDArray:
        features = torch.from_numpy(engine(images))
        return np.stack([head(features).numpy() for head in heads.values()], axis=1)

    by_chance = [curves(image, blurred, heat, steps, score) for heat in controls]
    parts = []
    for row, name in enumerate(heads):
        mine = curves(image, blurred, maps[name], steps, score)
        for kind in Curves._fields:
            chance = np.mean([getattr(one, kind)[row] for one in by_chance], axis=0)
            for order, values in (("map", getattr(mine, kind)[row]), ("random", chance)):
                named = {"head": name, "kind": kind, "order": order}
                shares = np.linspace(0, 1, steps + 1)
                parts.append(pd.DataFrame({**named, "share": shares, "score": values}))
    return pd.concat(parts, ignore_index=True)


def minus_random(curves: pd.DataFrame) -> pd.DataFrame:
    """Area by the map minus area by random order, of each head and content.

    Below 0 for deletion and above 0 for insertion, the map finds what the score rests on.

    Args:
        curves: the columns of `compare_orders`, group, and seed where there are several.

    Returns:
        Columns head, seed where it was given, group, deletion, insertion.
    """
    by = [name for name in ("head", "seed", "group", "kind", "order") if name in curves]
    areas = curves.sort_values("share").groupby(by, sort=False)["score"].agg(area_of)
    wide = areas.unstack("order")
    gaps = (wide["map"] - wide["random"]).unstack("kind")
    return gaps.loc[list(dict.fromkeys(curves["head"]))].reset_index()


def area_of(scores: pd.Series) -> float:
    """`area` of a column of scores at even steps."""
    return float(area(scores.to_numpy()))
