"""Pseudo-MOS: a quality score from full-reference metrics where no human rating exists.

The rule: four full-reference metrics compare each image with its reference. Each metric's values,
turned so that higher is better, become percentile ranks over the whole set; the mean of the four
ranks, r in [0, 1], is mapped linearly to 1 + 4 r on the usual five-point scale. Ranks make metrics
of different ranges and curvatures comparable, and no single metric decides.

Synthetic scores by fusing the ranks of full-reference metrics are due to Ye, Kumar, Doermann,
"Beyond Human Opinion Scores: Blind Image Quality Assessment based on Synthetic Scores", CVPR 2014;
equalizing the metrics' histograms before they are used as labels, to Lin, Hosu, Saupe,
"DeepFL-IQA: Weak Supervision for Deep IQA Feature Learning", arXiv:2001.08113. Mean ranks are the
simplest member of that family. These are no human judgements: wherever they show, they are called
pseudo-MOS.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import torch

LOW, HIGH = 1.0, 5.0
# Luminance of red, green and blue, ITU-R BT.601, as (3, 1, 1) for images (N, 3, H, W).
_REC601 = (((0.299,),), ((0.587,),), ((0.114,),))


@dataclass(frozen=True)
class Metric:
    """A full-reference metric of piq; none has weights to download.

    Attributes:
        function: its name in piq.
        higher_is_better: its direction.
        luminance: compare luminance alone, not the colour image.
        options: keyword arguments of the function.
    """

    function: str
    higher_is_better: bool
    luminance: bool = False
    options: tuple[tuple[str, bool], ...] = ()


# Three compare edges and chrominance. SSIM sees a change of mean luminance, which edges do not
# show. FSIM, VSI, SR-SIM and VIF were left out for their time: 3 to 25 times that of these.
METRICS = {
    "ssim": Metric("ssim", higher_is_better=True, luminance=True),
    "haarpsi": Metric("haarpsi", higher_is_better=True),
    "mdsi": Metric("mdsi", higher_is_better=False),
    "ms_gmsd": Metric("multi_scale_gmsd", False, options=(("chromatic", True),)),
}


def measure(distorted: np.ndarray, reference: np.ndarray) -> dict[str, list[float]]:
    """Compare images with their reference by every metric of `METRICS`.

    Args:
        distorted: uint8 (N, H, W, 3), H and W at least 96.
        reference: uint8 (H, W, 3).

    Returns:
        N values for each metric, in the metric's own range and direction.
    """
    import torch

    colour = [
        torch.from_numpy(images).movedim(-1, 1) / 255
        for images in (distorted, np.broadcast_to(reference, distorted.shape).copy())
    ]
    grey = [images.mul(torch.tensor(_REC601)).sum(1, keepdim=True) for images in colour]
    with torch.inference_mode():
        return {
            name: _values(metric, *(grey if metric.luminance else colour)).tolist()
            for name, metric in METRICS.items()
        }


def _values(metric: Metric, preds: "torch.Tensor", target: "torch.Tensor") -> "torch.Tensor":
    import piq

    return getattr(piq, metric.function)(preds, target, reduction="none", **dict(metric.options))


def fuse(values: pd.DataFrame) -> pd.Series:
    """Pseudo-MOS in [1, 5], higher better, from the metrics' columns of a whole set.

    Args:
        values: one row an image; a column for each metric of `METRICS`.

    Returns:
        The score of each row, to 4 decimals.
    """
    ranks = pd.DataFrame(
        {name: values[name].rank(ascending=m.higher_is_better) for name, m in METRICS.items()}
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
