"""Whole cross-validations compared: for protocols that have other test images in each fold."""

from collections.abc import Sequence

import pandas as pd

from iqa.evaluation.estimates import Estimates
from iqa.evaluation.estimators import RESAMPLES, transferred


def whole_assignments(
    predictions: pd.DataFrame, by: Sequence[str], resamples: int = RESAMPLES
) -> Estimates:
    """SRCC over the images of all folds together, the mean over assignments to folds and seeds.

    One assignment with one seed is a whole cross-validation: every image is predicted once. All are
    on the same images, so what is compared may deal these into folds in another way, as a split by
    image does. The interval covers images, splits and starts: its variance is that of resampled
    contents, and that of the mean over cross-validations. These share no more than the images, so
    their variance needs no correction. Heads of different folds must be on one scale.

    Args:
        predictions: on test images, see `iqa.evaluation.estimators`.
        by: columns of what is compared, such as head and protocol.
        resamples: draws of contents.

    Raises:
        UserError: an image twice, or something that some cross-validations have and others not.
    """
    return transferred(predictions.assign(fold=0), by, 0.0, resamples)
