from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from skimage import data

from iqa.errors import UserError
from iqa.explain import faces
from iqa.explain.faces import controls, find_faces, lost_detail
from iqa.explain.localization import Region

SIZE = (96, 128)
FACE = Region("face", 0.25, 0.2, 0.1, 0.2)


@pytest.fixture(scope="module")
def astronaut():
    return Image.fromarray(data.astronaut())


def test_the_astronauts_face_is_found_and_no_other(astronaut):
    (face,) = find_faces(astronaut)
    rows, columns = np.nonzero(face.mask(512, 512))
    assert rows.mean() == pytest.approx(115, abs=15)
    assert columns.mean() == pytest.approx(222, abs=15)
    assert 0.01 < face.side * face.width < 0.1


def test_the_box_has_the_shares_of_an_image_that_is_no_square(astronaut):
    wide = Image.new("RGB", (768, 512))
    wide.paste(astronaut)
    (face,) = find_faces(wide)
    rows, columns = np.nonzero(face.mask(512, 768))
    assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=2)
    assert columns.mean() == pytest.approx(222, abs=15)


@pytest.mark.parametrize("name", ["chelsea", "coffee", "rocket"])
def test_none_is_found_where_there_is_none(name):
    assert find_faces(Image.fromarray(getattr(data, name)())) == []


def test_the_best_rated_image_with_a_face_is_taken_once_for_a_content(tmp_path, monkeypatch):
    def if_white(image, neighbours=0):
        return [FACE] if image.getpixel((0, 0))[0] else []

    monkeypatch.setattr(faces, "find_faces", if_white)
    rows = [("a", "black", 0.9), ("a", "worse", 0.5), ("a", "better", 0.7), ("b", "other", 0.6)]
    images = pd.DataFrame(rows, columns=["group", "path", "target"])
    images["path"] = [str(tmp_path / f"{name}.png") for name in images["path"]]
    for path in images["path"]:
        Image.new("RGB", (8, 8), "black" if "black" in path else "white").save(path)
    found = faces.portraits(images, 2)
    assert [(one.group, Path(one.path).stem) for one in found] == [("a", "better"), ("b", "other")]
    assert all(one.face in one.taken for one in found)
    assert [one.group for one in faces.portraits(images, 1)] == ["a"]


def test_controls_have_the_size_of_the_face_and_touch_none():
    other = replace(FACE, top=FACE.top, left=1 - FACE.left)
    detail = np.random.default_rng(0).random(SIZE)
    here = FACE.mask(*SIZE)
    for taken, left in (((FACE,), 0.9), ((FACE, other), 0.1)):
        beside, alike = controls(FACE, taken, detail)
        assert (beside.name, alike.name) == ("other side", "as detailed")
        assert beside.left == pytest.approx(left)
        for box in (beside, alike):
            mask = box.mask(*SIZE)
            assert mask.sum() == here.sum()
            assert not any((mask & one.mask(*SIZE)).any() for one in taken)


def test_one_control_loses_as_much_detail_as_the_face():
    image = np.zeros((*SIZE, 3), np.uint8)
    where = replace(FACE, top=1.0, left=0.5)
    for box in (FACE, where):
        image[box.mask(*SIZE)] = np.random.default_rng(0).integers(0, 256, (24 * 26, 3))
    detail = lost_detail(image, 2)
    _, alike = controls(FACE, [FACE], detail)
    assert (alike.top, alike.left) == (where.top, where.left)


def test_where_there_is_no_room_there_are_no_controls():
    assert controls(replace(FACE, side=0.9, width=0.9), [], np.ones(SIZE)) == []


def test_a_version_of_opencv_without_cascades_is_named_with_its_remedy(monkeypatch):
    monkeypatch.delattr("cv2.CascadeClassifier", raising=False)
    faces._cascade.cache_clear()
    with pytest.raises(UserError, match=r"pip install 'opencv-python-headless<5'"):
        find_faces(Image.new("RGB", (8, 8)))
