"""The page of scored photographs: what it shows, and that it is safe to open."""

import base64
import io
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iqa.images import MAX_PIXELS
from iqa.models import ModelInfo
from iqa.scoring import Row
from iqa.scoring.gallery_page import SIDE, write_gallery
from iqa.scoring.overlays import overlay_name

INFO = ModelInfo(name="m", backbone="b", head="h", input_size=64, high=100, trained_on="t")


class Page(HTMLParser):
    """The start tags of a page with their attributes, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [about for found, about in self.tags if found == tag]


def page(rows, maps=None):
    file = io.StringIO()
    write_gallery(rows, INFO, file, MAX_PIXELS, maps)
    return Page(file.getvalue())


def cards(found):
    return [about for about in found.all("figure") if about["class"] == "card"]


def test_photographs_stand_by_score_with_small_pictures(picture):
    rows = [
        Row(picture(f"{seed}.png", seed, size), float(score), None, "m")
        for seed, (score, size) in enumerate([(20, (500, 400)), (90, (300, 900)), (55, (60, 40))])
    ]
    found = page([*rows, Row("broken.jpg", None, "broken.jpg: no image", "m")])
    assert [about["data-path"] for about in cards(found)] == [rows[n].path for n in (1, 2, 0)]
    sizes = []
    for about in found.all("img"):
        kind, _, data = about["src"].partition(",")
        assert kind == "data:image/webp;base64"
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            sizes.append(image.size)
        assert (int(about["width"]), int(about["height"])) == sizes[-1]
    assert sizes == [(75, SIDE), (60, 40), (SIDE, 179)]
    assert "3 photographs, scored by m from 0 to 100" in found.text
    assert "1 could not be scored" in found.text
    assert "broken.jpg: no image" in found.text
    [slider] = [about for about in found.all("input") if about["type"] == "range"]
    assert (slider["min"], slider["max"], slider["step"]) == ("20.0", "90.0", "0.1")


def test_nothing_is_loaded_and_names_are_text(picture, tmp_path):
    evil = '"><script>alert(1)</script><img src=x onerror=alert(1)>&amp;.png'.replace("/", ":")
    Path(picture("a.png")).rename(tmp_path / evil)
    path = str(tmp_path / evil)
    found = page([Row(path, 1.0, None, "<i>m</i>"), Row(evil, None, f"{evil}: <b>bad", "m")])
    assert cards(found)[0]["data-path"] == path
    assert len(found.all("script")) == 1
    assert found.all("i") == []
    assert all(about["src"].startswith("data:") for about in found.all("img"))
    assert "<i>m</i>" in found.text
    policy = [about["content"] for about in found.all("meta") if "http-equiv" in about]
    assert policy[0].startswith("default-src 'none'")


def test_a_page_without_one_good_image_says_so(tmp_path):
    for rows in ([], [Row("a.jpg", None, "a.jpg: no image", "m")]):
        found = page(rows)
        assert "No photograph could be scored." in found.text
        assert found.all("script") == cards(found) == found.all("input") == []
    assert "a.jpg: no image" in found.text


def test_one_photograph_and_equal_scores(picture):
    found = page([Row(picture(f"{n}.png"), 0.0, None, "m") for n in range(2)])
    assert len(cards(found)) == 2
    assert "1 photograph, scored" in page([Row(picture("a.png"), 3.0, None, "m")]).text


def test_a_file_that_is_gone_by_now_keeps_its_score(picture, tmp_path):
    found = page(
        [Row(str(tmp_path / "gone.jpg"), 5.0, None, "m"), Row(picture("a.png"), 4.0, None, "m")]
    )
    assert len(cards(found)) == 2
    assert len(found.all("img")) == 1
    assert "no such image file" in found.text


def test_a_map_stands_over_its_photograph(picture, tmp_path):
    path, other = picture("a.png"), picture("b.png")
    (tmp_path / "maps").mkdir()
    Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(tmp_path / "maps" / overlay_name(path))
    found = page([Row(path, 2.0, None, "m"), Row(other, 1.0, None, "m")], tmp_path / "maps")
    assert [about.get("class") for about in found.all("img")] == [None, "map"]
    assert "no such image file" in found.text  # the map of the other


@pytest.mark.parametrize(("high", "step"), [(100, "0.1"), (5, "0.001"), (1, "0.001"), (1e5, "1")])
def test_the_slider_has_a_thousand_steps_on_any_scale(picture, high, step):
    file = io.StringIO()
    info = INFO.model_copy(update={"high": float(high)})
    write_gallery([Row(picture("a.png"), high / 2, None, "m")], info, file, MAX_PIXELS)
    assert f'step="{step}"' in file.getvalue()
