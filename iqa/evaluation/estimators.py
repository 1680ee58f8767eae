"""From tables of predictions or measures to `Estimates`: what is estimated, and over what chance.

| function | SRCC is taken on | the interval covers |
|:--|:--|:--|
| `single_splits` | the test images of each split | images, splits, seeds |
| `pooled_folds` | all images of a cross-validation | other contents |
| `within_contents` | the images of each content | other contents |
| `transferred` | another set, for each trained head | other contents, splits, seeds |
| `whole_assignments` | all images of each cross-validation | other contents, splits, seeds |
| `content_means`, `split_means` | (a measure that is there already) | contents; splits and seeds |

Predictions have the columns split, fold, seed, id, group, target, prediction, and those of `by`.
All of them are on test images. Measures have the columns `by`, one called `measure`, and split,
fold and seed, or group. What these functions take:

- `by`: columns of what is compared, such as head or backbone;
- `test_to_train`: images left out of training for each training image, see `OverSplits`;
- `resamples`: draws of contents.
"""

import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from iqa.errors import UserError
from iqa.evaluation.bootstrap import bootstrap_srcc, resample_counts
from iqa.evaluation.estimates import Estimates
from iqa.evaluation.laws import OverContents, OverSplits
from iqa.evaluation.metrics import srcc

RESAMPLES = 2000


def single_splits(predictions: pd.DataFrame, by: Sequence[str], test_to_train: float) -> Estimates:
    """The mean over splits of SRCC on the test images of one split.

    This is what papers report, and the default here: heads of different splits need not be on one
    scale. Seeds of one split are averaged; every fold of every assignment to folds is a split.
    Where all splits have the same test images, as an owner's split has, the spread over splits does
    not hold the choice of these images: then the estimates are those of `transferred`.

    Raises:
        UserError: an image twice, or something tested on some splits only.
    """
    keys = [*by, "split", "fold", "seed"]
    _check_once(predictions, keys)
    sides = predictions[["split", "fold", "id"]].drop_duplicates()
    splits = len(sides[["split", "fold"]].drop_duplicates())
    if splits > 1 and len(sides) == splits * sides["id"].nunique():
        return transferred(predictions, by, test_to_train)
    rows = [
        (*key, srcc(part["prediction"], part["target"]))
        for key, part in predictions.groupby(keys, sort=False)
    ]
    scores = pd.DataFrame(rows, columns=[*keys, "srcc"])
    return split_means(scores, by, "srcc", test_to_train, predictions["group"].nunique())


def split_means(
    measures: pd.DataFrame, by: Sequence[str], measure: str, test_to_train: float, contents: int
) -> Estimates:
    """The mean over splits of something measured once a split and seed, such as a silhouette.

    A split where the measure is undefined (NaN) for one of those compared is left out for all.
    `contents` is how many the splits hold together.

    Raises:
        UserError: something is there for some splits only.
    """
    labels, wide = _wide(measures, by, ["split", "fold"], measure)
    kept = wide[:, _defined(wide)]
    observed = kept.mean(axis=1) if kept.shape[1] else np.full(len(labels), np.nan)
    return Estimates(labels, observed, kept, OverSplits(test_to_train, contents))


def pooled_folds(
    predictions: pd.DataFrame, by: Sequence[str], resamples: int = RESAMPLES, seed: int = 0
) -> Estimates:
    """SRCC over the images of all folds together, the mean over assignments and seeds.

    Heads of different folds must be on one scale. What is compared need not be on the same images:
    the bootstrap, drawn with `seed`, draws from the contents of all, the same draw for each.

    Raises:
        UserError: an image twice, or fewer than 2 contents.
    """
    units = _by_unit(predictions, by, ["split", "seed"], resamples, seed)
    return Estimates(*_mean_by(*units, by), OverContents(predictions["group"].nunique()))


def transferred(
    predictions: pd.DataFrame, by: Sequence[str], test_to_train: float, resamples: int = RESAMPLES
) -> Estimates:
    """SRCC on a whole other set, the mean over the trained heads of all splits and seeds.

    Every replicate (split, fold, seed) is tested on the same images. `test_to_train` is that of the
    source; contents are drawn from the target.

    Raises:
        UserError: as `pooled_folds`, or something tested by some replicates only.
    """
    replicate = ["split", "fold", "seed"]
    found, drawn = _by_unit(predictions, by, replicate, resamples)
    labels, observed, means = _mean_by(found, drawn, by)
    _, replicates = _wide(found, by, replicate, "srcc")
    values = np.concatenate([means, replicates], axis=1)
    law = OverSplits(test_to_train, predictions["group"].nunique(), resamples)
    return Estimates(labels, observed, values, law)


def whole_assignments(
    predictions: pd.DataFrame, by: Sequence[str], resamples: int = RESAMPLES
) -> Estimates:
    """As `pooled_folds`, where each assignment to folds, with one seed, is a replicate.

    So protocols compare that have other test images in each fold. The variance is that of resampled
    contents and that of the mean over cross-validations, which share no more than the images: so it
    needs no correction.

    Raises:
        UserError: as `transferred`.
    """
    return transferred(predictions.assign(fold=0), by, 0.0, resamples)


def within_contents(
    predictions: pd.DataFrame, by: Sequence[str], resamples: int = RESAMPLES
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
    return content_means(scores, by, "srcc", resamples)


def content_means(
    measures: pd.DataFrame, by: Sequence[str], measure: str, resamples: int = RESAMPLES
) -> Estimates:
    """The mean over contents of something measured on each, such as a share of a map.

    The rows of one content, any number of them, are averaged first. A content where the measure is
    undefined (NaN) for one of those compared is left out for all.

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
    counts = resample_counts([str(i) for i in range(contents)], resamples, seed=0)
    return Estimates(labels, kept.mean(axis=1), kept @ counts / contents, OverContents(contents))


def _by_unit(
    predictions: pd.DataFrame, by: Sequence[str], unit: list[str], resamples: int, seed: int = 0
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """SRCC of each of `by` in each unit, such as a seed, and in resamples of all contents.

    Returns:
        U rows with `by`, `unit` and srcc; and SRCC in each draw, (U, resamples).
    """
    keys = [*by, *unit]
    _check_once(predictions, keys)
    contents = sorted(predictions["group"].unique())
    parts = [part for _, part in predictions.sort_values("id").groupby(keys, sort=False)]
    found = pd.concat([part[keys].head(1) for part in parts], ignore_index=True)
    found["srcc"] = [srcc(part["prediction"], part["target"]) for part in parts]
    # What was tested on the same images shares the ranks of the targets.
    images = [hash((*part["id"], *part["target"])) for part in parts]
    drawn = np.empty((len(parts), resamples))
    for rows in found.groupby(images).indices.values():
        preds = np.array([parts[row]["prediction"] for row in rows])
        target, groups = parts[rows[0]]["target"].to_numpy(), list(parts[rows[0]]["group"])
        drawn[rows] = bootstrap_srcc(preds, target, groups, resamples, seed, contents)
    return found, drawn


def _wide(
    table: pd.DataFrame, by: Sequence[str], columns: list[str], value: str
) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    """Labels (K rows), in the order of their first row, and means of `value`, (K, columns)."""
    labels = table[list(by)].drop_duplicates().reset_index(drop=True)
    sizes = table.groupby([*by, *columns], sort=False).size()
    if len(sizes) < len(labels) * len(table[columns].drop_duplicates()):
        raise UserError(
            f"{', '.join(by)}: some were tested for some {', '.join(columns)} only; compare what "
            "was tested alike"
        )
    # A mean over seeds is undefined where one of them is.
    means = table.groupby([*by, *columns], sort=True)[value].agg(lambda v: v.mean(skipna=False))
    wide = means.unstack(columns)
    index = pd.MultiIndex.from_frame(labels) if len(by) > 1 else pd.Index(labels.iloc[:, 0])
    return labels, wide.loc[index].to_numpy(dtype=float)


def _defined(wide: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The columns that are defined in every row that is defined anywhere."""
    if not wide.size:
        return np.zeros(wide.shape[1], bool)
    holes = np.isnan(wide)
    return np.logical_not(holes[~holes.all(axis=1)].any(axis=0))


def _mean_by(
    found: pd.DataFrame, drawn: NDArray[np.float64], by: Sequence[str]
) -> tuple[pd.DataFrame, NDArray[np.float64], NDArray[np.float64]]:
    """Labels (K), and the mean over the units of each: of srcc, (K,), and of the draws, (K, R).

    In a draw without an image of some unit, the mean is over the others.
    """
    groups = found.groupby(list(by), sort=False)
    labels, rows = found[list(by)].drop_duplicates().reset_index(drop=True), groups.indices.values()
    observed = groups["srcc"].agg(lambda v: v.mean(skipna=False)).to_numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # nothing is defined: NaN
        means = np.array([np.nanmean(drawn[row], axis=0) for row in rows])
    return labels, observed, means


def _check_once(predictions: pd.DataFrame, keys: list[str]) -> None:
    twice = predictions.duplicated([*keys, "id"])
    if twice.any():
        row = predictions[twice].iloc[0]
        raise UserError(
            f"id {row['id']!r} is predicted twice for {dict(row[keys])}: give each image once, on "
            "its test side"
        )
