"""Heads trained on one data set and tested on another whole one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from iqa import datasets
from iqa.datasets import Dataset, Split
from iqa.errors import UserError
from iqa.evaluation import bootstrap_interval, compare_with, resampled_srcc, srcc
from iqa.experiments import rules
from iqa.experiments.study import Prepared, Study, arrange, fit_split, predict_split, prepare
from iqa.features import Features, extract
from iqa.files import fingerprint
from iqa.training import TrainedHeads

SOURCE = "own folds"
"""Where heads are tested on the test folds of the data set that they were trained on."""

OTHER_HALF = "other half"
"""Where heads are tested on contents of the same data set that were set aside."""


@dataclass(frozen=True)
class Target:
    """Images that no head is trained or chosen on.

    Attributes:
        name: what tables call it.
        data: the images.
        features: of the images, in the same order.
        images: id, group and target, scaled as for the source, of each.
    """

    name: str
    data: Dataset
    features: Features
    images: pd.DataFrame


def prepare_transfer(study: Study, others: Sequence[str]) -> tuple[Prepared, list[Target]]:
    """Load the source, `study.dataset`, and the targets, `others`.

    Without others, the contents of the source are dealt into two halves, one to train on and one
    to test on: images of new contents, not another data set.

    Raises:
        UserError: a data set is unknown or not there, holds the source's images, or is named twice.
    """
    _check_apart(study.dataset, others)
    loaded = [datasets.load(name) for name in others]
    source = prepare(study)
    if not others:
        return _halves(study, source)
    size = study.input_size
    return source, [
        _target(
            study, data.info.name, data, extract(data, study.backbone, size, weights=study.weights)
        )
        for data in loaded
    ]


def _check_apart(source: str, others: Sequence[str]) -> None:
    """The demo's miniature holds its photographs; `koniq10k/512x384` those of `koniq10k`."""

    def images(name: str) -> str:
        return name.partition("/")[0].removesuffix("_mini")

    kinds = [images(name) for name in (source, *others)]
    for name, kind in zip(others, kinds[1:], strict=True):
        if kinds.count(kind) > 1:
            raise UserError(
                f"others: `{name}` is the source `{source}` or another target, or holds its "
                "images; name data sets of other images"
            )


def _target(study: Study, name: str, data: Dataset, features: Features) -> Target:
    images = data.table[["id", "group"]].assign(target=rules.targets(study.protocol, data))
    return Target(name, data, features, images)


def _halves(study: Study, whole: Prepared) -> tuple[Prepared, list[Target]]:
    """One half of the contents to train on, the smaller one to test on."""
    groups = sorted(whole.data.table["group"].unique())
    dealt = np.random.default_rng(study.split_seed).permutation(groups)
    middle = (len(dealt) + 1) // 2
    source, features = _part(whole, dealt[:middle], "one half")
    other = _part(whole, dealt[middle:], OTHER_HALF)
    return arrange(study, source, features), [_target(study, OTHER_HALF, *other)]


def _part(whole: Prepared, groups: NDArray, name: str) -> tuple[Dataset, Features]:
    """The images of `groups` and their features."""
    data, features = whole.data, whole.features
    inside = data.table["group"].isin(groups).to_numpy()
    ids = tuple(data.table.loc[inside, "id"])
    info = replace(data.info, title=f"{data.info.title}, {name}")
    part = Dataset(
        info, data.table[inside].reset_index(drop=True), fingerprint(data.fingerprint, *ids)
    )
    return part, Features(ids, features.values[inside], features.key)


def cross_validate_transfer(
    study: Study, prepared: Prepared, targets: Sequence[Target]
) -> pd.DataFrame:
    """Train on every split of the source; test on its test images and on all of each target.

    The epoch is chosen on the source's validation images. A head of each fold and seed, a
    replicate, scores each image of a target, so replicates are numbered as seeds there.

    Returns:
        Columns `iqa.evaluation.study.COLUMNS` and tested_on (`SOURCE` or a target's name).
    """
    parts = []
    for split in prepared.splits:
        trained = fit_split(study, prepared, split)
        own = predict_split(study, prepared, split, trained)
        parts.append(own[own["side"] == "test"].assign(tested_on=SOURCE))
        parts += [_scores(split, trained, target) for target in targets]
    return pd.concat(parts, ignore_index=True)


def _scores(split: Split, trained: TrainedHeads, target: Target) -> pd.DataFrame:
    """What every head of one split makes of a target."""
    preds = trained.predict(target.features.values)
    n = len(trained.seeds)
    return pd.concat(
        [
            target.images.assign(
                head=head, seed=split.fold * n + i, fold=split.fold, prediction=row
            )
            for head, by_seed in zip(trained.presets, preds, strict=True)
            for i, row in enumerate(by_seed)
        ]
    ).assign(side="test", tested_on=target.name)


def summarize_transfer(
    predictions: pd.DataFrame, baseline: str, resamples: int = 10_000
) -> dict[str, pd.DataFrame]:
    """SRCC in the source and on each target, and what differs between the two.

    On the source, folds are pooled; on a target, SRCC is the mean over replicates. Intervals draw
    content groups, of source and targets apart: they speak of other images to be tested on, not of
    other ones to be trained on.

    Args:
        predictions: of `cross_validate_transfer`.
        baseline: the head that the others are compared with.
        resamples: bootstrap draws.

    Returns:
        Tables with the column tested_on: "heads" (head, srcc, low, high), best first;
        "comparisons", of each head with the baseline (figure and the columns of `compare_with`);
        and of targets alone "lost" (head, value, low, high: SRCC in the source minus SRCC there),
        and "changes": the difference to the baseline there minus that in the source (columns of
        `compare_with`). Holm's correction is made for each target and table apart.
    """
    found = {
        name: resampled_srcc(part, resamples, seed)
        for seed, (name, part) in enumerate(predictions.groupby("tested_on", sort=False))
    }
    tables: dict[str, list[pd.DataFrame]] = {"heads": [], "comparisons": []}
    tables |= {"lost": [], "changes": []}
    heads, inside, inside_samples = found[SOURCE]
    for name, (_, observed, samples) in found.items():
        best_first = np.argsort(-observed, kind="stable")
        table = _with_intervals("srcc", heads, observed, samples).iloc[best_first]
        tables["heads"].append(table.assign(tested_on=name))
        gaps = compare_with(baseline, heads, observed, samples)
        tables["comparisons"].append(gaps.assign(figure="srcc", tested_on=name))
        if name != SOURCE:
            lost = _with_intervals("value", heads, inside - observed, inside_samples - samples)
            tables["lost"].append(lost.assign(tested_on=name))
            change = compare_with(baseline, heads, observed - inside, samples - inside_samples)
            tables["changes"].append(change.assign(tested_on=name))
    return {name: pd.concat(parts, ignore_index=True) for name, parts in tables.items()}


def _with_intervals(
    value: str, heads: Sequence[str], observed: np.ndarray, samples: np.ndarray
) -> pd.DataFrame:
    low, high = bootstrap_interval(observed, samples).T
    return pd.DataFrame({"head": heads, value: observed, "low": low, "high": high})


def by_replicate(predictions: pd.DataFrame) -> pd.DataFrame:
    """SRCC of each replicate: columns tested_on, head, seed, srcc."""
    keys = ["tested_on", "head", "seed"]
    rows = [
        dict(zip(keys, names, strict=True)) | {"srcc": srcc(part["prediction"], part["target"])}
        for names, part in predictions.groupby(keys, sort=False)
    ]
    return pd.DataFrame(rows)


def mean_predictions(predictions: pd.DataFrame) -> pd.DataFrame:
    """One row a head and image: the mean over its replicates, for the record."""
    keys = ["tested_on", "head", "id", "group", "target"]
    means = predictions.groupby(keys, sort=False)["prediction"].mean().reset_index()
    return means.astype({"target": "float32", "prediction": "float32"})
