import io
from pathlib import Path

import pytest

from iqa.errors import UserError
from iqa.scoring.inputs import find_images


@pytest.fixture
def tree(tmp_path, monkeypatch):
    for name in ("b/2.jpg", "b/10.PNG", "a/x.webp", "a/notes.txt", "a/.thumb.jpg", ".hid/y.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*words, stdin=b""):
    return list(find_images(words, io.BytesIO(stdin)))


def test_a_folder_is_taken_with_all_below_it_sorted(tree):
    assert found(".") == ["./a/x.webp", "./b/10.PNG", "./b/2.jpg"]
    assert found("b", "a/notes.txt") == ["b/10.PNG", "b/2.jpg", "a/notes.txt"]


def test_patterns_are_sorted_files(tree):
    assert found("b/*") == ["b/10.PNG", "b/2.jpg"]
    assert found("**/*.*p*") == ["a/x.webp", "b/2.jpg"]
    (tree / "[1].jpg").write_bytes(b"")
    assert found("[1].jpg") == ["[1].jpg"]


def test_a_list_on_stdin_is_read_line_by_line(tree):
    assert found("a/x.webp", "-", stdin=b"b/2.jpg\r\n\nmissing \xe9.jpg") == [
        "a/x.webp",
        "b/2.jpg",
        "missing \udce9.jpg",
    ]

    class Endless(io.BytesIO):
        def __next__(self):
            return b"1.jpg\n"

    first = find_images(["-"], Endless())
    assert [next(first), next(first)] == ["1.jpg", "1.jpg"]


def test_a_missing_file_is_given_for_the_reader_to_tell():
    assert found("nosuch.jpg") == ["nosuch.jpg"]


@pytest.mark.parametrize("word", ["*.tiff", "empty", "-"])
def test_nothing_found_is_told(tree, word):
    Path("empty").mkdir()
    with pytest.raises(UserError, match="no images found; give files"):
        found("b/2.jpg", word)
