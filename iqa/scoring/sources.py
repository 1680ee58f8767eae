"""What can be scored: files and folders, bytes and open files, arrays, tensors, Pillow's images."""

import os
import sys
from collections.abc import Iterable, Iterator
from functools import partial
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import TiffImageFile

from iqa.errors import UserError
from iqa.features.squares import square
from iqa.images import read_as, rgb
from iqa.scoring.inputs import Skipped, find_images

Named = tuple[str, Any]
"""What a row calls an image, and the image: a path, bytes, an array, a tensor, Pillow's."""

_EXPECTED = (
    "expected a path, the bytes of a file, an open binary file, an array, a tensor or an image of "
    "Pillow's"
)


def each(images: Any) -> Iterable[Any]:
    """The images that `images` stands for: itself if it is one, those of a batch, of an iterable.

    A folder stands for the images below it, by itself and among others.
    """
    if isinstance(images, np.ndarray) and images.ndim == 0:
        images = images.item()
    many = hasattr(images, "__iter__") and not _is_one(images)
    for image in images if many else [images]:
        if isinstance(image, str | PathLike) and os.path.isdir(image):
            yield from _in_folder(image)
        else:
            yield image


def _is_one(images: Any) -> bool:
    if isinstance(images, np.ndarray):
        return images.ndim in (2, 3) and images.dtype.kind not in "UOS"
    if _is_tensor(images):
        return images.ndim in (2, 3)
    one = str | PathLike | Image.Image | bytes | bytearray | memoryview
    return isinstance(images, one) or hasattr(images, "read")


def _is_tensor(image: Any) -> bool:
    """Whether it is PyTorch's. Nothing is where torch was not imported, which takes seconds."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(image, torch.Tensor)


def _in_folder(folder: str | PathLike[str]) -> Iterable[Any]:
    try:
        yield from find_images([os.fspath(folder)], Skipped())
    except UserError:
        yield folder  # without images: the reader says so


def named(images: Iterable[Any]) -> Iterator[Named]:
    """Each image with its name: the path, or its place, such as "image 3".

    Open files are read here, in the caller's thread, in their order: two may be the same one.
    """
    for number, image in enumerate(images, 1):
        if isinstance(image, str | PathLike):
            path = os.fsdecode(image)
            yield path, path
        elif hasattr(image, "read"):
            name = getattr(image, "name", None)
            name = name if isinstance(name, str) else f"image {number}"
            yield name, _content(image, name)
        else:
            yield f"image {number}", image


def _content(file: Any, name: str) -> bytes | UserError:
    """What is left to read of an open file, or why it cannot be read."""
    try:
        content = file.read()
    except Exception as error:  # any file-like object, any error
        return UserError(f"{name}: cannot be read ({error}); open it anew")
    if isinstance(content, bytes):
        return content
    return UserError(f"{name}: gives {type(content).__name__}, not bytes; open it in binary")


def square_of(source: Any, name: str, size: int, max_pixels: int) -> NDArray[np.uint8]:
    """The uint8 (size, size, 3) that a model sees of an image.

    Args:
        source: a path, or bytes as files hold them. An array (H, W), (H, W, 1), (H, W, 3) or
            (H, W, 4), or a tensor (H, W), (1, H, W), (3, H, W) or (4, H, W): grey, RGB or RGBA;
            uint8 from 0 to 255, uint16 from 0 to 65535, or floats from 0 to 1. Pillow's images.
        name: what an error calls it.
        size: in pixels.
        max_pixels: refuse more.

    Raises:
        UserError: it is none of these, or as `iqa.images.read_as`.
    """
    shrink = partial(square, size=size)
    if isinstance(source, UserError):
        raise source
    if isinstance(source, str | PathLike):
        return read_as(shrink, source, at_least=size, max_pixels=max_pixels)
    if isinstance(source, bytes | bytearray | memoryview):
        return read_as(shrink, bytes(source), name, at_least=size, max_pixels=max_pixels)
    if _is_tensor(source):
        source = _channels_last(source, name)
    if isinstance(source, np.ndarray):
        source = _from_array(source, name)
    if isinstance(source, Image.Image):
        _check_grey(source, name)
        return shrink(rgb(source, name, max_pixels))
    raise UserError(f"{name}: {type(source).__name__} is no image; {_EXPECTED}")


def _check_grey(image: Image.Image, name: str) -> None:
    """Find grey levels of a TIFF whose meaning is lost once Pillow has opened it by itself."""
    if isinstance(image, TiffImageFile) and image.mode.startswith("I;16"):
        bits = image.tag_v2.get(ExifTags.Base.BitsPerSample, (16,))[0]
        white_is_zero = image.tag_v2.get(ExifTags.Base.PhotometricInterpretation, 1) == 0
        if bits < 16 or white_is_zero:
            raise UserError(
                f"{name}: a TIFF of {bits}-bit grey{', inverted' if white_is_zero else ''}; give "
                "its path, since an opened image does not keep what its levels mean"
            )


def _channels_last(tensor: Any, name: str) -> NDArray[Any]:
    if tensor.ndim == 3 and tensor.shape[0] not in (1, 3, 4):
        raise UserError(
            f"{name}: a tensor of shape {tuple(tensor.shape)}; expected (H, W), (1, H, W), "
            "(3, H, W) or (4, H, W)"
        )
    tensor = tensor.detach().cpu()
    if tensor.is_floating_point():
        tensor = tensor.float()  # NumPy has no bfloat16
    return (tensor.permute(1, 2, 0) if tensor.ndim == 3 else tensor).numpy()


def _from_array(array: NDArray[Any], name: str) -> Image.Image:
    if array.ndim not in (2, 3) or array.shape[2:] not in {(), (1,), (3,), (4,)}:
        raise UserError(
            f"{name}: an array of shape {array.shape}; expected (H, W), (H, W, 1), (H, W, 3) or "
            "(H, W, 4)"
        )
    if not array.size:
        raise UserError(f"{name}: an array of shape {array.shape}, an empty image; leave it out")
    pixels = _eight_bits(array, name)
    return Image.fromarray(pixels[..., 0] if pixels.shape[2:] == (1,) else pixels)


def _eight_bits(array: NDArray[Any], name: str) -> NDArray[np.uint8]:
    kind = array.dtype.kind, array.dtype.itemsize
    if kind == ("u", 1):
        return np.ascontiguousarray(array)
    if kind == ("u", 2):
        return (array / 257).round().astype(np.uint8)
    if kind[0] != "f":
        raise UserError(
            f"{name}: an array of {array.dtype}, whose range is not known; expected uint8, uint16, "
            "or floats from 0 to 1"
        )
    # By way of "not inside", which NaN is too.
    if not (array.min() >= 0 and array.max() <= 1):
        raise UserError(
            f"{name}: floats from {array.min():.4g} to {array.max():.4g}; expected 0 to 1 (values "
            "up to 255: divide by 255)"
        )
    return (array * 255).round().astype(np.uint8)
