"""What holds for every page: on a screen, and on a phone in the dark."""

import examine
import pytest
import yaml

from iqa.files import project_root

pytestmark = pytest.mark.browser

SCREENS = {"screen": {"width": 1280}, "dark phone": {"width": 390, "color_scheme": "dark"}}
SMALLEST_TEXT = 11


def _pages():
    contents = yaml.safe_load((project_root() / "book" / "_toc.yml").read_text())
    parts = [contents, *contents.get("parts", [])]
    return [contents["root"], *(one["file"] for part in parts for one in part.get("chapters", []))]


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("name", [*_pages(), "search", "404"])
def test_a_page_can_be_read_by_everybody(visit, name, screen):
    with visit(name, **SCREENS[screen]) as it:
        found = [
            *it.faults,
            *examine.too_wide(it.page),
            *examine.small_text(it.page, SMALLEST_TEXT),
            *examine.pictures(it.page),
            *examine.barriers(it.page),
        ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("kind", ["record", "notebook"])
def test_pages_of_runs_load_without_a_fault(visit, site, kind, screen):
    names = [path.stem for path in sorted(site.glob(f"{kind}-*.html"))]
    assert names
    found = []
    for name in names:
        with visit(name, **SCREENS[screen]) as it:
            found += [f"{name}: {fault}" for fault in it.faults + examine.too_wide(it.page)]
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
