"""The page that `iqa score --html` writes, in a headless browser: 5,000 photographs."""

import os
from functools import cache
from unittest import mock

import numpy as np
import pytest
from examine import barriers
from filelock import FileLock
from PIL import Image
from visits import Visit

from iqa.images import MAX_PIXELS
from iqa.models import ModelInfo
from iqa.scoring import Row, gallery_page
from iqa.scoring.overlays import overlay_name

pytestmark = pytest.mark.browser

INFO = ModelInfo(name="m", backbone="b", head="h", input_size=64, high=100, trained_on="t")
MANY = 5000


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Two pages: one of 5,000 photographs, one of three with their maps; once for all workers."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / "scored gallery"
    with FileLock(shared / "scored gallery.lock"):
        if not folder.exists():
            folder.mkdir()
            _write_pages(folder)
    return folder


def _write_pages(folder):
    paths = []
    for number in range(50):
        coarse = np.random.default_rng(number).integers(0, 256, (9, 12, 3), dtype=np.uint8)
        image = Image.fromarray(coarse).resize((240, 180), Image.Resampling.BICUBIC)
        image.save(folder / f"{number:02d}.jpg")
        paths.append(str(folder / f"{number:02d}.jpg"))
    many = [Row(paths[n % 50], 100 * n / MANY, None, "m") for n in range(MANY)]
    many.append(Row("broken.jpg", None, "broken.jpg: no image", "m"))
    for path in paths[:3]:
        Image.new("RGB", (240, 180), "red").save(folder / overlay_name(path))
    # Of the fifty photographs each small picture is made once.
    with mock.patch.object(gallery_page, "_small", cache(gallery_page._small)):
        for name, rows, maps in (("many", many, None), ("few", many[:3], folder)):
            with open(folder / f"{name}.html", "w", encoding="utf-8") as file:
                gallery_page.write_gallery(rows, INFO, file, MAX_PIXELS, maps)


@pytest.fixture
def opened(pages, browser):
    """Opens a page: `opened("many", 390)`; at the end nothing may have gone wrong."""
    visits = []

    def open_page(name, width=1280):
        context = browser.new_context(viewport={"width": width, "height": 844}, has_touch=True)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        it = Visit(context.new_page(), pages)
        visits.append((context, it))
        it.listen()
        it.go_to(name)
        return it.page

    yield open_page
    for context, it in visits:
        assert it.faults == []
        assert len(it.loaded) == 1
        context.close()


def type_threshold(page, value):
    page.get_by_label("Score from, as a number").fill(value)
    return page.locator("#shown").inner_text()


def shown(page):
    return page.locator(".card:not([hidden])").count()


@pytest.mark.parametrize("width", [390, 1280])
def test_5000_photographs_answer_at_once(opened, width):
    page = opened("many", width)
    assert shown(page) == MANY
    milliseconds = page.evaluate(
        """() => {
          const slider = document.getElementById("slider"), times = [];
          for (const value of [99, 1, 50, 0]) {
            const start = performance.now();
            slider.value = value;
            slider.dispatchEvent(new Event("input"));
            document.getElementById("grid").getBoundingClientRect();  // lays the page out
            times.push(performance.now() - start);
          }
          return times;
        }"""
    )
    assert max(milliseconds) < 1500  # some 50 where nothing else runs
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (
        page.locator(".card").first.evaluate("e => getComputedStyle(e).contentVisibility") == "auto"
    )


def test_a_threshold_inside_and_outside_of_the_scores(opened):
    page = opened("many")
    assert type_threshold(page, "90") == "500 of 5000 shown"
    assert shown(page) == 500
    assert page.locator("#slider").input_value() == "90"
    assert type_threshold(page, "1000") == "none has 1000 or more: the best has 99.98"
    assert shown(page) == 0
    assert type_threshold(page, "-5") == "5000 of 5000 shown"
    assert type_threshold(page, "") == "5000 of 5000 shown"
    assert shown(page) == MANY


def test_names_are_copied_in_the_order_shown(opened):
    page = opened("many")
    type_threshold(page, "99.93")
    page.get_by_role("button", name="Copy names").click()
    page.get_by_text("3 names copied").wait_for()
    names = page.get_by_label("Names of the photographs shown").input_value().split("\n")
    assert [name[-6:] for name in names] == ["49.jpg", "48.jpg", "47.jpg"]
    assert page.evaluate("navigator.clipboard.readText()").split("\n") == names
    page.get_by_label("Order").select_option("worst")
    page.get_by_role("button", name="Copy names").click()
    page.get_by_text("3 names copied").wait_for()
    again = page.get_by_label("Names of the photographs shown").input_value().split("\n")
    assert again == names[::-1]


def test_the_map_is_seen_under_the_pointer_and_by_the_keyboard(opened):
    page = opened("few")
    seen = "e => getComputedStyle(e).opacity"
    for number, frame in enumerate(page.locator(".frame").all()):
        assert frame.locator(".map").evaluate(seen) == "0"
        frame.hover() if number else frame.focus()
        assert frame.locator(".map").evaluate(seen) == "1"


def test_nothing_is_in_the_way_of_readers_with_a_disability(opened):
    assert barriers(opened("few")) == []
