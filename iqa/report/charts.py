"""Charts of the site: one theme, a static picture with real text, interactive where scripts run.

A chart is Altair. `show` puts it on a page as an SVG whose text is text, and as the specification
that `book/_static/site.js` brings to life when the reader points at it.
"""

import html
import re
from collections.abc import Iterable, Sequence

import altair as alt
import numpy as np
import pandas as pd
from IPython.display import HTML
from sklearn.isotonic import IsotonicRegression

from iqa.drawing import picture, specification

HEADS = {
    "relu": "#4C78A8",
    "leaky_relu": "#72B7B2",
    "gelu": "#F58518",
    "silu": "#B279A2",
    "tanh": "#9D755D",
    "sigmoid": "#E45756",
    "sigmoid2": "#FF9DA6",
    "identity": "#8C8C8C",
    "gated": "#54A24B",
    "mixture4": "#B6992D",
}
"""A colour means a head, on the whole site; from Tableau's colour-blind-safe palette."""

SETS = {"CLIVE": "#2F8FC4", "AGIQA-3K": "#C2579B", "BIQ2021": "#B8860B"}
"""A colour means a data set where sets share a chart; it is no head's."""

SPARE = ["#2BA084", "#8A76D6", "#C86432", "#7A8B2E", "#A0606E", "#5B7DB1"]
"""For what is neither and is named in a legend."""

OTHER = "#6B7280"
"""The colour of what is no head and named beside its mark."""

WIDTH = 190
"""Of a panel without its labels, in pixels: with them it fits a phone."""


def colour(field: str, domain: list[str], legend: bool) -> alt.Color:
    """The colour of a head or set, or of a name that begins with one; others need a legend."""
    spare = iter(SPARE)
    known = [(HEADS | SETS).get(name.partition(" ")[0].rstrip(",")) for name in domain]
    shades = [one or (next(spare, OTHER) if legend else OTHER) for one in known]
    scale = alt.Scale(domain=domain, range=shades)
    shown = alt.Legend(title=None, columns=3) if legend else None
    return alt.Color(field, scale=scale, legend=shown)


def intervals(
    table: pd.DataFrame,
    x: str,
    y: str,
    title: str,
    panel: str = "set",
    tint: str = "",
    also: Iterable[float] = (),
    width: int = WIDTH,
) -> list[alt.LayerChart]:
    """A dot and its 95 % interval for each row; a chart for each panel, all on one scale.

    Args:
        table: columns `x`, low, high, `y` and `panel`; verdict is shown on hover where it is there.
        x: what the dots show; where it is "difference", zero is marked.
        y: what the rows are called by.
        title: of the axis, with unit and direction.
        panel: column with a chart for each of its values.
        tint: column that colours; `y` by default.
        also: values that the axis reaches beside those of the table.
        width: of a panel without its labels, in pixels.
    """
    tint = tint or y
    names = list(dict.fromkeys(table[tint]))
    shown = table.round(4)
    ends = np.append(shown[[x, "low", "high"]], [*also, *[0.0] * (x == "difference")])
    scale = alt.Scale(
        domain=[float(np.nanmin(ends)), float(np.nanmax(ends))], nice=True, zero=False
    )
    offset = {} if tint == y else {"yOffset": alt.YOffset(f"{tint}:N", sort=names)}
    panels = []
    for value, part in shown.groupby(panel, sort=False):
        base = alt.Chart(part).encode(
            y=alt.Y(f"{y}:N", sort=list(dict.fromkeys(part[y])), title=None),
            color=colour(f"{tint}:N", names, tint != y),
            tooltip=[name for name in part.columns if name not in ("p", panel)],
            **offset,
        )
        rule = base.mark_rule(strokeWidth=2).encode(
            x=alt.X("low:Q", title=title, scale=scale), x2="high:Q"
        )
        layers = [rule, base.mark_point(filled=True, size=70, opacity=1).encode(x=f"{x}:Q")]
        if x == "difference":
            zero = alt.Chart(part).mark_rule(color="#888", strokeDash=[3, 3])
            layers.insert(0, zero.encode(x=alt.datum(0)))
        rows = part[y].nunique() * (1 if tint == y else max(1.0, 0.6 * len(names)))
        size = {"width": width, "height": 26 * rows}
        panels.append(alt.layer(*layers).properties(title=str(value), **size))
    return panels


def lines(
    table: pd.DataFrame, x: str, title: str, tint: str = "head", panel: str = "set"
) -> list[alt.LayerChart]:
    """SRCC over a quantity on a logarithmic axis, a line for each head; a chart for each panel.

    Args:
        table: columns `x`, srcc, low, high, `tint`, `panel`.
        x: the quantity.
        title: of its axis.
        tint: what has a line.
        panel: column with a chart for each of its values.
    """
    names = list(dict.fromkeys(table[tint]))
    ticks = "~e" if table[x].max() < 1 else ",.0f"
    panels = []
    for value, part in table.round(5).groupby(panel, sort=False):
        values = sorted(set(part[x]))
        axis = alt.Axis(values=values, format=ticks, labelOverlap="greedy", labelSeparation=8)
        base = alt.Chart(part).encode(
            x=alt.X(f"{x}:Q", title=title, scale=alt.Scale(type="log"), axis=axis),
            y=alt.Y("srcc:Q", title="SRCC, higher is better", scale=alt.Scale(zero=False)),
            color=colour(f"{tint}:N", names, True),
            tooltip=[tint, x, "srcc", "low", "high"],
        )
        plot = alt.layer(base.mark_line(), base.mark_point(filled=True, size=60))
        panels.append(plot.properties(title=str(value), width=WIDTH, height=220))
    return panels


def apart(values: pd.Series, gap: float) -> pd.Series:
    """Values moved so that labels beside them do not overlap: `gap` or more apart, order kept.

    >>> apart(pd.Series([3.0, 2.9, 9.0]), 1.0).round(2).to_list()
    [3.45, 2.45, 9.0]
    """
    order = values.sort_values()
    steps = gap * np.arange(len(order))
    # Least squares: equal gaps are taken off, and what is left has only to rise.
    placed = IsotonicRegression().fit_transform(steps, order - steps) + steps
    return pd.Series(placed, order.index).reindex(values.index)


def show(charts: alt.TopLevelMixin | Sequence[alt.TopLevelMixin], alt_text: str) -> HTML:
    """Charts on a page, side by side where there is room.

    Args:
        charts: one, or several that belong together.
        alt_text: what they show, in a sentence, for those who cannot see it.
    """
    several = charts if isinstance(charts, list) else [charts]
    label = html.escape(alt_text, quote=True)
    panels = "".join(_panel(chart) for chart in several)
    return HTML(f'<div class="charts" role="img" aria-label="{label}">{panels}</div>')


def _panel(chart: alt.TopLevelMixin) -> str:
    data = specification(chart)
    script = '<script type="application/json">' + data.replace("</", "<\\/") + "</script>"
    drawn = picture(data)
    width = re.findall(r"max-width:([\d.]+px)", drawn)[0]
    # As wide as it is drawn, so that its text keeps its size; panels wrap instead of shrinking.
    style = f"flex-basis:{width};--width:{width}"
    return f'<figure class="chart" style="{style}">{drawn}{script}</figure>'
