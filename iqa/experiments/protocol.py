"""Protocols as data: what surrounds a model and moves its metrics without changing the model."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from iqa.datasets import FOLDS, SPLITS, Dataset, Split
from iqa.errors import UserError, unknown
from iqa.training import OBJECTIVES, HeadTraining

PUBLISHED_BATCH = 2
"""Images in a batch of the paper's code, in training and evaluation."""

PUBLISHED_TARGETS = {"koniq10k": ("MOS", 100.0)}
"""Data set -> column and divisor, where the paper's code scales scores unlike the published range.

They hold at any size of its images (`koniq10k/512x384`). Everywhere else both give the same
targets: MOS/100 (CLIVE, SPAQ, FLIVE), (DMOS - 1)/4 (KADID-10k), MOS/5 (AGIQA-3K, AGIQA-1K).
"""


class Protocol(BaseModel):
    """How a model is judged; each field stands for a defect of the paper's code or its cure.

    Attributes:
        name: what records and tables call it.
        split: a name in `iqa.datasets.SPLITS`. "published" and "random" put versions of one
            content on both sides (B6).
        checkpoint: what chooses the epoch: "validation"; "test", the reported images themselves,
            which is a flaw (B5) and is here to be measured; "last", nothing.
        objective: a name in `iqa.training.OBJECTIVES`. "mse+margin_published" calls the margin
            loss with its arguments swapped (B1).
        drop_last: leave the last incomplete batch of the test images out (B7).
        target: "range" maps scores by the published range of the data set; "published" divides
            them as the paper's code does, KonIQ-10k's MOS of 1 to 5 by 100 (B3).

    Raises:
        UserError: an unknown split or objective; or the split "published", which has no validation
            images, where these are to choose the epoch.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    split: str
    checkpoint: Literal["validation", "test", "last"]
    objective: str
    drop_last: bool
    target: Literal["range", "published"]

    def model_post_init(self, _: object) -> None:
        """Check the names, and that the fields fit each other."""
        if self.split not in SPLITS:
            raise unknown("split", self.split, list(SPLITS))
        if self.objective not in OBJECTIVES:
            raise unknown("objective", self.objective, list(OBJECTIVES))
        if self.split == "published" and self.checkpoint == "validation":
            raise UserError(
                f"protocol {self.name!r}: checkpoint='validation' needs validation images, and the "
                "split `published` has none; choose another split"
            )

    def but(self, name: str, **changes: Any) -> "Protocol":
        """This protocol with another name and some fields changed, checked as any other."""
        return Protocol(**(self.model_dump() | changes | {"name": name}))

    def splits(
        self, table: pd.DataFrame, folds: int, split_seed: int, seeds: Sequence[int]
    ) -> list[Split]:
        """The splits of a study of the heads of `seeds`.

        What can be dealt into folds ("grouped", "random") is: `folds` splits, drawn with
        `split_seed`, each for the heads of all seeds. So every image is reported once a seed. The
        other kinds are one split for each seed, drawn with it, as in the paper's code, where one
        seed, 8, 19 or 25, sets everything.

        Raises:
            UserError: the table of the data set cannot be split in this way.
        """
        if self.split in FOLDS:
            return FOLDS[self.split](table, folds, split_seed)
        return [SPLITS[self.split](table, seed) for seed in seeds]

    def seeds_on(self, split: Split, seeds: Sequence[int]) -> tuple[int, ...]:
        """Which of a study's `seeds` are trained on `split`, one of `splits`."""
        return tuple(seeds) if self.split in FOLDS else (split.seed,)

    def training(self, training: HeadTraining) -> HeadTraining:
        """`training` with the objective and the choice of epoch that the protocol asks for."""
        kept = "last" if self.checkpoint == "last" else "best"
        return training.model_copy(update={"objective": self.objective, "checkpoint": kept})

    def watched(self, split: Split) -> tuple[str, ...]:
        """The ids to give to `train_heads` as `val`.

        They choose the epoch, unless the protocol keeps the last: then they only stand in the
        history, and are the reported images where the split has no validation.
        """
        reported = self.reported(split)
        return reported if self.checkpoint == "test" else split.val or reported

    def reported(self, split: Split) -> tuple[str, ...]:
        """The test ids that metrics are computed on: with `drop_last`, those in whole batches."""
        n = len(split.test)
        return split.test[: n - n % PUBLISHED_BATCH] if self.drop_last else split.test

    def targets(self, dataset: Dataset) -> NDArray[np.float64]:
        """What heads are trained on and compared with, (N,), in the order of the set's table.

        Raises:
            UserError: the table lacks the column that the published scaling starts from.
        """
        name, table = dataset.info.name.partition("/")[0], dataset.table
        if self.target == "range" or name not in PUBLISHED_TARGETS:
            return table["target"].to_numpy(float)
        column, divisor = PUBLISHED_TARGETS[name]
        if column not in table.columns:
            raise UserError(
                f"protocol {self.name!r}: dataset `{name}` has no column `{column}`, which the "
                'published scaling divides; choose a protocol with target="range"'
            )
        return (table[column] / divisor).to_numpy(float)


PUBLISHED = Protocol(
    name="published",
    split="published",
    checkpoint="test",
    objective="mse+margin_published",
    drop_last=True,
    target="published",
)
"""What the code of arXiv:2509.17374 does."""

RIGOROUS = Protocol(
    name="rigorous",
    split="grouped",
    checkpoint="validation",
    objective="mse+margin",
    drop_last=False,
    target="range",
)
"""What it ought to do, which is the default here."""

PROTOCOLS = {
    protocol.name: protocol
    for protocol in (PUBLISHED, RIGOROUS, RIGOROUS.but("official", split="official"))
}
"""By name; `official` is the rigorous one on the split that a data set's owner published."""


def find(name: str) -> Protocol:
    """The protocol of that name.

    Raises:
        UserError: `name` is not in `PROTOCOLS`.
    """
    if name not in PROTOCOLS:
        raise unknown("protocol", name, list(PROTOCOLS))
    return PROTOCOLS[name]
