"""What has to be known of a scoring model, apart from its parameters."""

from bisect import bisect_left
from itertools import pairwise
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from iqa.errors import printable

Text = Annotated[str, AfterValidator(printable)]
"""Harmless to print, as a file may come from anyone."""

LARGEST_INPUT = 4096
"""Pixels a side; a model file may come from anyone, and an image takes 12 bytes a pixel."""


class Reference(BaseModel):
    """Photographs that a score is compared with, none of which the model learned.

    Attributes:
        of: what they are, as a reader would call them.
        scores: the model's scores at 0, 1, ..., 100 % of them.

    >>> Reference(of="a hundred photographs", scores=range(101)).better_than(80.5)
    80
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    of: Text
    scores: list[FiniteFloat] = Field(min_length=101, max_length=101)

    @model_validator(mode="after")
    def _rise(self) -> Self:
        if any(low > high for low, high in pairwise(self.scores)):
            raise ValueError("the scores of a reference fall, expected them in order")
        return self

    def better_than(self, score: float) -> int:
        """The percentage of them, rounded down, whose scores are lower."""
        return max(0, bisect_left(self.scores, score) - 1)


class ModelInfo(BaseModel):
    """What a model is, and how its output becomes a score.

    Attributes:
        name: what tables call it.
        backbone: a name in `iqa.backbones.REGISTRY`, or the library's own for other models.
        pooling: a name in `iqa.backbones.POOLINGS`; empty where the model has its own.
        head: a name in `iqa.heads.PRESETS`, or what stands in a head's place.
        input_size: side of the square that images are resized to, in pixels.
        low: the score of an output of 0.
        high: the score of an output of 1; scores may lie a little outside.
        trained_on: whose ratings it learned, as a reader would call them.
        untrained: whether parameters are random; whatever shows its scores has to say so.
        reference: photographs that scores are compared with, if any.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    name: Text
    backbone: Text
    pooling: Text = ""
    head: Text
    input_size: int = Field(ge=32, le=LARGEST_INPUT)
    low: FiniteFloat = 0.0
    high: FiniteFloat = 1.0
    trained_on: Text
    untrained: bool = False
    reference: Reference | None = None

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low is {self.low:g} and high {self.high:g}, expected low < high")
        return self
