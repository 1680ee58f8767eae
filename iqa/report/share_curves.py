"""SRCC by the share of the training images."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from iqa.report.figures import INK, STYLE


def srcc_by_share(summary: pd.DataFrame) -> Figure:
    """SRCC over the training images, on a logarithmic axis: a line a head with its 95 % band.

    Args:
        summary: of `iqa.experiments.data_efficiency.summarize_shares`.
    """
    heads = list(dict.fromkeys(summary["head"]))
    palette = plt.get_cmap("Dark2")(np.arange(len(heads)) % 8)
    with plt.rc_context(STYLE):
        figure, ax = plt.subplots(figsize=(7.6, 4), layout="constrained")
        for head, colour in zip(heads, palette, strict=True):
            part = summary[summary["head"] == head].sort_values("share")
            ax.fill_between(part["images"], part["low"], part["high"], color=colour, alpha=0.12)
            ax.plot(
                part["images"], part["srcc"], color=colour, marker="o", ms=4, lw=1.8, label=head
            )
        ticks = summary.drop_duplicates("images").sort_values("share")
        names = [
            f"{n:.0f}\n({name})" for n, name in zip(ticks["images"], ticks["variant"], strict=True)
        ]
        ax.set_xscale("log")
        ax.set_xticks(ticks["images"], names)
        ax.minorticks_off()
        ax.set(xlabel="training images (share asked for)", ylabel="SRCC")
        ax.grid(axis="y", color="#e4e9ec")
        ax.tick_params(axis="both", colors=INK)
        ax.legend(frameon=False, loc="lower right")
        return figure
