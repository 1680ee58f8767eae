"""Whole models adapted to a data set: what the notebooks `regimes` and `scorer` share."""

from collections.abc import Callable, Sequence
from copy import deepcopy

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from iqa import backbones
from iqa.datasets import Dataset, Split
from iqa.experiments.keys import modules_key
from iqa.experiments.study import SIDES, Prepared, Study, images_of
from iqa.features.engine import fastest_engine
from iqa.features.extraction import encode
from iqa.files import cache_root, fingerprint
from iqa.heads import MLPHead
from iqa.models import QualityModel
from iqa.training import FineTuned, FineTuning, ScoredImages, StemMaps, fine_tune


def input_size_of(study: Study) -> int:
    """Side of the square input in pixels: the study's, else the backbone's own."""
    return study.input_size or backbones.find(study.backbone).input_size


def starting_model(study: Study, head: MLPHead) -> QualityModel:
    """The pretrained backbone with a copy of `head`."""
    return QualityModel(backbones.load(study.backbone, study.weights), deepcopy(head))


def adapt(
    study: Study,
    prepared: Prepared,
    split: Split,
    model: QualityModel,
    tuning: FineTuning,
    inputs_of: Callable[[Sequence[str]], ScoredImages | StemMaps] | None = None,
) -> FineTuned:
    """Train backbone and head of `model` together on one split.

    Progress is kept under `cache_root()/fine-tuning`, in a folder for these images and the code of
    training: a run that was cut goes on, a finished one is read. `inputs_of` maps ids to what the
    model reads, by default the image files.
    """
    kept = fingerprint(prepared.data.images_fingerprint, modules_key("iqa.training"))

    def files(ids: Sequence[str]) -> ScoredImages:
        rows = prepared.rows(ids)
        paths = prepared.table["path"].iloc[rows]
        return ScoredImages(paths, prepared.targets[rows], input_size_of(study))

    inputs_of = inputs_of or files
    train, watched = inputs_of(split.train), inputs_of(study.protocol.watched(split))
    return fine_tune(model, train, watched, tuning, cache_root() / "fine-tuning" / kept)


def predict_adapted(
    study: Study, prepared: Prepared, split: Split, model: QualityModel
) -> pd.DataFrame:
    """Predictions for the validation and the reported images of a split, by the engine of scoring.

    Columns: split, fold, side, id, group, target, prediction.
    """
    parts = [images_of(study, prepared, split, side) for side in SIDES]
    images = pd.concat([part for part in parts if len(part)])
    paths = prepared.table["path"].iloc[images.index]
    values = scores_on(model, list(paths), input_size_of(study))
    return images.assign(prediction=values).reset_index(drop=True)


def predict_whole(study: Study, target: Dataset, split: Split, model: QualityModel) -> pd.DataFrame:
    """As `predict_adapted`, for all images of another data set; tested_on is its name."""
    values = scores_on(model, list(target.table["path"]), input_size_of(study))
    where = {"split": split.seed, "fold": split.fold, "side": "test"}
    images = target.table[["id", "group", "target"]].assign(**where, prediction=values)
    return images.assign(tested_on=target.info.name)


def scores_on(model: QualityModel, paths: Sequence[str], input_size: int) -> NDArray[np.float64]:
    """The model's outputs (N,) for image files, as `iqa score` computes them."""
    return np.array(
        [float(v) for v in encode(paths, fastest_engine(model, input_size), input_size)]
    )
