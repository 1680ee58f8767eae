"""From the per-image predictions of a study to its table: one row a head."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from iqa.errors import UserError
from iqa.evaluation.bootstrap import bootstrap_interval, bootstrap_srcc, resample_counts
from iqa.evaluation.metrics import evaluate, srcc
from iqa.evaluation.paired import compare_with

COLUMNS = ("head", "seed", "fold", "side", "id", "group", "target", "prediction")


@dataclass(frozen=True)
class Summary:
    """What a study says.

    Two figures: `srcc` over all test images, the one to report, and `srcc_within`, the mean over
    content groups of the SRCC within one, which leaves out whether different contents are put on
    one scale. Both are means over seeds.

    Attributes:
        heads: a row a head, best first: head, srcc, low, high, srcc_sd_seeds, srcc_within,
            within_low, within_high; the intervals are 95 % bootstraps over content groups.
        comparisons: a row for each figure and each head but the baseline: figure and the columns
            of `compare_with`; Holm's correction is made for each figure apart.
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


def _within_by_group(preds: NDArray, target: NDArray, groups: NDArray) -> NDArray:
    """SRCC within each content group of at least 3 images, the mean over seeds; (H, G)."""
    parts = [groups == name for name in np.unique(groups) if (groups == name).sum() >= 3]
    found = [
        [np.mean([srcc(row[part], target[part]) for row in rows]) for part in parts]
        for rows in preds
    ]
    return np.array(found).reshape(len(preds), len(parts))


def _resampled_means(values: NDArray, resamples: int, seed: int) -> NDArray:
    """Means over groups of `values` (H, G) in each draw of groups; (H, R), NaN without groups."""
    if values.shape[1] < 2:
        return np.full((len(values), resamples), np.nan)
    counts = resample_counts([str(i) for i in range(values.shape[1])], resamples, seed)
    return values @ counts / values.shape[1]


def summarize_heads(
    predictions: pd.DataFrame, baseline: str, resamples: int = 10_000, seed: int = 0
) -> Summary:
    """Table and paired comparisons of the heads of one study.

    The folds of a cross-validation are pooled: each image is predicted once per seed, by a head
    that saw none of its content group. The bootstrap draws content groups, so the intervals speak
    of other contents, not of other images of these.

    Args:
        predictions: columns `COLUMNS`, `side` being "val" or "test"; in the test rows each `id`
            stands once for each head and seed.
        baseline: the head that the others are compared with.
        resamples: bootstrap draws.
        seed: of the draws.

    Raises:
        UserError: a prediction is missing or there twice, or `baseline` is not among the heads.
    """
    heads, preds, images = _as_array(predictions[predictions["side"] == "test"])
    target, groups = images["target"].to_numpy(), images["group"].to_numpy()
    by_seed = np.array([[srcc(row, target) for row in rows] for rows in preds])
    by_group = _within_by_group(preds, target, groups)
    observed = {"srcc": by_seed.mean(axis=1), "srcc_within": _mean_or_nan(by_group)}
    samples = {
        "srcc": bootstrap_srcc(preds, target, list(groups), resamples, seed).mean(axis=1),
        "srcc_within": _resampled_means(by_group, resamples, seed),
    }
    intervals = {name: bootstrap_interval(observed[name], samples[name]).T for name in observed}
    table = pd.DataFrame(
        {
            "head": heads,
            "srcc": observed["srcc"],
            "low": intervals["srcc"][0],
            "high": intervals["srcc"][1],
            "srcc_sd_seeds": by_seed.std(axis=1, ddof=1) if by_seed.shape[1] > 1 else np.nan,
            "srcc_within": observed["srcc_within"],
            "within_low": intervals["srcc_within"][0],
            "within_high": intervals["srcc_within"][1],
        }
    )
    comparisons = [
        compare_with(baseline, heads, observed[name], samples[name]).assign(figure=name)
        for name in observed
        if not np.isnan(observed[name]).any()
    ]
    return Summary(
        table.sort_values("srcc", ascending=False, ignore_index=True),
        pd.concat(comparisons, ignore_index=True),
    )


def _mean_or_nan(values: NDArray) -> NDArray:
    return values.mean(axis=1) if values.shape[1] else np.full(len(values), np.nan)
