"""From an image of any kind to 8-bit RGB, upright."""

import math
import warnings
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps
from PIL.ImageFile import ImageFile

from iqa.errors import UserError
from iqa.images.opening import KINDS, open_image

# What Pillow only warns of, `rgb` refuses.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

# The grey levels of 16-bit files: Pillow's own conversion to 8 bits clips instead of scaling.
_SIXTEEN_BIT = ("I;16", "I;16L", "I;16B", "I;16N", "I")


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode in _SIXTEEN_BIT:
        levels = np.asarray(image, dtype=np.int64).clip(0, 65535)
        image = Image.fromarray((levels / 257).round().astype(np.uint8))
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")


def read_rgb(path: str | Path) -> Image.Image:
    """Read an image file as 8-bit RGB, upright, as `rgb` makes it.

    Raises:
        UserError: The file is missing or not an image, or as `rgb`.
    """
    try:
        image = open_image(path)
    except UserError:
        raise
    except Image.DecompressionBombError:
        raise _too_large(path) from None
    except Exception as error:
        raise _unreadable(path, error) from error
    with image:
        return rgb(image, path)


def rgb(image: Image.Image, name: str | Path) -> Image.Image:
    """Turn an image of any mode into 8-bit RGB, upright.

    The EXIF orientation is applied; transparent parts are shown over white, as most viewers do;
    16-bit grey is scaled by 1/257; palettes, grey and CMYK are converted without colour profiles;
    of an animation the present frame is taken, which is the first unless another was chosen. What
    is upright RGB already is given back itself.

    Args:
        image: Any image of Pillow's.
        name: What an error calls it.

    Raises:
        UserError: It is truncated, of a format that is not read, holds floating-point pixels, or
            more pixels than `Image.MAX_IMAGE_PIXELS` (Pillow's limit, 89 million by default): a
            small file can unpack to more than the memory holds.
    """
    if image.width * image.height > (Image.MAX_IMAGE_PIXELS or math.inf):
        raise _too_large(name)
    # Loading it is what would start a program.
    if isinstance(image, ImageFile) and image.format not in KINDS:
        raise UserError(f"{name}: {image.format} is not read; save it as PNG")
    if image.mode == "F":
        raise UserError(f"{name}: floating-point pixels have no known range; save it with 8 bits")
    try:
        image.load()
        # Pillow would copy an image that is upright and RGB already.
        if image.getexif().get(ExifTags.Base.Orientation, 1) != 1:
            image = ImageOps.exif_transpose(image)
        return image if image.mode == "RGB" and not image.has_transparency_data else _to_rgb(image)
    except Exception as error:
        raise _unreadable(name, error) from error


def _too_large(name: str | Path) -> UserError:
    limit = Image.MAX_IMAGE_PIXELS
    return UserError(
        f"{name}: more than {limit:,} pixels (a decompression bomb?); make the image smaller"
    )


def _unreadable(name: str | Path, error: Exception) -> UserError:
    # Pillow's decoders raise many types on damaged input: OSError, SyntaxError, struct.error, ...
    reason = " ".join(str(error).split())
    return UserError(f"{name}: not a readable image ({reason}); replace the file or leave it out")
