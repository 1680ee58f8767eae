import numpy as np
import pandas as pd
import pytest
import torch

from iqa.evaluation import srcc, summarize_heads
from iqa.experiments.gates import describe_gates, pairs_of_heads, push_gate, read_gates
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


def test_gates_are_described_by_their_quantiles_in_the_order_of_their_candidates():
    weight = np.linspace(0, 1, 101)
    part = {"training": "t", "head": "h", "layer": "act1", "start": 0.5, "logit_moved": np.nan}
    gates = pd.concat(
        pd.DataFrame({"weight": w, "candidate": name, "preferred": w > 0.5} | part)
        for name, w in (("z", weight), ("a", 1 - weight))
    )
    table = describe_gates(gates)
    assert table["candidate"].tolist() == ["z", "a"]
    row = table.iloc[0]
    quantiles = [row[name] for name in ("q00", "q05", "q50", "q95", "q100")]
    np.testing.assert_allclose(quantiles, [-0.5, -0.45, 0, 0.45, 0.5], atol=1e-12)
    assert row["preferred"] == pytest.approx(50 / 101)
    assert row["moved_mean"] == pytest.approx(np.abs(weight - 0.5).mean())
    assert (row["lowest"], row["highest"], row["moved_max"]) == (0, 1, 0.5)


def predictions():
    target, parts = RNG.random(40), []
    for head, noise in (("a", 0.1), ("b", 0.5), ("c", 0.5)):
        part = pd.DataFrame({"target": target, "head": head, "seed": 8, "fold": 0, "side": "test"})
        part["id"] = part["group"] = [str(i) for i in range(40)]
        parts.append(part.assign(prediction=target + noise * RNG.standard_normal(40)))
    return pd.concat(parts)


def test_pairs_are_compared_as_heads_with_one_baseline_are():
    table = predictions()
    mine = pairs_of_heads(table, [("b", "a"), ("c", "a")], 500)
    theirs = summarize_heads(table, "a", 500).comparisons.query("figure == 'srcc'")
    columns = ["head", "difference", "low", "high", "p", "p_holm"]
    pd.testing.assert_frame_equal(mine[columns], theirs[columns].reset_index(drop=True))
    one = table[table["head"] == "b"]
    assert mine["srcc"][0] == pytest.approx(srcc(one["prediction"], one["target"]))
    (other,) = pairs_of_heads(table, [("a", "b")], 500)["difference"]
    assert other == pytest.approx(-mine["difference"][0])


def test_a_pushed_gate_goes_on_in_float32_and_stops_in_bfloat16():
    path = push_gate(1e-4, 2000)
    assert path["float32"].iloc[-1] == pytest.approx(0.2, rel=1e-3)
    first = path[path["adams_step"] < path["half_gap"]].iloc[0]
    assert first["bfloat16"] == 2**-5
    assert first["half_gap"] == 2**-13
    assert path["bfloat16"].max() == 2**-4
    # Where a step is lost, the next logit is the same.
    lost = (path["adams_step"] < 0.99 * path["half_gap"]).to_numpy()[:-1]
    assert (path["bfloat16"].diff().to_numpy()[1:][lost] == 0).all()
