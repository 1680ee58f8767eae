import dataclasses

import numpy as np
import pytest
from PIL import Image

from iqa.datasets.photographs import PHOTOGRAPHS, reference
from iqa.errors import UserError

SIZE = (320, 240)


@pytest.mark.parametrize("photograph", PHOTOGRAPHS.values(), ids=lambda p: p.name)
def test_each_is_a_larger_colour_photograph_with_credit_and_licence(photograph):
    with Image.open(photograph.path()) as opened:
        assert opened.width >= SIZE[0]
        assert opened.height >= SIZE[1]
    image = np.asarray(reference(photograph, SIZE)).astype(int)
    assert image.shape == (240, 320, 3)
    assert np.abs(image[..., 0] - image[..., 2]).mean() > 1, "grey"
    assert all((photograph.credit, photograph.licence, photograph.source))


def test_the_crop_is_centred_and_the_largest(tmp_path, monkeypatch):
    package = tmp_path / "made_photographs"
    package.mkdir()
    (package / "__init__.py").touch()
    drawn = np.zeros((100, 300, 3), np.uint8)
    drawn[:, 100:200] = 255
    Image.fromarray(drawn).save(package / "drawn.png")
    monkeypatch.syspath_prepend(tmp_path)
    made = dataclasses.replace(PHOTOGRAPHS["china"], package=package.name, file="drawn.png")
    # The filter reaches a little across the crop's edge, so only the inside is purely white.
    assert np.asarray(reference(made, (50, 50)))[:, 3:-3].min() >= 253


@pytest.mark.parametrize(
    "change", [{"file": "data/gone.png"}, {"package": "no_such_package"}], ids=["file", "package"]
)
def test_a_missing_photograph_is_one_line(change):
    missing = dataclasses.replace(PHOTOGRAPHS["china"], **change)
    with pytest.raises(UserError, match=r"photograph `china`: .* not found in package"):
        missing.path()
