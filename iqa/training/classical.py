"""What a head has to beat: regressors of scikit-learn on the same features."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVR

from iqa.errors import unknown
from iqa.training import choice

Predict = Callable[[NDArray], NDArray]
Candidates = Iterator[tuple[dict[str, float], Predict]]

ALPHAS = tuple(float(alpha) for alpha in np.logspace(-1, 5, 13))
PENALTIES = (0.1, 0.3, 1.0, 3.0)
WIDTHS = (0.1, 0.3, 1.0)
TUBE = 0.05
STEPS, EVERY = 150, 10


def _ridges(x: NDArray, y: NDArray) -> Candidates:
    """Least squares with the penalty alpha |w|^2 on its weights."""
    for alpha in ALPHAS:
        yield {"alpha": alpha}, Ridge(alpha).fit(x, y).predict


def _barely_penalised(x: NDArray, y: NDArray) -> Candidates:
    """Ridge at the smallest penalty of `ALPHAS`: nearly plain least squares, nothing chosen."""
    return islice(_ridges(x, y), 1)


def _supports(x: NDArray, y: NDArray) -> Candidates:
    """Support vector regression with a Gaussian kernel exp(-gamma |a - b|^2).

    Its width is gamma = `width` / D, which means the same for any number D of standardised
    features. Errors within `TUBE` of the range of the scores cost nothing.
    """
    for width in WIDTHS:
        # Given as a function, the kernel is computed by one matrix product, not row by row.
        kernel = partial(rbf_kernel, gamma=width / x.shape[1])
        for penalty in PENALTIES:
            machine = SVR(kernel=kernel, C=penalty, epsilon=TUBE).fit(x, y)
            yield {"gamma * D": width, "C": penalty}, machine.predict


def _boostings(x: NDArray, y: NDArray) -> Candidates:
    """Gradient boosting of trees with few leaves, stopped after any multiple of `EVERY` steps."""
    trees = HistGradientBoostingRegressor(
        learning_rate=0.1,
        max_iter=STEPS,
        max_leaf_nodes=8,
        max_bins=63,
        early_stopping=False,
        random_state=0,
    ).fit(x, y)

    def after(steps: int, rows: NDArray) -> NDArray:
        return next(islice(trees.staged_predict(rows), steps - 1, None))

    for steps in range(EVERY, STEPS + 1, EVERY):
        yield {"steps": steps}, partial(after, steps)


REGRESSORS: dict[str, Callable[[NDArray, NDArray], Candidates]] = {
    "ridge": _ridges,
    "ridge, hardly any penalty": _barely_penalised,
    "SVR": _supports,
    "boosting": _boostings,
}
"""Name to a function of standardised features (N, D) and targets (N,) that gives its candidates."""


@dataclass(frozen=True)
class Fitted:
    """The candidate that was chosen.

    Attributes:
        settings: its hyper-parameters.
        val_srcc: SRCC on the validation images, for which it was chosen.
        predict: scores (N,) of features (N, D) as they come out of the backbone.
    """

    settings: dict[str, float]
    val_srcc: float
    predict: Predict


def fit_regressor(
    name: str, x_train: NDArray, y_train: NDArray, x_val: NDArray, y_val: NDArray
) -> Fitted:
    """Fit every candidate to the training images and keep the best on the validation images.

    Features are standardised by mean and standard deviation of the training images, as for a head.
    The first of equally good candidates is kept; constant predictions count as worst.

    Args:
        name: a key of `REGRESSORS`.
        x_train: features (N, D).
        y_train: scores (N,).
        x_val: features (M, D) of the images to choose on.
        y_val: their scores (M,).

    Raises:
        UserError: an unknown name.
    """
    if name not in REGRESSORS:
        raise unknown("regressor", name, list(REGRESSORS))
    scaler = StandardScaler().fit(x_train.astype(np.float64))
    x_val = scaler.transform(x_val)
    best: tuple[float, dict[str, float], Predict] | None = None
    for settings, predict in REGRESSORS[name](scaler.transform(x_train), y_train):
        merit = float(np.nan_to_num(choice.srcc(predict(x_val), y_val), nan=-1.0))
        if best is None or merit > best[0]:
            best = merit, settings, predict
    assert best is not None  # every entry gives at least one
    merit, settings, chosen = best
    return Fitted(settings, merit, lambda rows: chosen(scaler.transform(rows)))
