import numpy as np
import pytest
from PIL import Image

from iqa.errors import UserError
from iqa.images import read_rgb

RAMP = np.linspace(0, 255, 48).astype(np.uint8).reshape(6, 8)


def pixels(path) -> np.ndarray:
    return np.asarray(read_rgb(path))


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "LA", "RGBA", "CMYK"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    path = tmp_path / "image.tiff"
    Image.new("RGB", (8, 6), "white").convert(mode).save(path)
    assert pixels(path).shape == (6, 8, 3)
    assert (pixels(path) == 255).all()


def test_sixteen_bits_are_scaled_not_clipped(tmp_path):
    path = tmp_path / "deep.png"
    Image.fromarray(RAMP.astype(np.uint16) * 257).save(path)
    assert Image.open(path).mode.startswith("I")
    np.testing.assert_array_equal(pixels(path)[..., 0], RAMP)


def test_transparent_parts_are_white(tmp_path):
    path = tmp_path / "clear.png"
    rgba = np.zeros((6, 8, 4), np.uint8)
    rgba[0, 0] = (200, 10, 20, 255)
    Image.fromarray(rgba).save(path)
    assert pixels(path)[0, 0].tolist() == [200, 10, 20]
    assert (pixels(path)[1:] == 255).all()


def test_transparent_palette_entry_is_white(tmp_path):
    path = tmp_path / "clear.gif"
    Image.new("P", (8, 6), 0).save(path, transparency=0)
    assert (pixels(path) == 255).all()


def test_exif_orientation_is_applied(tmp_path):
    path = tmp_path / "turned.png"
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    Image.fromarray(RAMP).save(path, exif=exif)
    np.testing.assert_array_equal(pixels(path)[..., 0], np.rot90(RAMP, -1))


def truncated(path):
    Image.effect_noise((64, 64), 50).save(path, "JPEG")
    path.write_bytes(path.read_bytes()[:600])


FAULTS = {
    "truncated": truncated,
    "text": lambda path: path.write_text("not an image"),
    "empty": lambda path: path.touch(),
    "folder": lambda path: path.mkdir(),
    "missing": lambda path: None,
    "float": lambda path: Image.fromarray(RAMP.astype(np.float32)).save(path, "TIFF"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_unreadable_files_are_named(tmp_path, fault):
    path = tmp_path / f"{fault}.jpg"
    FAULTS[fault](path)
    with pytest.raises(UserError, match=f"{fault}.jpg") as caught:
        read_rgb(path)
    assert "\n" not in str(caught.value)
