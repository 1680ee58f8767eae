"""Figures of SRCC along an axis of numbers."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from iqa.experiments.rates import OWN
from iqa.report.figures import INK, STYLE


def by_learning_rate(by_rate: pd.DataFrame) -> Figure:
    """SRCC by learning rate, a line a head with its 95 % band; to the right, each at its own rate.

    Args:
        by_rate: of `iqa.evaluation.summarize_variants`, its variants being rates and `OWN`.
    """
    heads = list(dict.fromkeys(by_rate["head"]))
    palette = plt.get_cmap("tab10")(np.arange(len(heads)) % 10)
    with plt.rc_context(STYLE):
        figure, (left, right) = plt.subplots(
            1, 2, figsize=(9, 4), sharey=True, width_ratios=[4, 1], layout="constrained"
        )
        for row, (head, colour) in enumerate(zip(heads, palette, strict=True)):
            part = by_rate[by_rate["head"] == head].set_index("variant")
            own, rates = part.loc[OWN], part.drop(index=OWN)
            rates = rates.set_index(rates.index.astype(float)).sort_index()
            left.fill_between(
                rates.index, rates["low"], rates["high"], color=colour, alpha=0.1, lw=0
            )
            left.plot(
                rates.index, rates["srcc"], color=colour, marker="o", ms=4, lw=1.8, label=head
            )
            right.vlines(row, own["low"], own["high"], color=colour, lw=2.2, alpha=0.75)
            right.scatter(row, own["srcc"], color=colour, s=34, zorder=3)
        left.set_xscale("log")
        left.set_xticks(list(rates.index), [f"{rate:g}" for rate in rates.index])
        left.minorticks_off()
        left.set(xlabel="learning rate", ylabel="SRCC", title="at each learning rate")
        right.set(title="at its own", xlim=(-0.7, len(heads) - 0.3))
        right.set_xticks(range(len(heads)), heads, rotation=90)
        for ax in (left, right):
            ax.grid(axis="y", color="#e4e9ec")
            ax.tick_params(axis="both", colors=INK)
        left.legend(frameon=False, ncols=2, fontsize=8.5)
        return figure
