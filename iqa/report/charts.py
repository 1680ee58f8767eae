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

from iqa.drawing import picture, specification

GROUND = "var(--pst-color-background, white)"
WRITTEN = {"relu": "ReLU", "leaky_relu": "leaky ReLU", "gelu": "GELU", "silu": "SiLU"}
"""Heads that the field writes otherwise than the code."""

HEADS = {
    "ReLU": "#4C78A8",
    "leaky ReLU": "#72B7B2",
    "GELU": "#F58518",
    "SiLU": "#B279A2",
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

LEGEND = '<p class="legend">Full dot: significant. Hollow: undecided. Square: equivalent.</p>'
"""Below charts of verdicts."""

WIDE, PAIRED, NARROW = 590, 290, 390
"""Pixels, with labels: a chart as wide as the column, one of two beside each other, on a phone.
Narrower, it shrinks by a seventh at most, so its text stays readable."""


def colour(field: str, domain: list[str], legend: bool) -> alt.Color:
    """The colour of a head or set, or of a name that begins with one; others need a legend."""
    spare = iter(SPARE)
    shade = HEADS | SETS
    known = [shade.get(name) or shade.get(re.split("[ ,]", name)[0]) for name in domain]
    shades = [one or (next(spare, OTHER) if legend else OTHER) for one in known]
    scale = alt.Scale(domain=domain, range=shades)
    key = alt.Legend(title=None, columns=3) if legend else None
    return alt.Color(field, scale=scale, legend=key)


def intervals(
    table: pd.DataFrame,
    x: str,
    y: str,
    title: str,
    panel: str = "set",
    tint: str = "",
    also: Iterable[float] = (),
) -> list[alt.LayerChart]:
    """A dot and its 95 % interval for each row; a chart for each panel, all on one scale.

    Args:
        table: columns `x`, low, high, `y` and `panel`; a verdict has its own mark (`LEGEND`).
        x: what the dots show; where it is "difference", zero is marked.
        y: what the rows are called by; a row without numbers is a heading.
        title: of the axis, with unit and direction.
        panel: column with a chart for each of its values.
        tint: column that colours; `y` by default.
        also: values that the axis reaches beside those of the table.
    """
    tint = tint or y
    shown = table.round(4).replace(dict.fromkeys((y, tint), WRITTEN))
    names = list(dict.fromkeys(shown[tint].dropna()))
    ends = np.append(shown[[x, "low", "high"]], [*also, *[0.0] * (x == "difference")])
    reach = [float(np.nanmin(ends)), float(np.nanmax(ends))]
    scale = alt.Scale(domain=reach, nice=3, zero=False)
    offset = {} if tint == y else {"yOffset": alt.YOffset(f"{tint}:N", sort=names)}
    bold = {"test": f"indexof({list(shown.loc[shown[x].isna(), y])}, datum.value) >= 0"}
    axis = alt.Axis(labelFontWeight={"condition": bold | {"value": "bold"}, "value": "normal"})
    shade = colour(f"{tint}:N", names, tint != y)
    edge = alt.Stroke(f"{tint}:N", scale=shade["scale"], legend=shade["legend"])
    fill = alt.condition("datum.verdict == 'undecided'", alt.value(GROUND), shade)
    marks = [alt.value(mark) for mark in ("square", "circle")]
    shape = alt.condition("datum.verdict == 'equivalent'", *marks)
    order = list(dict.fromkeys(shown[y]))  # the same in every panel
    panels = []
    for value, part in shown.groupby(panel, sort=False):
        base = alt.Chart(part).encode(
            y=alt.Y(f"{y}:N", sort=order, title=None, axis=axis),
            color=shade,
            tooltip=[name for name in part.columns if name not in ("p", panel)],
            **offset,
        )
        # So few ticks that all have labels, that of zero too.
        low = alt.X("low:Q", title=title, scale=scale, axis=alt.Axis(tickCount=3))
        rule = base.mark_rule(strokeWidth=2).encode(x=low, x2="high:Q")
        dot = base.mark_point(filled=True, size=70, opacity=1, strokeWidth=2)
        layers = [rule, dot.encode(x=f"{x}:Q", color=fill, stroke=edge, shape=shape)]
        if x == "difference":
            zero = alt.Chart(part).mark_rule(color="#888", strokeDash=[3, 3])
            layers.insert(0, zero.encode(x=alt.datum(0)))
        rows = part[y].nunique() * (1 if tint == y else max(1.0, 0.6 * len(names)))
        panels.append(alt.layer(*layers).properties(title=str(value), height=26 * rows))
    return panels


def lines(table: pd.DataFrame, x: str, title: str) -> list[alt.LayerChart]:
    """SRCC over a quantity on a logarithmic axis, a line for each head; a chart for each set.

    Args:
        table: columns `x`, srcc, low, high, head, set.
        x: the quantity.
        title: of its axis.
    """
    table = table.replace({"head": WRITTEN})
    names = list(dict.fromkeys(table["head"]))
    ticks = "~e" if table[x].max() < 1 else ",.0f"
    panels = []
    for value, part in table.round(5).groupby("set", sort=False):
        values = sorted(set(part[x]))
        axis = alt.Axis(values=values, format=ticks, labelOverlap="greedy", labelSeparation=8)
        base = alt.Chart(part).encode(
            x=alt.X(f"{x}:Q", title=title, scale=alt.Scale(type="log"), axis=axis),
            y=alt.Y("srcc:Q", title="SRCC, higher is better", scale=alt.Scale(zero=False)),
            color=colour("head:N", names, True),
            tooltip=["head", x, "srcc", "low", "high"],
        )
        plot = alt.layer(base.mark_line(), base.mark_point(filled=True, size=60))
        panels.append(plot.properties(title=str(value), height=220))
    return panels


def show(charts: alt.TopLevelMixin | Sequence[alt.TopLevelMixin], finding: str) -> HTML:
    """Charts on a page as wide as its column; two beside each other where their labels are short.

    Args:
        charts: one, or several that belong together.
        finding: what to see in them, in a sentence: the caption, and the text for those who cannot
            see them.
    """
    several = charts if isinstance(charts, list) else [charts]
    label = html.escape(finding, quote=True)
    paired = len(several) > 1 and all(_natural(chart) <= PAIRED + 40 for chart in several)
    panels = "".join(_panel(chart, PAIRED if paired else WIDE) for chart in several)
    drawn = f'<div class="charts" role="img" aria-label="{label}">{panels}</div>'
    legend = LEGEND if '"verdict"' in panels else ""
    # Not for screen readers: the label has said it.
    return HTML(f'{drawn}{legend}<p class="finding" aria-hidden="true">{label}</p>')


def _natural(chart: alt.TopLevelMixin) -> float:
    """How wide a chart is whose plot has the theme's width."""
    return float(re.findall(r"--width:([\d.]+)px", picture(specification(chart)))[0])


def _panel(chart: alt.TopLevelMixin, width: int) -> str:
    """A chart drawn `width` pixels wide and, where a phone is narrower, for a phone too."""
    data = specification(chart, width)
    script = '<script type="application/json">' + data.replace("</", "<\\/") + "</script>"
    widths = [width, NARROW] if width > NARROW else [width]
    drawn = "".join(picture(specification(chart, one)) for one in widths)
    return f'<figure class="chart" style="flex-basis:{width}px">{drawn}{script}</figure>'
