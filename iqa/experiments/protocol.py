"""Protocols as data: what surrounds a model and moves its figures without changing the model.

Apart from the rest of `iqa.experiments`, like its `study`, because it needs PyTorch.
"""

from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from iqa.datasets import SPLITS, Dataset, Split
from iqa.errors import UserError, unknown
from iqa.training import OBJECTIVES, HeadTraining

PUBLISHED_BATCH = 2
"""Images in a batch of the paper's code, in training and evaluation."""

PUBLISHED_TARGETS = {"koniq10k": ("MOS", 100.0)}
"""Data set -> column and divisor, where the paper's code scales scores unlike the published range.

Everywhere else both give the same targets: MOS/100 (CLIVE, SPAQ, FLIVE), (DMOS - 1)/4
(KADID-10k), MOS/5 (AGIQA-3K, AGIQA-1K).
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
        plcc: which PLCC is reported: of the raw predictions, or after a logistic that was fitted
            on validation or on the test images.
        target: "range" maps scores by the published range of the data set; "published" divides
            them as the paper's code does, KonIQ-10k's MOS of 1 to 5 by 100 (B3).

    Raises:
        UserError: an unknown split or objective; or a use of validation images with the split
            "published", which has none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: str
    split: str
    checkpoint: Literal["validation", "test", "last"]
    objective: str
    drop_last: bool
    plcc: Literal["raw", "val", "test"]
    target: Literal["range", "published"]

    def model_post_init(self, _: object) -> None:
        """Check the names, and that the fields fit each other."""
        if self.split not in SPLITS:
            raise unknown("split", self.split, list(SPLITS))
        if self.objective not in OBJECTIVES:
            raise unknown("objective", self.objective, list(OBJECTIVES))
        validates = self.checkpoint == "validation" or self.plcc == "val"
        if self.split == "published" and validates:
            raise UserError(
                f"protocol {self.name!r}: checkpoint={self.checkpoint!r} with plcc={self.plcc!r} "
                "needs validation images, and the split `published` has none; choose another split"
            )


PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol(
            name="published",
            split="published",
            checkpoint="test",
            objective="mse+margin_published",
            drop_last=True,
            plcc="raw",
            target="published",
        ),
        Protocol(
            name="rigorous",
            split="grouped",
            checkpoint="validation",
            objective="mse+margin",
            drop_last=False,
            plcc="val",
            target="range",
        ),
    )
}
"""What the code of arXiv:2509.17374 does, and what it ought to do, which is the default here."""


def find(name: str) -> Protocol:
    """The protocol of that name.

    Raises:
        UserError: `name` is not in `PROTOCOLS`.
    """
    if name not in PROTOCOLS:
        raise unknown("protocol", name, list(PROTOCOLS))
    return PROTOCOLS[name]


def head_training(protocol: Protocol, training: HeadTraining) -> HeadTraining:
    """`training` with the objective and the choice of epoch that the protocol asks for."""
    kept = "last" if protocol.checkpoint == "last" else "best"
    return training.model_copy(update={"objective": protocol.objective, "checkpoint": kept})


def watched_images(protocol: Protocol, split: Split) -> tuple[str, ...]:
    """The ids to give to `train_heads` as `val`.

    They choose the epoch, unless the protocol keeps the last: then they only stand in the history,
    and are the test images where the split has no validation.
    """
    return split.test if protocol.checkpoint == "test" else split.val or split.test


def reported_images(protocol: Protocol, split: Split) -> tuple[str, ...]:
    """The test ids that figures are computed on, in their order.

    With `drop_last`, those in complete batches of `PUBLISHED_BATCH`: all but the last one where
    their number is odd.
    """
    n = len(split.test)
    return split.test[: n - n % PUBLISHED_BATCH] if protocol.drop_last else split.test


def targets(protocol: Protocol, dataset: Dataset) -> NDArray[np.float32]:
    """What heads are trained on, (N,), in the order of the data set's table.

    Raises:
        UserError: the table lacks the column that the published scaling starts from.
    """
    name, table = dataset.info.name, dataset.table
    if protocol.target == "range" or name not in PUBLISHED_TARGETS:
        return table["target"].to_numpy(np.float32)
    column, divisor = PUBLISHED_TARGETS[name]
    if column not in table.columns:
        raise UserError(
            f"protocol {protocol.name!r}: dataset `{name}` has no column `{column}`, which the "
            'published scaling divides; choose a protocol with target="range"'
        )
    return (table[column] / divisor).to_numpy(np.float32)
