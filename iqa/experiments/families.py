"""One study on several backbones.

Apart from the rest of `iqa.experiments`, like its `study`, because it needs PyTorch.
"""

import time
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from torch import nn

from iqa import backbones
from iqa.errors import UserError
from iqa.experiments.study import Prepared, Study, cross_validate, prepare
from iqa.features.engine import fastest_engine


def variants_of(study: Study, others: Sequence[str], untrained: Sequence[str]) -> dict[str, Study]:
    """The study, then itself on other backbones, by what tables and figures call each.

    A name says "untrained" wherever weights are random, those of `study` included.

    Args:
        study: on the backbone that the others are compared with.
        others: names of `iqa.backbones.REGISTRY`, taken with the weights of `study`.
        untrained: names of backbones with random weights, as controls.

    Raises:
        UserError: a backbone is named twice, or unknown.
    """
    wanted = [(name, study.weights) for name in (study.backbone, *others)]
    wanted += [(name, "none") for name in untrained]
    found: dict[str, Study] = {}
    for name, weights in wanted:
        backbones.find(name)
        label = name if weights == "pretrained" else f"{name}, untrained"
        if label in found:
            raise UserError(f"backbones: {label} is named twice; leave one out")
        found[label] = study.model_copy(update={"backbone": name, "weights": weights})
    return found


def describe(studies: Mapping[str, Study]) -> pd.DataFrame:
    """What each backbone costs.

    Returns:
        A row a backbone: variant, untrained, features (D), parameters, processor_ms (see
        `processor_ms`).
    """
    rows = []
    for variant, study in studies.items():
        spec = backbones.find(study.backbone)
        model = backbones.load(study.backbone, study.weights)
        rows.append(
            {
                "variant": variant,
                "untrained": study.weights == "none",
                "features": backbones.feature_dim(spec),
                "parameters": sum(p.numel() for p in model.parameters()),
                "processor_ms": processor_ms(model, study.input_size or spec.input_size),
            }
        )
    return pd.DataFrame(rows)


def processor_ms(model: nn.Module, input_size: int, images: int = 16, repeats: int = 3) -> float:
    """Milliseconds of processor time that the engine needs for an image, all threads together.

    The best of some passes over images of noise; files are not read, the network is compiled
    already. Unlike images per second it hardly depends on what else the machine is doing.
    """
    engine = fastest_engine(model, input_size)
    shape = images, input_size, input_size, 3
    noise = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    engine(noise[:2])
    seconds = []
    for _ in range(repeats):
        started = time.process_time()
        engine(noise)
        seconds.append(time.process_time() - started)
    return 1000 * min(seconds) / images


def train_on(studies: Mapping[str, Study]) -> tuple[pd.DataFrame, Prepared]:
    """Train the heads of each study on its own features and the same splits.

    Returns:
        Predictions for the test images, with the columns of `iqa.evaluation.study.COLUMNS` and
        `variant`; and what the first study works on.
    """
    predictions, works_on = [], []
    for variant, study in studies.items():
        prepared = prepare(study)
        part, _ = cross_validate(study, prepared)
        predictions.append(part[part["side"] == "test"].assign(variant=variant))
        works_on.append(prepared)
    return pd.concat(predictions, ignore_index=True), works_on[0]
