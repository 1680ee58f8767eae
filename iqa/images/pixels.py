"""From an image of any mode to 8-bit RGB, upright."""

import warnings
from collections.abc import Callable

import numpy as np
from PIL import ExifTags, Image
from PIL.ImageFile import ImageFile

from iqa.errors import UserError
from iqa.images.formats import FORMATS
from iqa.images.locks import ForkLock

# What Pillow warns of here is an error, or it stands in metadata that are not used.
warnings.filterwarnings("ignore", module=r"PIL\.")

MAX_PIXELS = 128_000_000
"""An image of more is refused, for a small file can unpack to more than the memory holds. Phones
take photographs of 108 million."""

MAX_SIDE = 1_000_000
"""Likewise: to resize a side takes memory in proportion to it."""

_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N")

# Pixels that are converted at a time, where that takes more memory than the result.
_STRIP = 1 << 22

# Threads may be given the same image, of which a file's is decoded when it is first used.
_one_load = ForkLock()

_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def rgb(image: Image.Image, name: str, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Turn an image of any mode into 8-bit RGB, upright.

    The EXIF orientation is applied, and one that cannot be read counts as none; transparent parts
    are shown over white, as most viewers do; grey of 12 or 16 bits is scaled to 8; palettes, grey
    and CMYK are converted without colour profiles; of an animation the present frame is taken,
    which is the first unless another was chosen. What is upright RGB already is given back itself.

    Args:
        image: any image of Pillow's.
        name: what an error calls it.
        max_pixels: refuse more, or fewer where decoding takes more (`check_size`).

    Raises:
        UserError: it is truncated, of a format that is not read, empty, larger than `max_pixels`
            allows, or its pixels have no known range: floats, 32-bit or signed integers.
    """
    check_size(image, name, max_pixels)
    # Loading it is what would start a program. Pillow calls a JPEG with a second picture MPO.
    if isinstance(image, ImageFile) and image.format not in {*FORMATS, "MPO"}:
        raise UserError(f"{name}: {image.format} is not read; save it as PNG")
    try:
        with _one_load:
            image.load()
            turn = orientation(image)
        return turned(to_rgb(image, name), turn)
    except UserError:
        raise
    except Exception as error:
        raise unreadable(name, error) from error


def check_size(image: Image.Image, name: str, max_pixels: int) -> None:
    """See that an image can be held.

    Of kinds that take more memory or time to decode than others, fewer pixels are allowed.

    Raises:
        UserError: it is empty, or larger than `max_pixels` or a side of `MAX_SIDE` allows.
    """
    width, height = image.size
    if not width or not height:
        raise UserError(f"{name}: {width} x {height} pixels, an empty image; leave it out")
    max_pixels = max_pixels * 4 // _bytes_per_pixel(image)
    if width * height > max_pixels:
        raise UserError(
            f"{name}: {width} x {height} is more than {max_pixels:,} pixels (a decompression "
            "bomb?); make the image smaller, or allow more by --max-pixels"
        )
    if max(width, height) > MAX_SIDE:
        raise UserError(
            f"{name}: {width} x {height}: a side of more than {MAX_SIDE:,} pixels; cut the image up"
        )


def _bytes_per_pixel(image: Image.Image) -> int:
    """What decoding takes, measured; 4 are the image's own."""
    tiles = getattr(image, "tile", [])
    if tiles and tiles[0][0] in ("bmp_rle", "ppm", "ppm_plain", "qoi"):
        return 32  # written in Python: a second for a million pixels, so fewer are allowed
    known = {"AVIF": 9, "GIF": 5, "HEIF": 8, "JPEG2000": 19, "WEBP": 17}
    return known.get(image.format or "", 4)


def unreadable(name: str, error: Exception) -> UserError:
    """The error for what Pillow's decoders raise on damaged input: nearly every type there is."""
    reason = " ".join(str(error).split()) or type(error).__name__
    return UserError(f"{name}: not a readable image ({reason}); replace the file or leave it out")


def to_rgb(image: Image.Image, name: str) -> Image.Image:
    """A loaded image in 8-bit RGB, not yet upright; as `rgb`."""
    if image.mode == "RGB" and not image.has_transparency_data:
        return image
    if image.mode in _SIXTEEN_BIT or (image.mode == "I" and image.format == "PPM"):
        return _by_strips(image, _from_deep_grey(image))
    if image.mode in ("I", "F"):
        kind = "floating-point" if image.mode == "F" else "32-bit or signed integer"
        raise UserError(f"{name}: {kind} pixels have no known range; save it with 8 or 16 bits")
    if image.has_transparency_data:
        return _by_strips(image, _over_white)
    return image.convert("RGB")


def _by_strips(image: Image.Image, convert: Callable[[Image.Image], Image.Image]) -> Image.Image:
    """`convert` applied to strips of the image, in RGB."""
    rows = max(1, _STRIP // image.width)
    if rows >= image.height:
        return convert(image).convert("RGB")
    whole = Image.new("RGB", image.size)
    for top in range(0, image.height, rows):
        box = (0, top, image.width, min(top + rows, image.height))
        whole.paste(convert(image.crop(box)), box)
    return whole


def _over_white(image: Image.Image) -> Image.Image:
    image = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)


def _from_deep_grey(image: Image.Image) -> Callable[[Image.Image], Image.Image]:
    """What makes 8 bits of the grey levels of a file: Pillow's conversion clips them instead."""
    bits, white_is_zero = image.info.get("grey", (16, False))
    clear = image.info.get("transparency")  # a grey level

    def convert(strip: Image.Image) -> Image.Image:
        levels = np.asarray(strip).astype(np.int32)
        grey = (levels * (255 / (2**bits - 1))).round().clip(0, 255).astype(np.uint8)
        if white_is_zero:
            grey = 255 - grey
        if isinstance(clear, int):
            grey[levels == clear] = 255
        return Image.fromarray(grey)

    return convert


def orientation(image: Image.Image) -> int:
    """How a loaded image is to be turned, as EXIF counts; 1, not at all, where it cannot be read.

    Of what is broken, Pillow's readers raise nearly every type there is.
    """
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:
        return 1


def turned(image: Image.Image, orientation: int) -> Image.Image:
    """The image upright."""
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)
