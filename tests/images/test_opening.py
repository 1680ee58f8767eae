import ast
import io
import os
import subprocess
from pathlib import Path

import pytest
from PIL import Image

import iqa
from iqa.errors import UserError
from iqa.images import open_image, read_rgb, rgb

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n%%EOF\n"


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


def test_an_image_that_pillow_opened_starts_no_program(started):
    image = Image.open(io.BytesIO(EPS))
    with pytest.raises(UserError, match="image 1: EPS is not read"):
        rgb(image, "image 1")
    assert started == []
    with pytest.raises(OSError, match=r"Ghostscript|started"):
        image.load()
    assert started, "Pillow itself would have started one"


def test_a_jpeg_with_a_second_picture_in_it_is_its_first(tmp_path):
    first, second = Image.new("RGB", (8, 6), (200, 30, 40)), Image.new("RGB", (4, 3))
    first.save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[second])
    with Image.open(tmp_path / "a.jpg") as opened:
        assert opened.format == "MPO"
    assert read_rgb(tmp_path / "a.jpg").size == (8, 6)


def test_image_files_are_opened_in_one_place():
    """`Image.open` takes any format: nothing else in the package may call it."""
    package = Path(iqa.__file__).parent
    calls = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "Image.open"
    }
    assert calls == {"images/opening.py"}


def pipe(path):
    os.mkfifo(path)


KINDS = {
    "pipe": (pipe, "not a regular file"),
    "device": (lambda path: path.symlink_to("/dev/zero"), "not a regular file"),
    "folder": (lambda path: path.mkdir(), "a folder"),
    "dangling": (lambda path: path.symlink_to("nowhere"), "no such image file"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_only_regular_files_are_opened(tmp_path, kind):
    path = tmp_path / "a.jpg"
    make, said = KINDS[kind]
    make(path)
    with pytest.raises(UserError, match=said):
        open_image(path)
