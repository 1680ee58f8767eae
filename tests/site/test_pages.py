"""What holds for every page: on a screen, and on a phone in the dark."""

import examine
import pytest
import working
import yaml

from iqa.files import project_root

pytestmark = pytest.mark.browser

SCREENS = {"light": 1280, "dark": 390}  # width in pixels
SMALLEST_TEXT = 11


def _pages():
    contents = yaml.safe_load((project_root() / "book" / "_toc.yml").read_text())
    parts = [contents, *contents.get("parts", [])]
    return [contents["root"], *(one["file"] for part in parts for one in part.get("chapters", []))]


def _show(page, scheme):
    width = SCREENS[scheme]
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 844})
    page.wait_for_function("width => innerWidth === width", arg=width)


def _on_each_screen(page, faults_of):
    """What `faults_of` finds on a wide, light page, and on a narrow, dark one."""
    found = []
    for scheme, width in SCREENS.items():
        _show(page, scheme)
        found += [f"{width} px, {scheme}: {fault}" for fault in faults_of(page)]
    return found


def _barriers(page):
    return [
        *examine.too_wide(page),
        *examine.small_text(page, SMALLEST_TEXT),
        *examine.pictures(page),
        *examine.barriers(page),
    ]


@pytest.mark.parametrize("name", [*_pages(), "search", "404"])
def test_a_page_can_be_read_by_everybody_and_worked(visit, name):
    with visit(name) as it:
        found = _on_each_screen(it.page, _barriers)
        _show(it.page, "light")
        working.charts_come_to_life(it.page)
        working.tables_sort_by_value_and_filter(it.page)
    assert not [*it.faults, *found], "\n".join([*it.faults, *found])


@pytest.mark.parametrize("part", ['<figure class="chart"', '<div class="table'])
def test_charts_and_tables_are_on_the_pages_that_are_worked(site, part):
    names = {path.stem for path in site.glob("*.html") if part in path.read_text()}
    assert names & set(_pages())
    assert {name for name in names - set(_pages()) if not name.startswith("record-")} == set()


@pytest.mark.parametrize("name", ["index", "leaderboard"])
def test_a_page_that_is_opened_on_a_dark_phone_can_be_read(visit, name):
    with visit(name, width=390, color_scheme="dark") as it:
        found = _barriers(it.page)
    assert not [*it.faults, *found], "\n".join([*it.faults, *found])


@pytest.mark.parametrize("part", range(4), ids=lambda part: f"part {part + 1}")
@pytest.mark.parametrize("kind", ["record", "notebook"])
def test_pages_of_runs_load_without_a_fault(visit, site, kind, part):
    names = [path.stem for path in sorted(site.glob(f"{kind}-*.html"))][part::4]
    assert names
    found = []
    with visit("records") as it:  # one tab: to open one takes as long as such a page
        for name in names:
            it.go_to(name)
            it.faults += _on_each_screen(it.page, examine.too_wide)
            found += [f"{name}: {fault}" for fault in it.faults]
            it.faults.clear()
    assert not found, "\n".join(found)


def test_a_page_can_be_read_without_scripts(visit):
    with visit("regimes", java_script_enabled=False) as it:
        charts = it.page.locator("figure.chart svg")
        assert charts.count() > 0
        assert "SRCC" in charts.first.text_content()
        assert it.page.locator("div.table td").first.is_visible()


def test_what_is_folded_is_printed(visit):
    with visit("regimes") as it:
        folded = it.page.locator("details:not([open])")
        assert folded.count() > 0
        it.page.pdf()
        assert folded.count() == 0
    with visit("learning_rates", color_scheme="dark") as it:
        rows = it.page.locator("div.table tbody tr")
        on_screen = rows.count()
        it.page.pdf()
        assert rows.count() > on_screen  # of tables with more than one page


def test_the_first_page_says_what_it_is(visit):
    with visit("index") as it:
        for name in ("meta[name=description]", "meta[property='og:title']"):
            assert it.page.locator(name).first.get_attribute("content"), name
        assert it.page.locator("link[rel*=icon]").count() > 0


def test_the_site_is_small(visit, site):
    sizes = {path: path.stat().st_size for path in site.rglob("*") if path.is_file()}
    assert sum(sizes.values()) <= 12e6
    with visit("index") as it:
        assert sum(path.stat().st_size for path in set(it.loaded)) <= 1.5e6
