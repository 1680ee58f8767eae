import json
import subprocess
import sys
from signal import SIGINT

import numpy as np
import onnxruntime
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from iqa.cli import app
from iqa.errors import UserError
from iqa.models import Reference
from iqa.scoring.overlays import overlay_name


@pytest.fixture
def call(model_file, scorer, monkeypatch):
    monkeypatch.setattr("iqa.scoring.scorer.Scorer", lambda model, *_: scorer)

    def run(*words, stdin=None):
        return CliRunner().invoke(app, ["score", "--model", str(model_file), *words], input=stdin)

    return run


@pytest.fixture
def folder(picture, tmp_path):
    """60 images, and one of no bytes in the middle."""
    for seed in range(60):
        picture(f"many/{seed:02d}.png", seed, (9, 8))
    (tmp_path / "many/30a.png").write_bytes(b"")
    return tmp_path / "many"


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def test_one_bad_file_among_many_has_a_row_and_the_status_says_so(call, folder, scorer):
    done = call(str(folder), "--format", "jsonl")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == "1 of 61 images could not be scored"
    rows = lines(done.stdout)
    assert [row["path"] for row in rows] == [str(path) for path in sorted(folder.iterdir())]
    assert [row["score"] is None for row in rows] == [n == 31 for n in range(61)]
    assert "not a readable image" in rows[31]["error"]
    assert {row["model"] for row in rows} == {"tiny (untrained)"}
    scores = scorer.score([row["path"] for row in rows])["score"]
    np.testing.assert_array_equal(scores, [row["score"] or np.nan for row in rows])


def test_a_file_holds_what_is_shown(call, picture, tmp_path):
    path = picture("a.png")
    shown = call(path, "--format", "csv").stdout
    done = call(path, "--output", str(tmp_path / "scores.csv"))
    assert done.exit_code == 0
    assert done.stdout == ""
    assert (tmp_path / "scores.csv").read_text() == shown


def test_a_table_says_untrained_and_the_scale(call, picture, tmp_path):
    first = picture("a.png")
    done = call(first, str(tmp_path / "no.png"))
    assert done.exit_code == 1
    assert "Scores by tiny (untrained), 1 to 5, higher is better" in done.stdout
    assert first in done.stdout
    assert "no such image file" in done.stdout
    written = call(first, "--format", "table", "--output", str(tmp_path / "t.txt"))
    assert written.exit_code == 0
    assert "untrained" in (tmp_path / "t.txt").read_text()


def test_a_score_is_compared_with_the_models_references(call, picture, scorer, monkeypatch):
    path = picture("a.png")
    score = scorer.score(path)["score"].item()
    scores = [score - 1] * 80 + [score + 1] * 21
    info = scorer.info.model_copy(update={"reference": Reference(of="9 pictures", scores=scores)})
    monkeypatch.setattr(scorer, "info", info)
    table = call(path, "missing.png").stdout
    assert "better than a percentage of 9 pictures" in " ".join(table.split())
    assert "79 %" in table
    known, missing = lines(call(path, "missing.png", "--format", "jsonl").stdout)
    assert (known["better_than"], missing["better_than"]) == (79, None)


def test_paths_come_from_a_pipe_and_from_patterns(call, picture, tmp_path):
    paths = [picture(f"{name}.png", seed) for seed, name in enumerate("ba")]
    done = call("-", "--format", "csv", stdin="\n".join(paths))
    assert [line.split(",")[0] for line in done.stdout.splitlines()[1:]] == paths
    done = call(str(tmp_path / "*.png"), "--format", "csv")
    assert [line.split(",")[0] for line in done.stdout.splitlines()[1:]] == sorted(paths)
    assert done.exit_code == 0
    assert done.stderr == ""


def test_file_names_of_any_bytes(call, picture, tmp_path):
    path = picture("caf\udce9, \n\r\x1b[31m.png")
    done = call(path, "--format", "csv", "--explain", str(tmp_path / "maps"))
    assert done.exit_code == 0
    shown = "caf\\xe9, \\n\\r\\x1b[31m.png"
    assert pd.read_csv(pd.io.common.StringIO(done.stdout))["path"][0].endswith(shown)
    assert len(list((tmp_path / "maps").iterdir())) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "nothing to score"),
        (["*.nosuch"], "no images found"),
        (["-"], "no images found"),
        (["a.png", "--output", "scores.doc"], "unknown suffix of scores.doc '.doc': choose one of"),
        (["a.png", "--output", ".", "--format", "csv"], "is a folder"),
    ],
)
def test_a_users_error(call, words, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = call(*words)
    assert isinstance(done.exception, UserError)
    assert said in str(done.exception)


def test_overlays_of_equal_names_are_kept_apart(call, picture, tmp_path):
    paths = [picture(f"{name}/1.png", seed, (90, 60)) for seed, name in enumerate("ab")]
    (tmp_path / "bad.png").write_bytes(b"")
    maps = tmp_path / "maps"
    done = call(*paths, str(tmp_path / "bad.png"), "--explain", str(maps))
    assert done.exit_code == 1
    assert {path.name for path in maps.iterdir()} == {overlay_name(path) for path in paths}
    for path in paths:
        with Image.open(maps / overlay_name(path)) as image:
            assert image.size == (90, 60)


def test_without_a_layer_for_grad_cam_nothing_is_scored(picture, tmp_path, monkeypatch, model_file):
    from torch import nn

    from iqa.models import load_model
    from iqa.scoring import openers

    class Mean(nn.Module):
        def forward(self, images):
            return images.mean((1, 2, 3))

    info = load_model(model_file)[1]
    monkeypatch.setitem(openers.OPENERS, "mean", lambda rest: (Mean(), info))
    words = ["score", picture("a.png"), "--model", "mean:", "--explain", str(tmp_path / "maps")]
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, UserError)
    assert "Grad-CAM" in str(done.exception)
    assert not (tmp_path / "maps").exists()


ENDS = {
    "closed pipe": lambda running: running.stdout.close(),
    "interrupt": lambda running: running.send_signal(SIGINT),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_closed_pipe_or_an_interrupt_ends_it_without_a_traceback(
    end, picture, model_file, tmp_path
):
    words = ["iqa", "score", "-", "--model", str(model_file), "--format", "jsonl"]
    # A process started in the background of a script ignores interrupts, and so do its children.
    code = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"
        f"sys.argv = {words!r}; from iqa.cli import main; main()"
    )
    (tmp_path / "paths").write_text(f"{picture('a.png')}\n" * 5000)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with (
        open(tmp_path / "paths") as paths,
        subprocess.Popen([sys.executable, "-c", code], stdin=paths, **pipes) as running,
    ):
        assert "untrained" in running.stdout.readline()
        end(running)
        said = running.stderr.read()
    assert "Traceback" not in said
    assert "Error" not in said
    assert running.returncode != 0


def test_export(picture, tmp_path, model_file):
    out = tmp_path / "m.onnx"
    done = CliRunner().invoke(app, ["export", str(model_file), str(out)])
    assert done.exit_code == 0
    assert done.stdout.startswith(f"{out}: tiny, untrained, any batch, any height and width")
    assert onnxruntime.InferenceSession(out).get_inputs()[0].shape == ["N", 3, "H", "W"]
