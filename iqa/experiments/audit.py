"""What the defects of the paper's code change, one by one (notebook `audit`).

A defect changes how heads are trained (another `Protocol`, other targets, other images: a run of
its own), or only how the same predictions are reported. `results/literature/defects.csv` lists B1
to B15; `audit_effects` compares. Apart from the rest of `iqa.experiments`, like `study`, because it
needs PyTorch.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import ArrayLike, NDArray

from iqa.datasets import Dataset, Split, reader
from iqa.datasets.benchmarks import CLIVE
from iqa.errors import UserError
from iqa.evaluation import fit_logistic, logistic
from iqa.experiments import rules
from iqa.experiments.protocol import RIGOROUS
from iqa.experiments.study import Prepared
from iqa.features import Features

AS_PUBLISHED = RIGOROUS.but(
    "as published",
    split="random",
    checkpoint="test",
    objective="mse+margin_published",
    drop_last=True,
    plcc="raw",
    target="published",
)
"""`PUBLISHED` in folds, so that the rigorous run is on the same images.

B1, B5, B6, B7 and, on KonIQ-10k, B3 at once.
"""


def scaled_like_koniq(targets: ArrayLike) -> NDArray[np.float64]:
    """Targets of [0, 1] as B3 makes them of KonIQ-10k: scores of 1 to 5, divided by 100."""
    return (1 + 4 * np.asarray(targets, dtype=float)) / 100


def in_bfloat16(values: ArrayLike) -> NDArray[np.float32]:
    """Values rounded to bfloat16, which has 8 significant bits: 0.5 to 1 in steps of 1/256 (B9).

    >>> in_bfloat16([0.501, 0.503])
    array([0.5       , 0.50390625], dtype=float32)
    """
    return torch.tensor(np.asarray(values, dtype=np.float32)).bfloat16().float().numpy()


def training_examples(dataset: str) -> Dataset | None:
    """The 7 images of CLIVE that taught its raters the task and do not count (B4).

    None for another data set, or where the release lies there without them.
    """
    if dataset != CLIVE.info.name:
        return None
    whole = replace(
        CLIVE,
        leave_out=(),
        name=lambda names: names.where(~names.isin(CLIVE.leave_out), "trainingImages/" + names),
    )
    try:
        data = reader.load(whole)
    except UserError:
        return None
    table = data.table[data.table["id"].str.startswith("trainingImages/")]
    return replace(data, table=table.reset_index(drop=True))


def with_examples(prepared: Prepared, examples: Dataset, features: Features) -> Prepared:
    """`prepared` with further images, dealt in turn to the folds that are there."""
    data, own = prepared.data, prepared.features
    table = pd.concat([data.table, examples.table], ignore_index=True)
    values = np.concatenate([own.values, features.values])
    return replace(
        prepared,
        data=replace(data, table=table),
        features=Features((*own.ids, *features.ids), values, own.key),
        targets=np.concatenate([prepared.targets, examples.table["target"]]),
        splits=[_dealt(split, features.ids, len(prepared.splits)) for split in prepared.splits],
    )


def _dealt(split: Split, ids: tuple[str, ...], folds: int) -> Split:
    """`split` with image i of `ids` in fold i; sides as `iqa.datasets.grouped_folds` has them."""
    test, val = split.fold, (split.fold + 1) % folds
    fold_of = {name: i % folds for i, name in enumerate(ids)}
    return replace(
        split,
        train=(*split.train, *(name for name in ids if fold_of[name] not in (test, val))),
        val=(*split.val, *(name for name in ids if fold_of[name] == val)),
        test=(*split.test, *(name for name in ids if fold_of[name] == test)),
    )


def in_whole_batches(tests: pd.DataFrame, splits: list[Split]) -> pd.DataFrame:
    """The reported predictions without those of the last incomplete batch of each fold (B7)."""
    protocol = RIGOROUS.but("drop last", drop_last=True)
    kept = {name for split in splits for name in rules.reported_images(protocol, split)}
    return tests[tests["id"].isin(kept)]


def fitted(predictions: pd.DataFrame, on: str) -> pd.DataFrame:
    """Test predictions of one head, mapped in each seed and fold by a logistic.

    Args:
        predictions: with the rows of both sides.
        on: the side that the logistic is fitted on: "val", or "test" itself.
    """
    parts = []
    for _, part in predictions.groupby(["seed", "fold"]):
        sample, test = (part[part["side"] == side] for side in (on, "test"))
        params = fit_logistic(sample["prediction"], sample["target"])
        parts.append(test.assign(prediction=logistic(test["prediction"], params)))
    return pd.concat(parts, ignore_index=True)
