"""t-SNE of a head's hidden features, with numbers that say how far to trust the picture."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from iqa.errors import UserError
from iqa.evaluation import srcc
from iqa.training import TrainedHeads

FEATURE = "backbone feature"
"""The name under which `hidden_spaces` gives what stands before any head."""


@dataclass(frozen=True)
class Embedding:
    """Points in the plane and what they keep of the features.

    Attributes:
        points: (N, 2).
        trustworthiness: in [0, 1]; 1 when the neighbours in the plane were neighbours before
            (Venna & Kaski 2001, 12 neighbours).
        silhouette: in [-1, 1], of the quality buckets in the features themselves, not in the plane
            (Rousseeuw 1987).
        silhouette_groups: the same of the content groups; NaN where most images are alone in
            theirs, or all are in one.
        neighbour_srcc: SRCC of each image's target with the mean target of its 12 nearest
            neighbours of other content groups, in the features; NaN where there is one group.
    """

    points: NDArray
    trustworthiness: float
    silhouette: float
    silhouette_groups: float
    neighbour_srcc: float

    def numbers(self) -> dict[str, float]:
        """All but the points, by name."""
        return {k: v for k, v in vars(self).items() if k != "points"}


def quality_buckets(targets: ArrayLike, buckets: int = 4) -> NDArray[np.int64]:
    """Bucket 0 (worst) to `buckets` - 1 (best) of each target, equally filled but for ties.

    >>> quality_buckets([0.1, 0.9, 0.5, 0.4]).tolist()
    [0, 3, 2, 1]
    """
    values = np.asarray(targets, dtype=float)
    edges = np.quantile(values, np.linspace(0, 1, buckets + 1)[1:-1])
    return np.searchsorted(edges, values, side="right")


def hidden_spaces(trained: TrainedHeads, features: NDArray, seed: int) -> dict[str, NDArray]:
    """What each head makes of `features`, by the name of the head, and what it was given.

    Args:
        trained: heads of one split.
        features: (N, D), as they come out of the backbone.
        seed: of the heads.

    Returns:
        Preset to the second hidden layer after its activation, (N, 512); and under `FEATURE` what
        every head gets, the features standardised by the training images, (N, D).
    """
    x = torch.from_numpy(features)
    with torch.inference_mode():
        hidden = {name: trained.head(name, seed).embed(x).numpy() for name in trained.presets}
        return {FEATURE: ((x - trained.mean) / trained.std).numpy(), **hidden}


def embed(
    hidden: NDArray,
    targets: ArrayLike,
    groups: ArrayLike,
    buckets: ArrayLike,
    neighbours: int = 12,
    seed: int = 0,
) -> Embedding:
    """t-SNE (van der Maaten & Hinton 2008) of `hidden`, started from its principal components.

    Args:
        hidden: (N, D), for example `MLPHead.embed` of the test images.
        targets: (N,) in [0, 1].
        groups: content group of each image, (N,).
        buckets: quality bucket of each image, (N,), as of `quality_buckets`.
        neighbours: k of the two measures of neighbourhoods.
        seed: of t-SNE.

    Raises:
        UserError: fewer than 25 images, or fewer than twice `neighbours`: too few for t-SNE.
    """
    from sklearn.manifold import TSNE, trustworthiness

    values, groups = np.asarray(targets, dtype=float), np.asarray(groups)
    if len(hidden) < max(25, 2 * neighbours):
        raise UserError(
            f"t-SNE of {len(hidden)} images: at least {max(25, 2 * neighbours)} are needed; take a "
            "larger data set, or a split that holds out more of this one"
        )
    points = TSNE(perplexity=min(30, len(hidden) / 4), init="pca", random_state=seed).fit_transform(
        hidden
    )
    return Embedding(
        points=points,
        trustworthiness=float(trustworthiness(hidden, points, n_neighbors=neighbours)),
        silhouette=_silhouette(hidden, np.asarray(buckets)),
        silhouette_groups=_silhouette(hidden, groups),
        neighbour_srcc=_neighbour_srcc(hidden, values, groups, neighbours),
    )


def _silhouette(hidden: NDArray, labels: NDArray) -> float:
    from sklearn.metrics import silhouette_score

    count = len(np.unique(labels))
    return float(silhouette_score(hidden, labels)) if 2 <= count <= len(labels) / 2 else np.nan


def _neighbour_srcc(hidden: NDArray, values: NDArray, groups: NDArray, neighbours: int) -> float:
    if len(np.unique(groups)) < 2:
        return float("nan")
    return srcc(_mean_of_neighbours(hidden, values, groups, neighbours), values)


def _mean_of_neighbours(
    hidden: NDArray, values: NDArray, groups: NDArray, neighbours: int
) -> NDArray:
    """Mean of `values` over the nearest images of other groups, (N,).

    Versions of one photograph differ little, and would make any feature look good.
    """
    from sklearn.metrics import pairwise_distances

    distances = pairwise_distances(hidden)
    distances[groups[:, None] == groups[None, :]] = np.inf
    return values[np.argsort(distances, axis=1)[:, :neighbours]].mean(axis=1)
