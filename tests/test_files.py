import errno
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from iqa import files
from iqa.errors import UserError
from iqa.files import cache_root, data_root, fingerprint, written_whole


def put(target, text):
    with written_whole(target) as draft:
        draft.write_text(text)


def put_folder(target, name):
    with written_whole(target) as draft:
        draft.mkdir()
        (draft / name).touch()


def killed(code):
    """Run `code`, which kills itself: nothing after that is done, no clean-up either."""
    setup = f"import os, signal\nfrom pathlib import Path\nfrom iqa import files\n{code}"
    done = subprocess.run([sys.executable, "-c", setup], check=False)
    assert done.returncode == -signal.SIGKILL
    files._swept.cache_clear()  # the next call is another process's


KILL = "os.kill(os.getpid(), signal.SIGKILL)"


def test_a_file_appears_only_when_whole(tmp_path):
    target = tmp_path / "deep" / "a.txt"
    with written_whole(target) as draft:
        draft.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert os.listdir(target.parent) == ["a.txt"]


@pytest.mark.parametrize("name", ["a.txt", "é" * 120, "x" * 255])
def test_a_failure_keeps_the_old_and_leaves_no_litter(name, tmp_path):
    target = tmp_path / name
    put(target, "old")

    def fail():
        with written_whole(target) as draft:
            draft.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == [name]


def test_a_body_that_writes_nothing_changes_nothing(tmp_path):
    put(tmp_path / "a.txt", "old")
    with written_whole(tmp_path / "a.txt"):
        pass
    assert (tmp_path / "a.txt").read_text() == "old"


@pytest.mark.parametrize("can_exchange", [True, False])
def test_a_folder_is_replaced_whole(can_exchange, tmp_path, monkeypatch):
    if not can_exchange:
        monkeypatch.setattr(files, "_exchange", no_exchange)
    for name in ("one", "two"):
        put_folder(tmp_path / "run", name)
    assert os.listdir(tmp_path / "run") == ["two"]
    assert os.listdir(tmp_path) == ["run"]


def no_exchange(*paths):
    raise OSError(errno.EINVAL, "not on this file system")


def test_what_a_killed_writer_left_is_removed_at_the_next_call(tmp_path):
    kill = (
        f"with files.written_whole(Path({str(tmp_path / 'a')!r})) as d: d.write_text('x'); {KILL}"
    )
    killed(kill)
    killed(kill)
    assert len(os.listdir(tmp_path)) == 2  # the second has cleaned up after the first
    put(tmp_path / "b", "new")
    assert os.listdir(tmp_path) == ["b"]


def test_what_a_living_writer_works_on_stays_and_so_does_what_others_made(tmp_path):
    (tmp_path / ".a.original").mkdir()
    with written_whole(tmp_path / "a") as draft:
        draft.write_text("mine")
        files._swept.cache_clear()
        put(tmp_path / "b", "another's")
        assert draft.read_text() == "mine"
    assert sorted(os.listdir(tmp_path)) == [".a.original", "a", "b"]


@pytest.mark.parametrize(
    ("lock", "beside"),
    [
        (".git.iqa-lock", ".git"),
        ("...iqa-lock", "."),
        ("..iqa-lock", "."),
        (".a.b.iqa-lock", ".a.b"),
    ],
)
def test_a_lock_that_no_writer_made_removes_nothing(lock, beside, tmp_path):
    folder = tmp_path / "photos"
    (folder / beside).mkdir(parents=True, exist_ok=True)
    for path in (folder / beside / "mine", folder / "a.jpg", folder / lock, tmp_path / "other"):
        path.touch()
    before = sorted(tmp_path.rglob("*"))
    put(folder / "scores.csv", "new")
    assert sorted(tmp_path.rglob("*")) == sorted([*before, folder / "scores.csv"])


@pytest.mark.parametrize("is_link", [".b.abcdefgh", ".b.abcdefgh.iqa-lock"])
def test_a_link_in_the_place_of_a_room_or_its_lock_is_not_followed(is_link, tmp_path):
    folder, elsewhere = tmp_path / "photos", tmp_path / "elsewhere"
    for name in (".b.abcdefgh.iqa-lock", ".b.abcdefgh/old/x", "a.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("kept")
    (folder / is_link).rename(elsewhere)
    (folder / is_link).symlink_to(elsewhere)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    put(folder / "scores.csv", "new")
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before | {folder / "scores.csv": b"new"}


def test_a_kill_while_a_folder_is_replaced_leaves_the_old_or_the_new(tmp_path):
    target = tmp_path / "run"
    put_folder(target, "old")
    # Killed after the first of two renames, where the file system cannot exchange folders.
    killed(f"""
def fail(*paths): raise OSError
files._exchange = fail
rename = os.replace
def replace(*paths): rename(*paths); {KILL}
os.replace = replace
with files.written_whole(Path({str(target)!r})) as draft:
    draft.mkdir(); (draft / "new").touch()
""")
    assert not target.exists()
    put(tmp_path / "other", "")
    assert os.listdir(target) == ["old"]
    # Killed right after the exchange.
    killed(f"""
exchange = files._exchange
def swap(*paths): exchange(*paths); {KILL}
files._exchange = swap
with files.written_whole(Path({str(target)!r})) as draft:
    draft.mkdir(); (draft / "new").touch()
""")
    assert os.listdir(target) == ["new"]


def test_a_folder_that_cannot_be_replaced_stays(tmp_path, monkeypatch):
    put_folder(tmp_path / "run", "old")
    rename = os.replace

    def replace(source, target):
        if ".run." in str(source) and "old" not in Path(source).parts:
            raise OSError(errno.EIO, "the second rename fails")
        rename(source, target)

    monkeypatch.setattr(files, "_exchange", no_exchange)
    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(OSError, match="second rename"):
        put_folder(tmp_path / "run", "new")
    assert os.listdir(tmp_path / "run") == ["old"]


def test_a_link_is_followed_and_permissions_stay(tmp_path):
    real, link = tmp_path / "real.txt", tmp_path / "link.txt"
    real.write_text("old")
    real.chmod(0o664)
    link.symlink_to(real)
    put(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert real.stat().st_mode & 0o777 == 0o664


def test_a_full_disk_names_the_file_and_keeps_the_old(tmp_path):
    target = tmp_path / "a.txt"
    put(target, "old")

    def fill():
        with written_whole(target) as draft:
            draft.write_text("half")
            os.write(os.open("/dev/full", os.O_WRONLY), b"x")

    with pytest.raises(OSError, match="No space left") as caught:
        fill()
    assert caught.value.filename == str(target)
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_place_that_cannot_be_written_to_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="File exists") as caught:
        put(tmp_path / "file" / "a.txt", "")
    assert caught.value.filename == str(tmp_path / "file")
    with pytest.raises(OSError, match=r"/proc/a\.txt"):
        put(Path("/proc/a.txt"), "")
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        put(tmp_path / "folder", "")
    assert caught.value.filename == str(tmp_path / "folder")


def test_the_cache_and_the_data_move_with_their_variables(tmp_path, monkeypatch):
    monkeypatch.setenv("IQA_CACHE", str(tmp_path))
    assert cache_root() == tmp_path
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("IQA_CACHE", "~/cache")
    monkeypatch.setenv("IQA_DATA", "~/data")
    assert (cache_root(), data_root()) == (tmp_path / "cache", tmp_path / "data")
    monkeypatch.setenv("IQA_CACHE", "")
    monkeypatch.setenv("IQA_DATA", "")
    assert (cache_root(), data_root()) == (tmp_path / ".cache" / "iqa", None)


def test_an_unknown_home_is_one_line(monkeypatch):
    monkeypatch.setenv("IQA_DATA", "~nobody-of-this-name/data")
    with pytest.raises(UserError, match=r"IQA_DATA: the home folder .* set IQA_DATA to a whole"):
        data_root()


def test_fingerprint_sees_where_a_part_ends():
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
    assert len(fingerprint("x")) == 16
