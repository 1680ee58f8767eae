"""t-SNE of a head's hidden features, with numbers that say how far to trust the picture."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from iqa.errors import UserError


@dataclass(frozen=True)
class Embedding:
    """Points in the plane and what they keep of the features.

    Attributes:
        points: (N, 2).
        trustworthiness: in [0, 1]; 1 when the neighbours in the plane were neighbours before
            (Venna & Kaski 2001, 12 neighbours).
        silhouette: in [-1, 1], of the quality buckets in the features themselves, not in the plane
            (Rousseeuw 1987).
        silhouette_groups: the same of the content groups.
        neighbour_srcc: SRCC of each image's target with the mean target of its 12 nearest
            neighbours of other content groups, in the features.
    """

    points: NDArray
    trustworthiness: float
    silhouette: float
    silhouette_groups: float
    neighbour_srcc: float


def quality_buckets(targets: ArrayLike, buckets: int = 4) -> NDArray[np.int64]:
    """Bucket 0 (worst) to `buckets` - 1 (best) of each target, equally filled but for ties.

    >>> quality_buckets([0.1, 0.9, 0.5, 0.4]).tolist()
    [0, 3, 2, 1]
    """
    values = np.asarray(targets, dtype=float)
    edges = np.quantile(values, np.linspace(0, 1, buckets + 1)[1:-1])
    return np.searchsorted(edges, values, side="right")


def embed(
    hidden: NDArray, targets: ArrayLike, groups: ArrayLike, neighbours: int = 12, seed: int = 0
) -> Embedding:
    """t-SNE (van der Maaten & Hinton 2008) of `hidden`, started from its principal components.

    Args:
        hidden: (N, D), for example `MLPHead.embed` of the test images.
        targets: (N,) in [0, 1].
        groups: content group of each image, (N,).
        neighbours: k of the two neighbourhood figures.
        seed: of t-SNE.

    Raises:
        UserError: fewer than 50 images, too few for t-SNE, or all of one content group.
    """
    from scipy.stats import spearmanr
    from sklearn.manifold import TSNE, trustworthiness
    from sklearn.metrics import silhouette_score

    values, groups = np.asarray(targets, dtype=float), np.asarray(groups)
    if len(hidden) < 50:
        raise UserError(
            f"t-SNE of {len(hidden)} images: at least 50 are needed; take a larger data set, or a "
            "split that holds out more of this one"
        )
    if len(np.unique(groups)) < 2:
        raise UserError("t-SNE: all images are of one content group; give at least 2")
    points = TSNE(perplexity=min(30, len(hidden) / 4), init="pca", random_state=seed).fit_transform(
        hidden
    )
    nearest = _mean_of_neighbours(hidden, values, groups, neighbours)
    return Embedding(
        points=points,
        trustworthiness=float(trustworthiness(hidden, points, n_neighbors=neighbours)),
        silhouette=float(silhouette_score(hidden, quality_buckets(values))),
        silhouette_groups=float(silhouette_score(hidden, groups)),
        neighbour_srcc=float(spearmanr(values, nearest).statistic),
    )


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
