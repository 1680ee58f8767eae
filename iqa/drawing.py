"""An Altair chart as a picture with real text, in the one theme of site and command line."""

import json
import re

import altair as alt
import vl_convert

INK = "currentColor"
"""The colour of the text around a chart, in light and in dark."""

_AXIS = {
    "labelColor": INK,
    "titleColor": INK,
    "tickColor": INK,
    "domainColor": INK,
    "gridColor": "#88888840",
    "labelFontSize": 13,
    "titleFontSize": 13,
    "titleFontWeight": "normal",
    "labelLimit": 240,
}
THEME = {
    "background": "transparent",
    "font": "sans-serif",
    "axis": _AXIS,
    "header": {"labelColor": INK, "titleColor": INK, "labelFontSize": 13, "title": None},
    "legend": {
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 13,
        "titleFontSize": 13,
        "orient": "bottom",
    },
    "view": {"stroke": None},
    "text": {"color": INK},
    "title": {"color": INK, "fontSize": 14, "anchor": "start"},
}


_SAID_BY_DEFAULT = re.compile(
    r'<path class="[a-z]+" d="(M0,0h0v0h0Z)?"[^>]*/>'
    r'| (pointer-events="none"|(opacity|stroke-width)="1")'
)
"""Empty paths, and values that are SVG's own: a fifth of a picture."""


def specification(chart: alt.TopLevelMixin) -> str:
    """A chart in the site's theme, as Vega-Lite's JSON."""
    return json.dumps(chart.to_dict() | {"config": THEME})


def picture(specification: str) -> str:
    """A chart as static SVG that shrinks with the page; its text is text, its ink the page's."""
    drawn = vl_convert.vegalite_to_svg(specification, allowed_base_urls=[])
    drawn = re.sub(r' width="([\d.]+)" height="[\d.]+"', r' style="max-width:\1px"', drawn, count=1)
    # The alternative text is that of the whole; marks with a role of their own would need one each.
    drawn = re.sub(r' (role|aria-[a-z]+)="[^"]*"', "", drawn)
    return re.sub(r"(\.\d\d)\d{5,}", r"\1", _SAID_BY_DEFAULT.sub("", drawn))
