"""What an epoch is chosen by."""

import numpy as np
from scipy.stats import rankdata


def srcc(preds: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Spearman's correlation of preds (..., N) with target (N,), NaN where preds are constant.

    Its own function because scipy's would loop over the heads of a stack.
    """
    ranks, reference = rankdata(preds, axis=-1), rankdata(target)
    ranks, reference = ranks - ranks.mean(axis=-1, keepdims=True), reference - reference.mean()
    norm = np.linalg.norm(ranks, axis=-1) * np.linalg.norm(reference)
    return np.divide(ranks @ reference, norm, out=np.full(norm.shape, np.nan), where=norm > 0)
