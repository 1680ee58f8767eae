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
    heads: pd.DataFrame,
    comparisons: pd.DataFrame,
    baseline: str,
    score_kind: str,
    what: str = "head",
) -> Figure:
    """SRCC of each head, and its differences to the baseline; all with 95 % intervals.

    `what` is the name of the thing compared, where it is not the head.
    """
    paper = {"sigmoid", "gated", "gated_gamma"}
    colours = [ACCENT if h in paper else INK if h == baseline else SOFT for h in heads["head"]]
    panels = {"srcc": "over all images", "srcc_within": "within one content"}
    shown = [name for name in panels if name in set(comparisons["figure"])]
    with plt.rc_context(STYLE):
        figure, (first, *others) = plt.subplots(
            1, 1 + len(shown), figsize=(10.5, 0.36 * len(heads) + 1.1), layout="constrained"
        )
        _interval_rows(first, heads, "srcc", colours)
        first.set(xlabel=f"SRCC with {score_kind}", title=f"each {what}, over all images")
        for ax, name in zip(others, shown, strict=True):
            gaps = comparisons[comparisons["figure"] == name].set_index("head")
            gaps = gaps.reindex(heads["head"].drop(heads.index[heads["head"] == baseline]))
            significant = [WARM if p < 0.05 else SOFT for p in gaps["p_holm"]]
            _interval_rows(ax, gaps.reset_index(), "difference", significant)
            ax.axvline(0, color=INK, lw=1)
            ax.set(xlabel="difference in SRCC", title=f"minus {baseline}, {panels[name]}")
        return figure


def variants(summary: pd.DataFrame, baseline: str) -> Figure:
    """SRCC of each variant, a panel a head, with 95 % intervals; `baseline` in blue.

    Red: significantly different from the baseline after Holm's correction.

    Args:
        summary: of `iqa.evaluation.summarize_variants`.
        baseline: the variant that the others were compared with.
    """
    heads = list(dict.fromkeys(summary["head"]))
    # Every panel has the variants in the order of the first, so that their names stand once.
    order = {name: row for row, name in enumerate(summary["variant"].drop_duplicates())}
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            1,
            len(heads),
            figsize=(9, 0.36 * len(order) + 1.1),
            sharex=True,
            layout="constrained",
            squeeze=False,
        )
        for ax, head in zip(axes.flat, heads, strict=True):
            part = summary[summary["head"] == head].sort_values(
                "variant", key=lambda s: s.map(order)
            )
            sure = (part["p_holm"] < 0.05).map({True: WARM, False: SOFT})
            colours = sure.where(part["variant"] != baseline, ACCENT)
            _interval_rows(ax, part.assign(head=part["variant"]), "srcc", list(colours))
            ax.set(xlabel="SRCC", title=head)
        for ax in axes.flat[1:]:
            ax.set_yticklabels([])
        return figure


def tested_on(heads: pd.DataFrame, comparisons: pd.DataFrame, baseline: str) -> Figure:
    """SRCC of each head and its difference to the baseline, a row of panels for each test set.

    Args:
        heads: columns tested_on, head, srcc, low, high.
        comparisons: columns tested_on, head, difference, low, high, p_holm.
        baseline: the head that the others were compared with.
    """
    places = list(dict.fromkeys(heads["tested_on"]))
    order = list(heads.loc[heads["tested_on"] == places[0], "head"])
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            len(places),
            2,
            figsize=(9, len(places) * (0.3 * len(order) + 0.9)),
            sharex="col",
            squeeze=False,
            layout="constrained",
        )
        for (left, right), place in zip(axes, places, strict=True):
            table = heads[heads["tested_on"] == place].set_index("head").loc[order].reset_index()
            colours = [ACCENT if head == baseline else INK for head in table["head"]]
            _interval_rows(left, table, "srcc", colours)
            left.set(title=f"tested on {place}")
            gaps = comparisons[comparisons["tested_on"] == place].set_index("head")
            gaps = gaps.loc[[head for head in order if head != baseline]].reset_index()
            sure = [WARM if p < 0.05 else SOFT for p in gaps["p_holm"]]
            _interval_rows(right, gaps, "difference", sure)
            right.axvline(0, color=INK, lw=1)
            right.set(title=f"minus {baseline}")
        axes[-1, 0].set(xlabel="SRCC")
        axes[-1, 1].set(xlabel="difference in SRCC")
        return figure


def learning_curves(history: pd.DataFrame, heads: Sequence[str]) -> Figure:
    """SRCC of the images watched in training (validation, if any) by epoch, the mean over all."""
    with plt.rc_context(STYLE):
        figure, ax = plt.subplots(figsize=(6.4, 3.4), layout="constrained")
        curves = history.groupby(["head", "epoch"])["val_srcc"].mean().unstack("head")
        palette = plt.get_cmap("tab20")(np.linspace(0, 0.95, len(heads)))
        for colour, head in zip(palette, heads, strict=True):
            ax.plot(curves.index, curves[head], color=colour, label=head, lw=1.6)
        ax.set(xlabel="epoch", ylabel="SRCC, images watched")
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
