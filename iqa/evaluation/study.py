"""From the per-image predictions of a study to its table: one row a head."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from iqa.errors import UserError
from iqa.evaluation.bootstrap import bootstrap_interval, bootstrap_srcc
from iqa.evaluation.metrics import evaluate, srcc
from iqa.evaluation.paired import compare_with

COLUMNS = ("head", "seed", "fold", "side", "id", "group", "target", "prediction")


@dataclass(frozen=True)
class Summary:
    """What a study says.

    Attributes:
        heads: a row a head, best first: head, srcc (mean over seeds of the SRCC over all test
            images), low and high (95 % bootstrap over content groups), srcc_sd_seeds, and
            srcc_within (mean over content groups of the SRCC within one).
        comparisons: a row a head but the baseline, see `compare_with`.
    """

    heads: pd.DataFrame
    comparisons: pd.DataFrame


def figures_by_fold(predictions: pd.DataFrame) -> pd.DataFrame:
    """Every figure of `evaluate` for each head, seed and fold: one row each.

    Args:
        predictions: columns `COLUMNS`, with the test and the validation rows of every fold.
    """
    rows = []
    for (head, seed, fold), part in predictions.groupby(["head", "seed", "fold"], sort=False):
        test, val = (part[part["side"] == side] for side in ("test", "val"))
        figures = evaluate(test["prediction"], test["target"], val["prediction"], val["target"])
        rows.append({"head": head, "seed": seed, "fold": fold, **figures})
    return pd.DataFrame(rows)


def _as_array(predictions: pd.DataFrame) -> tuple[list[str], NDArray, pd.DataFrame]:
    """Head names (H), predictions (H, seeds, N), and the N images in the same order."""
    wide = predictions.pivot_table(index=["head", "seed"], columns="id", values="prediction")
    if wide.isna().to_numpy().any() or len(predictions) != wide.size:
        raise UserError(
            "predictions are not one per head, seed and image: each head and seed must be tested "
            "on the same images, each image once"
        )
    heads = list(wide.index.get_level_values("head").unique())
    images = predictions.drop_duplicates("id").set_index("id").loc[wide.columns]
    return heads, wide.to_numpy().reshape(len(heads), -1, wide.shape[1]), images


def _within(rows: NDArray, target: NDArray, groups: NDArray) -> float:
    """Mean SRCC within a content group over groups and seeds; NaN where no group has 3 images."""
    parts = [groups == name for name in np.unique(groups)]
    found = [srcc(row[p], target[p]) for row in rows for p in parts if p.sum() >= 3]
    return float(np.nanmean(found)) if found else float("nan")


def summarize_heads(
    predictions: pd.DataFrame, baseline: str, resamples: int = 10_000, seed: int = 0
) -> Summary:
    """Table and paired comparisons of the heads of one study.

    The folds of a cross-validation are pooled: each image is predicted once per seed, by a head
    that saw none of its content group. The figure of a head is the mean over its seeds, and the
    bootstrap draws content groups, so its interval speaks of other contents, not of other images.

    Args:
        predictions: columns `COLUMNS`, `side` being "val" or "test"; in the test rows each `id`
            stands once for each head and seed.
        baseline: the head that the others are compared with.
        resamples: bootstrap draws.
        seed: of the draws.
    """
    heads, preds, images = _as_array(predictions[predictions["side"] == "test"])
    target, groups = images["target"].to_numpy(), images["group"].to_list()
    by_seed = np.array([[srcc(row, target) for row in rows] for rows in preds])
    samples = bootstrap_srcc(preds, target, groups, resamples, seed).mean(axis=1)
    low, high = bootstrap_interval(by_seed.mean(axis=1), samples).T
    table = pd.DataFrame(
        {
            "head": heads,
            "srcc": by_seed.mean(axis=1),
            "low": low,
            "high": high,
            "srcc_sd_seeds": by_seed.std(axis=1, ddof=1) if by_seed.shape[1] > 1 else np.nan,
            "srcc_within": [_within(rows, target, images["group"].to_numpy()) for rows in preds],
        }
    ).sort_values("srcc", ascending=False, ignore_index=True)
    return Summary(table, compare_with(baseline, heads, by_seed.mean(axis=1), samples))
