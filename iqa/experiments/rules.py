"""What a protocol means for the splits, the training, the figures and the targets of a study."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from iqa.datasets import FOLDS, SPLITS, Dataset, Split
from iqa.errors import UserError
from iqa.experiments.protocol import Protocol
from iqa.training import HeadTraining

PUBLISHED_BATCH = 2
"""Images in a batch of the paper's code, in training and evaluation."""

PUBLISHED_TARGETS = {"koniq10k": ("MOS", 100.0)}
"""Data set -> column and divisor, where the paper's code scales scores unlike the published range.

They hold at any size of its images (`koniq10k/512x384`). Everywhere else both give the same
targets: MOS/100 (CLIVE, SPAQ, FLIVE), (DMOS - 1)/4 (KADID-10k), MOS/5 (AGIQA-3K, AGIQA-1K).
"""


def splits_of(
    protocol: Protocol, table: pd.DataFrame, folds: int, split_seed: int, seeds: Sequence[int]
) -> list[Split]:
    """The splits of a study.

    What can be dealt into folds ("grouped", "random") is: `folds` splits, drawn with `split_seed`,
    each for the heads of all seeds. So every image is reported once a seed. The other kinds are one
    split for each of `seeds`, drawn with it and meant for the heads of that seed (`seeds_of`), as
    in the paper's code, where one seed, 8, 19 or 25, sets everything.

    Args:
        protocol: whose `split` says the kind.
        table: of the data set.
        folds: number of folds, at least 3.
        split_seed: which assignment to folds.
        seeds: of the heads.

    Raises:
        UserError: the table cannot be split in this way; see `iqa.datasets.SPLITS` and `FOLDS`.
    """
    if protocol.split in FOLDS:
        return FOLDS[protocol.split](table, folds, split_seed)
    return [SPLITS[protocol.split](table, seed) for seed in seeds]


def seeds_of(protocol: Protocol, split: Split, seeds: Sequence[int]) -> tuple[int, ...]:
    """Which of a study's `seeds` are trained on `split`, one of `splits_of`."""
    return tuple(seeds) if protocol.split in FOLDS else (split.seed,)


def head_training(protocol: Protocol, training: HeadTraining) -> HeadTraining:
    """`training` with the objective and the choice of epoch that the protocol asks for."""
    kept = "last" if protocol.checkpoint == "last" else "best"
    return training.model_copy(update={"objective": protocol.objective, "checkpoint": kept})


def watched_images(protocol: Protocol, split: Split) -> tuple[str, ...]:
    """The ids to give to `train_heads` as `val`.

    They choose the epoch, unless the protocol keeps the last: then they only stand in the history,
    and are the reported images where the split has no validation.
    """
    reported = reported_images(protocol, split)
    return reported if protocol.checkpoint == "test" else split.val or reported


def reported_images(protocol: Protocol, split: Split) -> tuple[str, ...]:
    """The test ids that figures are computed on, in their order.

    With `drop_last`, those in complete batches of `PUBLISHED_BATCH`: all but the last one where
    their number is odd.
    """
    n = len(split.test)
    return split.test[: n - n % PUBLISHED_BATCH] if protocol.drop_last else split.test


def targets(protocol: Protocol, dataset: Dataset) -> NDArray[np.float64]:
    """What heads are trained on and compared with, (N,), in the order of the data set's table.

    Raises:
        UserError: the table lacks the column that the published scaling starts from.
    """
    name, table = dataset.info.name.partition("/")[0], dataset.table
    if protocol.target == "range" or name not in PUBLISHED_TARGETS:
        return table["target"].to_numpy(float)
    column, divisor = PUBLISHED_TARGETS[name]
    if column not in table.columns:
        raise UserError(
            f"protocol {protocol.name!r}: dataset `{name}` has no column `{column}`, which the "
            'published scaling divides; choose a protocol with target="range"'
        )
    return (table[column] / divisor).to_numpy(float)
