"""From tables of predictions or measures to `Estimates`: what is estimated, and over what chance.

| function | metric is taken on | the interval covers |
|:--|:--|:--|
| `single_splits` | the test images of each split | images, splits, seeds |
| `pooled_folds` | all images of a cross-validation | other contents |
| `within_contents` | the images of each content | other contents |
| `transferred` | another set, for each trained head | other contents, splits, seeds |
| `content_means`, `split_means` | (a measure that is there already) | contents; splits and seeds |

Predictions have the columns `split`, `fold`, `seed`, `id`, `group`, `target`, `prediction`, and those
that `by` names: what is compared, such as head or backbone. All of it is on test images.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from iqa.errors import UserError, unknown
from iqa.evaluation.bootstrap import bootstrap_plcc, bootstrap_srcc, resample_counts
from iqa.evaluation.estimates import Estimates
from iqa.evaluation.laws import OverContents, OverContentsAndReplicates, OverSplits
from iqa.evaluation.metrics import plcc, srcc

METRICS: dict[str, tuple[Callable[..., float], Callable[..., NDArray]]] = {
    "srcc": (srcc, bootstrap_srcc),
    "plcc": (plcc, bootstrap_plcc),
}
"""Name to the metric and its bootstrap."""

RESAMPLES = 2000


def single_splits(
    predictions: pd.DataFrame, by: Sequence[str], test_to_train: float, metric: str = "srcc"
) -> Estimates:
    """The mean over splits of the metric on the test images of one split.

    This is what papers report, and the default here: heads of different splits need not be on one
    scale. Seeds of one split are averaged; every fold of every assignment to folds is a split.

    Args:
        predictions: see above.
        by: columns of what is compared.
        test_to_train: test images for each training image, see `OverSplits`.
        metric: one of `METRICS`.

    Raises:
        UserError: an unknown metric, an image twice, or something tested on some splits only.
    """
    value = _metric(metric)[0]
    keys = [*by, "split", "fold", "seed"]
    _check_once(predictions, keys)
    rows = [
        (*key, value(part["prediction"], part["target"]))
        for key, part in predictions.groupby(keys, sort=False)
    ]
    scores = pd.DataFrame(rows, columns=[*keys, metric])
    return split_means(scores, by, metric, test_to_train, predictions["group"].nunique())


def split_means(
    measures: pd.DataFrame, by: Sequence[str], measure: str, test_to_train: float, contents: int
) -> Estimates:
    """The mean over splits of something measured once a split and seed, such as a silhouette.

    Args:
        measures: columns split, fold, seed, `by` and `measure`. A split where the measure is
            undefined (NaN) for one of those compared is left out for all.
        by: columns of what is compared.
        measure: name of the column.
        test_to_train: test images for each training image.
        contents: that the splits hold together.

    Raises:
        UserError: something is there for some splits only.
    """
    labels, wide = _wide(measures, by, ["split", "fold"], measure)
    kept = wide[:, _defined(wide)]
    observed = kept.mean(axis=1) if kept.shape[1] else np.full(len(labels), np.nan)
    return Estimates(labels, observed, kept, OverSplits(test_to_train, contents))


def pooled_folds(
    predictions: pd.DataFrame,
    by: Sequence[str],
    metric: str = "srcc",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimates:
    """The metric over the images of all folds together, the mean over assignments and seeds.

    Heads of different folds must be on one scale. What is compared need not be on the same images:
    the bootstrap draws from the contents of all, the same draw for each.

    Args:
        predictions: see above.
        by: columns of what is compared.
        metric: one of `METRICS`.
        resamples: draws of contents.
        seed: of the draws.

    Raises:
        UserError: an unknown metric, an image twice, fewer than 2 contents, or something tested
            for some seeds only.
    """
    units = _units(predictions, by, ["split", "seed"], metric, resamples, seed)
    law = OverContents(predictions["group"].nunique())
    return Estimates(units.labels, _mean(units.observed), _mean(units.drawn), law)


def transferred(
    predictions: pd.DataFrame,
    by: Sequence[str],
    left_out_to_train: float,
    metric: str = "srcc",
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimates:
    """The metric on a whole other set, the mean over the trained heads of all splits and seeds.

    Args:
        predictions: see above; every replicate (split, fold, seed) on the same images.
        by: columns of what is compared.
        left_out_to_train: source images that a split leaves out, for each training image.
        metric: one of `METRICS`.
        resamples: draws of the target's contents.
        seed: of the draws.

    Raises:
        UserError: as `pooled_folds`.
    """
    units = _units(predictions, by, ["split", "fold", "seed"], metric, resamples, seed)
    law = OverContentsAndReplicates(resamples, left_out_to_train, predictions["group"].nunique())
    values = np.concatenate([_mean(units.drawn), units.observed.T], axis=1)
    return Estimates(units.labels, _mean(units.observed), values, law)


def within_contents(
    predictions: pd.DataFrame, by: Sequence[str], resamples: int = RESAMPLES, seed: int = 0
) -> Estimates:
    """The mean over contents of SRCC among the images of one content.

    It leaves out whether different contents are put on one scale. Contents of fewer than 3 images,
    or where SRCC is undefined for one of those compared, are left out for all.
    """
    keys = [*by, "group", "split", "seed"]
    rows = [
        (*key, srcc(part["prediction"], part["target"]))
        for key, part in predictions.groupby(keys, sort=False)
        if len(part) >= 3
    ]
    scores = pd.DataFrame(rows, columns=[*keys, "srcc"])
    return content_means(scores, by, "srcc", resamples, seed)


def content_means(
    measures: pd.DataFrame,
    by: Sequence[str],
    measure: str,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Estimates:
    """The mean over contents of something measured on each, such as a share of a map.

    Args:
        measures: columns group, `by` and `measure`, any number of rows a content, averaged first.
            A content where the measure is undefined (NaN) for one of those compared is left out.
        by: columns of what is compared.
        measure: name of the column.
        resamples: draws of contents.
        seed: of the draws.

    Raises:
        UserError: something is there for some contents only.
    """
    labels, wide = _wide(measures, by, ["group"], measure)
    kept = wide[:, _defined(wide)]
    contents = kept.shape[1]
    if contents < 2:
        nothing = np.full((len(labels), resamples), np.nan)
        observed = kept[:, 0] if contents else nothing[:, 0]
        return Estimates(labels, observed, nothing, OverContents(contents))
    counts = resample_counts([str(i) for i in range(contents)], resamples, seed)
    return Estimates(labels, kept.mean(axis=1), kept @ counts / contents, OverContents(contents))


@dataclass(frozen=True)
class _Units:
    """A metric for each unit, such as a seed: observed (U, K), and in resamples (U, K, R)."""

    labels: pd.DataFrame
    observed: NDArray
    drawn: NDArray


def _units(
    predictions: pd.DataFrame,
    by: Sequence[str],
    unit: list[str],
    metric: str,
    resamples: int,
    seed: int,
) -> _Units:
    """The metric of each of `by` in each unit, and in resamples of the contents of all units."""
    value, bootstrap = _metric(metric)
    _check_once(predictions, [*by, *unit])
    contents = sorted(predictions["group"].unique())
    rows = []
    for key, part in predictions.groupby([*by, *unit], sort=False):
        part = part.sort_values("id")
        rows.append((key, part["prediction"].to_numpy(), part))
    found = pd.DataFrame([key for key, _, _ in rows], columns=[*by, *unit])
    found["observed"] = [value(preds, part["target"]) for _, preds, part in rows]
    # What was tested on the same images shares the ranks of the targets.
    found["images"] = [hash(tuple(part["id"])) for _, _, part in rows]
    drawn = np.empty((len(rows), resamples))
    for same in found.groupby([*unit, "images"], sort=False).indices.values():
        images = rows[same[0]][2]
        preds = np.array([rows[row][1] for row in same])
        target, groups = images["target"].to_numpy(), list(images["group"])
        drawn[same] = bootstrap(preds, target, groups, resamples, seed, contents)
    found["row"] = range(len(found))
    labels, order = _wide(found, by, unit, "row")
    places = order.T.astype(int)
    return _Units(labels, found["observed"].to_numpy()[places], drawn[places])


def _wide(
    table: pd.DataFrame, by: Sequence[str], columns: list[str], value: str
) -> tuple[pd.DataFrame, NDArray]:
    """Labels (K rows), in the order of their first row, and means of `value`, (K, columns)."""
    labels = table[list(by)].drop_duplicates().reset_index(drop=True)
    sizes = table.groupby([*by, *columns], sort=False).size()
    if len(sizes) < len(labels) * len(table[columns].drop_duplicates()):
        raise UserError(
            f"{', '.join(by)}: some were tested for some {', '.join(columns)} only; compare what was "
            "tested alike"
        )
    # A mean over seeds is undefined where one of them is.
    means = table.groupby([*by, *columns], sort=True)[value].agg(lambda v: v.mean(skipna=False))
    wide = means.unstack(columns)
    index = pd.MultiIndex.from_frame(labels) if len(by) > 1 else pd.Index(labels.iloc[:, 0])
    return labels, wide.loc[index].to_numpy(dtype=float)


def _defined(wide: NDArray) -> NDArray[np.bool_]:
    """The columns that are defined in every row that is defined anywhere."""
    holes = np.isnan(wide)
    return ~holes[~holes.all(axis=1)].any(axis=0) if wide.size else np.zeros(wide.shape[1], bool)


def _mean(units: NDArray) -> NDArray:
    """Mean over the first axis of (U, K, ...), over those units where all K are defined."""
    holes = np.isnan(units).any(axis=1)
    counted = (~holes).sum(axis=0)
    kept = np.where(holes[:, None], 0.0, units)
    with np.errstate(invalid="ignore"):
        return np.where(counted > 0, kept.sum(axis=0) / counted, np.nan)


def _metric(name: str) -> tuple[Callable[..., float], Callable[..., NDArray]]:
    if name not in METRICS:
        raise unknown("metric", name, list(METRICS))
    return METRICS[name]


def _check_once(predictions: pd.DataFrame, keys: list[str]) -> None:
    twice = predictions.duplicated([*keys, "id"])
    if twice.any():
        row = predictions[twice].iloc[0]
        raise UserError(
            f"id {row['id']!r} is predicted twice for {dict(row[keys])}: give each image once, on "
            "its test side"
        )
