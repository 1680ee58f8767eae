"""Whatever surrounds whole pixels, they are read; an orientation is applied where it can be."""

import io
import struct
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import Image

from iqa.images import read_rgb, rgb

pytestmark = pytest.mark.filterwarnings(r"ignore::UserWarning:PIL\.")
PIXELS = np.random.default_rng(0).integers(0, 256, (12, 20, 3), dtype=np.uint8)
PICTURE = Image.fromarray(PIXELS)


def encoded(kind, image=PICTURE, **options):
    file = io.BytesIO()
    if kind == "HEIF":
        pillow_heif.from_pillow(image).save(file, quality=-1, chroma=444, **options)
    else:
        image.save(file, kind, **options)
    return file.getvalue()


def exif(*entries, order=">"):
    """An EXIF block of entries (tag, type, count, value of four bytes or less as an integer)."""
    mark = b"MM\0*" if order == ">" else b"II*\0"
    body = b"".join(struct.pack(f"{order}HHIHH", *entry, 0) for entry in entries)
    return mark + struct.pack(f"{order}IH", 8, len(entries)) + body + b"\0\0\0\0"


TURNED = (0x0112, 3, 1, 6)
SHORT, STRING, LONG, RATIONAL = 3, 2, 4, 5
READABLE = {
    "plain": exif(TURNED),
    "resolution is text": exif(TURNED, (0x011A, STRING, 3, 0x6162), (0x0128, SHORT, 1, 2)),
    "a value of 4 GB": exif(TURNED, (0x010F, STRING, 0xFFFFFFFF, 9)),
    "a value beyond the end": exif(TURNED, (0x011A, RATIONAL, 1, 0xFFF0)),
    "an unknown type": exif(TURNED, (0x9999, 99, 1, 1)),
    "little-endian": exif((0x0112, 3, 1, 6), order="<"),
    "a further directory nowhere": exif(TURNED, (0x8769, LONG, 1, 0xFFF0)),
}
UNREADABLE = {
    "empty": b"",
    "two bytes": b"II",
    "not TIFF": b"JUNKJUNKJUNK",
    "cut": exif(TURNED)[:11],
    "directory beyond the end": b"MM\0*\xff\xff\xff\xff",
    "orientation is text": exif((0x0112, STRING, 2, 0x4142)),
    "orientation 0": exif((0x0112, 3, 1, 0)),
    "orientation 9": exif((0x0112, 3, 1, 9)),
    "65535 entries": b"II*\0\x08\0\0\0\xff\xff" + b"\x12\x01\x03\0\xff\xff\xff\xff" * 40,
}


def with_exif(kind, block):
    if kind == "JPEG":
        data, head = encoded("JPEG", quality=95), b"Exif\0\0" + block
        return data[:2] + b"\xff\xe1" + struct.pack(">H", len(head) + 2) + head + data[2:]
    if kind == "PNG":
        return with_chunks(chunk(b"eXIf", block))
    if kind == "WEBP":
        return encoded("WEBP", lossless=True, exif=b"Exif\0\0" + block)
    return encoded(kind, exif=b"Exif\0\0" + block)


def chunk(name, data, crc=None):
    check = zlib.crc32(name + data) if crc is None else crc
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", check)


def with_chunks(*chunks, image=PICTURE):
    """A PNG with `chunks` behind its header."""
    data = encoded("PNG", image)
    return data[:33] + b"".join(chunks) + data[33:]


@pytest.mark.parametrize("block", READABLE.values(), ids=READABLE)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_orientation_that_can_be_read_is_applied(kind, block):
    upright = np.asarray(read_rgb(with_exif(kind, exif())))
    np.testing.assert_array_equal(read_rgb(with_exif(kind, block)), np.rot90(upright, -1))


@pytest.mark.parametrize("block", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
def test_an_orientation_that_cannot_be_read_counts_as_none(kind, block):
    try:
        data = with_exif(kind, block)
    except (OSError, RuntimeError, SyntaxError, TypeError, ValueError, struct.error):
        pytest.skip(f"{kind}'s encoder does not write this")
    np.testing.assert_array_equal(read_rgb(data), read_rgb(with_exif(kind, exif())))


@pytest.mark.parametrize("value", range(1, 9))
def test_every_orientation_is_as_pillow_turns_it(value):
    from PIL import ImageOps

    block = Image.Exif()
    block[0x0112] = value
    data = encoded("PNG", exif=block)
    np.testing.assert_array_equal(
        read_rgb(data), ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    )
    np.testing.assert_array_equal(
        read_rgb(encoded("TIFF", exif=block)), read_rgb(data), err_msg="TIFF"
    )


XMP = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
RAW = b"\nexif\n      26\n" + exif(TURNED).hex().encode()


@pytest.mark.parametrize(
    "data",
    [
        encoded("JPEG", quality=95)[:2]
        + b"\xff\xe1"
        + struct.pack(">H", len(XMP) + 31)
        + b"http://ns.adobe.com/xap/1.0/\0"
        + XMP
        + encoded("JPEG", quality=95)[2:],
        with_chunks(chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)),
        with_chunks(chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(RAW))),
        with_chunks(chunk(b"tEXt", b"Raw profile type exif\0" + RAW)),
    ],
    ids=["XMP in JPEG", "XMP in PNG", "profile in zTXt", "profile in tEXt"],
)
def test_an_orientation_stands_elsewhere_too(data):
    upright = encoded("JPEG", quality=95) if data[:2] == b"\xff\xd8" else encoded("PNG")
    np.testing.assert_array_equal(read_rgb(data), np.rot90(np.asarray(read_rgb(upright)), -1))


MEGABYTES = zlib.compress(b"a" * 3_000_000)
CHUNKS = {
    "zTXt of 3 MB": chunk(b"zTXt", b"k\0\0" + MEGABYTES),
    "iTXt of 3 MB": chunk(b"iTXt", b"k\0\1\0\0\0" + MEGABYTES),
    "XMP of 3 MB": chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + MEGABYTES),
    "EXIF of 3 MB": chunk(b"zTXt", b"Raw profile type exif\0\0" + MEGABYTES),
    "eXIf of 3 MB": chunk(b"eXIf", b"a" * 3_000_000),
    "iCCP of 3 MB": chunk(b"iCCP", b"k\0\0" + MEGABYTES),
    "iCCP of another method": chunk(b"iCCP", b"k\0\7abc"),
    "iCCP without a name": chunk(b"iCCP", b""),
    "gAMA short": chunk(b"gAMA", b"\0"),
    "cHRM short": chunk(b"cHRM", b"\0" * 5),
    "pHYs short": chunk(b"pHYs", b"\0" * 5),
    "sRGB empty": chunk(b"sRGB", b""),
    "tRNS short": chunk(b"tRNS", b"\0"),
    "tRNS with a wrong checksum": chunk(b"tRNS", b"\0" * 6, crc=1),
    "acTL short": chunk(b"acTL", b"\0"),
    "acTL twice": chunk(b"acTL", b"\0\0\0\2\0\0\0\0") * 2,
    "fcTL out of order": chunk(b"fcTL", b"\0\0\0\7" + b"\0" * 22),
    "fdAT alone": chunk(b"fdAT", b"\0\0\0\0abc"),
    "text with a wrong checksum": chunk(b"tEXt", b"a\0b", crc=1),
    "a private one": chunk(b"prVt", b"abc"),
}


@pytest.mark.parametrize("extra", CHUNKS.values(), ids=CHUNKS)
def test_no_chunk_of_a_png_is_an_obstacle(extra):
    np.testing.assert_array_equal(read_rgb(with_chunks(extra)), PIXELS)


def test_a_chunk_behind_the_pixels_is_no_obstacle_either():
    data = encoded("PNG")
    end = data.rindex(b"IEND") - 4
    for extra in CHUNKS.values():
        np.testing.assert_array_equal(read_rgb(data[:end] + extra + data[end:]), PIXELS)


def test_transparency_of_a_png_is_no_obstacle_and_is_kept():
    palette = PICTURE.quantize(4)
    clear = encoded("PNG", palette, transparency=0)
    shown = np.asarray(read_rgb(clear))
    assert (shown[np.asarray(palette) == 0] == 255).all()


def test_an_animated_png_is_its_first_picture():
    moving = encoded("PNG", save_all=True, append_images=[PICTURE.rotate(180)] * 2)
    np.testing.assert_array_equal(read_rgb(moving), PIXELS)


def test_the_pixels_of_a_png_that_are_damaged_are_an_error():
    data = bytearray(encoded("PNG"))
    data[data.index(b"IDAT") + 20] ^= 255
    with pytest.raises(Exception, match="not a readable image"):
        read_rgb(bytes(data))


def segment(marker, data):
    return bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data


SEGMENTS = {
    "JFIF short": segment(0xE0, b"JFIF\0"),
    "an empty one": segment(0xE1, b""),
    "many pictures, broken": segment(0xE2, b"MPF\0" + b"MM\0*\xff\xff\xff\xff"),
    "many pictures, of odd types": segment(0xE2, b"MPF\0" + exif((0xB001, STRING, 1, 9))),
    "profile without a number": segment(0xE2, b"ICC_PROFILE\0"),
    "profile in pieces that miss": segment(0xE2, b"ICC_PROFILE\0\2\3abc"),
    "Photoshop's, cut": segment(0xED, b"Photoshop 3.0\0" + b"8BIM\3\xed\0\0\0"),
    "Adobe's short": segment(0xEE, b"Adobe"),
    "comment": segment(0xFE, b"\xff" * 60000),
    "filling bytes": b"\xff" * 50,
}


@pytest.mark.parametrize("extra", SEGMENTS.values(), ids=SEGMENTS)
def test_no_segment_of_a_jpeg_is_an_obstacle(extra):
    data = encoded("JPEG", quality=95)
    np.testing.assert_array_equal(read_rgb(data[:2] + extra + data[2:]), read_rgb(data))


def test_adobes_segment_still_says_what_the_colours_are():
    kept = encoded("JPEG", quality=95, keep_rgb=True)  # RGB, not YCbCr, by Adobe's segment
    np.testing.assert_allclose(np.asarray(read_rgb(kept), int), PIXELS, atol=12)
    inks = encoded("JPEG", PICTURE.convert("CMYK"), quality=95)
    np.testing.assert_array_equal(
        read_rgb(inks), Image.open(io.BytesIO(inks)).convert("RGB"), err_msg="CMYK"
    )


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate"])
@pytest.mark.parametrize(
    "tags",
    [
        {0x8769: 0xFFFFF0},  # EXIF's directory beyond the end
        {0x011A: "resolution", 0x0128: 3},
        {0x8773: b"no profile"},
        {0x02BC: b"no XMP"},
    ],
    ids=["EXIF nowhere", "resolution is text", "profile", "XMP"],
)
def test_no_tag_of_a_tiff_is_an_obstacle(tags, compression):
    from PIL.TiffImagePlugin import ImageFileDirectory_v2

    info = ImageFileDirectory_v2()
    for tag, value in tags.items():
        info.tagtype[tag] = {int: LONG, str: STRING, bytes: 7}[type(value)]
        info[tag] = value
    data = encoded("TIFF", tiffinfo=info, compression=compression)
    np.testing.assert_array_equal(read_rgb(data), PIXELS)


def test_an_image_of_pillows_with_broken_exif_is_read():
    image = Image.open(io.BytesIO(with_exif("PNG", UNREADABLE["not TIFF"])))
    np.testing.assert_array_equal(rgb(image, "image 1"), PIXELS)


def test_the_orientation_of_an_avifs_container_is_kept_beside_broken_exif():
    turned = Image.Exif()
    turned[0x0112], turned[0x010F] = 6, "maker"
    data = encoded("AVIF", exif=turned.tobytes(), quality=100)
    broken = data.replace(b"II*\0", b"JUNK").replace(b"MM\0*", b"JUNK")
    assert broken != data
    assert read_rgb(data).size == read_rgb(broken).size == (12, 20)
