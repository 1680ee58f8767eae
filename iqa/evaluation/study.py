"""From the per-image predictions of a study to its table: one row a head."""

from collections.abc import Sequence
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
        predictions: columns `COLUMNS`, with the test and the validation rows of every fold; a fold
            without validation rows has no `plcc_val_fit` (NaN).
    """
    rows = []
    for (head, seed, fold), part in predictions.groupby(["head", "seed", "fold"], sort=False):
        test, val = (part[part["side"] == side] for side in ("test", "val"))
        figures = evaluate(test["prediction"], test["target"], val["prediction"], val["target"])
        rows.append({"head": head, "seed": seed, "fold": fold, **figures})
    return pd.DataFrame(rows)


@dataclass(frozen=True)
class _SeedResult:
    """Of one seed: predictions (H, N) of the heads, and the N images in the same order."""

    preds: NDArray
    images: pd.DataFrame

    @property
    def target(self) -> NDArray:
        return self.images["target"].to_numpy()


def _by_seed(predictions: pd.DataFrame) -> tuple[list[str], list[_SeedResult]]:
    """Head names (H), and the result of each seed; seeds may be tested on different images."""
    heads, found = sorted(predictions["head"].unique()), []
    for _, part in predictions.groupby("seed"):
        wide = part.pivot_table(index="head", columns="id", values="prediction")
        size = len(heads) * len(wide.columns)
        if wide.isna().to_numpy().any() or not len(part) == wide.size == size:
            raise UserError(
                "predictions are not one per head, seed and image: the heads of a seed must be "
                "tested on the same images, each image once"
            )
        images = part.drop_duplicates("id").set_index("id").loc[wide.columns]
        found.append(_SeedResult(wide.to_numpy(), images))
    return heads, found


def _within_by_group(seeds: Sequence[_SeedResult]) -> NDArray:
    """SRCC within each content group, the mean over the seeds with 3 images of it; (H, G)."""
    found: dict[str, list[list[float]]] = {}
    for seed in seeds:
        for name, rows in seed.images.groupby("group").indices.items():
            if len(rows) >= 3:
                within = [srcc(row[rows], seed.target[rows]) for row in seed.preds]
                found.setdefault(str(name), []).append(within)
    means = [np.mean(found[name], axis=0) for name in sorted(found)]
    return np.array(means).reshape(len(means), len(seeds[0].preds)).T


def _resampled_srcc(seeds: Sequence[_SeedResult], resamples: int, seed: int) -> NDArray:
    """The mean over seeds of SRCC in each draw of groups, (H, R)."""
    groups = [list(one.images["group"]) for one in seeds]
    everything = sorted(set().union(*groups))
    parts = [
        bootstrap_srcc(one.preds, one.target, of, resamples, seed, everything)
        for one, of in zip(seeds, groups, strict=True)
    ]
    return np.mean(parts, axis=0)


def resampled_srcc(
    predictions: pd.DataFrame, resamples: int = 10_000, seed: int = 0
) -> tuple[list[str], NDArray, NDArray]:
    """SRCC of every head in every resample, for contrasts that `summarize_heads` does not make.

    Images of the same content groups get the same draws under one `seed`, so the samples of two
    calls can be subtracted in pairs. For other images take another seed: independent draws.

    Args:
        predictions: as for `summarize_heads`.
        resamples: number R of draws of content groups.
        seed: of the draws.

    Returns:
        The H heads, sorted; SRCC of each, the mean over seeds, (H,); the same in each draw, (H, R).

    Raises:
        UserError: a prediction is missing or there twice.
    """
    heads, seeds = _by_seed(predictions[predictions["side"] == "test"])
    return heads, _srcc_by_seed(seeds).mean(axis=1), _resampled_srcc(seeds, resamples, seed)


def _srcc_by_seed(seeds: Sequence[_SeedResult]) -> NDArray:
    return np.array([[srcc(row, one.target) for row in one.preds] for one in seeds]).T


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

    The folds of a cross-validation are pooled: each image is predicted once per seed. Where seeds
    have splits of their own, each is tested on its own images. The bootstrap draws content groups,
    the same for all seeds and heads, so the intervals speak of other contents, not of other images
    of these.

    Args:
        predictions: columns `COLUMNS`, `side` being "val" or "test"; in the test rows of a seed
            each `id` stands once for each head.
        baseline: the head that the others are compared with.
        resamples: bootstrap draws.
        seed: of the draws.

    Raises:
        UserError: a prediction is missing or there twice, or `baseline` is not among the heads.
    """
    heads, seeds = _by_seed(predictions[predictions["side"] == "test"])
    by_seed = _srcc_by_seed(seeds)
    by_group = _within_by_group(seeds)
    observed = {"srcc": by_seed.mean(axis=1), "srcc_within": _mean_or_nan(by_group)}
    samples = {
        "srcc": _resampled_srcc(seeds, resamples, seed),
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
