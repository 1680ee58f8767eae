"""Whole models adapted to a data set, each from a head that was trained on frozen features.

Apart from the rest of `iqa.experiments`, like its `study`, because it needs PyTorch.
"""

from collections.abc import Sequence
from copy import deepcopy

import pandas as pd

from iqa import backbones
from iqa.datasets import Split
from iqa.experiments.rules import reported_images, watched_images
from iqa.experiments.study import Prepared, Study
from iqa.files import cache_root
from iqa.heads import MLPHead
from iqa.models import QualityModel
from iqa.training import FineTuned, FineTuning, ScoredImages, fine_tune, predict


def images_of(study: Study, prepared: Prepared, ids: Sequence[str]) -> ScoredImages:
    """The images `ids` with their targets, at the study's input size."""
    rows = prepared.rows(ids)
    size = study.input_size or backbones.find(study.backbone).input_size
    return ScoredImages(prepared.table["path"].iloc[rows], prepared.targets[rows], size)


def starting_model(study: Study, head: MLPHead) -> QualityModel:
    """The frozen regime: the pretrained backbone with a copy of a head trained on its features."""
    return QualityModel(backbones.load(study.backbone, study.weights), deepcopy(head))


def adapt(
    study: Study,
    prepared: Prepared,
    split: Split,
    head: MLPHead,
    tuning: FineTuning,
    progress: bool = False,
) -> FineTuned:
    """Train backbone and head together on one split, from `head` on the pretrained backbone.

    Progress is kept under `cache_root()/fine-tuning`: a run that was cut goes on, a finished one
    is read. `head` itself stays as it is.
    """
    model = starting_model(study, head)
    train = images_of(study, prepared, split.train)
    watched = images_of(study, prepared, watched_images(study.protocol, split))
    return fine_tune(model, train, watched, tuning, cache_root() / "fine-tuning", progress)


def predict_adapted(
    study: Study, prepared: Prepared, split: Split, model: QualityModel
) -> pd.DataFrame:
    """Predictions for the validation and the reported images of a split.

    Columns: those of `iqa.evaluation.study.COLUMNS` but head, seed and fold.
    """
    parts = []
    for side, ids in (("val", split.val), ("test", reported_images(study.protocol, split))):
        if ids:
            table = prepared.table.iloc[prepared.rows(ids)][["id", "group", "target"]]
            values = predict(model, images_of(study, prepared, ids))
            parts.append(table.assign(side=side, prediction=values))
    return pd.concat(parts, ignore_index=True)
