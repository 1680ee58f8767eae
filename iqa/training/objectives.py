"""Training objectives: pure functions of scores, batched over all leading dimensions."""

from collections.abc import Callable

import torch
from torch import Tensor

Objective = Callable[[Tensor, Tensor], Tensor]

MARGIN = 0.25
"""The margin in population standard deviations of the batch's targets."""


def mse(preds: Tensor, target: Tensor) -> Tensor:
    """Mean squared error over the last dimension.

    Args:
        preds: predicted scores (..., n).
        target: true scores, broadcastable to (..., n).

    Returns:
        One value per batch, shape (...).

    >>> mse(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 0.0]))
    tensor(0.5000)
    """
    return (preds - target).square().mean(dim=-1)


def margin_ranking(preds: Tensor, target: Tensor) -> Tensor:
    r"""Hinge on every pair of a batch whose predicted difference falls short of a margin.

    .. math::
        m = 0.25 \, \mathrm{std}_{pop}(y), \quad
        L = \frac{2}{n(n-1)} \sum_{i<j,\ y_i \ne y_j}
            \max\bigl(0,\ m - \mathrm{sign}(y_i - y_j)(p_i - p_j)\bigr)

    Source: `margin_loss` in the code of arXiv:2509.17374. L is 0 for n = 1, for equal targets,
    and wherever every pair with unequal targets is ordered rightly by at least m. Pairs of
    equal targets add nothing to the sum, but count in its normalisation.

    Args:
        preds: predicted scores p (..., n).
        target: true scores y, broadcastable to (..., n).

    Returns:
        One value per batch, shape (...), >= 0.

    >>> margin_ranking(torch.tensor([0.0, 0.0]), torch.tensor([0.0, 1.0]))  # m = 0.25 * 0.5
    tensor(0.1250)
    """
    n = max(preds.shape[-1], target.shape[-1])
    # The swapped form differentiates m: the norm, unlike std, has gradient 0 at equal values.
    centred = target - target.mean(dim=-1, keepdim=True)
    margin = MARGIN * torch.linalg.vector_norm(centred, dim=-1)[..., None, None] / n**0.5
    # (..., n, n): row i, column j; each pair stands twice, so the sum over i<j is half of it.
    sign = torch.sign(target[..., :, None] - target[..., None, :])
    shortfall = (margin - sign * (preds[..., :, None] - preds[..., None, :])).clamp_min(0)
    return (shortfall * sign.abs()).sum(dim=(-2, -1)) / max(n * (n - 1), 1)


def margin_ranking_published(preds: Tensor, target: Tensor) -> Tensor:
    """`margin_ranking` with its arguments swapped, as the authors' training scripts call it.

    Margin and sign then come from the predictions, so it is no ranking loss: the sign has no
    gradient, and what is left, through the margin, shrinks the spread of the predictions when
    pairs are in the wrong order without putting them right. Kept to measure what the swap does.
    """
    return margin_ranking(target, preds)


OBJECTIVES: dict[str, Objective] = {
    "mse+margin": lambda preds, target: mse(preds, target) + margin_ranking(preds, target),
    "mse+margin_published": lambda preds, target: (
        mse(preds, target) + margin_ranking_published(preds, target)
    ),
    "mse": mse,
}
"""What a head can be trained on, weights 1:1: `mse+margin` is the paper's formula."""
