import numpy as np
from PIL import Image

from iqa.features import read_image
from iqa.features.squares import read_ahead

RAMP = np.linspace(0, 255, 48).astype(np.uint8).reshape(6, 8)


def test_resized_to_a_square_ignoring_the_aspect_ratio(tmp_path):
    path = tmp_path / "wide.png"
    Image.fromarray(RAMP).save(path)
    expected = Image.fromarray(RAMP).convert("RGB").resize((32, 32), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(read_image(path, 32), np.asarray(expected))


def test_reading_ahead_keeps_the_order_and_the_bound(tmp_path):
    paths = []
    for level in range(20):
        paths.append(str(tmp_path / f"{level}.png"))
        Image.new("L", (level + 1, 5), level).save(paths[-1])
    taken = []
    images = read_ahead((taken.append(path) or path for path in paths), 32, threads=2, ahead=4)
    assert next(images)[0, 0, 0] == 0
    assert len(taken) == 4
    assert [int(image[0, 0, 0]) for image in images] == list(range(1, 20))
