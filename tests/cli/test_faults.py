import errno
import os
import signal
import subprocess
import sys
import warnings

import pytest

from iqa.cli.faults import status_of
from iqa.errors import UserError


@pytest.fixture(autouse=True)
def as_it_was():
    """`status_of` sets what belongs to a whole process."""
    before = {number: signal.getsignal(number) for number in (1, signal.SIGINT, signal.SIGTERM)}
    with warnings.catch_warnings():
        yield
    for number, handler in before.items():
        signal.signal(number, handler)


def raising(fault):
    def command():
        raise fault

    return command


def failed(number, path=None):
    return OSError(number, os.strerror(number), path)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (UserError("model x: not there; give another"), "model x: not there; give another"),
        (failed(errno.ENOSPC, "/c/a"), "/c/a: No space left on device; make room, then"),
        (failed(errno.EDQUOT, "/c/a"), "/c/a: Disk quota exceeded; make room, then"),
        (failed(errno.EROFS, "/c/a"), "/c/a: Read-only file system; choose a place"),
        (failed(errno.EACCES, b"/c/\xff"), "/c/\\xff: Permission denied; choose a place"),
        (failed(errno.ENOENT, "a\nb.csv"), "a b.csv: No such file or directory; check the path"),
        (failed(errno.EIO, "/c/a"), "/c/a: Input/output error; mend that, then run"),
        (failed(errno.ENOSPC), "standard output: No space left on device; make room"),
        (failed(errno.EISDIR), "[Errno 21] Is a directory; mend that"),
        (OSError("cannot decode"), "cannot decode; mend that"),
        (MemoryError(), "not enough memory; close other programs"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid"), "text that is no UTF-8 ('utf-8'"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_a_user_can_mend_is_one_line_and_status_1(fault, said, capsys):
    assert status_of(raising(fault)) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"error: {said}")
    assert printed.err.count("\n") == 1


@pytest.mark.parametrize("fault", [KeyError("a"), ValueError("b"), RuntimeError("c")])
def test_a_bug_of_ours_is_not_hidden(fault):
    with pytest.raises(type(fault)):
        status_of(raising(fault))


@pytest.mark.parametrize(("end", "status"), [(None, 0), (0, 0), (1, 1), (2, 2)])
def test_the_exit_status_of_a_command_is_kept(end, status):
    assert status_of(lambda: None if end is None else sys.exit(end)) == status


def test_a_warning_is_one_line(capsys):
    assert status_of(lambda: warnings.warn("two\nlines \x1b[31m", stacklevel=1)) == 0
    assert capsys.readouterr().err == "note: two lines \\x1b[31m\n"


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_cleans_up_and_is_told(name, capsys):
    cleaned = []

    def command():
        try:
            os.kill(os.getpid(), signal.Signals[name])
        finally:
            cleaned.append(name)

    assert status_of(command) == 128 + signal.Signals[name]
    assert cleaned == [name]
    assert capsys.readouterr().err.count("\n") == 1


def test_a_signal_is_told_though_a_library_makes_another_error_of_it(capsys):
    def command():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        except BaseException:
            raise RuntimeError("conversion failed") from None

    assert status_of(command) == 143
    assert capsys.readouterr().err == "error: terminated; what was finished before is kept\n"


def test_a_second_signal_ends_at_once():
    code = (
        "import os, signal\nfrom iqa.cli.faults import status_of\n"
        "def command():\n    try: os.kill(os.getpid(), signal.SIGTERM)\n"
        "    finally: os.kill(os.getpid(), signal.SIGTERM)\nstatus_of(command)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGTERM


def test_a_signal_that_is_ignored_stays_so():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup has it
    assert status_of(lambda: os.kill(os.getpid(), signal.SIGHUP)) == 0


def shell(line, **variables):
    """Run a line in a shell where `iqa` is the command of this environment."""
    iqa = f"iqa() {{ {sys.executable} -c 'from iqa.cli import main; main()' \"$@\"; }}\n"
    return subprocess.run(
        ["bash", "-c", iqa + line],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=os.environ | variables,
        check=False,
    )


@pytest.mark.parametrize("words", ["--help", "backbones", "datasets"])
@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("> /dev/full", "error: standard output: No space left on device; make room"),
        (">&-", "error: standard output: Bad file descriptor; it is closed: redirect it"),
    ],
)
def test_an_output_that_cannot_be_written_is_one_line(words, where, said):
    done = shell(f"iqa {words} {where}")
    assert done.returncode == 1
    assert done.stderr.startswith(said)
    assert done.stderr.count("\n") == 1


def test_a_reader_that_has_enough_is_no_fault():
    done = shell("iqa backbones | head -n 1")
    assert done.stdout.startswith("Backbones")
    assert done.stderr == ""


def test_closed_streams_do_not_get_what_others_write():
    assert shell("iqa backbones 2>&- | tail -n 1").stdout.startswith("└")
    done = shell("iqa score - <&-")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("error: standard input: no images found")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_a_terminal_of_few_characters_gets_escapes(encoding, tmp_path):
    table = tmp_path / "表é.csv"
    table.write_text("image,mos\na.png,1\nb.png,2\n")
    done = shell(f"iqa datasets check 'csv:{table}'", PYTHONIOENCODING=encoding)
    assert done.returncode == 1
    assert done.stderr == ""
    assert "2 of 2 images are not in" in done.stdout


@pytest.mark.parametrize("variable", ["IQA_CACHE", "IQA_DATA"])
def test_a_place_that_is_no_folder_is_one_line(variable, tmp_path):
    (tmp_path / "file").touch()
    set_ = "demo_mini" if variable == "IQA_CACHE" else "clive"
    done = shell(f"iqa features {set_} resnet/tiny", **{variable: str(tmp_path / "file")})
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert str(tmp_path / "file") in done.stderr
