import os

import pytest

from iqa.errors import UserError
from iqa.scoring import Row
from iqa.scoring.ranking import check_new, copy_ranked, ranked


def rows(**scores):
    return [
        Row(path, score, None if score is not None else "broken", "m")
        for path, score in scores.items()
    ]


def names(found):
    return "".join(row.path for row in found)


def test_errors_come_last_and_equal_scores_keep_their_order():
    given = rows(a=2.0, b=None, c=3.0, d=2.0, e=None, f=-1.0)
    assert names(ranked(given)) == "cadfbe"
    assert names(ranked(given, "worst")) == "fadcbe"
    assert names(ranked(given, top=2)) == "cabe"
    assert names(ranked(given, "worst", 1)) == "fbe"
    assert names(ranked(given, top=99)) == "cadfbe"
    assert ranked([]) == []


def test_copies_are_named_by_rank_so_that_equal_names_stay_apart(tmp_path):
    given = []
    for number in range(11):
        path = tmp_path / str(number) / "same.jpg"
        path.parent.mkdir()
        path.write_bytes(bytes([number]))
        os.utime(path, (1000, 1000))
        given.append(Row(str(path), -float(number), None, "m"))
    copies = tmp_path / "new" / "copies"
    assert copy_ranked([*given, *rows(gone=None)], copies) == []
    found = sorted(copies.iterdir())
    assert [path.name for path in found] == [f"{rank:02d}-same.jpg" for rank in range(1, 12)]
    assert [path.read_bytes()[0] for path in found] == list(range(11))
    assert found[0].stat().st_mtime == 1000


def test_a_file_that_is_gone_does_not_end_the_others(tmp_path):
    (tmp_path / "there.jpg").write_bytes(b"1")
    given = [Row(str(tmp_path / name), 1.0, None, "m") for name in ("gone.jpg", "there.jpg")]
    [fault] = copy_ranked(given, tmp_path / "copies")
    assert "gone.jpg: not copied (No such file or directory)" in fault
    assert os.listdir(tmp_path / "copies") == ["2-there.jpg"]


def test_copies_replace_nothing(tmp_path):
    check_new(tmp_path / "new")
    check_new(tmp_path)
    (tmp_path / "file").touch()
    for taken in (tmp_path, tmp_path / "file"):
        with pytest.raises(UserError, match="not empty; choose a new folder"):
            check_new(taken)
