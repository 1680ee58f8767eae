"""Training: objectives, heads on cached features, and fine-tuning of whole models."""

from iqa.training.adaptation import REGIMES, SCHEDULES, FineTuning
from iqa.training.examples import ScoredImages
from iqa.training.finetune import FineTuned, fine_tune
from iqa.training.frozen import HeadTraining, new_head, train_heads
from iqa.training.objectives import (
    OBJECTIVES,
    SCALE_FREE,
    accumulated,
    correlation,
    margin_ranking,
    margin_ranking_published,
    mse,
)
from iqa.training.scores import predict
from iqa.training.stack import HeadStack
from iqa.training.stem import AboveStem, StemMaps, stem_maps
from iqa.training.trained import TrainedHeads, load_heads

__all__ = [
    "OBJECTIVES",
    "REGIMES",
    "SCALE_FREE",
    "SCHEDULES",
    "AboveStem",
    "FineTuned",
    "FineTuning",
    "HeadStack",
    "HeadTraining",
    "ScoredImages",
    "StemMaps",
    "TrainedHeads",
    "accumulated",
    "correlation",
    "fine_tune",
    "load_heads",
    "margin_ranking",
    "margin_ranking_published",
    "mse",
    "new_head",
    "predict",
    "stem_maps",
    "train_heads",
]
