"""Pseudo-MOS: a quality score from full-reference metrics where no human rating exists.

The rule: five full-reference metrics compare each image with its reference. Each metric's values,
turned so that higher is better, become percentile ranks over the whole set; the mean of the five
ranks, r in [0, 1], is mapped linearly to 1 + 4 r on the usual five-point scale. Ranks make metrics
of different ranges and curvatures comparable, and no single metric decides.

Synthetic scores by fusing the ranks of full-reference metrics are due to Ye, Kumar, Doermann,
"Beyond Human Opinion Scores: Blind Image Quality Assessment based on Synthetic Scores", CVPR 2014;
equalizing the metrics' histograms before they are used as labels, to Lin, Hosu, Saupe,
"DeepFL-IQA: Weak Supervision for Deep IQA Feature Learning", arXiv:2001.08113. Mean ranks are the
simplest member of that family. These are no human judgements: wherever they show, they are called
pseudo-MOS.
"""

import numpy as np
import pandas as pd

LOW, HIGH = 1.0, 5.0

# Name of the piq function -> (options, whether higher is better). Four see chrominance, SSIM sees
# a change of mean luminance, which the others, being made of gradients, hardly do. None has
# weights to download.
METRICS: dict[str, tuple[dict[str, bool], bool]] = {
    "ssim": ({}, True),
    "vsi": ({}, True),
    "haarpsi": ({}, True),
    "mdsi": ({}, False),
    "multi_scale_gmsd": ({"chromatic": True}, False),
}


def measure(distorted: np.ndarray, reference: np.ndarray) -> dict[str, list[float]]:
    """Compare images with their reference by every metric of `METRICS`.

    Args:
        distorted: uint8 (N, H, W, 3), H and W at least 96.
        reference: uint8 (H, W, 3).

    Returns:
        N values for each metric, in the metric's own range and direction.
    """
    import piq
    import torch

    preds = torch.from_numpy(distorted).permute(0, 3, 1, 2) / 255
    target = torch.from_numpy(reference).permute(2, 0, 1).expand_as(preds) / 255
    with torch.inference_mode():
        return {
            name: getattr(piq, name)(preds, target, reduction="none", **options).tolist()
            for name, (options, _) in METRICS.items()
        }


def fuse(values: pd.DataFrame) -> pd.Series:
    """Pseudo-MOS in [1, 5], higher better, from the metrics' columns of a whole set.

    Args:
        values: one row an image; a column for each metric of `METRICS`.

    Returns:
        The score of each row, to 4 decimals.
    """
    ranks = pd.DataFrame(
        {name: values[name].rank(ascending=better) for name, (_, better) in METRICS.items()}
    )
    mean_rank = (ranks.mean(axis=1) - 1) / max(len(values) - 1, 1)
    return (LOW + (HIGH - LOW) * mean_rank).round(4)


def level_trend(table: pd.DataFrame) -> pd.DataFrame:
    """Mean score of each distortion at each level, and whether it falls from level to level.

    Args:
        table: columns distortion, level and score, as the demo set has them.

    Returns:
        One row a distortion: a column for each level with the mean score over the references, and
        `falls`, true where every level's mean is below the one before.
    """
    means = table.pivot_table(index="distortion", columns="level", values="score", sort=False)
    return means.assign(falls=(means.diff(axis=1).iloc[:, 1:] < 0).all(axis=1))
