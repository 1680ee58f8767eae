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


def correlation(preds: Tensor, target: Tensor) -> Tensor:
    r"""One minus Pearson's correlation (PLCC) over the last dimension.

    .. math::
        L = 1 - \frac{\langle p - \bar p,\ y - \bar y \rangle}
                     {\lVert p - \bar p \rVert\, \lVert y - \bar y \rVert}

    Source: half the squared distance between the two vectors, each centred and divided by its norm,
    which is the norm-in-norm loss with p = q = 2 but for its constant (Li, Jiang, Jiang, ACM MM
    2020, arXiv:2008.03889). It leaves shift and scale of the predictions free.

    Where the predictions or the targets of a batch are constant, to within the rounding of their
    type, there is no correlation: L is 1, and its gradient 0.

    Args:
        preds: predicted scores p (..., n).
        target: true scores y, broadcastable to (..., n).

    Returns:
        One value per batch, shape (...), in [0, 2].

    >>> correlation(torch.tensor([1.0, 2.0, 3.0]), torch.tensor([1.0, 0.5, 0.0]))
    tensor(2.)
    """
    unit = _centred_unit(preds) * _centred_unit(target)
    return (1 - unit.sum(dim=-1)).clamp(0, 2)


def _centred_unit(values: Tensor) -> Tensor:
    """`values` (..., n) minus their mean, divided by their norm; 0 where they are constant."""
    centred = values - values.mean(dim=-1, keepdim=True)
    norm = torch.linalg.vector_norm(centred, dim=-1, keepdim=True)
    # Equal values are not always centred to 0: what is left is the rounding of their mean.
    rounding = torch.finfo(values.dtype).eps * torch.linalg.vector_norm(
        values, dim=-1, keepdim=True
    )
    # Divided by infinity, both the values and their gradients are 0.
    return centred / norm.masked_fill(norm <= 4 * rounding, torch.inf)


def accumulated(objective: Objective, size: int) -> Objective:
    """`objective` on parts of `size` images, the mean over all images of a batch.

    Its gradient is that of a step in which the gradients of several small batches are accumulated:
    a ranking loss then compares only the images of one part. The last part may be smaller.

    >>> accumulated(mse, 2)(torch.tensor([1.0, 0.0, 0.0]), torch.zeros(3))
    tensor(0.3333)
    """

    def on_parts(preds: Tensor, target: Tensor) -> Tensor:
        n = preds.shape[-1]
        whole = n - n % size
        # (..., n) -> (..., parts, size): all whole parts in one call.
        parts = (x[..., :whole].unflatten(-1, (whole // size, size)) for x in (preds, target))
        total = objective(*parts).sum(dim=-1) * size
        if whole < n:
            total = total + objective(preds[..., whole:], target[..., whole:]) * (n - whole)
        return total / n

    return on_parts


OBJECTIVES: dict[str, Objective] = {
    "mse+margin": lambda preds, target: mse(preds, target) + margin_ranking(preds, target),
    "mse+margin_published": lambda preds, target: (
        mse(preds, target) + margin_ranking_published(preds, target)
    ),
    "mse": mse,
    "margin": margin_ranking,
    "correlation": correlation,
}
"""What a head can be trained on, weights 1:1: `mse+margin` is the paper's formula."""

SCALE_FREE = ("margin", "correlation")
"""Objectives that do not tie predictions to the scale of the targets: ranks mean something, RMSE
does not."""
