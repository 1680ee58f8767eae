"""What has to be known of a scoring model, apart from its parameters."""

from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, FiniteFloat, model_validator

from iqa.errors import printable

Text = Annotated[str, AfterValidator(printable)]
"""Harmless to print, as a file may come from anyone."""

LARGEST_INPUT = 4096
"""Pixels a side; a model file may come from anyone, and an image takes 12 bytes a pixel."""


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

    @model_validator(mode="after")
    def _rises(self) -> Self:
        if not self.low < self.high:
            raise ValueError(f"low is {self.low:g} and high {self.high:g}, expected low < high")
        return self
