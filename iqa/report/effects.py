"""The figure of the audit: what each defect adds to a reported figure."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from iqa.report.figures import INK, SOFT, STYLE, WARM, _interval_rows


def effects(table: pd.DataFrame) -> Figure:
    """Difference of each defect to the rigorous protocol, a panel a head, with 95 % intervals.

    Red: significant after Holm's correction.

    Args:
        table: of `iqa.experiments.audit_effects.effects`; the rows of each head in one order.
    """
    heads = list(dict.fromkeys(table["head"]))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            1,
            len(heads),
            figsize=(9, 0.3 * len(table) / len(heads) + 1.1),
            sharex=True,
            layout="constrained",
            squeeze=False,
        )
        for ax, head in zip(axes.flat, heads, strict=True):
            part = table[table["head"] == head]
            # A name that says its figure already, such as "PLCC raw", needs no second one.
            named = [
                defect if figure in defect else f"{defect} ({figure})"
                for defect, figure in zip(part["defect"], part["figure"], strict=True)
            ]
            colours = [WARM if p < 0.05 else SOFT for p in part["p_holm"]]
            _interval_rows(ax, part.assign(head=named), "difference", colours)
            ax.axvline(0, color=INK, lw=1)
            ax.set(xlabel="minus rigorous", title=head)
        for ax in axes.flat[1:]:
            ax.set_yticklabels([])
        return figure
