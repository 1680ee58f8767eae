"""Charts and tables of a page, worked as a reader does."""

import re

from playwright.sync_api import expect

PATIENCE = 30_000  # milliseconds, on a machine that does other things too


def charts_come_to_life(page):
    for figure in page.locator("figure.chart").all():
        figure.scroll_into_view_if_needed()
        figure.hover()
        figure.locator(".vega-embed svg.marks").wait_for(timeout=PATIENCE)
        assert figure.locator(".vega-embed svg.marks [class*=mark-] path").count() > 0


def tables_sort_by_value_and_filter(page):
    for table in page.locator("div.table").all():
        table.locator(".dt-container").wait_for(timeout=PATIENCE)
        _check_order(table)
        _check_filter(table)


def _check_order(table):
    """Sorted by each column that holds numbers, the table is in the order of the numbers."""
    for place, head in enumerate(table.locator("thead th").all(), start=1):
        if not _numbers(table, place):
            continue
        head.click()
        # The table is drawn a moment later.
        expect(head).to_have_attribute("aria-sort", "ascending", timeout=PATIENCE)
        shown = _numbers(table, place)
        assert shown == sorted(shown), head.inner_text()


def _check_filter(table):
    """Its search, where it has one, leaves the rows that hold what was searched."""
    for search in table.locator("input[type=search]").all():
        wanted = table.locator("tbody td").first.inner_text()
        search.fill(f'"{wanted}"')
        rows = table.locator("tbody tr").all_inner_texts()
        assert rows
        assert all(wanted in row for row in rows), wanted


def _number(text):
    """A cell as a number, as a reader would order it (a list by its first); None for text."""
    found = re.fullmatch(r"(< )?([-−+]?[\d,]*\.?\d+)(, \d+)*", text.strip())
    return float(found[2].replace("−", "-").replace(",", "")) if found else None


def _numbers(table, place):
    """Those of the cells of a column that are numbers, from top to bottom."""
    cells = table.locator(f"tbody tr td:nth-child({place})").all_inner_texts()
    return [number for text in cells if (number := _number(text)) is not None]
