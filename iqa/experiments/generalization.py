"""Heads trained on one data set and tested on another whole one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from iqa import datasets
from iqa.datasets import Dataset, Split
from iqa.errors import UserError
from iqa.experiments.study import Prepared, Study, arrange, prepare, scored
from iqa.features import Features, extract
from iqa.files import fingerprint
from iqa.training import TrainedHeads

OTHER_HALF = "other half"
"""`tested_on` of contents of the same data set that were set aside."""


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
    size, weights = study.input_size, study.weights
    return source, [
        _target(study, data.info.name, data, extract(data, study.backbone, size, weights=weights))
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
    images = data.table[["id", "group"]].assign(target=study.protocol.targets(data))
    return Target(name, data, features, images)


def _halves(study: Study, whole: Prepared) -> tuple[Prepared, list[Target]]:
    """One half of the contents to train on, the smaller one to test on."""
    groups = sorted(whole.data.table["group"].unique())
    dealt = np.random.default_rng(study.split_seed).permutation(groups)
    middle = (len(dealt) + 1) // 2
    source, features = _part(whole, dealt[:middle], "one half")
    other = _part(whole, dealt[middle:], OTHER_HALF)
    return arrange(study, source, features), [_target(study, OTHER_HALF, *other)]


def _part(whole: Prepared, groups: NDArray[np.str_], name: str) -> tuple[Dataset, Features]:
    """The images of `groups` and their features."""
    data, features = whole.data, whole.features
    inside = data.table["group"].isin(groups).to_numpy()
    ids = tuple(data.table.loc[inside, "id"])
    info = replace(data.info, title=f"{data.info.title}, {name}")
    part = Dataset(
        info, data.table[inside].reset_index(drop=True), fingerprint(data.fingerprint, *ids)
    )
    return part, Features(ids, features.values[inside], features.key)


def predict_target(split: Split, heads: TrainedHeads, target: Target) -> pd.DataFrame:
    """What the heads of one split make of all images of a target, as of `predict_split`."""
    where = {"split": split.seed, "fold": split.fold, "side": "test", "tested_on": target.name}
    return scored(target.images.assign(**where), heads, target.features.values)
