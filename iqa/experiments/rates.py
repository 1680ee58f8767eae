"""Heads at several learning rates, and at the rate of their own, chosen on validation."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from iqa.errors import UserError
from iqa.evaluation import bootstrap_interval, compare_with, resampled_srcc
from iqa.experiments.study import Prepared, Study, cross_validate

OWN = "own"
"""The variant in which each head has the learning rate that its validation images chose."""


def variant_of(rate: float) -> str:
    """What a rate is called among variants; `float` gives it back.

    >>> variant_of(1e-4), float(variant_of(3e-5))
    ('0.0001', 3e-05)
    """
    return f"{rate:g}"


def check_rates(rates: Sequence[float], reference: float) -> None:
    """Find rates that cannot be compared before anything is trained.

    Raises:
        UserError: a rate is not positive or there twice, or `reference` is not among them.
    """
    if min(rates, default=0) <= 0 or len(set(rates)) < len(rates):
        raise UserError(f"learning rates {list(rates)}: expected positive ones, each once")
    if reference not in rates:
        raise UserError(
            f"reference learning rate {reference:g} is not among {list(rates)}: add it, or choose "
            "one of these"
        )


def at_rate(study: Study, rate: float) -> Study:
    """`study` with this learning rate."""
    training = study.training.model_copy(update={"learning_rate": rate})
    return study.model_copy(update={"training": training})


def cross_validate_rates(
    study: Study, prepared: Prepared, rates: Sequence[float]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`cross_validate` at each rate in place of the study's own.

    Returns:
        Predictions for the test images with the column variant, and what validation says of each
        rate: `by_validation`.
    """
    predictions, histories = [], []
    for rate in rates:
        part, history = cross_validate(at_rate(study, rate), prepared)
        predictions.append(part[part["side"] == "test"].assign(variant=variant_of(rate)))
        histories.append(history.assign(learning_rate=rate))
    everything = pd.concat(histories, ignore_index=True)
    return pd.concat(predictions, ignore_index=True), by_validation(everything)


def by_validation(history: pd.DataFrame) -> pd.DataFrame:
    """The validation SRCC of each head, seed, fold and rate at its best epoch, and which rate wins.

    Args:
        history: columns head, seed, fold, learning_rate, val_srcc, chosen (the epoch kept).

    Returns:
        Columns head, seed, fold, learning_rate, val_srcc and own, True at the rate of the highest
        SRCC; of equal ones at the lowest rate.
    """
    columns = ["head", "seed", "fold", "learning_rate", "val_srcc"]
    kept = history.loc[history["chosen"], columns]
    table = kept.sort_values("learning_rate", kind="stable", ignore_index=True)
    # Constant predictions have no SRCC (NaN): worst. idxmax takes the first of equals.
    merit = table["val_srcc"].fillna(-np.inf)
    best = merit.groupby([table[name] for name in ("head", "seed", "fold")]).idxmax()
    return table.assign(own=table.index.isin(best))


def with_own_rate(predictions: pd.DataFrame, validation: pd.DataFrame) -> pd.DataFrame:
    """`predictions` and, as one more variant `OWN`, each head's at the rate of its own.

    Args:
        predictions: columns head, seed, fold, variant and others.
        validation: of `by_validation`.
    """
    own = validation.loc[validation["own"], ["head", "seed", "fold", "learning_rate"]]
    own = own.assign(variant=own.pop("learning_rate").map(variant_of))
    chosen = predictions.merge(own, on=["head", "seed", "fold", "variant"])
    return pd.concat([predictions, chosen.assign(variant=OWN)], ignore_index=True)


def folds_apart(predictions: pd.DataFrame) -> pd.DataFrame:
    """`predictions` with a seed number for each fold of each seed: SRCC is then a mean over folds.

    Elsewhere folds are pooled. Heads of different rates are not on one scale, so a head that chose
    another rate in each fold would lose SRCC by pooling alone.
    """
    return predictions.assign(seed=predictions.groupby(["seed", "fold"]).ngroup())


def losses(
    predictions: pd.DataFrame, baseline: str, reference: float, resamples: int = 10_000
) -> pd.DataFrame:
    """How much SRCC each head loses without its own rate, and whether `baseline` loses another.

    Two losses against the variant `OWN`: at the rate `reference`, and the mean over all rates,
    which is the head's sensitivity to the rate. The difference of two heads' losses at `reference`
    is by how much their difference in SRCC changes when each gets its own rate.

    Args:
        predictions: of `with_own_rate`, with `folds_apart`.
        baseline: the head that the others are compared with.
        reference: one of the rates.
        resamples: bootstrap draws of content groups, the same for all heads and rates.

    Returns:
        Columns loss ("at reference" or "over the range"), head, value, low, high, and, NaN for the
        baseline, difference, low_gap, high_gap, p, p_holm (Holm's correction for each loss apart).
    """
    figures = {
        name: resampled_srcc(part, resamples)
        for name, part in predictions.groupby("variant", sort=False)
    }
    heads, own, own_samples = figures.pop(OWN)
    without = {
        "at reference": [figures[variant_of(reference)]],
        "over the range": list(figures.values()),
    }
    parts = []
    for name, found in without.items():
        value = own - np.mean([observed for _, observed, _ in found], axis=0)
        samples = own_samples - np.mean([drawn for _, _, drawn in found], axis=0)
        low, high = bootstrap_interval(value, samples).T
        table = pd.DataFrame(
            {"loss": name, "head": heads, "value": value, "low": low, "high": high}
        )
        gaps = compare_with(baseline, heads, value, samples)
        parts.append(table.merge(gaps, on="head", how="left", suffixes=("", "_gap")))
    return pd.concat(parts, ignore_index=True)
