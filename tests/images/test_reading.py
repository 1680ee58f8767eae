import ast
import io
import os
import subprocess
import threading
from pathlib import Path

import numpy as np
import pillow_heif
import pytest
from PIL import Image

import iqa
from iqa.errors import UserError
from iqa.images import FORMATS, SUFFIXES, read_as, read_rgb, reading, rgb

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n%%EOF\n"
SMOOTH = Image.fromarray(
    np.stack(np.meshgrid(np.arange(64), np.arange(48), [80]), -1).astype(np.uint8).squeeze() * 3
)


@pytest.fixture
def started(monkeypatch):
    """The commands that are started."""
    commands = []

    def start(command, *_, **__):
        commands.append(command)
        raise OSError("nothing may be started")

    monkeypatch.setattr(subprocess, "Popen", start)
    return commands


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.tif", "a.eps", "a.tga", "a"])
def test_no_file_starts_a_program_whatever_its_name(tmp_path, started, name):
    (tmp_path / name).write_bytes(EPS)
    with pytest.raises(UserError, match="not a readable image"):
        read_rgb(tmp_path / name)
    assert started == []


def test_neither_bytes_nor_an_image_that_pillow_opened_start_a_program(started):
    with pytest.raises(UserError, match="not a readable image"):
        read_rgb(EPS)
    image = Image.open(io.BytesIO(EPS))
    with pytest.raises(UserError, match="image 1: EPS is not read"):
        rgb(image, "image 1")
    assert started == []
    with pytest.raises(OSError, match=r"Ghostscript|started"):
        image.load()
    assert started, "Pillow itself would have started one"


def test_image_files_are_opened_in_one_place():
    """`Image.open` takes any format: nothing in the package may call it."""
    package = Path(iqa.__file__).parent
    calls = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "Image.open"
    }
    assert calls == set()


def encoded(kind, image=SMOOTH, **options):
    file = io.BytesIO()
    if kind == "HEIF":
        pillow_heif.from_pillow(image).save(file, quality=-1, chroma=444, **options)
    else:
        lossless = {"AVIF": {"quality": 100, "subsampling": "4:4:4"}, "WEBP": {"lossless": True}}
        image.save(file, kind, **lossless.get(kind, {}), **options)
    return file.getvalue()


@pytest.mark.parametrize("kind", FORMATS)
def test_every_kind_is_read_whatever_its_suffix(tmp_path, kind):
    suffix = ".tga" if kind == "TGA" else ".jpg"
    (tmp_path / f"a{suffix}").write_bytes(encoded(kind))
    given = np.asarray(read_rgb(tmp_path / f"a{suffix}"), int)
    np.testing.assert_allclose(given, np.asarray(SMOOTH, int), atol=24 if kind == "GIF" else 8)


@pytest.mark.parametrize("kind", ["ICO", "PCX", "PDF", "SGI", "SPIDER", "DDS", "EPS"])
def test_other_kinds_are_refused(tmp_path, kind):
    image = SMOOTH.convert("F") if kind == "SPIDER" else SMOOTH
    for name in ("a.jpg", "a.tif"):
        (tmp_path / name).write_bytes(encoded(kind, image))
        with pytest.raises(UserError, match="none of AVIF, BMP"):
            read_rgb(tmp_path / name)


def test_a_jpeg_with_a_second_picture_in_it_is_its_first(tmp_path):
    second = Image.new("RGB", (4, 3))
    SMOOTH.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[second])
    with Image.open(tmp_path / "a.jpg") as opened:
        assert opened.format == "MPO"
        np.testing.assert_array_equal(read_rgb(tmp_path / "a.jpg"), rgb(opened, "image 1"))


def test_suffixes_of_what_people_have():
    for suffix in (".heic", ".avif", ".jfif", ".jpe", ".pnm", ".tga", ".qoi", ".mpo", ".jpeg"):
        assert suffix in SUFFIXES


def long(path):
    path.touch()
    os.truncate(path, 50 << 30)


KINDS = {
    "pipe": (os.mkfifo, "not a regular file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
    "folder": (lambda path: path.mkdir(), "a folder"),
    "dangling": (lambda path: path.symlink_to("nowhere"), "no such image file"),
    "loop": (lambda path: path.symlink_to(path.name), "symbolic links"),
    "long": (long, "more than 1,073,741,824 bytes"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_only_regular_files_of_bounded_length_are_opened(tmp_path, kind):
    make, said = KINDS[kind]
    make(tmp_path / "a.jpg")
    with pytest.raises(UserError, match=said):
        read_rgb(tmp_path / "a.jpg")


@pytest.mark.parametrize(
    ("name", "said"),
    [("d/" * 3000 + "a.jpg", "name too long"), ("a\0.jpg", "null"), ("a\ud800.jpg", "file name")],
    ids=["long", "NUL", "surrogate"],
)
def test_names_that_no_file_can_have(name, said):
    with pytest.raises(UserError, match=said) as caught:
        read_rgb(name)
    assert str(caught.value).isprintable()


def test_a_jpeg_far_larger_than_wanted_is_decoded_at_reduced_size():
    image = SMOOTH.resize((2000, 1500), Image.Resampling.BICUBIC)
    jpeg, size = encoded("JPEG", image, quality=95), lambda found: found.size
    assert read_as(size, jpeg) == (2000, 1500)
    assert read_as(size, jpeg, at_least=100) == (500, 375)  # not 250 x 188: below 2 x 100
    assert read_as(size, jpeg, at_least=90) == (250, 188)
    assert read_as(size, jpeg, at_least=800) == (2000, 1500)
    assert read_as(size, encoded("PNG", image), at_least=90) == (2000, 1500)
    # What counts is what is decoded.
    assert read_as(size, jpeg, at_least=90, max_pixels=100_000) == (250, 188)
    with pytest.raises(UserError, match="2000 x 1500 is more than 100,000 pixels"):
        read_as(size, jpeg, max_pixels=100_000)


def test_large_images_are_held_one_at_a_time(monkeypatch):
    monkeypatch.setattr(reading, "_LARGE", 1000)
    held, most, png = [], [], encoded("PNG")

    def use(image):
        held.append(image)
        most.append(len(held))
        threading.Event().wait(0.02)
        held.pop()

    threads = [threading.Thread(target=read_as, args=(use, png)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 6


def test_threads_may_be_given_the_same_image():
    image, found = Image.open(io.BytesIO(encoded("PNG", SMOOTH.resize((900, 700))))), []
    expected = np.asarray(Image.open(io.BytesIO(encoded("PNG", SMOOTH.resize((900, 700))))))
    threads = [
        threading.Thread(target=lambda: found.append(np.asarray(rgb(image, "a")))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    for pixels in found:
        np.testing.assert_array_equal(pixels, expected)


def test_many_scans_are_refused_and_what_follows_the_picture_does_not_count():
    jpeg = encoded("JPEG", progressive=True)
    end = jpeg.rindex(b"\xff\xd9")
    last = jpeg[jpeg.rindex(b"\xff\xda") : end]
    with pytest.raises(UserError, match="more than 100 scans"):
        read_rgb(jpeg[:end] + last * 200 + jpeg[end:])
    film = np.random.default_rng(0).bytes(2000) + b"\xff\xda" * 200
    np.testing.assert_array_equal(read_rgb(jpeg + film), read_rgb(jpeg))
