import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from iqa.errors import UserError
from iqa.heads import ActivationGate, Elementwise, LearnableSigmoid

MANY = ["sigmoid", "leaky_relu", "gelu", "tanh"]
PAPER = ["learnable_sigmoid", "learnable_leaky_relu"]


def moved(gate, seed=0):
    torch.manual_seed(seed)
    with torch.no_grad():
        for p in gate.parameters():
            p.add_(torch.randn_like(p))
    return gate


def test_paper_gate_follows_its_formula():
    gate, u = moved(ActivationGate(5, PAPER)), 3 * torch.randn(7, 5)
    sig, leaky = gate.candidates
    w = 1 / (1 + torch.exp(-gate.g))
    s = 1 / (1 + torch.exp(-(sig.alpha * u + sig.beta).clamp(-20, 20)))
    expected = w * s + (1 - w) * torch.where(u >= 0, u, leaky.a * u)
    torch.testing.assert_close(gate(u), expected)


def test_paper_gate_starts_as_an_even_blend():
    u = torch.tensor([[-1.0, 1.0]])
    expected = 0.5 * torch.sigmoid(u) + 0.5 * torch.tensor([[-0.25, 1.0]])
    torch.testing.assert_close(ActivationGate(2, PAPER)(u), expected)


@pytest.mark.parametrize("scalar", [True, False])
@given(n=st.integers(2, 4), seed=st.integers(0, 99))
def test_weights_are_convex_and_the_output_lies_between_the_candidates(scalar, n, seed):
    gate = moved(ActivationGate(6, MANY[:n], scalar=scalar), seed)
    weights, u = gate.weights(), torch.randn(9, 6)
    assert weights.shape == (n, 6)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(0), torch.ones(6))
    outputs = torch.stack([candidate(u) for candidate in gate.candidates])
    assert (gate(u) >= outputs.amin(0) - 1e-6).all()
    assert (gate(u) <= outputs.amax(0) + 1e-6).all()


def test_two_candidates_share_one_logit_and_more_have_one_each():
    assert ActivationGate(8, MANY[:2]).g.shape == (8,)
    assert ActivationGate(8, MANY[:2], scalar=True).g.shape == (1,)
    assert ActivationGate(8, MANY).g.shape == (4, 8)
    assert ActivationGate(8, MANY, scalar=True).g.shape == (4, 1)


def test_softmax_gate_weighs_by_softmax():
    gate = moved(ActivationGate(3, MANY))
    torch.testing.assert_close(gate.weights(), torch.exp(gate.g) / torch.exp(gate.g).sum(0))


def test_preferred_and_hardened():
    gate = ActivationGate(3, [*PAPER, "tanh"])
    with torch.no_grad():
        gate.g.copy_(torch.tensor([[5.0, 0, 0], [0, 0, 0], [0, 5.0, 5.0]]))
    assert gate.preferred().tolist() == [0, 2, 2]
    hard, u = gate.harden(), torch.randn(4, 3)
    assert hard.names == ("learnable_sigmoid", "tanh")
    expected = torch.stack([torch.sigmoid(u[:, 0]), *torch.tanh(u[:, 1:]).unbind(1)], dim=1)
    torch.testing.assert_close(hard(u), expected)


def test_a_decided_gate_equals_its_hardened_form():
    gate, u = ActivationGate(4, PAPER), torch.randn(5, 4)
    with torch.no_grad():
        gate.g.copy_(torch.tensor([40.0, -40.0, -40.0, 40.0]))
    torch.testing.assert_close(gate(u), gate.harden()(u))


def test_own_candidates_by_factory():
    gate = ActivationGate(2, [lambda channels: Elementwise(torch.sin), LearnableSigmoid])
    assert gate.names == ("<lambda>", "LearnableSigmoid")
    assert gate(torch.zeros(1, 2)).tolist() == [[0.25, 0.25]]


def test_one_candidate_is_no_gate():
    with pytest.raises(UserError, match="two or more"):
        ActivationGate(2, ["relu"])


def steps_of_adam(dtype, rate, steps=2000, **kind):
    """The logits of a gate that the same gradient pushes again and again."""
    gate = ActivationGate(3, PAPER, dtype=dtype)
    adam = torch.optim.Adam(gate.parameters(), rate, **kind)
    path = []
    for _ in range(steps):
        adam.zero_grad()
        (-gate.g.float() @ torch.tensor([0.3, 1.0, 1.7])).backward()
        adam.step()
        path.append(gate.g.detach().float().clone())
    return torch.stack(path)


@pytest.mark.parametrize("kind", [{"fused": True}, {"foreach": True}, {"foreach": False}])
def test_in_bfloat16_small_steps_of_adam_are_rounded_away(kind):
    kept, lost = (steps_of_adam(t, 1e-4, **kind) for t in (torch.float32, torch.bfloat16))
    torch.testing.assert_close(kept[-1], torch.full((3,), 0.2), atol=1e-3, rtol=0)
    # Above 2^-5 half the distance to the next number is 1.2e-4, above 2^-4 it is 2.4e-4.
    assert lost.max() <= 2**-4
    assert lost[-1].min() >= 2**-5
    assert torch.equal(lost, lost.bfloat16().float())


def test_a_gate_in_bfloat16_computes_in_the_type_of_its_input():
    gate, u = moved(ActivationGate(5, PAPER, dtype=torch.bfloat16)), torch.randn(4, 5)
    assert gate.g.dtype == torch.bfloat16
    plain = ActivationGate(5, PAPER)
    plain.load_state_dict(gate.state_dict())
    torch.testing.assert_close(gate(u), plain(u), atol=0, rtol=0)
    torch.testing.assert_close(gate.weights(), plain.weights(), atol=0, rtol=0)


def test_a_gate_that_is_not_learned_keeps_its_blend_but_not_its_candidates():
    gate = ActivationGate(2, PAPER, mean=2.0, learned=False)
    assert "g" not in dict(gate.named_parameters())
    assert dict(ActivationGate(2, PAPER).named_parameters()).keys() > set(
        dict(gate.named_parameters())
    )
    assert gate.state_dict().keys() == ActivationGate(2, PAPER).state_dict().keys()
    torch.testing.assert_close(gate.weights()[0], torch.full((2,), 1 / (1 + torch.e**-2.0)))
