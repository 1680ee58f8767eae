"""Studies of what a head has to beat, and of what a head lacks: on the splits of one study.

Apart from the rest of `iqa.experiments`, like its `study`, because it needs PyTorch.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from iqa.datasets import Split
from iqa.evaluation import srcc
from iqa.experiments import rules
from iqa.experiments.study import Prepared, Study, fit_split, predict_split
from iqa.training import TrainedHeads
from iqa.training.classical import REGRESSORS, fit_regressor


def regress(
    study: Study,
    prepared: Prepared,
    regressors: Sequence[str] = tuple(REGRESSORS),
    values: NDArray | None = None,
    suffix: str = "",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Test regressors on the splits of a study, each chosen on the validation images.

    Regressors are deterministic: what is said of them stands once for each seed of the heads, so
    that they can be compared in pairs.

    Args:
        study: whose protocol and seeds hold; the protocol's `target` is that of `prepared`.
        prepared: the images and their splits.
        regressors: keys of `iqa.training.classical.REGRESSORS`.
        values: features (N, D) in the order of `prepared`; its own where None.
        suffix: is put behind the names of the regressors.

    Returns:
        Predictions for the test images, with the columns of `iqa.evaluation.study.COLUMNS`; and
        how each was fitted: head, fold, settings (text), val_srcc, train_srcc.
    """
    values = prepared.features.values if values is None else values
    predictions, fits = [], []
    for split in prepared.splits:
        reported = rules.reported_images(study.protocol, split)
        seeds = rules.seeds_of(study.protocol, split, study.seeds)
        train, val, test = map(prepared.rows, (split.train, split.val, reported))
        images = prepared.table.iloc[test][["id", "group", "target"]]
        images = images.assign(fold=split.fold, side="test")
        for name in regressors:
            y = prepared.targets
            found = fit_regressor(name, values[train], y[train], values[val], y[val])
            part = images.assign(head=name + suffix, prediction=found.predict(values[test]))
            predictions += [part.assign(seed=seed) for seed in seeds]
            fits.append(
                {
                    "head": name + suffix,
                    "fold": split.fold,
                    "settings": ", ".join(f"{k} {v:g}" for k, v in found.settings.items()),
                    "val_srcc": found.val_srcc,
                    "train_srcc": srcc(found.predict(values[train]), y[train]),
                }
            )
    return pd.concat(predictions, ignore_index=True), pd.DataFrame(fits)


def vary_training(
    study: Study, prepared: Prepared, changes: Mapping[str, Mapping[str, Any]]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train the heads of a study in several ways on the same splits.

    Args:
        study: from which each way departs.
        prepared: for that study.
        changes: name of a way to what it changes: fields of `HeadTraining`, of which `objective`
            and `checkpoint` are changed in the protocol.

    Returns:
        Predictions for the test images, with the columns of `iqa.evaluation.study.COLUMNS` and
        `variant`, the name of the way; and how each head was fitted: variant, head, seed, fold,
        val_srcc, train_srcc.
    """
    predictions, fits = [], []
    for name, change in changes.items():
        varied = changed(study, name, change)
        for split in prepared.splits:
            trained = fit_split(varied, prepared, split)
            part = predict_split(varied, prepared, split, trained)
            predictions.append(part[part["side"] == "test"].assign(variant=name))
            fits.append(_fits(prepared, split, trained).assign(variant=name))
    return pd.concat(predictions, ignore_index=True), pd.concat(fits, ignore_index=True)


def changed(study: Study, name: str, change: Mapping[str, Any]) -> Study:
    """`study` with another training; what the protocol says is changed there, under `name`."""
    ours = {k: v for k, v in change.items() if k in ("objective", "checkpoint")}
    training = {k: v for k, v in change.items() if k not in ours}
    fields = study.training.model_dump(include=study.training.model_fields_set) | training
    return study.model_copy(
        update={
            "protocol": study.protocol.but(name, **ours) if ours else study.protocol,
            "training": type(study.training)(**fields),
        }
    )


def _fits(prepared: Prepared, split: Split, trained: TrainedHeads) -> pd.DataFrame:
    train = prepared.rows(split.train)
    preds = trained.predict(prepared.features.values[train])
    chosen = trained.history.query("chosen").set_index(["preset", "seed"])["val_srcc"]
    return pd.DataFrame(
        {
            "head": head,
            "seed": seed,
            "fold": split.fold,
            "val_srcc": chosen[head, seed],
            "train_srcc": srcc(row, prepared.targets[train]),
        }
        for head, by_seed in zip(trained.presets, preds, strict=True)
        for seed, row in zip(trained.seeds, by_seed, strict=True)
    )


def choose_on_validation(
    predictions: pd.DataFrame, fits: pd.DataFrame, name: str = "chosen on validation"
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Of several ways of training, take for each head, seed and fold the best on validation.

    The first of equally good ways is taken. Arguments and results are those of `vary_training`,
    the results being of the one way `name`.
    """
    keys = ["head", "seed", "fold"]
    best = fits.loc[fits.fillna({"val_srcc": -np.inf}).groupby(keys)["val_srcc"].idxmax()]
    taken = predictions.merge(best[[*keys, "variant"]], on=[*keys, "variant"])
    return taken.assign(variant=name), best.assign(variant=name).reset_index(drop=True)


def average_starts(
    study: Study, prepared: Prepared, starts: int, name: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train each head from several random starts and orders, and average their predictions.

    What differs between the starts is no knowledge of the images; averaging takes it out.

    Args:
        study: with one seed; the starts are drawn with it and the integers that follow.
        prepared: for that study.
        starts: how many.
        name: the variant.

    Returns:
        As `vary_training`, without val_srcc.
    """
    seed = study.seeds[0]
    several = study.model_copy(update={"seeds": tuple(range(seed, seed + starts))})
    predictions, fits = [], []
    for split in prepared.splits:
        trained = fit_split(several, prepared, split)
        reported = rules.reported_images(study.protocol, split)
        test, train = prepared.rows(reported), prepared.rows(split.train)
        images = prepared.table.iloc[test][["id", "group", "target"]]
        values = prepared.features.values
        means = zip(
            trained.presets,
            trained.predict(values[test]).mean(axis=1),
            trained.predict(values[train]).mean(axis=1),
            strict=True,
        )
        for head, preds, on_train in means:
            about = {"head": head, "seed": seed, "fold": split.fold, "variant": name}
            predictions.append(images.assign(side="test", prediction=preds, **about))
            fits.append(about | {"train_srcc": srcc(on_train, prepared.targets[train])})
    return pd.concat(predictions, ignore_index=True), pd.DataFrame(fits)
