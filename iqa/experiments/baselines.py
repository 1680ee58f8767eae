"""Regressors on the splits of a study: what a head has to beat."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from iqa.evaluation import srcc
from iqa.experiments.study import Prepared, Study, images_of
from iqa.training.classical import REGRESSORS, fit_regressor


def regress(
    study: Study,
    prepared: Prepared,
    regressors: Sequence[str] = tuple(REGRESSORS),
    values: NDArray[np.float32] | None = None,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Test regressors on the splits of a study, each chosen on the validation images.

    Regressors are deterministic: what they predict is given once for each seed of the heads, so
    that they can be compared in pairs.

    Args:
        study: whose protocol and seeds hold; the protocol's `target` is that of `prepared`.
        prepared: the images and their splits.
        regressors: keys of `iqa.training.classical.REGRESSORS`.
        values: features (N, D) in the order of `prepared`; its own where None.

    Returns:
        Predictions for the test images, head "none", column regressor; and how each was fitted:
        regressor, split, fold, settings (text),
        val_srcc, train_srcc.
    """
    values = prepared.features.values if values is None else values
    y, predictions, fits = prepared.targets, [], []
    for split in prepared.splits:
        images = images_of(study, prepared, split, "test")
        train, val = prepared.rows(split.train), prepared.rows(split.val)
        for name in regressors:
            found = fit_regressor(name, values[train], y[train], values[val], y[val])
            preds = found.predict(values[images.index])
            part = images.assign(head="none", regressor=name, prediction=preds)
            seeds = study.protocol.seeds_on(split, study.seeds)
            predictions += [part.assign(seed=seed) for seed in seeds]
            settings = ", ".join(f"{k} {v:g}" for k, v in found.settings.items())
            about = {"regressor": name, "split": split.seed, "fold": split.fold}
            train_srcc = srcc(found.predict(values[train]), y[train])
            merits = {"val_srcc": found.val_srcc, "train_srcc": train_srcc}
            fits.append(about | {"settings": settings} | merits)
    return pd.concat(predictions, ignore_index=True), pd.DataFrame(fits)
