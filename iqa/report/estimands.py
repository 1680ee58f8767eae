"""What is estimated from a record: where pages, claims and tests get their numbers."""

from collections.abc import Callable, Sequence
from functools import cache

import pandas as pd

from iqa import evaluation
from iqa.evaluation import Estimates
from iqa.experiments import learning_rates
from iqa.report.records import Run

OWN_FOLDS = "own folds"


def heads(run: Run) -> Estimates:
    """SRCC of each head on the test images of a split; record of `activations`."""
    return evaluation.single_splits(run.tested, ["head"], run.record.test_to_train)


def rates(run: Run) -> Estimates:
    """The same for the trainings "paper" (rate 1e-4) and "own"; record of `learning_rates`."""
    reference = run.record.parameters["reference"]
    both = learning_rates.at_each_rate(run.tested, run.tables["choices"], reference)
    return evaluation.single_splits(both, ["head", "training"], run.record.test_to_train)


def every_rate(run: Run) -> Estimates:
    """The same at every learning rate."""
    return evaluation.single_splits(run.tested, ["head", "learning_rate"], run.record.test_to_train)


def sensitivity(run: Run) -> Estimates:
    """The mean over all rates minus the own rate: what a head loses without tuning."""
    own = rates(run).select(training=learning_rates.OWN)
    return every_rate(run).mean("learning_rate").less(own)


TRANSFER_RESAMPLES = 200
"""Enough for a variance; each scores all images of the target for every replicate."""


@cache
def transfers(run: Run) -> dict[str, Estimates]:
    """SRCC on each other set, by head and training; record of `generalization`."""
    tested, r = run.tested, run.record.test_to_train
    names = [name for name in tested["tested_on"].unique() if name != OWN_FOLDS]
    by = ["head", "training"]
    return {
        name: evaluation.transferred(tested[tested["tested_on"] == name], by, r, TRANSFER_RESAMPLES)
        for name in names
    }


def gates(run: Run) -> Estimates:
    """Heads of both trainings, those with hardened gates too; record of `gate`."""
    return evaluation.single_splits(run.tested, ["training", "head"], run.record.test_to_train)


def regressors(run: Run) -> Estimates:
    """Heads and regressors on the same splits; record of `baselines`."""
    return evaluation.single_splits(run.tested, ["regressor", "head"], run.record.test_to_train)


def trainings(run: Run) -> Estimates:
    """Heads whose training was varied, on some splits; record of `baselines`."""
    return evaluation.single_splits(
        run.tables["varied"], ["head", "training"], run.record.test_to_train
    )


def losses(run: Run) -> Estimates:
    """Heads under each loss and batch; record of `loss`."""
    by = ["training", "head", "objective"]
    return evaluation.single_splits(run.tested, by, run.record.test_to_train)


def shares(run: Run) -> Estimates:
    """Heads on shares of the training images; record of `data_efficiency`."""
    return evaluation.single_splits(run.tested, ["head", "share"], run.record.test_to_train)


def networks(run: Run) -> Estimates:
    """Heads on several backbones; record of `backbones`."""
    by = ["head", "backbone", "weights"]
    return evaluation.single_splits(run.tested, by, run.record.test_to_train)


def regimes(run: Run) -> Estimates:
    """Frozen, LoRA, full, on the own test images; records of `regimes` and `scorer`."""
    own = run.tested[run.tested["tested_on"] == run.record.dataset.name]
    return evaluation.single_splits(own, ["head", "regime"], run.record.test_to_train)


def protocols(run: Run) -> Estimates:
    """Protocols with and without leaks, all folds pooled; record of `leakage`."""
    return evaluation.pooled_folds(run.tested, ["head", "protocol"])


def separation(run: Run, measure: str = "silhouette") -> Estimates:
    """A measure of the hidden features; record of `tsne`."""
    record = run.record
    return evaluation.split_means(
        run.tables["measures"], ["head"], measure, record.test_to_train, record.dataset.groups
    )


def maps(run: Run, measure: str = "lowering") -> Estimates:
    """How Grad-CAM lies on blurred regions, over photographs; record of `gradcam`."""
    regions = run.tables["regions"]
    regions = regions.assign(gain=regions["lowering"] - regions["lowering_before"])
    return evaluation.content_means(regions, ["weights", "head"], measure)


def together(
    runs: Sequence[Run],
    estimand: Callable[[Run], Estimates],
    family: Sequence[str] = (),
    **minus: object,
) -> pd.DataFrame:
    """Verdicts of an estimand on several sets, minus the baseline `minus`, with the column set.

    Holm's correction is made on each set, within the labels `family`.
    """
    tables = [
        estimand(run).minus(**minus).verdicts(family=family).assign(set=run.set) for run in runs
    ]
    return pd.concat(tables, ignore_index=True)


def scores(runs: Sequence[Run], estimand: Callable[[Run], Estimates]) -> pd.DataFrame:
    """SRCC with intervals of an estimand on several sets, with the column set."""
    tables = [estimand(run).table("srcc").assign(set=run.set) for run in runs]
    return pd.concat(tables, ignore_index=True)


ESTIMANDS: dict[str, Callable[[Run], Estimates]] = {
    "heads": heads,
    "rates": rates,
    "sensitivity": sensitivity,
    "gates": gates,
    "regressors": regressors,
    "losses": losses,
    "shares": shares,
    "networks": networks,
    "regimes": regimes,
    "protocols": protocols,
    "separation": separation,
    "maps": maps,
}
"""By the name that a claim gives."""
