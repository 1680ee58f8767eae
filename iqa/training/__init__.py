"""Training: objectives, and heads trained on cached features."""

from iqa.training.frozen import HeadTraining, train_heads
from iqa.training.objectives import (
    OBJECTIVES,
    margin_ranking,
    margin_ranking_published,
    mse,
)
from iqa.training.stack import HeadStack
from iqa.training.trained import TrainedHeads, load_heads

__all__ = [
    "OBJECTIVES",
    "HeadStack",
    "HeadTraining",
    "TrainedHeads",
    "load_heads",
    "margin_ranking",
    "margin_ranking_published",
    "mse",
    "train_heads",
]
