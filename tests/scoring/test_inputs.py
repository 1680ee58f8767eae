import io
import os
from pathlib import Path

import pytest

from iqa.errors import UserError
from iqa.scoring.inputs import Skipped, find_images


@pytest.fixture
def tree(tmp_path, monkeypatch):
    for name in ("b/2.jpg", "b/10.PNG", "a/x.webp", "a/notes.txt", "a/.thumb.jpg", ".hid/y.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*words, stdin=b""):
    return list(find_images(words, Skipped(), io.BytesIO(stdin)))


def left_out(*words):
    skipped = Skipped()
    list(find_images(words, skipped))
    return str(skipped)


def test_a_folder_is_taken_with_all_below_it_sorted(tree):
    assert found(".") == ["./a/x.webp", "./b/10.PNG", "./b/2.jpg"]
    assert found("b", "a/notes.txt") == ["b/10.PNG", "b/2.jpg", "a/notes.txt"]


@pytest.mark.parametrize(
    "name", ["1.HEIC", "1.heif", "1.avif", "1.jfif", "1.jpe", "1.pnm", "1.tga", "1.qoi", "1.mpo"]
)
def test_a_folder_gives_what_phones_and_programs_write(tree, name):
    (tree / "b" / name).write_bytes(b"")
    assert f"b/{name}" in found("b")


def test_what_is_left_out_of_a_folder_is_counted_with_the_reason(tree):
    for name in ("a/film.mov", "a/film2.mov", "a/README", "a/new\nline.x\x1b"):
        (tree / name).write_bytes(b"")
    said = left_out(".")
    assert said == (
        "skipped: 5 files of other kinds (2 .mov, 1 without a suffix, 1 .x\\x1b, 1 .txt); 2 hidden"
    )
    assert left_out("b") == ""
    assert left_out("a/notes.txt") == ""


def test_folders_behind_links_are_followed_once(tree):
    (tree / "away").mkdir()
    Path("away/1.jpg").write_bytes(b"")
    Path("b/link").symlink_to(tree / "away")
    Path("b/up").symlink_to("..")
    Path("b/none").symlink_to("nowhere")
    assert found("b") == ["b/10.PNG", "b/2.jpg", "b/link/1.jpg", "b/up/a/x.webp"]
    assert left_out("b").endswith("; 2 folders that a pattern matched or links repeat")
    Path("b/gone.jpg").symlink_to("nowhere")  # for the reader to tell
    assert "b/gone.jpg" in found("b")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every folder")
def test_a_folder_without_permission_does_not_end_the_others(tree):
    (tree / "a").chmod(0)
    assert found(".") == ["./b/10.PNG", "./b/2.jpg"]
    assert "1 folder that cannot be read (./a: Permission denied)" in left_out(".")


def test_a_folder_that_cannot_be_read_does_not_end_the_others(tree, monkeypatch):
    """As above, for root too: the folders' names grow beyond what the system takes."""
    here = os.open(tree / "a", os.O_RDONLY)
    for _ in range(60):
        os.mkdir("e" * 100, dir_fd=here)
        inner = os.open("e" * 100, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)
    assert found(".") == ["./a/x.webp", "./b/10.PNG", "./b/2.jpg"]
    assert "1 folder that cannot be read (./a/eee" in left_out(".")
    assert "File name too long" in left_out(".")


@pytest.mark.timeout(60)
def test_a_pattern_takes_folders_behind_links_once(tree):
    for name in ("self", "me"):
        Path(f"b/{name}").symlink_to(".")
    assert found("**/*.jpg") == ["b/2.jpg"]
    assert found("b/**/*.jpg") == found("b/**/2.*") == ["b/2.jpg"]
    assert found("**/a/**") == ["a/notes.txt", "a/x.webp"]


def test_patterns_are_sorted_files(tree):
    assert found("b/*") == ["b/10.PNG", "b/2.jpg"]
    assert found("**/*.*p*") == ["a/x.webp", "b/2.jpg"]
    assert found("?/*.jpg") == ["b/2.jpg"]
    (tree / "b/inner.jpg").mkdir()
    assert left_out("b/*") == "skipped: 1 folder that a pattern matched or links repeat"


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("trip [2020]/1.jpg", "trip [2020]/*.jpg"),
        ("x/trip [2020]/in [a]/1.jpg", "x/trip [2020]/in [a]/*"),
        ("trip [2020]/[a]1.jpg", "trip [2020]/[a]*"),
        ("x/trip [2020]/1.jpg", "*/trip [2020]/*.jpg"),
        ("[1].jpg", "[1].jpg"),
        ("what? [1]*.jpg", "what? [1]*.jpg"),
    ],
)
def test_brackets_that_stand_in_names_are_letters(tree, name, pattern):
    (tree / name).parent.mkdir(parents=True, exist_ok=True)
    (tree / name).write_bytes(b"")
    assert found(pattern) == [name]
    assert found(str(tree / pattern)) == [str(tree / name)]


def test_brackets_that_stand_in_no_name_choose_letters(tree):
    assert found("[ab]/*.[jw]*") == ["a/x.webp", "b/2.jpg"]


def test_a_list_may_begin_with_the_mark_of_utf8(tree):
    assert found("-", stdin=b"\xef\xbb\xbfb/2.jpg\r\na/x.webp") == ["b/2.jpg", "a/x.webp"]


def test_a_list_on_stdin_is_read_line_by_line(tree):
    assert found("a/x.webp", "-", stdin=b"b/2.jpg\r\n\nmissing \xe9.jpg") == [
        "a/x.webp",
        "b/2.jpg",
        "missing \udce9.jpg",
    ]

    class Endless(io.BytesIO):
        def __next__(self):
            return b"1.jpg\n"

    first = find_images(["-"], Skipped(), Endless(b"\n"))
    assert [next(first), next(first)] == ["1.jpg", "1.jpg"]


@pytest.mark.parametrize("word", ["nosuch.jpg", "d/" * 3000 + "a.jpg", "a\0.jpg"])
def test_a_file_that_cannot_be_is_given_for_the_reader_to_tell(word):
    assert found(word) == [word]


@pytest.mark.parametrize("word", ["*.tiff", "empty", "-"])
def test_nothing_found_is_told(tree, word):
    Path("empty").mkdir()
    with pytest.raises(UserError, match="no images found; give files"):
        found("b/2.jpg", word)


def test_nothing_found_says_what_was_there(tree):
    Path("a/x.webp").unlink()
    with pytest.raises(UserError, match=r"a: no images found \(skipped: 1 file of other kinds"):
        found("a")
