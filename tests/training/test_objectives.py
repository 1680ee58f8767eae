import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import pearsonr

from iqa.training import (
    OBJECTIVES,
    SCALE_FREE,
    accumulated,
    correlation,
    margin_ranking,
    margin_ranking_published,
    mse,
)

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


def spread(pair):
    return all(np.ptp(values) > 0 for values in pair)


@given(scores.filter(spread))
def test_correlation_agrees_with_scipy_and_with_the_distance_of_unit_vectors(pair):
    p, y = pair
    value = correlation(torch.as_tensor(p), torch.as_tensor(y)).item()
    assert value == pytest.approx(1 - pearsonr(p, y).statistic, abs=1e-9)
    a, b = ((v - v.mean()) / np.linalg.norm(v - v.mean()) for v in pair)
    assert value == pytest.approx(np.sum((a - b) ** 2) / 2, abs=1e-9)


@given(scores.filter(spread), st.floats(-5, 5), st.floats(0.1, 10), st.integers(0, 99))
def test_correlation_ignores_order_shift_and_scale_and_turns_with_the_sign(pair, b, a, seed):
    p, y = (torch.as_tensor(values) for values in pair)
    order = torch.randperm(len(p), generator=torch.Generator().manual_seed(seed))
    value = correlation(p, y)
    torch.testing.assert_close(correlation(a * p[order] + b, y[order]), value, atol=1e-9, rtol=0)
    torch.testing.assert_close(correlation(p, a * y + b), value, atol=1e-9, rtol=0)
    torch.testing.assert_close(correlation(-p, y), 2 - value, atol=1e-9, rtol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("level", [0.0, 0.1, 0.3, 1 / 3, -7.7])
@pytest.mark.parametrize("n", [1, 3, 12, 63])
def test_no_correlation_with_what_is_constant_and_no_gradient(dtype, level, n):
    varied = torch.linspace(0, 1, n, dtype=dtype, requires_grad=True)
    flat = torch.full((n,), level, dtype=dtype, requires_grad=True)
    for preds, target in ((flat, varied.detach()), (varied, flat.detach())):
        value = correlation(preds, target)
        assert value == 1
        (gradient,) = torch.autograd.grad(value, preds)
        assert (gradient == 0).all()


def test_a_flat_batch_does_not_touch_the_gradient_of_the_others():
    preds = torch.tensor([[0.5, 0.5, 0.5], [0.1, 0.3, 0.2]], requires_grad=True)
    target = torch.tensor([0.0, 0.5, 1.0])
    (both,) = torch.autograd.grad(correlation(preds, target).sum(), preds)
    alone = preds[1].detach().requires_grad_()
    (one,) = torch.autograd.grad(correlation(alone, target), alone)
    torch.testing.assert_close(both, torch.stack([torch.zeros(3), one]))


def test_gradient_of_the_correlation_is_its_slope():
    torch.manual_seed(0)
    preds, target = torch.randn(2, 5, dtype=torch.float64), torch.rand(5, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda p: correlation(p, target), preds.requires_grad_())


def test_scale_free_objectives_are_at_their_best_far_off_the_targets():
    target = torch.tensor([0.0, 0.5, 1.0])
    for name, objective in OBJECTIVES.items():
        off = objective(100 + 10 * target, target)
        assert (abs(off) < 1e-5) == (name in SCALE_FREE)


@pytest.mark.parametrize("name", OBJECTIVES)
@given(scores, st.integers(1, 9))
def test_accumulation_is_the_mean_over_parts(name, pair, size):
    p, y = (torch.as_tensor(values) for values in pair)
    objective = OBJECTIVES[name]
    parts = zip(p.split(size), y.split(size), strict=True)
    mean = sum(len(a) * objective(a, b) for a, b in parts) / len(p)
    torch.testing.assert_close(accumulated(objective, size)(p, y), mean)


def test_accumulation_is_batched_over_leading_dimensions():
    torch.manual_seed(0)
    preds, target = torch.randn(3, 2, 7), torch.randn(2, 7)
    objective = accumulated(margin_ranking, 2)
    each = [[objective(preds[i, j], target[j]) for j in range(2)] for i in range(3)]
    torch.testing.assert_close(objective(preds, target), torch.tensor(each))
