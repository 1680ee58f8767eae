"""Figures of the chapter on the gate: a table in, a matplotlib figure out."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from iqa.report.figures import ACCENT, INK, SOFT, STYLE, WARM


def changes(gates: pd.DataFrame) -> Figure:
    """How far the sigmoid's weight moved on the first gate of each head.

    A panel a training, each with a scale of its own: all channels, folds and seeds (thin), their
    middle 90 % (thick), the median (dot).

    Args:
        gates: of `iqa.experiments.gates.describe_gates`.
    """
    shown = gates[(gates["layer"] == "act1") & gates["candidate"].str.contains("sigmoid")]
    heads, trainings = (list(dict.fromkeys(shown[name])) for name in ("head", "training"))
    rows = {head: row for row, head in enumerate(reversed(heads))}
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            1,
            len(trainings),
            figsize=(9, 0.32 * len(heads) + 1.2),
            sharey=True,
            layout="constrained",
            squeeze=False,
        )
        for ax, training in zip(axes.flat, trainings, strict=True):
            part = shown[shown["training"] == training]
            y = part["head"].map(rows)
            ax.axvline(0, color=INK, lw=1, ls=":")
            ax.hlines(y, part["q00"], part["q100"], color=SOFT, lw=1.4)
            ax.hlines(y, part["q05"], part["q95"], color=ACCENT, lw=4, alpha=0.75)
            ax.scatter(part["q50"], y, color=INK, s=16, zorder=3)
            ax.set_yticks(list(rows.values()), list(rows))
            ax.set(title=training, ylim=(-0.7, len(heads) - 0.3))
            ax.grid(axis="x", color="#e4e9ec")
            ax.tick_params(axis="y", length=0)
            ax.locator_params(axis="x", nbins=5)
        figure.supxlabel("change of the sigmoid's weight from its start", fontsize=10)
        return figure


def pushed(path: pd.DataFrame) -> Figure:
    """A logit that is pushed up at every step, and what Adam's steps are measured against.

    Args:
        path: of `iqa.experiments.gates.push_gate`.
    """
    with plt.rc_context(STYLE):
        figure, (left, right) = plt.subplots(1, 2, figsize=(9, 2.9), layout="constrained")
        left.plot(path["step"], path["float32"], color=ACCENT, label="float32")
        left.plot(path["step"], path["bfloat16"], color=WARM, label="bfloat16")
        left.set(xlabel="step", ylabel="g", title="the same gradient at every step")
        left.legend(frameon=False)
        right.plot(path["step"], path["adams_step"], color=INK, label="Adam's step")
        label = "half the distance to the next bfloat16"
        right.plot(path["step"], path["half_gap"], color=WARM, label=label)
        right.set(xlabel="step", title="a step below the red line is rounded away")
        right.set_ylim(0, 1.35 * np.max(path[["adams_step", "half_gap"]].to_numpy()))
        right.legend(frameon=False, loc="upper left")
        right.ticklabel_format(axis="y", style="sci", scilimits=(0, 0))
        return figure
