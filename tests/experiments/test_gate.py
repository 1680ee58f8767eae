import numpy as np
import pytest
import torch
from small_study import small_study

from iqa.experiments.gate import HARDENED, predict_hardened, read_gates
from iqa.experiments.study import fit_split, predict_split
from iqa.training import HeadTraining, train_heads

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 6)).astype(np.float32)
Y = (1 / (1 + np.exp(-X[:, 0]))).astype(np.float32)
PRESETS = ["relu", "gated", "gated_even", "gated_bf16", "gated_plus2", "mixture4"]
LONG = HeadTraining(
    epochs=60, hidden=8, batch_size=4, learning_rate=1e-4, checkpoint="last", objective="mse"
)


@pytest.fixture(scope="module")
def trained():
    return train_heads(X, Y, np.arange(48), np.arange(48, 60), PRESETS, [8, 19], LONG)


def test_only_learned_gates_are_read_each_from_its_own_start(trained):
    gates = read_gates(trained)
    sizes = gates.groupby(["head", "seed", "layer"]).size()
    two, four = 2 * 8, 4 * 8
    expected = {"gated": two, "gated_bf16": two, "gated_plus2": two}
    assert (
        sizes.xs("act1", level="layer").xs(8, level="seed").drop("mixture4").to_dict() == expected
    )
    assert sizes["mixture4", 19, "act2"] == four
    starts = gates.groupby("head")["start"].first()
    assert starts["gated"] == starts["gated_bf16"] == 0.5
    assert starts["gated_plus2"] == pytest.approx(1 / (1 + np.exp(-2)))
    kept = gates.groupby(["head", "seed", "layer"])["preferred"].sum()
    assert (kept == 8).all()
    head = trained.head("gated", 19)
    mine = gates.query("head == 'gated' and seed == 19 and candidate == 'learnable_sigmoid'")
    np.testing.assert_allclose(mine["weight"], torch.sigmoid(head.act1.g).detach(), rtol=1e-6)
    np.testing.assert_allclose(mine["logit_moved"], head.act1.g.detach().abs(), rtol=1e-6)
    assert gates.query("head == 'mixture4'")["logit_moved"].isna().all()


def test_training_stalls_a_gate_in_bfloat16_and_not_in_float32(trained):
    """720 steps of 1e-4: the bfloat16 logits are rounded at every step and stop near 2^-5."""
    gates = read_gates(trained)
    moved = gates.groupby("head")["logit_moved"].max()
    rounded = trained.state["gated_bf16"]["act1.g"]
    assert rounded.dtype == torch.bfloat16
    assert trained.state["gated_bf16"]["act1.candidates.0.alpha"].dtype == torch.float32
    assert moved["gated_bf16"] <= 2**-4
    assert moved["gated_bf16"] < 0.9 * moved["gated"]
    even = trained.state["gated_even"]
    assert (even["act1.g"] == 0).all()
    assert (even["act1.candidates.0.alpha"] != 1).any()


def test_hardened_heads_are_tested_on_the_same_images():
    study, prepared = small_study(heads=("gated", "relu"))
    split = prepared.splits[0]
    trained = fit_split(study, prepared, split)
    soft = predict_split(study, prepared, split, trained, ["test"])
    hard = predict_hardened(study, prepared, split, trained)
    assert set(hard["head"]) == {"gated" + HARDENED}  # the other head has no gate
    gated = soft[soft["head"] == "gated"]
    assert list(hard["id"]) == list(gated["id"])
    head = trained.head("gated", 8).harden()
    rows = prepared.rows(split.test)
    with torch.inference_mode():
        expected = head(torch.from_numpy(prepared.features.values[rows]))
    np.testing.assert_allclose(hard.loc[hard["seed"] == 8, "prediction"], expected, rtol=1e-6)
