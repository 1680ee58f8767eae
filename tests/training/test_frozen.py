import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from scipy.stats import spearmanr

from iqa.errors import UserError
from iqa.heads import PRESETS, Elementwise, Preset
from iqa.training import HeadTraining, frozen, load_heads, train_heads

ROOT = Path(__file__).parents[2]
one_at_a_time = runpy.run_path(str(ROOT / "benchmarks" / "batched_heads.py"))["one_at_a_time"]

SMALL = HeadTraining(epochs=3, hidden=16, batch_size=16, learning_rate=1e-3)
SEEDS = [8, 19, 25]
TRAIN, VAL = np.arange(50), np.arange(50, 80)  # 50 = 3 * 16 + 2: the last batch is short
RNG = np.random.default_rng(0)
X = RNG.normal(2, 3, size=(80, 12)).astype(np.float32)
Y = (1 / (1 + np.exp(-(X - 2) @ RNG.normal(size=12) / 8))).astype(np.float32)


@pytest.fixture(scope="module")
def trained():
    return train_heads(X, Y, TRAIN, VAL, list(PRESETS), SEEDS, SMALL)


def standardised():
    return (X - X[TRAIN].mean(axis=0)) / X[TRAIN].std(axis=0)


@pytest.mark.parametrize("preset", PRESETS)
def test_stack_gives_the_numbers_of_one_head_at_a_time(trained, preset):
    for row, seed in enumerate(SEEDS):
        preds = one_at_a_time(standardised(), Y, TRAIN, VAL, preset, seed, SMALL)
        srcc = [spearmanr(p, Y[VAL]).statistic for p in preds]
        mine = trained.history.query("preset == @preset and seed == @seed")
        np.testing.assert_allclose(mine["val_srcc"], srcc, atol=1e-5)
        chosen = int(np.argmax(srcc))
        assert mine["chosen"].tolist() == [epoch == chosen for epoch in range(SMALL.epochs)]
        scores = trained.predict(X[VAL])[trained.presets.index(preset), row]
        np.testing.assert_allclose(scores, preds[chosen], atol=1e-5)


def test_a_rate_of_their_own_moves_the_gates_as_one_head_at_a_time_does():
    config = SMALL.model_copy(update={"gate_rate": 100.0, "learning_rate": 1e-4})
    presets = ["sigmoid", "gated", "gated_even", "mixture4_channel"]
    trained = train_heads(X, Y, TRAIN, VAL, presets, SEEDS, config)
    slow = train_heads(X, Y, TRAIN, VAL, presets, SEEDS, config.model_copy(update={"gate_rate": 1}))
    for row, name in enumerate(presets):
        preds = one_at_a_time(standardised(), Y, TRAIN, VAL, name, 19, config)
        best = int(np.argmax([spearmanr(p, Y[VAL]).statistic for p in preds]))
        np.testing.assert_allclose(trained.predict(X[VAL])[row, 1], preds[best], atol=1e-5)
    # 12 steps: by 1e-4 each at the common rate, by 1e-2 at their own.
    moved = trained.state["gated"]["act1.g"].abs().max()
    assert moved > 20 * slow.state["gated"]["act1.g"].abs().max()
    same = (trained.predict(X) == slow.predict(X)).all(axis=(1, 2))
    assert same.tolist() == [True, False, True, False]


@pytest.mark.parametrize("objective", ["mse", "mse+margin_published", "margin"])
def test_other_objectives_agree_too(objective):
    config = SMALL.model_copy(update={"objective": objective, "standardize": False})
    preds = one_at_a_time(X, Y, TRAIN, VAL, "gated", 8, config)
    trained = train_heads(X, Y, TRAIN, VAL, ["relu", "gated"], [19, 8], config)
    best = int(np.argmax([spearmanr(p, Y[VAL]).statistic for p in preds]))
    np.testing.assert_allclose(trained.predict(X[VAL])[1, 1], preds[best], atol=1e-5)


def test_correlation_agrees_too_but_for_a_shift_that_it_leaves_free():
    config = SMALL.model_copy(update={"objective": "correlation"})
    preds = one_at_a_time(standardised(), Y, TRAIN, VAL, "gated", 19, config)
    trained = train_heads(X, Y, TRAIN, VAL, ["relu", "gated"], [19, 8], config)
    best = preds[int(np.argmax([spearmanr(p, Y[VAL]).statistic for p in preds]))]
    mine = trained.predict(X[VAL])[1, 0]
    # Adam turns what rounding leaves of the last bias's gradient, 0, into steps.
    np.testing.assert_allclose(mine - mine.mean(), best - best.mean(), atol=2e-3)


def test_a_micro_batch_changes_what_a_ranking_loss_compares_and_not_what_mse_sees():
    def predicted(**changes):
        config = SMALL.model_copy(update=changes)
        return train_heads(X, Y, TRAIN, VAL, ["sigmoid"], [8], config).predict(X)

    whole = predicted(objective="mse")
    np.testing.assert_allclose(predicted(objective="mse", micro_batch=2), whole, atol=1e-5)
    pairs = predicted(objective="margin", micro_batch=2)
    assert abs(pairs - predicted(objective="margin")).max() > 1e-3


def test_last_checkpoint_is_the_last_epoch_whatever_validation_says():
    config = SMALL.model_copy(update={"epochs": 8, "learning_rate": 0.02})
    best = train_heads(X, Y, TRAIN, VAL, ["relu", "gated"], SEEDS, config)
    config = config.model_copy(update={"checkpoint": "last"})
    last = train_heads(X, Y, TRAIN, VAL, ["relu", "gated"], SEEDS, config)
    other = train_heads(X, Y, TRAIN, VAL[::-2], ["relu", "gated"], SEEDS, config)
    np.testing.assert_array_equal(last.predict(X), other.predict(X))
    assert last.history.query("chosen")["epoch"].tolist() == [8] * 6
    drop = ["chosen"]
    assert last.history.drop(columns=drop).equals(best.history.drop(columns=drop))
    # Heads whose best epoch was an earlier one are others; there must be one for this to show.
    early = (best.history.query("chosen")["epoch"] < 8).to_numpy().reshape(2, 3)
    assert early.any()
    assert ((last.predict(X) != best.predict(X)).any(axis=-1) == early).all()
    preds = one_at_a_time(standardised(), Y, TRAIN, VAL, "gated", 8, config)
    np.testing.assert_allclose(last.predict(X[VAL])[1, 0], preds[-1], atol=1e-4)


@pytest.mark.parametrize("heads", [1, 2, 7])
def test_tiling_does_not_change_the_numbers(trained, monkeypatch, heads):
    monkeypatch.setitem(frozen.TILE_BYTES, "cpu", heads * 4 * 12 * SMALL.hidden)
    tiled = train_heads(X, Y, TRAIN, VAL, list(PRESETS), SEEDS, SMALL)
    np.testing.assert_allclose(tiled.predict(X), trained.predict(X), atol=1e-5)
    assert tiled.history[["preset", "seed", "epoch"]].equals(
        trained.history[["preset", "seed", "epoch"]]
    )


def test_training_repeats_exactly_and_leaves_the_global_generator_alone(trained):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    again = train_heads(X, Y, TRAIN, VAL, list(PRESETS), SEEDS, SMALL)
    assert torch.equal(torch.rand(1), expected)
    np.testing.assert_array_equal(again.predict(X), trained.predict(X))


def test_training_learns():
    config = SMALL.model_copy(update={"epochs": 30, "learning_rate": 1e-2})
    history = train_heads(X, Y, TRAIN, VAL, ["sigmoid", "gated"], [8], config).history
    assert history.query("chosen")["val_srcc"].min() > 0.8


def test_folded_head_scores_raw_features(trained):
    head, row = trained.head("gated", 19), trained.presets.index("gated")
    inside = head.fc1(torch.as_tensor(X)).detach()
    state = trained.state["gated"]
    expected = standardised() @ state["fc1.weight"][1].numpy().T + state["fc1.bias"][1].numpy()
    np.testing.assert_allclose(inside, expected, atol=1e-5)
    scores = head(torch.as_tensor(X)).detach().numpy()
    np.testing.assert_array_equal(trained.predict(X)[row, 1], scores)
    assert not head.training


def test_a_feature_that_never_varies_is_harmless():
    x = X.copy()
    x[:, 3] = 7
    trained = train_heads(x, Y, TRAIN, VAL, ["relu"], [8], SMALL)
    assert trained.std[3] == 1
    assert np.isfinite(trained.predict(x)).all()


def test_constant_predictions_count_as_worst(monkeypatch):
    monkeypatch.setitem(PRESETS, "dead", Preset("relu", lambda c: Elementwise(torch.zeros_like)))
    trained = train_heads(X, Y, TRAIN, VAL, ["dead", "relu"], [8], SMALL)
    dead = trained.history.query("preset == 'dead'")
    assert dead["val_srcc"].isna().all()
    assert dead["chosen"].tolist() == [True, False, False]


def test_own_preset_is_trained_like_the_others(monkeypatch):
    monkeypatch.setitem(PRESETS, "sine", Preset(lambda c: Elementwise(torch.sin), "tanh"))
    trained = train_heads(X, Y, TRAIN, VAL, ["sine"], SEEDS, SMALL)
    assert trained.predict(X).shape == (1, 3, 80)


def test_saved_heads_come_back(trained, tmp_path):
    path = tmp_path / "heads.safetensors"
    trained.save(path)
    loaded = load_heads(path)
    assert (loaded.presets, loaded.seeds) == (trained.presets, trained.seeds)
    np.testing.assert_array_equal(loaded.predict(X), trained.predict(X))
    assert loaded.history.equals(trained.history)


def test_select_keeps_only_what_is_named(trained):
    few = trained.select(["gated", "relu"], [25])
    rows = [trained.presets.index("gated"), trained.presets.index("relu")]
    np.testing.assert_array_equal(few.predict(X), trained.predict(X)[rows][:, [2]])
    assert len(few.history) == 2 * SMALL.epochs


def test_damaged_or_foreign_files_are_refused(trained, tmp_path):
    path = tmp_path / "heads.safetensors"
    with pytest.raises(UserError, match=r"heads .*heads\.safetensors"):
        load_heads(path)
    trained.select(["relu"], [8]).save(path)
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(UserError, match=r"heads .*heads\.safetensors"):
        load_heads(path)


@pytest.mark.parametrize("place", ["features", "targets"])
def test_values_that_are_not_finite_are_named(place):
    x, y = X.copy(), Y.copy()
    (x if place == "features" else y)[17] = np.nan
    with pytest.raises(UserError, match=rf"{place} of 1 image\(s\) are not finite.* 17"):
        train_heads(x, y, TRAIN, VAL, ["relu"], [8], SMALL)


def test_divergence_names_the_head_the_seed_and_the_remedy():
    config = SMALL.model_copy(update={"learning_rate": 1e30})
    with pytest.raises(UserError, match=r"'relu', seed 8.*lower learning_rate"):
        train_heads(X, Y, TRAIN, VAL, ["relu"], [8], config)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"presets": ["rleu"]}, "unknown head 'rleu'"),
        ({"presets": []}, "one entry or more"),
        ({"seeds": [8, 8]}, "must not repeat"),
        ({"targets": Y[:-1]}, "do not fit"),
    ],
)
def test_bad_arguments(change, message):
    given = {"features": X, "targets": Y, "train": TRAIN, "val": VAL}
    given |= {"presets": ["relu"], "seeds": [8]}
    with pytest.raises(UserError, match=message):
        train_heads(**(given | change), config=SMALL)


def test_bad_configuration():
    with pytest.raises(UserError, match="unknown objective"):
        HeadTraining(objective="mae")
    with pytest.raises(ValidationError, match="'best' or 'last'"):
        HeadTraining(checkpoint="test")
    with pytest.raises(ValidationError, match="greater than or equal to 1"):
        HeadTraining(epochs=0)
    with pytest.raises(ValidationError, match="Extra inputs"):
        HeadTraining(epoch=3)


def test_scaled_features_are_the_same_as_features_scaled_by_hand():
    scaled = train_heads(
        X, Y, TRAIN, VAL, ["gated"], [8], SMALL.model_copy(update={"feature_scale": 0.1})
    )
    by_hand = train_heads(
        0.1 * standardised(),
        Y,
        TRAIN,
        VAL,
        ["gated"],
        [8],
        SMALL.model_copy(update={"standardize": False}),
    )
    expected = by_hand.predict(0.1 * standardised()[VAL])
    np.testing.assert_allclose(scaled.predict(X[VAL]), expected, atol=1e-5)
    plain = train_heads(X, Y, TRAIN, VAL, ["gated"], [8], SMALL).predict(X[VAL])
    assert not np.allclose(expected, plain, atol=1e-3)
