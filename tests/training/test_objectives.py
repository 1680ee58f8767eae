import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from iqa.training import OBJECTIVES, margin_ranking, margin_ranking_published, mse

# Multiples of 1/8 in [0, 1]: ties occur, and differences are exact in float64.
scores = st.integers(1, 8).flatmap(
    lambda n: st.tuples(
        *[arrays(np.float64, n, elements=st.integers(0, 8).map(lambda k: k / 8))] * 2
    )
)


def by_loops(p, y):
    n, m, total = len(y), 0.25 * np.std(y), 0.0
    for i in range(n):
        for j in range(i + 1, n):
            if y[i] != y[j]:
                total += max(0.0, m - np.sign(y[i] - y[j]) * (p[i] - p[j]))
    return 2 / (n * (n - 1)) * total if n > 1 else 0.0


@given(scores)
def test_margin_ranking_equals_the_double_loop(pair):
    p, y = (torch.as_tensor(values) for values in pair)
    assert margin_ranking(p, y).item() == pytest.approx(by_loops(*pair), abs=1e-12)
    assert margin_ranking_published(p, y).item() == pytest.approx(by_loops(*pair[::-1]), abs=1e-12)


@given(scores, st.floats(-5, 5), st.integers(0, 99))
def test_margin_ranking_ignores_order_and_shift(pair, shift, seed):
    p, y = (torch.as_tensor(values) for values in pair)
    order = torch.randperm(len(p), generator=torch.Generator().manual_seed(seed))
    value = margin_ranking(p, y)
    assert value >= 0
    torch.testing.assert_close(margin_ranking(p[order] + shift, y[order] - shift), value)


@given(scores, st.floats(0.1, 10))
def test_margin_ranking_scales_with_the_unit(pair, scale):
    p, y = (torch.as_tensor(values) for values in pair)
    torch.testing.assert_close(margin_ranking(scale * p, scale * y), scale * margin_ranking(p, y))


@given(scores)
def test_margin_ranking_is_zero_for_the_targets_themselves_when_far_apart(pair):
    y = torch.as_tensor(pair[1])
    assert margin_ranking(y, y) == by_loops(pair[1], pair[1])
    two = torch.tensor([0.0, 1.0])
    assert margin_ranking(two, two) == 0


def test_batched_over_leading_dimensions():
    torch.manual_seed(0)
    preds, target = torch.randn(3, 2, 7), torch.randn(2, 7)
    for objective in OBJECTIVES.values():
        each = [[objective(preds[i, j], target[j]) for j in range(2)] for i in range(3)]
        torch.testing.assert_close(objective(preds, target), torch.tensor(each))


@pytest.mark.parametrize("name", OBJECTIVES)
@pytest.mark.parametrize("n", [1, 4])
def test_gradients_are_finite_where_all_values_are_equal(name, n):
    preds = torch.full((n,), 0.5, requires_grad=True)
    OBJECTIVES[name](preds, torch.full((n,), 0.25)).backward()
    assert preds.grad.isfinite().all()


def test_published_form_shrinks_wrong_orders_where_the_formula_mends_them():
    target, preds = torch.tensor([0.0, 0.5, 1.0]), torch.tensor([0.3, 0.2, 0.1])
    preds.requires_grad_()
    (formula,) = torch.autograd.grad(margin_ranking(preds, target), preds)
    (published,) = torch.autograd.grad(margin_ranking_published(preds, target), preds)
    assert formula[0] > 0 > formula[2]  # the worst image goes down from .3, the best up from .1
    step = preds - published
    assert 0 < step.std() < preds.std()
    # All of the gradient lies along the spread: no pair is treated by its own targets.
    centred = (preds - preds.mean()).detach()
    torch.testing.assert_close(published / published[0], centred / centred[0])


def test_sums_are_one_to_one():
    p, y = torch.tensor([0.1, 0.9, 0.4]), torch.tensor([0.5, 0.2, 0.9])
    torch.testing.assert_close(OBJECTIVES["mse+margin"](p, y), mse(p, y) + margin_ranking(p, y))
