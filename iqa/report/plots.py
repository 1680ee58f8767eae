"""Charts of the notebooks, by seaborn: intervals, curves of training, pictures."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
import seaborn.objects as so
from numpy.typing import NDArray


def intervals(table: pd.DataFrame, value: str, label: str = "head", facet: str = "") -> so.Plot:
    """A dot and its 95 % interval for each row.

    Args:
        table: columns `label`, `value`, low, high.
        value: what the dots show, also the name of the axis.
        label: what the rows are called by.
        facet: column with a panel for each of its values.
    """
    plot = so.Plot(table, x=value, xmin="low", xmax="high", y=label, color=label)
    plot = plot.facet(facet, wrap=2) if facet else plot
    return plot.add(so.Range(), legend=False).add(so.Dot(), legend=False)


def learning_curves(history: pd.DataFrame, label: str = "head") -> so.Plot:
    """Validation SRCC after each epoch, the mean over splits and seeds.

    Args:
        history: columns epoch, val_srcc and `label`.
        label: what has a line of its own.
    """
    plot = so.Plot(history, x="epoch", y="val_srcc", color=label).add(so.Line(), so.Agg())
    return plot.label(y="validation SRCC, higher is better")


def picture_grid(pictures: Mapping[str, NDArray], shown: pd.DataFrame) -> None:
    """Pictures in rows and columns, with the name of each row beside it and a line over each.

    Args:
        pictures: name to RGB pixels.
        shown: columns figure, row, column, picture (a name), caption; one figure after another.
    """
    for _, part in shown.groupby("figure", sort=False):
        rows, columns = (list(dict.fromkeys(part[name])) for name in ("row", "column"))
        size = 2.4 * len(columns), 2.6 * len(rows)
        _, axes = plt.subplots(len(rows), len(columns), figsize=size, squeeze=False)
        for one in part.itertuples():
            ax = axes[rows.index(one.row), columns.index(one.column)]
            ax.imshow(pictures[one.picture])
            ax.set_title(one.caption, fontsize=8.5)
            ax.set(xticks=[], yticks=[])
            ax.set_ylabel(one.row if one.column == columns[0] else "")
        plt.tight_layout()
