"""The study of heads on cached features, under one protocol, that the notebooks share."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from iqa import backbones, datasets
from iqa.datasets import Dataset, Split
from iqa.errors import UserError, explain
from iqa.experiments.protocol import RIGOROUS, Protocol, find
from iqa.experiments.record import check_replaceable, describe, write_record
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
        seeds: of the heads' starts (see `starts_on`); where the protocol's split is not dealt into
            folds, also of the splits, one a seed.
        folds: of the cross-validation, at least 3, where the protocol's split is dealt into folds.
        split_seed: which random assignment to these folds.
        training: how each head is trained. Its objective and its choice of epoch are the
            protocol's, whatever is given here.
        resamples: draws of contents where an interval needs them.
        parameters: of the notebook, as they were given; what the record keeps.
        started: when the study was made, in seconds of `time.perf_counter`.

    Raises:
        UserError: a name is unknown or a value out of range, in one line.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    dataset: str
    backbone: str
    weights: Literal["pretrained", "none"] = "pretrained"
    input_size: int | None = Field(None, ge=32)
    heads: tuple[str, ...] = Field(min_length=1)
    protocol: Annotated[Protocol, BeforeValidator(_named)] = RIGOROUS
    seeds: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    folds: int = Field(5, ge=3)
    split_seed: int = Field(0, ge=0)
    training: HeadTraining = HeadTraining()
    resamples: int = Field(2000, ge=1)
    parameters: dict[str, Any] = {}
    started: float = Field(default_factory=time.perf_counter)

    def __init__(self, **fields: Any) -> None:
        try:
            super().__init__(**fields)
        except ValidationError as fault:
            raise UserError(f"study: {explain(fault)}") from None

    def model_post_init(self, _: object) -> None:
        """Check the names, and let the protocol say what it says of the training."""
        backbones.find(self.backbone)
        for name in self.heads:
            find_preset(name)
        training = self.protocol.training(self.training)
        object.__setattr__(self, "training", training)

    @classmethod
    def from_parameters(cls, namespace: Mapping[str, Any], **more: Any) -> "Study":
        """The study that a notebook's parameters describe.

        Every field of a study and of `HeadTraining` is taken from the variable of that name; `head`
        and `seed` stand for one head and one seed.

        Args:
            namespace: `globals()` of the notebook, before it defined anything but parameters.
            more: fields that are no parameters of the notebook.
        """
        given = parameters_in(namespace)
        if given.get("record_to"):
            check_replaceable(Path(given["record_to"]))
        named = {"heads": [given["head"]]} if "head" in given else {}
        named |= {"seeds": [given["seed"]]} if "seed" in given else {}
        named |= {k: v for k, v in given.items() if k in cls.model_fields and k != "training"}
        training = {k: v for k, v in given.items() if k in HeadTraining.model_fields}
        return cls(**(named | {"training": training} | more), parameters=given)

    def but(self, **changes: Any) -> "Study":
        """This study with other values of its fields or of those of its training, checked.

        What the protocol says (objective, checkpoint) is changed in the protocol.
        """
        ours = {k: v for k, v in changes.items() if k in ("objective", "checkpoint")}
        training = {
            k: changes[k] for k in changes if k in HeadTraining.model_fields and k not in ours
        }
        fields = {k: getattr(self, k) for k in type(self).model_fields}
        fields |= {k: v for k, v in changes.items() if k not in training and k not in ours}
        if ours:
            fields["protocol"] = fields["protocol"].but("varied", **ours)
        fields["training"] = fields["training"].model_dump() | training
        return Study(**fields)


def parameters_in(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """The plain values in lower case among a notebook's variables: its parameters.

    IPython's own variables begin with `_` or a capital, imported constants with a capital.
    """
    return {
        name: value for name, value in namespace.items() if name[0].islower() and _is_plain(value)
    }


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(map(_is_plain, (*value.keys(), *value.values())))
    return isinstance(value, bool | int | float | str | None)


@dataclass(frozen=True)
class Prepared:
    """What a study works on.

    Attributes:
        data: the images.
        features: of the images, in the same order.
        targets: (N,), in [0, 1], higher is better, as the protocol scales them.
        splits: those of `Protocol.splits`.
    """

    data: Dataset
    features: Features
    targets: NDArray[np.float64]
    splits: list[Split]

    @cached_property
    def table(self) -> pd.DataFrame:
        """The table of the data set with `targets` as its column target."""
        return self.data.table.assign(target=self.targets)

    @property
    def test_to_train(self) -> float:
        """Test images for each training image, the mean over splits."""
        return float(np.mean([len(split.test) / len(split.train) for split in self.splits]))

    def rows(self, ids: Sequence[str]) -> NDArray[np.int64]:
        """Row numbers of `ids`."""
        return pd.Index(self.features.ids).get_indexer(pd.Index(ids))

    def first_splits(self, count: int) -> "Prepared":
        """The same images with the first `count` splits alone."""
        return replace(self, splits=self.splits[:count])

    def __str__(self) -> str:
        """What it is, in a line."""
        info, groups = self.data.info, self.table["group"].nunique()
        return f"{info.title}: {len(self.data)} images of {groups} contents, {info.score_kind}"


def prepare(study: Study) -> Prepared:
    """Load the images and their features (from the cache where they are), and split them."""
    data = datasets.load(study.dataset)
    features = extract(data, study.backbone, study.input_size, weights=study.weights)
    return arrange(study, data, features)


def arrange(study: Study, data: Dataset, features: Features) -> Prepared:
    """Split and scale as the protocol says what is loaded already."""
    splits = study.protocol.splits(data.table, study.folds, study.split_seed, study.seeds)
    return Prepared(data, features, study.protocol.targets(data), splits)


def starts_on(split: Split, seeds: Sequence[int]) -> list[int]:
    """What the random generators of a study's `seeds` begin with on one split.

    It is another start on every fold. So the differences between folds hold what the start adds to
    them, and intervals over splits cover it, even those of a study with one seed.

    >>> third = Split("grouped", 0, 2, ("a",), ("b",), ("c",))
    >>> starts_on(third, [8, 19])
    [2008, 2019]
    """
    return [seed + 1000 * split.fold for seed in seeds]


def fit_split(study: Study, prepared: Prepared, split: Split) -> TrainedHeads:
    """Train on one split every head of the study, with the seeds that belong to the split."""
    seeds = study.protocol.seeds_on(split, study.seeds)
    return train_heads(
        prepared.features.values,
        prepared.targets,
        prepared.rows(split.train),
        prepared.rows(study.protocol.watched(split)),
        study.heads,
        seeds,
        study.training,
        starts=starts_on(split, seeds),
    )


SIDES = ("val", "test")
"""What is predicted, if not said otherwise: the images that choose, and those that are reported."""


def images_of(study: Study, prepared: Prepared, split: Split, side: str) -> pd.DataFrame:
    """The images of one side of a split: id, group, target, split, fold, side.

    Those of "test" are the images that the protocol reports. The index is the row in `prepared`.
    """
    ids = study.protocol.reported(split) if side == "test" else getattr(split, side)
    rows = prepared.rows(ids)
    images = prepared.table[["id", "group", "target"]].set_axis(range(len(prepared.table)))
    return images.iloc[rows].assign(split=split.seed, fold=split.fold, side=side)


def predict_split(
    study: Study,
    prepared: Prepared,
    split: Split,
    trained: TrainedHeads,
    sides: Sequence[str] = SIDES,
) -> pd.DataFrame:
    """Predictions of every head and seed for the images of `sides`: "train", "val", "test".

    Columns: head, split, fold, seed, side, id, group, target, prediction.
    """
    parts = [images_of(study, prepared, split, side) for side in sides]
    images = pd.concat([part for part in parts if len(part)])
    return scored(images, trained, prepared.features.values[images.index])


def scored(
    images: pd.DataFrame, trained: TrainedHeads, features: NDArray[np.float32]
) -> pd.DataFrame:
    """A row for each head, seed and image, with its prediction; features (N, D) are of `images`."""
    return pd.concat(
        [
            images.assign(head=head, seed=seed, prediction=preds)
            for head, by_seed in zip(trained.presets, trained.predict(features), strict=True)
            for seed, preds in zip(trained.seeds, by_seed, strict=True)
        ],
        ignore_index=True,
    )


def cross_validate(
    study: Study, prepared: Prepared, sides: Sequence[str] = SIDES
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train and test on every split; predict the images of `sides`.

    Returns:
        Predictions (see `predict_split`), and the history of training with the columns split, fold,
        head, seed, epoch, train_loss, val_srcc, chosen.
    """
    predictions, history = [], []
    for split in prepared.splits:
        trained = fit_split(study, prepared, split)
        predictions.append(predict_split(study, prepared, split, trained, sides))
        named = trained.history.rename(columns={"preset": "head"})
        history.append(named.assign(split=split.seed, fold=split.fold))
    return pd.concat(predictions, ignore_index=True), pd.concat(history, ignore_index=True)


def record(
    experiment: str,
    study: Study,
    prepared: Prepared,
    tables: dict[str, pd.DataFrame],
    settings: dict[str, Any] | None = None,
    others: Sequence[Dataset] = (),
    splits: Sequence[Split] | None = None,
    pictures: dict[str, NDArray[np.uint8]] | None = None,
) -> None:
    """Keep what a notebook found where its parameter `record_to` says, and say so.

    Args:
        experiment: the notebook's name.
        study: what was studied, on `prepared`.
        prepared: the images.
        tables: name to table; predictions have the columns of `iqa.experiments.record.COLUMNS`.
        settings: what was varied, in full, beside the study's protocol and training.
        others: data sets that were tested on beside the study's own.
        splits: that were used; those of `prepared` by default.
        pictures: name to RGB pixels (H, W, 3).
    """
    used = [study.backbone, *study.parameters.get("backbones", [])]
    found = describe(
        experiment,
        study.parameters,
        [prepared.data, *others],
        study.started,
        prepared.splits if splits is None else splits,
        settings=study.model_dump(mode="json", include={"protocol", "training"}) | (settings or {}),
        untrained=study.weights == "none",
        weights_sources={name: backbones.weights_source(name, study.weights) for name in used},
    )
    folder = write_record(study.parameters.get("record_to"), found, tables, pictures)
    where = f"kept in {folder}" if folder else "not kept: the parameter `record_to` is empty"
    print(f"{', '.join(tables)}: {where}; {found.seconds:.0f} s")
