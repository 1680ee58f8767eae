"""What `Scorer.score` takes: every kind of input is a row with a score, or one with an error."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from iqa.features import read_image


@pytest.fixture
def path(picture):
    return picture("a.png", seed=3)


@pytest.fixture
def pixels(path):
    return np.asarray(Image.open(path))


@pytest.fixture
def right(scorer, path):
    return scorer.score(path)["score"].item()


def opaque(pixels):
    return np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])


SAME = {
    "path": lambda path, pixels: path,
    "Path": lambda path, pixels: Path(path),
    "NumPy's string": lambda path, pixels: np.array(path),
    "array of strings": lambda path, pixels: np.array([path]),
    "pandas column": lambda path, pixels: pd.Series([path]),
    "directory entry": lambda path, pixels: next(Path(path).parent.iterdir()),
    "folder": lambda path, pixels: str(Path(path).parent),
    "folder among others": lambda path, pixels: [Path(path).parent],
    "bytes": lambda path, pixels: Path(path).read_bytes(),
    "bytearray": lambda path, pixels: bytearray(Path(path).read_bytes()),
    "bytes in a list": lambda path, pixels: [Path(path).read_bytes()],
    "open file": lambda path, pixels: io.BytesIO(Path(path).read_bytes()),
    "open files": lambda path, pixels: [io.BytesIO(Path(path).read_bytes())],
    "Pillow's": lambda path, pixels: Image.open(path),
    "uint8": lambda path, pixels: pixels,
    "RGBA": lambda path, pixels: opaque(pixels),
    "big-endian": lambda path, pixels: pixels.astype(">u1"),
    "another order in memory": lambda path, pixels: np.asfortranarray(pixels),
    "uint16": lambda path, pixels: pixels.astype(np.uint16) * 257,
    "big-endian uint16": lambda path, pixels: (pixels.astype(np.uint16) * 257).astype(">u2"),
    "float64": lambda path, pixels: pixels / 255,
    "float32": lambda path, pixels: (pixels / 255).astype(np.float32),
    "batch": lambda path, pixels: pixels[None],
    "tensor": lambda path, pixels: torch.tensor(pixels).permute(2, 0, 1),
    "float tensor": lambda path, pixels: torch.tensor(pixels).permute(2, 0, 1) / 255,
    "tensor of a graph": lambda path, pixels: torch.tensor(
        pixels / 255, requires_grad=True
    ).permute(2, 0, 1),
    "batch of tensors": lambda path, pixels: torch.tensor(pixels).permute(2, 0, 1)[None],
    "generator": lambda path, pixels: (one for one in [path]),
}


@pytest.mark.parametrize("kind", SAME)
def test_every_kind_of_input_scores_alike(scorer, path, pixels, right, kind):
    table = scorer.score(SAME[kind](path, pixels))
    assert table["score"].tolist() == [right], table["error"].item()
    assert table["error"].tolist() == [None]


def test_grey_arrays_and_tensors(scorer, pixels):
    grey = pixels[..., 0]
    sources = [grey, grey[..., None], torch.tensor(grey), torch.tensor(grey)[None], grey / 255]
    sources.append(Image.fromarray(grey))
    table = scorer.score(sources)
    assert table["score"].nunique() == 1, table
    assert table["error"].isna().all()


def test_half_precision_is_taken_with_its_own_rounding(scorer, pixels, right):
    halves = torch.tensor(pixels / 255).permute(2, 0, 1).bfloat16()
    table = scorer.score([halves])
    assert abs(table["score"].item() - right) < 0.2


class Broken:
    def read(self):
        raise OSError("unplugged")


WRONG = {
    "None": (None, "NoneType is no image; expected a path"),
    "NaN": (float("nan"), "float is no image"),
    "list": ([[0, 0, 0]], "list is no image"),
    "bytes of a path": (b"a.png", "not a readable image"),
    "empty bytes": (b"", "not a readable image"),
    "text file": (io.StringIO("a.png"), "gives str, not bytes; open it in binary"),
    "broken file": (Broken(), "cannot be read (unplugged)"),
    "address": ("https://example.org/a.jpg", "no such image file"),
    "NUL": ("a\0.jpg", "null"),
    "lone surrogate": ("a\ud800.jpg", "not a file name"),
    "empty array": (np.zeros((0, 0, 3), np.uint8), "an empty image"),
    "empty crop": (np.zeros((9, 9, 3), np.uint8)[20:], "an empty image"),
    "empty tensor": (torch.zeros(3, 0, 5), "an empty image"),
    "empty image": (Image.new("RGB", (0, 10)), "an empty image"),
    "five channels": (np.zeros((9, 9, 5), np.uint8), "an array of shape (9, 9, 5)"),
    "channels first": (np.zeros((3, 9, 9), np.uint8), "an array of shape (3, 9, 9)"),
    "channels last": (torch.zeros(9, 9, 3), "a tensor of shape (9, 9, 3)"),
    "batch in a list": (np.zeros((2, 9, 9, 3), np.uint8), "an array of shape (2, 9, 9, 3)"),
    "int64": (np.zeros((9, 9, 3), int), "an array of int64, whose range is not known"),
    "int8": (np.zeros((9, 9, 3), np.int8), "an array of int8, whose range is not known"),
    "bool": (np.zeros((9, 9), bool), "an array of bool, whose range is not known"),
    "complex": (np.zeros((9, 9), complex), "an array of complex128"),
    "objects": (np.zeros((9, 9), object), "an array of object"),
    "above 1": (np.full((9, 9, 3), 255.0), "floats from 255 to 255; expected 0 to 1"),
    "below 0": (np.full((9, 9, 3), -0.1), "floats from -0.1 to -0.1; expected 0 to 1"),
    "normalised tensor": (torch.full((3, 9, 9), 2.1), "floats from 2.1 to 2.1"),
    "NaN inside": (np.full((9, 9, 3), np.nan), "floats from nan to nan"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_image_is_a_row_and_ends_nothing(scorer, path, right, kind):
    wrong, said = WRONG[kind]
    table = scorer.score([path, wrong, path])
    assert table["score"].tolist()[::2] == [right, right]
    assert np.isnan(table["score"][1])
    assert said in table["error"][1]
    assert table["error"][1].isprintable()


@pytest.mark.parametrize("wrong", [None, 3.5, object()])
def test_a_wrong_type_alone_is_a_row_too(scorer, wrong):
    assert "is no image" in scorer.score(wrong)["error"].item()


def test_a_closed_image_of_pillows_is_a_row(scorer, path):
    image = Image.open(path)
    image.close()
    assert "not a readable image" in scorer.score([image])["error"].item()


def test_one_open_file_given_twice_is_read_once(scorer, path, right):
    with open(path, "rb") as file:
        table = scorer.score([file, file])
    assert table["score"][0] == right
    assert "not a readable image" in table["error"][1]  # it was at its end
    assert table["path"][0] == path


def test_names_are_paths_or_places(scorer, path, pixels):
    table = scorer.score([Path(path), pixels, io.BytesIO(Path(path).read_bytes())])
    assert table["path"].tolist() == [path, "image 2", "image 3"]


def test_a_large_jpeg_scores_as_at_full_size_nearly(scorer, picture, tmp_path):
    """Decoded at half its size it is still twice the model's input, 64 pixels."""
    from scipy.ndimage import gaussian_filter

    noise = np.random.default_rng(0).random((400, 500, 3)) * 255
    smooth = gaussian_filter(noise, (2, 2, 0))
    smooth = (smooth - smooth.min()) / np.ptp(smooth) * 255
    Image.fromarray(smooth.astype(np.uint8)).save(tmp_path / "large.jpg", quality=92)
    whole = scorer.score(read_image(tmp_path / "large.jpg", 64))["score"].item()
    assert abs(scorer.score(tmp_path / "large.jpg")["score"].item() - whole) < 0.02 * 4


@pytest.mark.parametrize("photometric", [0, 1])
def test_grey_of_a_tiff_that_was_opened_before_is_never_misread(scorer, photometric):
    levels = np.linspace(0, 65535, 64 * 64).astype(np.uint16).reshape(64, 64)
    tiff = io.BytesIO()
    Image.fromarray(levels).save(tiff, "TIFF", tiffinfo={262: photometric})
    by_file, opened = scorer.score([tiff.getvalue(), Image.open(tiff)]).itertuples()
    if photometric:
        assert opened.score == by_file.score
    else:
        assert "a TIFF of 16-bit grey, inverted; give its path" in opened.error
