import numpy as np
import pytest
from sklearn.linear_model import RidgeCV

from iqa.errors import UserError
from iqa.training.classical import ALPHAS, REGRESSORS, STEPS, fit_regressor

RNG = np.random.default_rng(0)
X = RNG.normal(3, 2, size=(160, 6)).astype(np.float32)
Y = 0.5 + 0.1 * (X[:, 0] - 3) + 0.01 * RNG.normal(size=160)
TRAIN, VAL, TEST = np.split(np.arange(160), [100, 130])


def fit(name, x=X, y=Y):
    return fit_regressor(name, x[TRAIN], y[TRAIN], x[VAL], y[VAL])


@pytest.mark.parametrize("name", REGRESSORS)
def test_each_learns_what_is_nearly_linear(name):
    found = fit(name)
    preds = found.predict(X[TEST])
    assert preds.shape == (30,)
    assert np.corrcoef(preds, Y[TEST])[0, 1] > 0.9
    assert found.val_srcc > 0.9


def test_ridge_is_the_closed_form_at_the_alpha_it_says():
    found = fit("ridge")
    mean, std = X[TRAIN].mean(axis=0, dtype=float), X[TRAIN].std(axis=0, dtype=float)
    z = (X - mean) / std
    alpha = found.settings["alpha"]
    weights = np.linalg.solve(
        z[TRAIN].T @ z[TRAIN] + alpha * np.eye(6), z[TRAIN].T @ (Y[TRAIN] - Y[TRAIN].mean())
    )
    np.testing.assert_allclose(
        found.predict(X[TEST]), Y[TRAIN].mean() + z[TEST] @ weights, atol=1e-6
    )


def test_ridge_chooses_a_large_penalty_where_features_are_noise_but_for_one():
    x = RNG.normal(size=(160, 300))
    y = x[:, 0] + x[:, 1:].sum(axis=1) * 0.02 + RNG.normal(size=160)
    found = fit("ridge", x, y)
    assert found.settings["alpha"] > ALPHAS[4]
    loose = fit("ridge, hardly any penalty", x, y)
    assert loose.settings == {"alpha": ALPHAS[0]}
    assert loose.val_srcc <= found.val_srcc
    # A penalty of the same order as leave-one-out chooses.
    assert 0.01 < found.settings["alpha"] / RidgeCV(ALPHAS).fit(x[TRAIN], y[TRAIN]).alpha_ < 100


def test_boosting_stopped_early_is_boosting_with_fewer_steps():
    candidates = list(REGRESSORS["boosting"](X[TRAIN], Y[TRAIN]))
    first, last = candidates[0], candidates[-1]
    assert last[0] == {"steps": STEPS}
    errors = [np.mean((predict(X[TRAIN]) - Y[TRAIN]) ** 2) for _, predict in (first, last)]
    assert errors[1] < errors[0]


def test_the_first_of_the_best_on_validation_is_taken(monkeypatch):
    signs = {0: -1.0, 1: 1.0, 2: 2.0}  # the last two order images alike

    def candidates(x, y):
        for k, sign in signs.items():
            yield {"k": k}, lambda rows, sign=sign: sign * rows[:, 0]

    monkeypatch.setitem(REGRESSORS, "ridge", candidates)
    assert fit("ridge").settings == {"k": 1}


def test_constant_predictions_are_worst(monkeypatch):
    def candidates(x, y):
        yield {"k": 0.0}, lambda rows: np.zeros(len(rows))
        yield {"k": 1.0}, lambda rows: rows[:, 0]

    monkeypatch.setitem(REGRESSORS, "ridge", candidates)
    assert fit("ridge").settings == {"k": 1.0}


def test_an_unknown_name_lists_those_there_are():
    with pytest.raises(UserError, match=r"regressor.*ridge"):
        fit("forest")
