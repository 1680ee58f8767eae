"""An Altair chart as a picture with real text, in the one theme of site and command line."""

import json
import re

import altair as alt
import vl_convert

INK = "currentColor"
"""The colour of the text around a chart, in light and in dark."""

WIDTH = 190
"""Of a plot without its labels in pixels, where a chart's width is not given."""

_TEXT = {"labelColor": INK, "titleColor": INK, "labelFontSize": 13, "titleFontSize": 13}
_LINES = {"tickColor": INK, "domainColor": INK, "gridColor": "#88888840"}
THEME = {
    "background": "transparent",
    "font": "sans-serif",
    "axis": _TEXT | _LINES | {"titleFontWeight": "normal", "labelLimit": 240},
    # At the end of the axis: a long title then has the room under the labels.
    "axisX": {"titleAnchor": "end", "tickCount": 5},
    "header": _TEXT | {"title": None},
    "legend": _TEXT | {"orient": "bottom", "layout": {"bottom": {"anchor": "end"}}},
    "view": {"stroke": None, "continuousWidth": WIDTH},
    "text": {"color": INK},
    "title": {"color": INK, "fontSize": 14, "anchor": "start"},
}

_SAID_BY_DEFAULT = re.compile(
    r'<path class="[a-z]+" d="(M0,0h0v0h0Z)?"[^>]*/>'
    r'| (pointer-events="none"|(opacity|stroke-width)="1")'
)
"""Empty paths, and values that are SVG's own: a fifth of a picture."""


def specification(chart: alt.TopLevelMixin, width: int = 0) -> str:
    """A chart in the site's theme, as Vega-Lite's JSON; `width` has its labels in it."""
    fit = {"width": width, "autosize": {"type": "fit-x", "contains": "padding"}} if width else {}
    return json.dumps(chart.to_dict() | {"config": THEME} | fit)


def picture(specification: str) -> str:
    """A chart as static SVG that shrinks with the page; its text is text, its ink the page's."""
    drawn = vl_convert.vegalite_to_svg(specification, allowed_base_urls=[])
    drawn = re.sub(r' width="([\d.]+)" height="[\d.]+"', r' style="--width:\1px"', drawn, count=1)
    drawn = re.sub(r"(?<=\d\.\d)\d+(?=[^<>]*>)", "", drawn)  # tenths of a pixel
    # The alternative text is that of the whole; marks with a role of their own would need one each.
    drawn = re.sub(r' (role|aria-[a-z]+)="[^"]*"', "", drawn)
    return _SAID_BY_DEFAULT.sub("", drawn)
