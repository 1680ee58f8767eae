"""Where rows go, and what is left of them when a run is cut off."""

import json
import os
import stat
import subprocess
import sys
import threading
from signal import SIGHUP, SIGINT, SIGTERM

import pandas as pd
import pytest
from typer.testing import CliRunner

from iqa.cli import app
from iqa.errors import UserError
from iqa.scoring import overlays

READERS = {
    "csv": pd.read_csv,
    "jsonl": lambda path: pd.read_json(path, lines=True),
    "parquet": pd.read_parquet,
}


@pytest.fixture
def call(model_file, scorer, monkeypatch):
    monkeypatch.setattr("iqa.scoring.scorer.Scorer", lambda model, *_: scorer)

    def run(*words):
        return CliRunner().invoke(app, ["score", "--model", str(model_file), *map(str, words)])

    return run


@pytest.mark.parametrize(
    ("option", "name", "said"),
    [
        ("--html", "a.png", "give the page a name that ends in .html"),
        ("--output", "a.png", "is an input: give another name"),
        ("--output", "m.safetensors", "is an input: give another name"),
    ],
)
def test_what_is_read_is_not_written_over(picture, model_file, tmp_path, option, name, said):
    (tmp_path / "m.safetensors").write_bytes(model_file.read_bytes())
    picture("a.png")
    before = (tmp_path / name).read_bytes()
    words = ["score", tmp_path / "a.png", "--model", tmp_path / "m.safetensors", "--format", "csv"]
    done = CliRunner().invoke(app, [*map(str, words), option, str(tmp_path / name)])
    assert said in str(done.exception)
    assert (tmp_path / name).read_bytes() == before


def test_a_model_is_not_exported_over_itself(model_file, tmp_path):
    own = tmp_path / "m.safetensors"
    own.write_bytes(model_file.read_bytes())
    done = CliRunner().invoke(app, ["export", str(own), str(own)])
    assert "is an input" in str(done.exception)
    assert own.read_bytes() == model_file.read_bytes()


@pytest.mark.parametrize("format_", READERS)
def test_a_link_stays_one_and_its_target_is_written(call, picture, tmp_path, format_):
    target, link = tmp_path / f"old.{format_}", tmp_path / f"link.{format_}"
    target.write_text("old")
    link.symlink_to(target.name)
    assert call(picture("a.png"), "--output", link).exit_code == 0
    assert link.is_symlink()
    assert len(READERS[format_](target)) == 1


@pytest.mark.parametrize("mode", [0o664, 0o600, 0o644])
def test_a_file_keeps_its_permissions(call, picture, tmp_path, mode):
    target = tmp_path / "scores.csv"
    target.touch()
    target.chmod(mode)
    assert call(picture("a.png"), "--output", target).exit_code == 0
    assert stat.S_IMODE(target.stat().st_mode) == mode


def read_through(pipe):
    """What comes out of a pipe, read in a thread."""
    os.mkfifo(pipe)
    found = []
    thread = threading.Thread(target=lambda: found.append(pipe.read_bytes()), daemon=True)
    thread.start()
    return thread, found


@pytest.mark.parametrize("format_", [*READERS, "table"])
def test_a_pipe_is_written_to_and_stays_one(call, picture, tmp_path, format_):
    path, pipe = picture("a.png"), tmp_path / "pipe"
    thread, found = read_through(pipe)
    assert call(path, "--output", pipe, "--format", format_).exit_code == 0
    thread.join(10)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert path.encode() in found[0] or format_ == "parquet"
    if format_ == "parquet":
        assert found[0][:4] == found[0][-4:] == b"PAR1"


def test_a_device_is_written_to_and_stays_one(call, picture, tmp_path):
    (tmp_path / "null").symlink_to("/dev/null")
    assert call(picture("a.png"), "--output", tmp_path / "null", "--format", "csv").exit_code == 0
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    assert (tmp_path / "null").is_symlink()
    full = call(picture("a.png"), "--output", "/dev/full", "--format", "csv")
    assert isinstance(full.exception, OSError)
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


def test_export_follows_a_link_and_fills_a_pipe(model_file, tmp_path):
    (tmp_path / "old.onnx").write_text("old")
    (tmp_path / "old.onnx").chmod(0o664)
    (tmp_path / "link.onnx").symlink_to("old.onnx")

    def export(target):
        return CliRunner().invoke(app, ["export", str(model_file), str(target)]).exit_code

    assert export(tmp_path / "link.onnx") == 0
    assert (tmp_path / "link.onnx").is_symlink()
    assert stat.S_IMODE((tmp_path / "old.onnx").stat().st_mode) == 0o664
    thread, found = read_through(tmp_path / "pipe")
    assert export(tmp_path / "pipe") == 0
    thread.join(10)
    assert found[0] == (tmp_path / "old.onnx").read_bytes()
    assert export("/dev/null") == 0
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.fixture
def many(picture, tmp_path):
    return [picture(f"many/{number:02d}.png", number) for number in range(40)]


@pytest.mark.parametrize("format_", READERS)
@pytest.mark.parametrize(
    "fault", [KeyboardInterrupt(), UserError("no more"), OSError("unplugged"), MemoryError()]
)
def test_what_was_finished_before_a_fault_is_kept_and_said(
    call, scorer, many, tmp_path, monkeypatch, format_, fault
):
    stream = scorer.stream

    def cut_off(images):
        for number, row in enumerate(stream(images)):
            if number == 25:
                raise fault
            yield row

    monkeypatch.setattr(scorer, "stream", cut_off)
    target = tmp_path / f"scores.{format_}"
    done = call(*many, "--output", target)
    assert done.exit_code != 0
    assert f"cut off: the first 25 images are done and are in {target}" in done.stderr
    assert READERS[format_](target)["path"].tolist() == many[:25]
    assert {path.name for path in tmp_path.iterdir()} == {"many", target.name}


@pytest.mark.parametrize("number", [SIGINT, SIGTERM, SIGHUP])
def test_a_signal_keeps_the_rows_and_leaves_nothing_else(number, picture, model_file, tmp_path):
    """Paths come from a pipe that stays open, so that the run waits for more."""
    target, words = tmp_path / "out" / "scores.jsonl", ["-", "--model", str(model_file)]
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
        # Whoever started the tests may ignore it, as nohup does; the child would, too.
        "signal.signal(signal.SIGHUP, signal.SIG_DFL);"
        f"sys.argv = {['iqa', 'score', *words, '--output', str(target)]!r};"
        "from iqa.cli import main; main()"
    )
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    path = picture("a.png")
    with subprocess.Popen([sys.executable, "-c", code], **pipes) as running:
        running.stdin.write(f"{path}\n" * 200)
        running.stdin.flush()
        while not (drafts := list(target.parent.glob(".*/*.jsonl"))):
            assert running.poll() is None
        # Two rows: after the first the signal may come before it is counted, and nothing is kept.
        while drafts[0].read_bytes().count(b"\n") < 2:
            assert running.poll() is None
        running.send_signal(number)
        said = running.stderr.read()
    rows = [json.loads(line) for line in target.read_text().splitlines()]
    # The signal may come between a row and its being counted.
    ends = [
        f"cut off: the first {len(rows) - n} images are done and are in {target}" for n in (0, 1)
    ]
    assert any(end in said for end in ends), said
    assert running.returncode == 128 + number
    assert {row["path"] for row in rows} == {path}
    assert [path.name for path in target.parent.iterdir()] == [target.name]


def test_before_the_first_row_nothing_is_written(call, tmp_path, scorer, picture, monkeypatch):
    def cut_off(images):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr(scorer, "stream", cut_off)
    target = tmp_path / "scores.csv"
    target.write_text("old")
    call(picture("a.png"), "--output", target)
    assert target.read_text() == "old"


@pytest.mark.parametrize("what", ["gone", "text", "cut"])
def test_a_file_that_changes_before_its_overlay_is_a_row_with_its_error(
    call, many, tmp_path, monkeypatch, what
):
    draw, victim = overlays.save_overlay, tmp_path / "many/20.png"

    def change_then_draw(scorer, path, folder):
        if path == str(victim):
            content = victim.read_bytes()
            victim.write_bytes(b"text" if what == "text" else content[:200])
            if what == "gone":
                victim.unlink()
        return draw(scorer, path, folder)

    monkeypatch.setattr(overlays, "save_overlay", change_then_draw)
    target = tmp_path / "scores.csv"
    done = call(*many, "--output", target, "--explain", tmp_path / "maps")
    table = pd.read_csv(target)
    assert done.exit_code == 1
    assert done.stderr == "1 of 40 images could not be scored\n"
    assert table["path"].tolist() == many
    assert table["score"].isna().tolist() == [number == 20 for number in range(40)]
    assert str(victim) in table["error"][20]
    assert len(list((tmp_path / "maps").iterdir())) == 39


def test_an_overlay_folder_that_is_a_file_is_refused_before_anything_is_scored(
    call, many, tmp_path
):
    (tmp_path / "maps").write_text("a file")
    done = call(*many, "--output", tmp_path / "scores.csv", "--explain", tmp_path / "maps")
    assert done.exit_code == 2
    assert "--explain" in done.stderr
    assert "is a file" in " ".join(done.stderr.replace("│", " ").split())
    assert not (tmp_path / "scores.csv").exists()


def test_what_is_skipped_is_said_on_standard_error(call, many, tmp_path):
    (tmp_path / "many/film.mov").touch()
    (tmp_path / "many/.hidden.png").touch()
    done = call(tmp_path / "many", "--format", "csv")
    assert done.exit_code == 0
    assert done.stderr == "skipped: 1 file of other kinds (1 .mov); 1 hidden\n"
    assert done.stdout.count("\n") == 41


def test_pixels_are_bounded_on_request(call, scorer, picture, monkeypatch):
    asked = []
    monkeypatch.setattr(
        "iqa.scoring.scorer.Scorer", lambda model, most, _: asked.append(most) or scorer
    )
    call(picture("a.png"), "--max-pixels", "1000")
    call(picture("a.png"))
    assert asked == [1000, 128_000_000]
    assert call(picture("a.png"), "--max-pixels", "0").exit_code == 2
