"""Protocols as data: what surrounds a model and moves its figures without changing the model.

Apart from the rest of `iqa.experiments`, like its `study`, because it needs PyTorch.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from iqa.datasets import SPLITS
from iqa.errors import UserError, unknown
from iqa.training import OBJECTIVES


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

    def but(self, name: str, **changes: Any) -> "Protocol":
        """This protocol with another name and some fields changed, checked as any other."""
        return Protocol(**(self.model_dump() | changes | {"name": name}))

    @property
    def plcc_column(self) -> str:
        """The PLCC to report, as a key of `iqa.evaluation.evaluate`."""
        return {"raw": "plcc_raw", "val": "plcc_val_fit", "test": "plcc_test_fit"}[self.plcc]


PUBLISHED = Protocol(
    name="published",
    split="published",
    checkpoint="test",
    objective="mse+margin_published",
    drop_last=True,
    plcc="raw",
    target="published",
)
"""What the code of arXiv:2509.17374 does."""

RIGOROUS = Protocol(
    name="rigorous",
    split="grouped",
    checkpoint="validation",
    objective="mse+margin",
    drop_last=False,
    plcc="val",
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
