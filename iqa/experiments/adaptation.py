"""Whole models adapted to a data set, each from a head that was trained on frozen features.

Apart from the rest of `iqa.experiments`, like its `study`, because it needs PyTorch.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from iqa import backbones
from iqa.datasets import Split
from iqa.experiments.rules import reported_images, watched_images
from iqa.experiments.study import Prepared, Study
from iqa.features.engine import fastest_engine
from iqa.features.extract import encode
from iqa.files import cache_root
from iqa.heads import MLPHead
from iqa.models import QualityModel
from iqa.training import (
    AboveStem,
    FineTuned,
    FineTuning,
    ScoredImages,
    StemMaps,
    fine_tune,
)


def input_size_of(study: Study) -> int:
    """Side of the square input in pixels: the study's, else the backbone's own."""
    return study.input_size or backbones.find(study.backbone).input_size


def images_of(study: Study, prepared: Prepared, ids: Sequence[str]) -> ScoredImages:
    """The images `ids` with their targets, at the study's input size."""
    rows = prepared.rows(ids)
    paths = prepared.table["path"].iloc[rows]
    return ScoredImages(paths, prepared.targets[rows], input_size_of(study))


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


def adapt_above_stem(
    study: Study,
    prepared: Prepared,
    split: Split,
    head: MLPHead,
    tuning: FineTuning,
    maps: StemMaps,
    progress: bool = False,
) -> FineTuned:
    """As `adapt`, with the stem of a `/levels` backbone frozen.

    Args:
        study: the backbone and the protocol.
        prepared: the study's images.
        split: what is trained and watched.
        head: where training starts.
        tuning: how to train; crops in pixels of the images.
        maps: what the stem makes of all images of `prepared`, in their order.
        progress: show a progress bar.
    """
    whole = starting_model(study, head)
    above = QualityModel(AboveStem(whole.backbone), whole.head)
    train = maps.take(prepared.rows(split.train))
    watched = maps.take(prepared.rows(watched_images(study.protocol, split)))
    tuned = fine_tune(above, train, watched, tuning, cache_root() / "fine-tuning", progress)
    # The trained layers are the whole model's own.
    return replace(tuned, model=whole.eval())


def predict_adapted(
    study: Study, prepared: Prepared, split: Split, model: QualityModel
) -> pd.DataFrame:
    """Predictions for the validation and the reported images of a split, by the engine of scoring.

    Columns: those of `iqa.evaluation.study.COLUMNS` but head, seed and fold.
    """
    parts = []
    for side, ids in (("val", split.val), ("test", reported_images(study.protocol, split))):
        if ids:
            table = prepared.table.iloc[prepared.rows(ids)][["id", "group", "target", "path"]]
            values = scores_on(model, table["path"], input_size_of(study))
            parts.append(table.drop(columns="path").assign(side=side, prediction=values))
    return pd.concat(parts, ignore_index=True)


def scores_on(model: QualityModel, paths: Sequence[str], input_size: int) -> NDArray[np.float64]:
    """The model's outputs (N,) for image files, as `iqa score` computes them."""
    return np.array(
        [float(v) for v in encode(paths, fastest_engine(model, input_size), input_size)]
    )
