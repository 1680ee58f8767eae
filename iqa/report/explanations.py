"""Figures of what heads look at and how they order images: tables and pictures in, figure out."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from iqa.report.figures import ACCENT, INK, SOFT, STYLE, WARM

MEASURES = {
    "silhouette": "silhouette by quality",
    "neighbour_srcc": "SRCC of neighbours",
    "silhouette_groups": "silhouette by content",
    "trustworthiness": "trustworthiness",
}
"""Column to title of the numbers beside t-SNE, the telling ones first."""


def tsne_panels(points: pd.DataFrame) -> Figure:
    """One panel per head: its embedding, coloured by quality bucket (0 is the worst quarter).

    Args:
        points: columns head, x, y, bucket.
    """
    heads = list(dict.fromkeys(points["head"]))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            1, len(heads), figsize=(2.1 * len(heads), 2.7), layout="constrained", squeeze=False
        )
        for ax, head in zip(axes.flat, heads, strict=True):
            part = points[points["head"] == head]
            dots = ax.scatter(
                part["x"], part["y"], c=part["bucket"], cmap="RdYlBu", vmin=0, vmax=3, s=9, lw=0
            )
            ax.set(title=head, xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        colours = [plt.Line2D([], [], ls="", marker="o", color=dots.to_rgba(i)) for i in range(4)]
        labels = ["worst quarter", "third", "second", "best quarter"]
        figure.legend(colours, labels, loc="outside lower center", ncols=4, frameon=False)
        return figure


def measures_by_fold(numbers: pd.DataFrame, summary: pd.DataFrame) -> Figure:
    """A panel a measure, a row a head: each fold as a light dot, the mean with its interval.

    Args:
        numbers: columns head, seed, fold and those of `MEASURES`.
        summary: columns head, measure, mean, low, high.
    """
    shown = [name for name in MEASURES if summary.query("measure == @name")["mean"].notna().any()]
    heads = list(dict.fromkeys(numbers["head"]))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            1,
            len(shown),
            figsize=(10.5, 0.4 * len(heads) + 1.2),
            sharey=True,
            layout="constrained",
            squeeze=False,
        )
        for ax, name in zip(axes.flat, shown, strict=True):
            means = summary[summary["measure"] == name].set_index("head").loc[heads]
            folds = numbers.groupby(["head", "fold"])[name].mean()
            rows = np.arange(len(heads))[::-1]
            for row, head in zip(rows, heads, strict=True):
                ax.scatter(folds[head], np.full(len(folds[head]), row), color=SOFT, s=14, lw=0)
            colours = [INK if row == rows[0] else ACCENT for row in rows]
            ax.hlines(rows, means["low"], means["high"], color=colours, lw=2.2, alpha=0.75)
            ax.scatter(means["mean"], rows, color=colours, zorder=3, s=34)
            ax.set_yticks(rows, heads)
            ax.set(title=MEASURES[name], ylim=(-0.7, len(heads) - 0.3))
            ax.grid(axis="x", color="#e4e9ec")
            ax.tick_params(axis="y", length=0)
        return figure


def ratio_intervals(summary: pd.DataFrame) -> Figure:
    """Concentration of the maps on the blurred region, a row a head, with 95 % intervals.

    Args:
        summary: columns head, untrained, measure ("lowering", "lowering_before", "raising"), value,
            low, high.
    """
    titles = {
        "lowering": "what lowers the score",
        "lowering_before": "the same before the blur",
        "raising": "what raises the score",
    }
    rows = summary[["head", "untrained"]].drop_duplicates()
    names = [f"{h}, untrained" if u else h for h, u in rows.itertuples(index=False)]
    heights = np.arange(len(rows))[::-1]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            1,
            3,
            figsize=(9.5, 0.36 * len(rows) + 1.2),
            sharex=True,
            sharey=True,
            layout="constrained",
        )
        for ax, (measure, title) in zip(axes, titles.items(), strict=True):
            part = rows.merge(summary[summary["measure"] == measure], how="left")
            colours = [SOFT if untrained else ACCENT for untrained in part["untrained"]]
            ax.hlines(heights, part["low"], part["high"], color=colours, lw=2.2, alpha=0.75)
            ax.scatter(part["value"], heights, color=colours, zorder=3, s=34)
            ax.axvline(1, color=INK, lw=1, ls=":")
            ax.set_yticks(heights, names)
            ax.set(title=title, ylim=(-0.7, len(rows) - 0.3))
            ax.grid(axis="x", color="#e4e9ec")
            ax.tick_params(axis="y", length=0)
        figure.supxlabel("mass of the map inside the region / its share of the area (1: chance)")
        return figure


def deletion_curves(curves: pd.DataFrame) -> Figure:
    """Mean score as pixels are deleted and inserted, a panel a head and kind; random in grey.

    Args:
        curves: columns head, kind, order, share, score.
    """
    heads, kinds = list(dict.fromkeys(curves["head"])), ["deletion", "insertion"]
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            1, len(heads), figsize=(9.5, 3), sharey=True, layout="constrained", squeeze=False
        )
        for ax, head in zip(axes.flat, heads, strict=True):
            part = curves[curves["head"] == head]
            means = part.groupby(["kind", "order", "share"])["score"].mean()
            for kind, colour in zip(kinds, (WARM, ACCENT), strict=True):
                for order, style in (("map", "-"), ("random", ":")):
                    line = means[kind][order]
                    ax.plot(line.index, line, style, color=colour, label=f"{kind}, by {order}")
            ax.set(title=head, xlabel="share of the pixels")
        axes[0, 0].set_ylabel("mean predicted score")
        axes[0, 0].legend(frameon=False, fontsize=8)
        return figure


def picture_grid(pictures: Mapping[str, NDArray], shown: pd.DataFrame) -> Figure:
    """A grid of pictures, with the name of each row beside it and a line over each picture.

    Args:
        pictures: name to RGB pixels.
        shown: columns row (its name), column, picture (a name), caption; in the order to show.
    """
    rows, columns = (list(dict.fromkeys(shown[name])) for name in ("row", "column"))
    height, width = pictures[shown["picture"].iloc[0]].shape[:2]
    side = 9.4 / len(columns)
    with plt.rc_context(STYLE | {"axes.titlelocation": "center"}):
        figure, axes = plt.subplots(
            len(rows),
            len(columns),
            figsize=(9.6, len(rows) * (side * height / width + 0.32)),
            layout="constrained",
            squeeze=False,
        )
        for line, row in zip(axes, rows, strict=True):
            here = shown[shown["row"] == row].set_index("column")
            for ax, column in zip(line, columns, strict=True):
                ax.imshow(pictures[here.loc[column, "picture"]])
                ax.set_title(here.loc[column, "caption"], fontsize=8.5, pad=3)
                ax.set(xticks=[], yticks=[])
                ax.spines[:].set_visible(False)
            line[0].set_ylabel(row, fontsize=9)
        return figure
