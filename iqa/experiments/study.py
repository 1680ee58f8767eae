"""The study of heads on cached features, under one protocol, that the notebooks share."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from iqa import backbones, datasets
from iqa.datasets import Dataset, Split
from iqa.errors import UserError
from iqa.experiments import rules
from iqa.experiments.profile import explain
from iqa.experiments.protocol import RIGOROUS, Protocol, find
from iqa.experiments.record import Record, describe_run
from iqa.features import Features, extract
from iqa.heads import find_preset
from iqa.training import HeadTraining, TrainedHeads, train_heads


def _named(protocol: Any) -> Any:
    return find(protocol) if isinstance(protocol, str) else protocol


class Study(BaseModel):
    """What is studied: the data, the features, the heads and how they are trained.

    Attributes:
        dataset: a name of `iqa.datasets.names()`.
        backbone: a name of `iqa.backbones.REGISTRY`.
        weights: "pretrained", or "none" for an untrained control.
        input_size: side of the square input in pixels; None for the backbone's own.
        heads: presets of `iqa.heads.PRESETS`.
        protocol: a `Protocol`, or the name of one in `iqa.experiments.protocol.PROTOCOLS`.
        seeds: of the initialisation and of the order of the images; where the protocol's split is
            not dealt into folds, also of the splits, one a seed.
        folds: of the cross-validation, at least 3, where the protocol's split is dealt into folds.
        split_seed: which random assignment to these folds.
        training: how each head is trained; its objective and its choice of epoch are left to the
            protocol.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    dataset: str
    backbone: str
    weights: Literal["pretrained", "none"] = "pretrained"
    input_size: int | None = Field(None, ge=32)
    heads: tuple[str, ...] = Field(min_length=1)
    protocol: Annotated[Protocol, BeforeValidator(_named)] = RIGOROUS
    seeds: tuple[int, ...] = Field(min_length=1)
    folds: int = Field(5, ge=3)
    split_seed: int = 0
    training: HeadTraining

    @field_validator("training")
    @classmethod
    def _is_left_to_the_protocol(cls, training: HeadTraining) -> HeadTraining:
        for name in ("objective", "checkpoint"):
            if name in training.model_fields_set:
                raise UserError(
                    f"study: `training` sets `{name}`, which the protocol says; leave it out and "
                    f'choose the protocol, such as RIGOROUS.but("mine", {name}=...)'
                )
        return training

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as fault:
            raise UserError(f"study: {explain(fault)}") from None


@dataclass(frozen=True)
class Prepared:
    """What a study works on.

    Attributes:
        data: the images.
        features: of the images, in the same order.
        targets: (N,), in [0, 1], higher is better, as the protocol scales them.
        splits: those of `iqa.experiments.rules.splits_of`.
    """

    data: Dataset
    features: Features
    targets: NDArray[np.float64]
    splits: list[Split]

    @cached_property
    def table(self) -> pd.DataFrame:
        """The table of the data set with `targets` as its column target."""
        return self.data.table.assign(target=self.targets)

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
    """Load the images and their features (from the cache where they are), and split them."""
    check_names(study)
    data = datasets.load(study.dataset, progress)
    features = extract(
        data, study.backbone, study.input_size, weights=study.weights, progress=progress
    )
    return arrange(study, data, features)


def arrange(study: Study, data: Dataset, features: Features) -> Prepared:
    """Split and scale as the protocol says what is loaded already."""
    splits = rules.splits_of(study.protocol, data.table, study.folds, study.split_seed, study.seeds)
    return Prepared(data, features, rules.targets(study.protocol, data), splits)


def training_of(study: Study) -> HeadTraining:
    """How the study's heads are trained, with what the protocol says of it."""
    return rules.head_training(study.protocol, study.training)


def fit_split(study: Study, prepared: Prepared, split: Split) -> TrainedHeads:
    """Train on one split every head of the study, with the seeds that belong to the split."""
    return train_heads(
        prepared.features.values,
        prepared.targets,
        prepared.rows(split.train),
        prepared.rows(rules.watched_images(study.protocol, split)),
        study.heads,
        rules.seeds_of(study.protocol, split, study.seeds),
        training_of(study),
    )


SIDES = ("val", "test")
"""What is predicted, if not said otherwise: the images that choose, and those that are reported."""


def predict_split(
    study: Study,
    prepared: Prepared,
    split: Split,
    trained: TrainedHeads,
    sides: Sequence[str] = SIDES,
) -> pd.DataFrame:
    """Predictions of every head and seed for the images of `sides`: "train", "val", "test".

    Those of "test" are the images that the protocol reports. Columns:
    `iqa.evaluation.study.COLUMNS`.
    """
    reported = rules.reported_images(study.protocol, split)
    ids_of = {"train": split.train, "val": split.val, "test": reported}
    parts = []
    for side in sides:
        rows = prepared.rows(ids_of[side])
        images = prepared.table.iloc[rows][["id", "group", "target"]]
        preds = trained.predict(prepared.features.values[rows])
        for head, by_seed in zip(trained.presets, preds, strict=True):
            for seed, values in zip(trained.seeds, by_seed, strict=True):
                parts.append(
                    images.assign(
                        head=head, seed=seed, fold=split.fold, side=side, prediction=values
                    )
                )
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def cross_validate(
    study: Study, prepared: Prepared, sides: Sequence[str] = SIDES
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train and test on every split; predict the images of `sides`.

    Returns:
        Predictions (see `predict_split`), and the history of training with the columns fold, head,
        seed, epoch, train_loss, val_srcc, chosen.
    """
    predictions, history = [], []
    for split in prepared.splits:
        trained = fit_split(study, prepared, split)
        predictions.append(predict_split(study, prepared, split, trained, sides))
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
        parameters=study.model_copy(update={"training": training_of(study)}).model_dump(
            mode="json"
        ),
        protocol=study.protocol.name,
        splits=[split.hash for split in prepared.splits],
        seeds=list(study.seeds),
        untrained=study.weights == "none",
        seconds=seconds,
        metrics=metrics,
        **describe_run(prepared.data),
    )
