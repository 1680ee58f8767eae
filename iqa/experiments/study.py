"""The cross-validated study of heads on cached features that the notebooks share."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from iqa import backbones, datasets
from iqa.datasets import Dataset, Split, grouped_folds
from iqa.errors import UserError
from iqa.experiments.profile import explain
from iqa.experiments.record import Record, describe_run
from iqa.features import Features, extract
from iqa.heads import find_preset
from iqa.training import HeadTraining, TrainedHeads, train_heads


class Study(BaseModel):
    """What is studied: the data, the features, the heads and how they are trained.

    Attributes:
        dataset: a name of `iqa.datasets.names()`.
        backbone: a name of `iqa.backbones.REGISTRY`.
        weights: "pretrained", or "none" for an untrained control.
        input_size: side of the square input in pixels; None for the backbone's own.
        heads: presets of `iqa.heads.PRESETS`.
        seeds: of the initialisation and of the order of the images.
        folds: of the cross-validation over content groups, at least 3.
        split_seed: which random assignment of content groups to folds.
        training: how each head is trained.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    dataset: str
    backbone: str
    weights: Literal["pretrained", "none"] = "pretrained"
    input_size: int | None = Field(None, ge=32)
    heads: tuple[str, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field(min_length=1)
    folds: int = Field(5, ge=3)
    split_seed: int = 0
    training: HeadTraining

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as fault:
            raise UserError(f"study: {explain(fault)}") from None


@dataclass(frozen=True)
class Prepared:
    """A study's data: images, features in the same order, and the folds."""

    data: Dataset
    features: Features
    splits: list[Split]

    @cached_property
    def targets(self) -> NDArray[np.float32]:
        """Targets (N,) in [0, 1]."""
        return self.data.table["target"].to_numpy(np.float32)

    def rows(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """Row numbers of `ids`."""
        return pd.Index(self.features.ids).get_indexer(pd.Index(ids))


def check_names(study: Study) -> None:
    """Find a misspelt name before anything is made; raises UserError with those allowed."""
    datasets.info(study.dataset)
    backbones.find(study.backbone)
    for name in study.heads:
        find_preset(name)


def prepare(study: Study, progress: bool = False) -> Prepared:
    """Load the images, their features (from the cache where they are) and the folds."""
    check_names(study)
    data = datasets.load(study.dataset, progress)
    features = extract(
        data, study.backbone, study.input_size, weights=study.weights, progress=progress
    )
    table = data.table
    return Prepared(
        data, features, grouped_folds(table["id"], table["group"], study.folds, study.split_seed)
    )


def fit_fold(study: Study, prepared: Prepared, split: Split) -> TrainedHeads:
    """Train every head and seed of the study on one fold, the checkpoint chosen on validation."""
    return train_heads(
        prepared.features.values,
        prepared.targets,
        prepared.rows(split.train),
        prepared.rows(split.val),
        study.heads,
        study.seeds,
        study.training,
    )


def predict_fold(prepared: Prepared, split: Split, trained: TrainedHeads) -> pd.DataFrame:
    """Predictions of every head and seed for the validation and test images of a fold.

    Columns: `iqa.evaluation.study.COLUMNS`.
    """
    parts = []
    for side in ("val", "test"):
        rows = prepared.rows(getattr(split, side))
        images = prepared.data.table.iloc[rows][["id", "group", "target"]]
        preds = trained.predict(prepared.features.values[rows])
        for head, by_seed in zip(trained.presets, preds, strict=True):
            for seed, values in zip(trained.seeds, by_seed, strict=True):
                parts.append(
                    images.assign(
                        head=head, seed=seed, fold=split.fold, side=side, prediction=values
                    )
                )
    return pd.concat(parts, ignore_index=True)


def cross_validate(study: Study, prepared: Prepared) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train and test on every fold.

    Returns:
        Predictions (see `predict_fold`), and the history of training with the columns fold, head,
        seed, epoch, train_loss, val_srcc, chosen.
    """
    predictions, history = [], []
    for split in prepared.splits:
        trained = fit_fold(study, prepared, split)
        predictions.append(predict_fold(prepared, split, trained))
        named = trained.history.rename(columns={"preset": "head"})
        history.append(named.assign(fold=split.fold))
    return pd.concat(predictions, ignore_index=True), pd.concat(history, ignore_index=True)


def study_record(
    experiment: str,
    study: Study,
    prepared: Prepared,
    seconds: dict[str, float],
    metrics: dict[str, Any],
) -> Record:
    """The record of a study, ready for `write_record`."""
    return Record(
        experiment=experiment,
        parameters=study.model_dump(mode="json"),
        protocol="rigorous",
        splits=[split.hash for split in prepared.splits],
        seeds=list(study.seeds),
        untrained=study.weights == "none",
        seconds=seconds,
        metrics=metrics,
        **describe_run(prepared.data),
    )
