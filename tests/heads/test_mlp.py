import pytest
import torch

from iqa.errors import UserError
from iqa.heads import PRESETS, MLPHead

# 1152 * 512 + 512 + 512 * 512 + 512 + 512 + 1, as PAPER.md has it for B and B_Sig.
LINEAR = 853_505
EXTRA = {"gated": 5 * 512, "gated_gamma": 6 * 512, "mixture4": 2 * 4}
EXTRA |= dict.fromkeys(["gated_bf16", "gated_plus2", "gated_minus2", "gated_random"], 5 * 512)
EXTRA |= {"gated_scalar": 4 * 512 + 1, "gated_even": 4 * 512, "gated_apart": 4 * 512}
EXTRA |= {"mixture4_channel": 2 * 4 * 512}


def head(name, seed=0, d=16, hidden=8):
    torch.manual_seed(seed)
    return MLPHead.from_preset(name, d, hidden)


@pytest.mark.parametrize("name", PRESETS)
def test_parameter_counts_are_the_papers(name):
    count = sum(p.numel() for p in MLPHead.from_preset(name, 1152).parameters())
    assert count == LINEAR + EXTRA.get(name, 0)


@pytest.mark.parametrize("name", PRESETS)
def test_one_seed_gives_every_preset_the_same_linear_layers(name):
    reference, other = head("relu"), head(name)
    for layer in ("fc1", "fc2", "fc3"):
        assert torch.equal(getattr(other, layer).weight, getattr(reference, layer).weight)
        assert torch.equal(getattr(other, layer).bias, getattr(reference, layer).bias)
    again = head(name)
    assert all(
        torch.equal(p, q) for p, q in zip(other.parameters(), again.parameters(), strict=True)
    )


def test_b_sig_is_sigmoid_then_leaky_relu():
    b_sig, f = head("sigmoid"), torch.randn(5, 16)
    h = torch.sigmoid(f @ b_sig.fc1.weight.T + b_sig.fc1.bias)
    h = torch.nn.functional.leaky_relu(b_sig.fc2(h), 0.01)
    torch.testing.assert_close(b_sig(f), b_sig.fc3(h)[:, 0])
    torch.testing.assert_close(b_sig.embed(f), h)


def test_mixture_starts_almost_even_and_differs_by_seed():
    gates = head("mixture4").gates()
    assert list(gates) == ["act1", "act2"]
    for gate in gates.values():
        assert gate.g.sub(0.25).abs().max() < 0.06  # six standard deviations
    assert not torch.equal(gates["act1"].g, head("mixture4", seed=1).gates()["act1"].g)


def test_gated_head_can_be_hardened():
    soft, f = head("gated"), torch.randn(5, 16)
    with torch.no_grad():
        soft.act1.g.fill_(40.0)
    hard = soft.harden()
    torch.testing.assert_close(hard(f), soft(f))
    assert soft.gates()
    assert not hard.gates()


def test_unknown_preset():
    with pytest.raises(UserError, match="unknown head 'rleu': choose one of relu, "):
        MLPHead.from_preset("rleu", 16)


@pytest.mark.parametrize(
    ("name", "weight"),
    [("gated", 0.5), ("gated_even", 0.5), ("gated_plus2", 0.881), ("gated_minus2", 0.119)],
)
def test_gates_start_where_their_name_says(name, weight):
    torch.testing.assert_close(
        head(name).gates()["act1"].weights()[0], torch.full((8,), weight), atol=1e-3, rtol=0
    )


def test_kept_heads_of_earlier_versions_still_fit():
    gate = ["act1.g", *(f"act1.candidates.{name}" for name in ("0.alpha", "0.beta", "1.a"))]
    linear = [f"fc{i}.{name}" for i in (1, 2, 3) for name in ("weight", "bias")]
    expected = {
        "gated": [*linear, *gate, "act2.a"],
        "gated_gamma": [*linear, *gate, "act1.candidates.0.gamma", "act2.a"],
        "mixture4": [*linear, "act1.g", "act2.g"],
    }
    for name, names in expected.items():
        assert sorted(head(name).state_dict()) == sorted(names)
        assert sorted(dict(head(name).named_parameters())) == sorted(names)
