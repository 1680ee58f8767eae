import io
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from iqa.errors import UserError
from iqa.images import pixels, read_as, read_rgb, rgb

RAMP = np.linspace(0, 255, 48).astype(np.uint8).reshape(6, 8)


def read(path) -> np.ndarray:
    return np.asarray(read_rgb(path))


def tiff(array, photometric=1, kind=1, bits=None, width=None):
    """An uncompressed little-endian TIFF of grey pixels, written tag by tag.

    Args:
        array: (H, W).
        photometric: 0 where white is zero.
        kind: 1 for unsigned integers, 2 for signed ones, 3 for floats.
        bits: of a pixel, if not those of the array.
        width: in pixels, if not the array's.
    """
    height, width = len(array), width or array.shape[1]
    data = array.tobytes()
    tags = {256: width, 257: height, 258: bits or array.itemsize * 8, 259: 1, 262: photometric}
    tags |= {273: 8, 277: 1, 278: height, 279: len(data), 339: kind}
    directory = b"".join(
        np.array([tag, 4 if tag in (273, 279) else 3], "<u2").tobytes()
        + np.array([1, value], "<u4").tobytes()
        for tag, value in tags.items()
    )
    at = np.uint32(8 + len(data)).tobytes()
    return b"II*\0" + at + data + np.uint16(len(tags)).tobytes() + directory + bytes(4)


@pytest.mark.parametrize("mode", ["RGB", "L", "1", "P", "LA", "RGBA", "CMYK"])
def test_every_mode_becomes_rgb(tmp_path, mode):
    path = tmp_path / "image.tiff"
    Image.new("RGB", (8, 6), "white").convert(mode).save(path)
    assert read(path).shape == (6, 8, 3)
    assert (read(path) == 255).all()


def pgm(levels, most):
    return b"P5 8 6 %d\n" % most + levels.astype(">u2").tobytes()


DEEP = {
    "16-bit PNG": lambda: encoded(Image.fromarray(RAMP.astype(np.uint16) * 257), "PNG"),
    "16-bit TIFF": lambda: tiff(RAMP.astype("<u2") * 257),
    "16-bit TIFF, white is zero": lambda: tiff(65535 - RAMP.astype("<u2") * 257, photometric=0),
    "8-bit TIFF, white is zero": lambda: tiff(255 - RAMP, photometric=0),
    "12-bit TIFF": lambda: tiff(twelve_bits(RAMP * (4095 / 255)), bits=12, width=8),
    "16-bit PGM": lambda: pgm(RAMP.astype(np.uint16) * 257, 65535),
    "10-bit PGM": lambda: pgm(RAMP * (1023 / 255), 1023),
    "16-bit JPEG 2000": lambda: encoded(
        Image.fromarray(RAMP.astype(np.uint16) * 257), "JPEG2000", irreversible=False
    ),
}


def twelve_bits(levels):
    """(6, 8) numbers as (6, 8) of 12 bits each, in an array of bytes (6, 12)."""
    levels = levels.round().astype(int).reshape(-1, 2)
    first, second = levels.T
    packed = np.stack([first >> 4, (first & 15) << 4 | second >> 8, second & 255], 1)
    return packed.astype(np.uint8).reshape(6, 12)


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", DEEP)
def test_deep_grey_is_scaled_neither_clipped_nor_turned_round(kind):
    np.testing.assert_allclose(read(DEEP[kind]())[..., 0].astype(int), RAMP, atol=1)


def ramp(dtype, **options):
    return lambda: tiff(RAMP.astype(dtype), **options)


UNKNOWN_RANGE = {
    "floats": (ramp("<f4", kind=3), "floating-point"),
    "floats with NaN": (lambda: tiff(np.full((6, 8), np.nan, "<f4"), kind=3), "floating-point"),
    "32-bit unsigned": (ramp("<u4"), "32-bit or signed"),
    "32-bit signed": (ramp("<i4", kind=2), "signed"),
    "16-bit signed": (ramp("<i2", kind=2), "signed"),
    "8-bit signed": (ramp("i1", kind=2), "signed"),
    "PFM": (lambda: b"Pf\n8 6\n-1.0\n" + RAMP.astype("<f4").tobytes(), "floating-point"),
}


@pytest.mark.parametrize("kind", UNKNOWN_RANGE)
def test_pixels_without_a_known_range_are_refused(kind):
    make, said = UNKNOWN_RANGE[kind]
    with pytest.raises(UserError, match=f"a: .*{said}.* no known range"):
        read_rgb(make(), "a")


@pytest.mark.parametrize("mode", ["I", "F"])
def test_an_image_of_pillows_without_a_known_range_is_refused(mode):
    with pytest.raises(UserError, match="no known range"):
        rgb(Image.new(mode, (8, 6), 70), "a")


@pytest.mark.parametrize(("dtype", "compression"), [("u2", "zlib"), ("u1", None), ("u2", None)])
def test_planes_of_a_tiff_are_read_rightly_or_refused(dtype, compression):
    planes = np.random.default_rng(0).integers(0, 256, (3, 32, 40)).astype(dtype)
    scale = 257 if dtype == "u2" else 1
    file = io.BytesIO()
    layout = {"photometric": "rgb", "planarconfig": "separate", "compression": compression}
    tifffile.imwrite(file, planes * scale, **layout)
    if dtype == "u2" and compression is None:
        with pytest.raises(UserError, match=r"planes of 16 bits.*save it interleaved"):
            read_rgb(file.getvalue(), "a")
    else:
        np.testing.assert_array_equal(read_rgb(file.getvalue(), "a"), planes.transpose(1, 2, 0))


@pytest.mark.parametrize("tags", [{254: 1}, {50706: b"\1\4\0\0"}], ids=["thumbnail", "DNG"])
def test_the_thumbnail_in_a_raw_file_is_not_taken_for_the_picture(tags):
    info = ImageFileDirectory_v2()
    for tag, value in tags.items():
        info.tagtype[tag] = 4 if tag == 254 else 1
        info[tag] = value
    with pytest.raises(UserError, match=r"thumbnail.*develop it"):
        read_rgb(encoded(Image.fromarray(RAMP), "TIFF", tiffinfo=info))


def test_transparent_parts_are_white(tmp_path):
    path = tmp_path / "clear.png"
    rgba = np.zeros((6, 8, 4), np.uint8)
    rgba[0, 0] = (200, 10, 20, 255)
    Image.fromarray(rgba).save(path)
    assert read(path)[0, 0].tolist() == [200, 10, 20]
    assert (read(path)[1:] == 255).all()


def test_transparent_palette_entry_is_white(tmp_path):
    path = tmp_path / "clear.gif"
    Image.new("P", (8, 6), 0).save(path, transparency=0)
    assert (read(path) == 255).all()


def test_a_transparent_grey_level_of_16_bits_is_white():
    levels = RAMP.astype(np.uint16) * 257
    clear = int(levels[2, 3])
    shown = read(encoded(Image.fromarray(levels), "PNG", transparency=clear))[..., 0]
    np.testing.assert_array_equal(shown, np.where(levels == clear, 255, RAMP))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "I;16"])
def test_strip_by_strip_the_pixels_are_the_same(mode, monkeypatch):
    noise = np.random.default_rng(0).integers(0, 256, (41, 30, 4), dtype=np.uint8)
    image = Image.fromarray(noise)
    image = Image.fromarray(noise[..., 0].astype(np.uint16) * 200) if mode == "I;16" else image
    image = image.quantize(9) if mode == "P" else image.convert(mode)
    options = {"transparency": 3} if mode == "P" else {}
    data = encoded(image, "PNG", **options)
    at_once = read(data)
    monkeypatch.setattr(pixels, "_STRIP", 200)
    np.testing.assert_array_equal(read(data), at_once)


def truncated(path):
    Image.effect_noise((64, 64), 50).save(path, "JPEG")
    path.write_bytes(path.read_bytes()[:600])


FAULTS = {
    "truncated": truncated,
    "text": lambda path: path.write_text("not an image"),
    "empty": lambda path: path.touch(),
    "folder": lambda path: path.mkdir(),
    "missing": lambda path: None,
}


@pytest.mark.parametrize("fault", FAULTS)
def test_unreadable_files_are_named(tmp_path, fault):
    path = tmp_path / f"{fault}.jpg"
    FAULTS[fault](path)
    with pytest.raises(UserError, match=f"{fault}.jpg") as caught:
        read_rgb(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("size", [(0, 10), (10, 0), (0, 0)])
def test_an_empty_image_is_no_black_one(size):
    with pytest.raises(UserError, match="an empty image"):
        rgb(Image.new("RGB", size), "a")


@pytest.mark.parametrize("size", [(2_000_000, 1), (1, 2_000_000)])
def test_a_side_of_millions_of_pixels_is_refused(size):
    """An image of 89,000,000 x 1 pixels takes 85 kB as a file and 2.85 GB to resize."""
    data = encoded(Image.new("L", size), "PNG")
    with pytest.raises(UserError, match="a side of more than 1,000,000 pixels"):
        read_rgb(data)


@pytest.mark.parametrize(
    ("kind", "most"), [("WEBP", 470), ("JPEG2000", 421), ("AVIF", 888), ("QOI", 250)]
)
def test_kinds_that_take_more_memory_or_time_may_have_fewer_pixels(kind, most):
    data = encoded(Image.new("RGB", (25, 40)), kind)
    with pytest.raises(UserError, match=f"25 x 40 is more than {most} pixels"):
        read_as(lambda image: image, data, max_pixels=2000)
    assert read_as(lambda image: image.size, data, max_pixels=8000) == (25, 40)


def test_more_pixels_than_are_allowed_are_refused_before_they_are_decoded():
    header = encoded(Image.new("1", (30, 20)), "PNG")
    for size in ((20_000, 20_000), (2**31 - 1, 2**31 - 1)):
        large = header[:16] + b"".join(n.to_bytes(4) for n in size) + header[24:29]
        large += zlib.crc32(large[12:]).to_bytes(4) + header[33:]
        with pytest.raises(UserError, match="more than 128,000,000 pixels"):
            read_rgb(large)
