import pytest
import torch

from iqa.errors import UserError
from iqa.heads import (
    CANDIDATES,
    LearnableLeakyReLU,
    LearnableSigmoid,
    make_activation,
    scaled_sigmoid,
)

U = torch.linspace(-30, 30, 61)[:, None].repeat(1, 4)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relu", torch.nn.ReLU()),
        ("leaky_relu", torch.nn.LeakyReLU(0.01)),
        ("gelu", torch.nn.GELU()),
        ("silu", torch.nn.SiLU()),
        ("tanh", torch.nn.Tanh()),
        ("sigmoid", torch.nn.Sigmoid()),
        ("identity", torch.nn.Identity()),
        ("abs", torch.abs),
        ("learnable_leaky_relu", torch.nn.PReLU(4)),
    ],
)
def test_candidate_equals_pytorch(name, expected):
    torch.testing.assert_close(make_activation(name, 4)(U), expected(U))


def test_learnable_sigmoid_starts_as_the_clamped_sigmoid():
    expected = torch.sigmoid(U.clamp(-20, 20))
    torch.testing.assert_close(LearnableSigmoid(4)(U), expected)
    torch.testing.assert_close(LearnableSigmoid(4, gamma=2.0)(U), 2 * expected)


def test_learnable_parameters_act_per_channel():
    act = LearnableSigmoid(2, gamma=1.0)
    with torch.no_grad():
        act.alpha.copy_(torch.tensor([2.0, 0.0]))
        act.beta.copy_(torch.tensor([0.0, 1.0]))
        act.gamma.copy_(torch.tensor([1.0, 3.0]))
    expected = torch.tensor([[1, 3]]) * torch.sigmoid(torch.tensor([[2.0, 1.0]]))
    torch.testing.assert_close(act(torch.ones(1, 2)), expected)
    slope = LearnableLeakyReLU(1, a=0.5)
    assert slope(torch.tensor([[-2.0], [2.0]])).flatten().tolist() == [-1.0, 2.0]


def test_scaled_sigmoid():
    assert scaled_sigmoid(torch.tensor(2.0)).item() == pytest.approx(2 / (1 + 2.718281828**-1))


@pytest.mark.parametrize("name", CANDIDATES)
def test_every_candidate_keeps_the_shape_and_has_a_gradient(name):
    u = U.clone().requires_grad_()
    h = make_activation(name, 4)(u)
    h.sum().backward()
    assert h.shape == u.shape
    assert u.grad.isfinite().all()
    assert u.grad.abs().sum() > 0


def test_unknown_candidate_names_the_choice():
    with pytest.raises(UserError, match=r"unknown activation 'rleu': choose one of .*relu"):
        make_activation("rleu", 4)
