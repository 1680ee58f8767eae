"""Charts of the site: one theme, a static picture with real text, interactive where scripts run.

A chart is Altair. `show` puts it on a page as an SVG whose text is text, and as the specification
that `book/_static/site.js` brings to life when the reader points at it.
"""

import html
import json
import re

import altair as alt
import pandas as pd
import vl_convert
from IPython.display import HTML

INK = "currentColor"
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

_AXIS = {
    "labelColor": INK,
    "titleColor": INK,
    "tickColor": INK,
    "domainColor": INK,
    "gridColor": "#88888840",
    "labelFontSize": 12,
    "titleFontSize": 12,
    "titleFontWeight": "normal",
    "labelLimit": 260,
}
THEME = {
    "background": "transparent",
    "font": "inherit",
    "axis": _AXIS,
    "header": {"labelColor": INK, "titleColor": INK, "labelFontSize": 13, "title": None},
    "legend": {"labelColor": INK, "titleColor": INK, "labelFontSize": 12, "orient": "bottom"},
    "view": {"stroke": None},
    "text": {"color": INK},
    "title": {"color": INK},
}
WIDTH = 300
"""Of a panel, in pixels: one fits a phone."""


def colour(field: str, domain: list[str]) -> alt.Color:
    """The colour of a head; other names get colours in their order."""
    spare = iter(["#4C78A8", "#F58518", "#E45756", "#54A24B", "#B279A2", "#72B7B2", "#9D755D"])
    shades = [HEADS.get(name) or next(spare, "#8C8C8C") for name in domain]
    return alt.Color(field, title=None, scale=alt.Scale(domain=domain, range=shades))


def intervals(
    table: pd.DataFrame, x: str, y: str, title: str, panel: str = "set", tint: str = ""
) -> alt.Chart:
    """A dot and its 95 % interval for each row, a panel for each set, zero marked.

    Args:
        table: columns `x`, low, high, `y` and `panel`; verdict is shown on hover where it is there.
        x: what the dots show.
        y: what the rows are called by.
        title: of the axis, with unit and direction.
        panel: column with a panel for each of its values.
        tint: column that colours; `y` by default.
    """
    tint = tint or y
    order, names = (list(dict.fromkeys(table[name])) for name in (y, tint))
    shown = table.round(4)
    hints = [alt.Tooltip(name) for name in shown.columns if name != "p"]
    offset = {} if tint == y else {"yOffset": alt.YOffset(f"{tint}:N", sort=names)}
    base = alt.Chart(shown).encode(
        y=alt.Y(f"{y}:N", sort=order, title=None),
        color=colour(f"{tint}:N", names),
        tooltip=hints,
        **offset,
    )
    ends = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=title, scale=alt.Scale(zero=False)), x2="high:Q"
    )
    dots = base.mark_point(filled=True, size=70, opacity=1).encode(x=f"{x}:Q")
    layers = [ends, dots]
    if x == "difference":
        layers.insert(
            0, alt.Chart(shown).mark_rule(color="#888", strokeDash=[3, 3]).encode(x=alt.datum(0))
        )
    height = 26 * len(order) * (1 if tint == y else max(1, 0.6 * len(names)))
    plot = alt.layer(*layers, data=shown).properties(width=WIDTH, height=height)
    return plot.facet(alt.Facet(f"{panel}:N", sort=list(dict.fromkeys(table[panel]))), columns=2)


def lines(
    table: pd.DataFrame, x: str, title: str, tint: str = "head", panel: str = "set"
) -> alt.Chart:
    """SRCC over a quantity on a logarithmic axis, a line for each head, a panel for each set.

    Args:
        table: columns `x`, srcc, low, high, `tint`, `panel`.
        x: the quantity.
        title: of its axis.
        tint: what has a line.
        panel: column with a panel for each of its values.
    """
    names = list(dict.fromkeys(table[tint]))
    base = alt.Chart(table.round(5)).encode(
        x=alt.X(f"{x}:Q", title=title, scale=alt.Scale(type="log")),
        y=alt.Y("srcc:Q", title="SRCC, higher is better", scale=alt.Scale(zero=False)),
        color=colour(f"{tint}:N", names),
        tooltip=[tint, x, "srcc", "low", "high"],
    )
    plot = alt.layer(base.mark_line(), base.mark_point(filled=True, size=60)).properties(
        width=WIDTH, height=220
    )
    return plot.facet(f"{panel}:N", columns=2)


def show(chart: alt.Chart, alt_text: str) -> HTML:
    """The chart on a page.

    Args:
        chart: what to show.
        alt_text: what the chart finds, in a sentence, for those who cannot see it.
    """
    spec = chart.to_dict()
    spec["config"] = THEME
    picture = vl_convert.vegalite_to_svg(json.dumps(spec), allowed_base_urls=[])
    picture = re.sub(r' width="(\d+)" height="(\d+)"', r' style="max-width:\1px"', picture, count=1)
    data = json.dumps(spec).replace("</", "<\\/")
    label = html.escape(alt_text, quote=True)
    return HTML(
        f'<figure class="chart" role="img" aria-label="{label}">{picture}'
        f'<script type="application/json">{data}</script></figure>'
    )
