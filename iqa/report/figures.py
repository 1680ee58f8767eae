"""The report's figures: a table in, a matplotlib figure out."""

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

INK, ACCENT, SOFT, WARM = "#1f2933", "#0b6e8a", "#9fb3bf", "#c8553d"
STYLE: dict[Any, Any] = {
    "font.size": 10,
    "axes.edgecolor": SOFT,
    "axes.labelcolor": INK,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "xtick.color": INK,
    "ytick.color": INK,
    "text.color": INK,
    "figure.dpi": 110,
    "savefig.bbox": "tight",
    "svg.fonttype": "path",
    # A fixed salt gives equal files for equal figures.
    "svg.hashsalt": "iqa",
}


def _interval_rows(ax: Axes, table: pd.DataFrame, value: str, colours: Sequence[str]) -> None:
    """One row per line of `table`: a dot at `value`, a bar from `low` to `high`."""
    rows = np.arange(len(table))[::-1]
    ax.hlines(rows, table["low"], table["high"], color=list(colours), lw=2.2, alpha=0.75)
    ax.scatter(table[value], rows, color=list(colours), zorder=3, s=34)
    ax.set_yticks(rows, table["head"])
    ax.set_ylim(-0.7, len(table) - 0.3)
    ax.grid(axis="x", color="#e4e9ec")
    ax.tick_params(axis="y", length=0)


def heads_with_intervals(
    heads: pd.DataFrame, comparisons: pd.DataFrame, baseline: str, score_kind: str
) -> Figure:
    """SRCC of each head, and beside it its difference to the baseline; both with 95 % intervals."""
    with plt.rc_context(STYLE):
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(8.6, 0.36 * len(heads) + 1.1), layout="constrained"
        )
        paper = {"sigmoid", "gated", "gated_gamma"}
        colours = [ACCENT if h in paper else INK if h == baseline else SOFT for h in heads["head"]]
        _interval_rows(left, heads, "srcc", colours)
        left.set(xlabel=f"SRCC with {score_kind}", title="each head")
        gaps = comparisons.set_index("head").reindex(heads["head"]).dropna().reset_index()
        significant = [WARM if p < 0.05 else SOFT for p in gaps["p_holm"]]
        _interval_rows(right, gaps, "difference", significant)
        right.axvline(0, color=INK, lw=1)
        right.set(xlabel="difference in SRCC", title=f"minus {baseline}, on the same images")
        return figure


def learning_curves(history: pd.DataFrame, heads: Sequence[str]) -> Figure:
    """Validation SRCC by epoch, the mean over folds and seeds."""
    with plt.rc_context(STYLE):
        figure, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
        curves = history.groupby(["head", "epoch"])["val_srcc"].mean().unstack("head")
        palette = plt.get_cmap("tab20")(np.linspace(0, 0.95, len(heads)))
        for colour, head in zip(palette, heads, strict=True):
            ax.plot(curves.index, curves[head], color=colour, label=head, lw=1.6)
        ax.set(xlabel="epoch", ylabel="validation SRCC")
        ax.legend(ncols=2, fontsize=8, frameon=False, loc="lower right")
        return figure


def level_curves(levels: pd.DataFrame, score_kind: str) -> Figure:
    """Mean score by distortion level, one small panel per family of distortions."""
    families = list(dict.fromkeys(levels["family"]))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            2, 4, figsize=(9, 4.6), sharex=True, sharey=True, layout="constrained"
        )
        for ax, family in zip(axes.flat, families, strict=False):
            for name, part in levels[levels["family"] == family].groupby("distortion", sort=False):
                ax.plot(part["level"], part["score"], marker="o", ms=3, lw=1.4, label=name)
            ax.set(title=family, xticks=range(1, 6))
            ax.legend(fontsize=6.5, frameon=False, handlelength=1.2, loc="best")
        for ax in axes.flat[len(families) :]:
            ax.axis("off")
        figure.supxlabel("distortion level", fontsize=10)
        figure.supylabel(f"mean {score_kind}", fontsize=10)
        return figure


def gate_weights(gates: pd.DataFrame) -> Figure:
    """How far each channel's weight moved, by head: histogram of the first candidate's weight."""
    panels = list(gates.groupby(["head", "layer"], sort=False))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            1, len(panels), figsize=(3.1 * len(panels), 2.8), layout="constrained", squeeze=False
        )
        for ax, ((head, layer), part) in zip(axes.flat, panels, strict=True):
            names = list(dict.fromkeys(part["candidate"]))
            shown = names[:1] if len(names) == 2 else names
            for name, colour in zip(shown, [ACCENT, WARM, SOFT, INK], strict=False):
                weights = part.loc[part["candidate"] == name, "weight"]
                bins = np.linspace(weights.min() - 0.005, weights.max() + 0.005, 41)
                ax.hist(weights, bins=list(bins), color=colour, alpha=0.8, label=name)
            ax.axvline(1 / len(names), color=INK, lw=1, ls=":")
            ax.set(title=f"{head}, {layer}", xlabel="weight", yticks=[])
            ax.legend(fontsize=7, frameon=False)
        return figure


def tsne_panels(points: pd.DataFrame, scores: dict[str, str]) -> Figure:
    """One panel per head: its embedding, coloured by quality bucket (0 is the worst quarter).

    Args:
        points: columns head, x, y, bucket.
        scores: a line to print under each head's name.
    """
    heads = list(dict.fromkeys(points["head"]))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            1, len(heads), figsize=(3.1 * len(heads), 3.3), layout="constrained", squeeze=False
        )
        for ax, head in zip(axes.flat, heads, strict=True):
            part = points[points["head"] == head]
            dots = ax.scatter(part["x"], part["y"], c=part["bucket"], cmap="RdYlBu", s=9, lw=0)
            ax.set(title=f"{head}\n{scores[head]}", xticks=[], yticks=[])
            ax.spines[:].set_visible(False)
        handles, _ = dots.legend_elements()
        labels = ["worst quarter", "third", "second", "best quarter"]
        figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False)
        return figure


def table5(values: pd.DataFrame, measure: str = "SRCC") -> Figure:
    """The paper's Table 5 as dots: one row a data set, the paper's heads in colour."""
    shown = {"B": INK, "B_Sig": WARM, "B_Gated": ACCENT}
    wide = values[values["metric"] == measure].pivot(
        index="dataset", columns="method", values="value"
    )
    with plt.rc_context(STYLE):
        figure, ax = plt.subplots(figsize=(7.6, 3.2), layout="constrained")
        rows = np.arange(len(wide))
        for method in wide.columns.difference(list(shown)):
            ax.scatter(wide[method], rows, color=SOFT, s=14, alpha=0.7, lw=0)
        for method, colour in shown.items():
            ax.scatter(wide[method], rows, color=colour, s=46, label=method, zorder=3)
        ax.set_yticks(rows, wide.index)
        ax.set(xlabel=f"{measure} as published")
        ax.grid(axis="x", color="#e4e9ec")
        ax.legend(frameon=False, loc="lower left")
        return figure
