"""The kinds of image files that are read. Nothing else is opened, and no program is ever started.

Pillow knows some forty formats and by default goes by a file's first bytes, whatever its name is.
Among them is EPS, which it gives to Ghostscript to run as a program.
"""

import io
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO

from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    Jpeg2KImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    PpmImagePlugin,
    QoiImagePlugin,
    TgaImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)
from PIL.ImageFile import ImageFile

from iqa.images.metadata import plain_jpeg, plain_png


@dataclass(frozen=True)
class Format:
    """A kind of image files.

    Attributes:
        suffixes: what the names of such files end in, in lower case.
        open: gives the image before its pixels are decoded; raises what Pillow raises.
    """

    suffixes: tuple[str, ...]
    open: Callable[[BinaryIO], ImageFile]


def _jpeg(file: BinaryIO) -> ImageFile:
    plain, info = plain_jpeg(file)
    image = JpegImagePlugin.JpegImageFile(plain)
    image.info.update(info)
    return image


def _png(file: BinaryIO) -> ImageFile:
    plain, info = plain_png(file)
    image = PngImagePlugin.PngImageFile(plain)
    image.info.update(info)
    return image


_EXIF_ITEM = re.compile(rb"(?s)(infe(?:\x02.{7}|\x03.{9}))Exif")


def _avif(file: BinaryIO) -> ImageFile:
    # The library refuses a file whose EXIF is broken. The orientation stands in the container.
    return AvifImagePlugin.AvifImageFile(io.BytesIO(_EXIF_ITEM.sub(rb"\1none", file.read())))


_SUBFILE, _PLANES, _DNG = 254, 284, 50706  # tags of TIFF


class _Tiff(TiffImagePlugin.TiffImageFile):
    def _setup(self) -> None:
        # What is of no use here must not make the pixels unreadable.
        for tag in (
            TiffImagePlugin.X_RESOLUTION,
            TiffImagePlugin.Y_RESOLUTION,
            TiffImagePlugin.ICCPROFILE,
        ):
            if tag in self.tag_v2:
                del self.tag_v2[tag]
        super()._setup()
        tags = self.tag_v2
        if _DNG in tags or tags.get(_SUBFILE, 0) & 1:
            raise ValueError("its first page is a thumbnail, as in cameras' raw files; develop it")
        if max(tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))) == 2:
            raise ValueError("signed integers have no known range; save it with 8 or 16 bits")
        bits, compressed = tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,)), self._compression != "raw"
        if tags.get(_PLANES) == 2 and max(bits) > 8 and not compressed:
            # Pillow takes the bytes of such a plane for 8-bit numbers.
            raise ValueError("planes of 16 bits without compression; save it interleaved")
        white_is_zero = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION, 0) == 0
        self.info["grey"] = bits[0], white_is_zero

    def load_end(self) -> None:
        # Pillow would turn the image here, and for that read all its EXIF and write it.
        self._size = self.im.size
        with suppress(Exception):  # as `iqa.images.pixels.orientation`
            self.getexif()  # while the file is open


def _heif(file: BinaryIO) -> ImageFile:
    from pillow_heif.as_plugin import HeifImageFile

    return HeifImageFile(file)


FORMATS = {
    "AVIF": Format((".avif", ".avifs"), _avif),
    "BMP": Format((".bmp", ".dib"), BmpImagePlugin.BmpImageFile),
    "GIF": Format((".gif",), GifImagePlugin.GifImageFile),
    "HEIF": Format((".heic", ".heif", ".heics", ".heifs", ".hif"), _heif),
    "JPEG": Format((".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".mpo"), _jpeg),
    "JPEG2000": Format(
        (".jp2", ".j2c", ".j2k", ".jpc", ".jpf", ".jpx"), Jpeg2KImagePlugin.Jpeg2KImageFile
    ),
    "PNG": Format((".png", ".apng"), _png),
    "PPM": Format((".ppm", ".pgm", ".pbm", ".pnm"), PpmImagePlugin.PpmImageFile),
    "QOI": Format((".qoi",), QoiImagePlugin.QoiImageFile),
    "TGA": Format((".tga",), TgaImagePlugin.TgaImageFile),
    "TIFF": Format((".tif", ".tiff"), _Tiff),
    "WEBP": Format((".webp",), WebPImagePlugin.WebPImageFile),
}
"""What is read, by Pillow's names."""

SUFFIXES = tuple(suffix for known in FORMATS.values() for suffix in known.suffixes)

# The first twelve bytes of HEIF and AVIF say how long the first box is, "ftyp", and which brand.
_ANY_HEIF = (b"mif1", b"msf1")
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs")


def format_of(head: bytes, suffix: str) -> str | None:
    """The name in `FORMATS` of a file by its first bytes (64 are enough), or None.

    Args:
        head: the first bytes.
        suffix: of the file's name; decides about TGA alone, whose files begin with nothing special.
    """
    if head[4:8] == b"ftyp":
        brand = head[8:12]
        if brand in _HEIC or (brand in _ANY_HEIF and b"avi" not in head):
            return "HEIF"
        return "AVIF" if brand in (*_ANY_HEIF, b"avif", b"avis") else None
    for name in FORMATS.keys() - {"AVIF", "HEIF", "TGA"}:
        accepts = Image.OPEN[name][1]
        if accepts is not None and accepts(head[:16]) is True:
            return name
    return "TGA" if suffix.lower() in FORMATS["TGA"].suffixes else None
