"""Images that the paper's code wrongly adds or drops (B4 and B7 of the notebook `audit`)."""

from dataclasses import replace

import numpy as np
import pandas as pd

from iqa.datasets import Dataset, Split, reader
from iqa.datasets.benchmarks import CLIVE
from iqa.errors import UserError
from iqa.experiments.protocol import RIGOROUS
from iqa.experiments.study import Prepared
from iqa.features import Features


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
    kept = [(one.seed, one.fold, name) for one in splits for name in protocol.reported(one)]
    return tests.merge(pd.DataFrame(kept, columns=["split", "fold", "id"]))
