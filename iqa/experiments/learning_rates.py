"""The learning rate at which a head is compared: one for all, or its own, chosen on validation."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from iqa.errors import UserError

OWN = "own"
"""The training in which each head has the learning rate that its validation images chose."""

START = ["head", "split", "fold", "seed"]
"""What one head on one split is called by."""


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


def choose_rates(history: pd.DataFrame) -> pd.DataFrame:
    """The validation SRCC of each head at its best epoch and each rate, and which rate wins.

    Args:
        history: columns head, split, fold, seed, learning_rate, val_srcc, chosen (the epoch kept).

    Returns:
        Columns head, split, fold, seed, learning_rate, val_srcc and own, True at the rate of the
        highest SRCC; of equal ones at the lowest rate.
    """
    kept = history.loc[history["chosen"], [*START, "learning_rate", "val_srcc"]]
    table = kept.sort_values("learning_rate", kind="stable", ignore_index=True)
    # Constant predictions have no SRCC (NaN): worst. idxmax takes the first of equals.
    merit = table["val_srcc"].fillna(-np.inf)
    best = merit.groupby([table[name] for name in START]).idxmax()
    return table.assign(own=table.index.isin(best))


def at_each_rate(
    predictions: pd.DataFrame, choices: pd.DataFrame, reference: float
) -> pd.DataFrame:
    """The two trainings that are compared: at the rate `reference` ("paper") and at the own rate.

    Returns:
        `predictions` of these two, with the column training: "paper" or `OWN`, which `choices` has
        from `choose_rates`.
    """
    paper = predictions[predictions["learning_rate"] == reference]
    own = predictions.merge(choices.loc[choices["own"], [*START, "learning_rate"]])
    return pd.concat([paper.assign(training="paper"), own.assign(training=OWN)], ignore_index=True)
