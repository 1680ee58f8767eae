"""What is wrong with a page that a browser shows, a line each."""

import re

# Style sheets are not read again: from files, a browser does not let a script do so.
AXE_OPTIONS = {"resultTypes": ["violations"], "preload": False}

WIDER = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"

# The size at which text of a chart is seen: that of its font, times the chart's own scale.
SIZES = """() => [...document.querySelectorAll("figure.chart text")]
    .filter(text => text.textContent.trim() && text.getClientRects().length)
    .map(text => {
        const scale = text.getScreenCTM();
        const font = parseFloat(getComputedStyle(text).fontSize);
        return [text.textContent, font * Math.hypot(scale.a, scale.b)];
    })"""

PICTURES = """() => [...document.querySelectorAll("article img")]
    .filter(image => image.getClientRects().length)
    .map(image => [image.getAttribute("src").slice(0, 60), image.alt, image.naturalWidth])"""

CHARTS = """() => [...document.querySelectorAll("div.charts")]
    .map(charts => [charts.getAttribute("aria-label") || "",
                    [...charts.children].every(figure => figure.querySelector("svg"))])"""


def too_wide(page) -> list[str]:
    """A page that has to be moved sideways to be read."""
    beyond = page.evaluate(WIDER)
    return [f"{beyond} px wider than the screen"] if beyond > 0 else []


def small_text(page, least: float) -> list[str]:
    """Texts of charts that are smaller than `least` pixels."""
    sizes = page.evaluate(SIZES)
    return [f"text of {size:.1f} px in a chart: {text}" for text, size in sizes if size < least]


def pictures(page) -> list[str]:
    """Pictures that do not show, and those whose alternative text says nothing."""
    found = []
    for source, alt, width in page.evaluate(PICTURES):
        if not width:
            found.append(f"picture {source}: does not show")
        if not alt or re.search(r"\.(png|svg|jpe?g)$|/", alt):
            found.append(f"picture {source}: alternative text {alt!r}")
    for label, drawn in page.evaluate(CHARTS):
        if len(label.split()) < 4 or not label.endswith("."):
            found.append(f"chart: alternative text {label!r} is no sentence")
        if not drawn:
            found.append(f"chart {label!r}: not drawn")
    return found


def barriers(page) -> list[str]:
    """What axe-core calls serious or critical for readers with a disability."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options=AXE_OPTIONS).response["violations"]
    return [
        f"axe, {one['id']}, {len(one['nodes'])} times: {one['nodes'][0]['html'][:200]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]
