"""What is estimated from a record: where pages, claims and tests get their numbers."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd

from iqa import datasets, evaluation
from iqa.errors import unknown
from iqa.evaluation import Estimates, whole_assignments
from iqa.evaluation.bootstrap import bootstrap_srcc
from iqa.experiments import learning_rates
from iqa.experiments.record import SOURCE
from iqa.report.records import Run


def _by(*labels: str, table: str = "") -> Callable[[Run], Estimates]:
    """SRCC on the test images of each split, by `labels`; from `table` of a record, if given."""

    @cache
    def estimates(run: Run) -> Estimates:
        tested = run.tables[table] if table else run.tested
        return evaluation.single_splits(tested, labels, run.record.test_to_train)

    return estimates


heads = _by("head")
"""Record of `activations`."""

every_rate = _by("head", "learning_rate")
"""Record of `learning_rates`."""

gates = _by("training", "head")
"""Heads of all trainings, those with hardened gates too; record of `gate`."""

regressors = _by("regressor", "head")
"""Heads and regressors on the same splits; record of `baselines`."""

trainings = _by("head", "training", table="varied")
"""Heads whose training was varied, on some splits; record of `baselines`."""

losses = _by("training", "head", "objective")
"""Heads under each loss and batch; record of `loss`."""

CHOICES = {
    "objective": "swapped",
    "scaling": "unscaled",
    "training": "six pairs",
    "learning_rate": 1e-4,
}
"""What the experiment `factorial` varies, each with the paper's choice."""

combinations = _by("head", *CHOICES)
"""Heads under every combination of the choices of a training; record of `factorial`."""

shares = _by("head", "share")
"""Heads on shares of the training images; record of `data_efficiency`."""

networks = _by("head", "backbone", "weights")
"""Heads on several backbones; record of `backbones`."""


def _both_rates(run: Run) -> pd.DataFrame:
    """Predictions of the trainings "paper" (rate 1e-4) and "own"; record of `learning_rates`."""
    reference = run.record.parameters["reference"]
    return learning_rates.at_each_rate(run.tested, run.tables["choices"], reference)


@cache
def rates(run: Run) -> Estimates:
    """SRCC by head and training, "paper" or "own"; record of `learning_rates`."""
    by, r = ["head", "training"], run.record.test_to_train
    return evaluation.single_splits(_both_rates(run), by, r)


@cache
def within_contents(run: Run) -> Estimates:
    """The same among the images of one content."""
    return evaluation.within_contents(_both_rates(run), ["head", "training"])


def sensitivity(run: Run) -> Estimates:
    """The own rate minus the mean over all rates: what a head loses without tuning."""
    own = rates(run).select(training=learning_rates.OWN).mean("training")
    return own.less(every_rate(run).mean("learning_rate"))


def transfers(run: Run) -> dict[str, Estimates]:
    """SRCC on each other set, see `transfer`."""
    own = (SOURCE, run.record.dataset.name)
    names = [name for name in run.tested["tested_on"].unique() if name not in own]
    return {name: transfer(run, name) for name in names}


@cache
def transfer(run: Run, target: str) -> Estimates:
    """SRCC on the set `target`, by head and training (`generalization`) or regime (`regimes`).

    Raises:
        UserError: the record was not tested on that set.
    """
    tested = run.tested
    part = tested[tested["tested_on"] == target]
    if part.empty:
        raise unknown(f"target of {run.name}", target, list(tested["tested_on"].unique()))
    # Enough for a variance; each scores all images of the target for every replicate.
    resamples, r = 200, run.record.test_to_train
    varied = "regime" if "regime" in part else "training"
    return evaluation.transferred(part, ["head", varied], r, resamples)


def advantages(run: Run) -> Estimates:
    """Each head minus the first under every combination of choices; record of `factorial`."""
    return combinations(run).minus(head=run.record.parameters["heads"][0])


@cache
def effects(run: Run) -> Estimates:
    """Each head's advantage over the first with and without each choice; record of `factorial`.

    It is averaged over all combinations of the other choices. Labels: head, factor (one of
    `CHOICES`) and choice: what the paper's is called, or "alternative". So
    `minus(choice="alternative")` gives the effect of each of the paper's choices, and one
    correction goes over all of them.
    """
    gaps = advantages(run)
    parts = []
    for factor, papers in CHOICES.items():
        mean = gaps
        for other in CHOICES:
            mean = mean if other == factor else mean.mean(other)
        values = mean.labels.pop(factor)
        names = values.astype(str).where(values == papers, "alternative")
        parts.append(replace(mean, labels=mean.labels.assign(factor=factor, choice=names)))
    labels = pd.concat([part.labels for part in parts], ignore_index=True)
    observed, draws = (
        np.concatenate([getattr(p, n) for p in parts]) for n in ("observed", "values")
    )
    return Estimates(labels, observed, draws, gaps.law)


@cache
def regimes(run: Run) -> Estimates:
    """Frozen, LoRA, full, on the own test images; records of `regimes` and `scorer`."""
    own = run.tested.query("tested_on == @run.record.dataset.name and regime != 'first'")
    return evaluation.single_splits(own, ["head", "regime"], run.record.test_to_train)


def shipped(run: Run) -> pd.DataFrame:
    """SRCC of the shipped models on images that they did not learn from; record of `scorer`.

    Returns:
        Columns model, tested (data set), images ("held out" from a set that was learned, or of one
        "never seen"), srcc, low and high. On the set that was learned last a row is the mean over
        splits, each with a model of its own; every other row is the shipped model's.
    """
    given, own = run.record.parameters, run.record.dataset.name
    splits = regimes(run).select(regime="full").table("srcc")
    parts = [splits.assign(model=given["ship_as"], tested=own, images="held out")]
    rest = run.tested.query("regime == 'first' or (regime == 'full' and tested_on != @own)")
    names = {"full": given["ship_as"], "first": given.get("ship_first_as")}
    for (regime, tested), part in rest.groupby(["regime", "tested_on"]):
        if names[regime]:
            table = evaluation.pooled_folds(part, ["regime"]).table("srcc")
            images = "held out" if tested == given.get("first") else "never seen"
            parts.append(table.assign(model=names[regime], tested=tested, images=images))
    columns = ["model", "tested", "images", "srcc", "low", "high"]
    return pd.concat(parts, ignore_index=True)[columns]


@cache
def protocols(run: Run) -> Estimates:
    """Protocols with and without leaks, over whole cross-validations; record of `leakage`."""
    return whole_assignments(run.tested, ["head", "protocol"])


@cache
def defects(run: Run) -> Estimates:
    """Heads with and without each defect, over whole cross-validations; record of `audit`."""
    return whole_assignments(run.tested, ["head", "defect"])


def separation(run: Run, measure: str = "silhouette") -> Estimates:
    """A measure of the hidden features; record of `tsne`."""
    record = run.record
    return evaluation.split_means(
        run.tables["measures"], ["head"], measure, record.test_to_train, record.dataset.groups
    )


def maps(run: Run, measure: str = "lowering") -> Estimates:
    """How Grad-CAM of pretrained heads lies on blurred regions (each box of `faces`); 1 is even.

    Without the untrained ones, many of whose maps are empty: a photograph counts for all or none.
    The measure "gain" is that minus the same before the blur.
    """
    regions = run.tables["regions"].query("weights == 'pretrained'")
    return evaluation.content_means(regions, list(regions.filter(["head", "box"])), measure)


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


_TRANSFER = "transfer to "


def named(name: str) -> Callable[[Run], Estimates]:
    """The estimand that a claim or a question names: one of `ESTIMANDS`, or "transfer to NAME".

    Raises:
        UserError: there is none, or no data set NAME; by a call, a record was not tested on it.
    """
    if not name.startswith(_TRANSFER):
        if name not in ESTIMANDS:
            raise unknown("estimand", name, [*ESTIMANDS, f"{_TRANSFER}NAME"])
        return ESTIMANDS[name]
    target = datasets.info(name.removeprefix(_TRANSFER)).name
    # By place: the cache would take a named argument for another call, and estimate again.
    return lambda run: transfer(run, target)


ESTIMANDS: dict[str, Callable[[Run], Estimates]] = {
    "heads": heads,
    "rates": rates,
    "sensitivity": sensitivity,
    "within contents": within_contents,
    "rate gaps": lambda run: every_rate(run).minus(head=run.record.parameters["heads"][0]),
    "gates": gates,
    "regressors": regressors,
    "losses": losses,
    "sigmoid leads": lambda run: losses(run).minus(head="relu"),
    "combinations": combinations,
    "advantages": advantages,
    "effects": effects,
    "shares": shares,
    "networks": networks,
    "regimes": regimes,
    "protocols": protocols,
    "defects": defects,
    "separation": separation,
    "neighbours": lambda run: separation(run, "neighbour_srcc"),
    "gain of maps": lambda run: maps(run, "gain"),
    "maps above even": lambda run: replace(
        (found := maps(run)), observed=found.observed - 1, values=found.values - 1
    ),
}
"""By the name that a claim gives."""


def variance_parts(run: Run, of: str = "sigmoid", minus: str = "relu") -> pd.DataFrame:
    """Where the chance in the difference of two heads comes from; record of `learning_rates`.

    The difference of SRCC is taken on the test images of each split, for each seed and rate.

    - images: its standard deviation when the contents of one split are drawn again;
    - start: over seeds;
    - split: over splits, less what images and start add to that;
    - learning rate: of the mean over splits and seeds.

    Returns:
        Columns source, sd and set, a row each; no start where there is one seed.
    """
    by, rows = ["learning_rate", "split", "fold", "seed"], []
    for key, part in run.tested[run.tested["head"].isin([of, minus])].groupby(by):
        wide = part.pivot(index=["id", "group", "target"], columns="head", values="prediction")
        images, preds = wide.index.to_frame(), wide[[of, minus]].to_numpy().T
        one, other = bootstrap_srcc(preds, images["target"], list(images["group"]), 200)
        first, second = (evaluation.srcc(p, images["target"]) for p in preds)
        rows.append((*key, first - second, np.nanvar(one - other)))
    gaps = pd.DataFrame(rows, columns=[*by, "gap", "images"])
    seeds = gaps["seed"].nunique()
    start = gaps.groupby(by[:3])["gap"].var().mean() if seeds > 1 else 0.0
    means = gaps.groupby(by[:3])["gap"].mean()
    between, images = means.groupby("learning_rate").var().mean(), gaps["images"].mean()
    parts = {
        "images": images,
        "start": start,
        "split": max(0.0, between - images - start / seeds),
        "learning rate": means.groupby("learning_rate").mean().var(),
    }
    shown = {name: value**0.5 for name, value in parts.items() if name != "start" or seeds > 1}
    return pd.DataFrame({"source": shown.keys(), "sd": shown.values()}).assign(set=run.set)
