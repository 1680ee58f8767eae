"""What has to be known of a scoring model, apart from its parameters."""

from pydantic import BaseModel, ConfigDict, Field


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
    name: str
    backbone: str
    pooling: str = ""
    head: str
    input_size: int = Field(ge=32)
    low: float = 0.0
    high: float = 1.0
    trained_on: str
    untrained: bool = False
