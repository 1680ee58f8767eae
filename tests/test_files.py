import os

import pytest

from iqa.files import cache_root, fingerprint, written_whole


def test_a_file_appears_only_when_whole(tmp_path):
    target = tmp_path / "deep" / "a.txt"
    with written_whole(target) as draft:
        draft.write_text("new")
        assert not target.exists()
    assert target.read_text() == "new"
    assert os.listdir(target.parent) == ["a.txt"]


def test_a_failure_keeps_the_old_and_leaves_no_litter(tmp_path):
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail():
        with written_whole(target) as draft:
            draft.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_a_folder_is_replaced_whole(tmp_path):
    target = tmp_path / "run"
    for text in ("one", "two"):
        with written_whole(target) as draft:
            draft.mkdir()
            (draft / text).touch()
    assert os.listdir(target) == ["two"]


def test_the_cache_moves_with_its_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("IQA_CACHE", str(tmp_path))
    assert cache_root() == tmp_path


def test_fingerprint_sees_where_a_part_ends():
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
    assert len(fingerprint("x")) == 16
