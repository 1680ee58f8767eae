"""Heads trained on one data set and tested on another whole one."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from iqa.datasets import Split
from iqa.evaluation import bootstrap_interval, compare_with, resampled_srcc, srcc
from iqa.experiments.rates import OWN, at_rate, by_validation, folds_apart, variant_of
from iqa.experiments.study import Prepared, Study, fit_split, predict_split
from iqa.experiments.transfer_targets import Target
from iqa.training import TrainedHeads

SOURCE = "own folds"
"""Where heads are tested on the test folds of the data set that they were trained on."""


def cross_validate_transfer(
    study: Study, prepared: Prepared, targets: Sequence[Target], rates: Sequence[float]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train on every split of the source; test on its test images and on all of each target.

    Epoch and, among `rates`, each head's own learning rate are chosen on the source's validation
    images. The heads of every fold and seed, the replicates, score all images of a target.

    Args:
        study: its learning rate, one of `rates`, is that of the first variant.
        prepared: the source.
        targets: what else is tested on.
        rates: that a head's own is chosen among.

    Returns:
        Predictions, columns `iqa.evaluation.study.COLUMNS`, tested_on (`SOURCE` or a target's name)
        and variant (the study's rate or `OWN`); and what validation says of each rate, as
        `iqa.experiments.rates.by_validation`.
    """
    reference = study.training.learning_rate
    predictions, said = [], []
    for split in prepared.splits:
        by_rate = {rate: fit_split(at_rate(study, rate), prepared, split) for rate in rates}
        validation = _validation(by_rate, split)
        own = [
            by_rate[row.learning_rate].select([row.head], [row.seed])
            for row in validation[validation["own"]].itertuples()
        ]
        predictions += [
            _tested(study, prepared, split, heads, targets).assign(variant=variant)
            for variant, stacks in ((variant_of(reference), [by_rate[reference]]), (OWN, own))
            for heads in stacks
        ]
        said.append(validation)
    return pd.concat(predictions, ignore_index=True), pd.concat(said, ignore_index=True)


def _validation(by_rate: dict[float, TrainedHeads], split: Split) -> pd.DataFrame:
    histories = [
        heads.history.assign(learning_rate=rate, fold=split.fold) for rate, heads in by_rate.items()
    ]
    return by_validation(pd.concat(histories, ignore_index=True).rename(columns={"preset": "head"}))


def _tested(
    study: Study, prepared: Prepared, split: Split, heads: TrainedHeads, targets: Sequence[Target]
) -> pd.DataFrame:
    """What heads of one split make of its test images and of every target."""
    own = predict_split(study, prepared, split, heads)
    parts = [own[own["side"] == "test"].assign(tested_on=SOURCE)]
    for target in targets:
        preds = heads.predict(target.features.values)
        parts += [
            target.images.assign(
                head=head,
                seed=seed,
                fold=split.fold,
                side="test",
                prediction=row,
                tested_on=target.name,
            )
            for head, by_seed in zip(heads.presets, preds, strict=True)
            for seed, row in zip(heads.seeds, by_seed, strict=True)
        ]
    return pd.concat(parts, ignore_index=True)


def summarize_transfer(
    predictions: pd.DataFrame, baseline: str, resamples: int = 10_000
) -> dict[str, pd.DataFrame]:
    """SRCC in the source and on each target, and what differs between the two.

    SRCC is taken for the head of each fold and seed, on the test images of its fold or on all of a
    target, and averaged. Intervals draw content groups, of source and targets apart: they speak of
    other images to be tested on, not of other ones to be trained on.

    Args:
        predictions: of `cross_validate_transfer`, one variant.
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
        name: resampled_srcc(folds_apart(part), resamples, seed)
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
    """SRCC of each replicate: columns variant, tested_on, head, seed, fold, srcc."""
    keys = ["variant", "tested_on", "head", "seed", "fold"]
    rows = [
        dict(zip(keys, names, strict=True)) | {"srcc": srcc(part["prediction"], part["target"])}
        for names, part in predictions.groupby(keys, sort=False)
    ]
    return pd.DataFrame(rows)


def mean_predictions(predictions: pd.DataFrame) -> pd.DataFrame:
    """One row a head and image: the mean over its replicates, for the record."""
    keys = ["variant", "tested_on", "head", "id", "group", "target"]
    means = predictions.groupby(keys, sort=False)["prediction"].mean().reset_index()
    return means.astype({"target": "float32", "prediction": "float32"})
