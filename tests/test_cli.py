import io
import re

import pytest

from iqa.cli.tables import print_table


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["features", "demo_mini", "vgg"], "unknown backbone 'vgg': choose one of efficientnet"),
        (["features", "nosuch", "efficientnet_lite0"], "unknown dataset 'nosuch': choose one of"),
        (["run", "activations", "--profile", "nosuch"], "unknown profile 'nosuch': choose one of"),
        (["run", "nosuch"], "unknown experiment of profile demo-full 'nosuch': choose one of"),
        (["run", "activations", "--set", "epohcs=3"], "unknown parameter of activations.ipynb"),
        (["run", "activations", "--set", "epochs=many"], "expected int like"),
        (["run", "activations", "--set", "epochs"], "expected key=value"),
    ],
)
def test_a_users_error_is_one_line_with_the_remedy_and_status_1(iqa, words, said):
    done = iqa(*words)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(
        f"error: {said}" if not said.startswith("expected") else "error: "
    )
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        ["features", "clive", "efficientnet_lite0"],
        ["run", "activations", "--set", "dataset=clive"],
        ["run", "generalization", "--set", "others=[clive]"],
    ],
)
def test_without_its_data_a_command_is_an_error_or_on_request_skipped(iqa, words, monkeypatch):
    monkeypatch.delenv("IQA_DATA", raising=False)
    refused, skipped = iqa(*words), iqa(*words, "--skip-absent")
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: dataset `clive`: IQA_DATA is not set")
    assert skipped.returncode == 0
    assert skipped.stdout.startswith("skipped: dataset `clive`: IQA_DATA is not set")
    assert skipped.stdout.count("\n") == 1


def test_of_very_many_runs_those_like_the_name_are_listed(iqa):
    done = iqa("run", "regimes-published-clip", "--profile", "paper")
    assert done.returncode == 1
    assert "such as regimes-published-" in done.stderr
    assert len(done.stderr) < 1000


def test_wrong_usage_has_status_2(iqa):
    assert iqa("run").returncode == 2


@pytest.mark.parametrize(
    ("words", "said"), [(["backbones"], "Apache-2.0"), (["datasets"], "demo_mini")]
)
def test_lists(iqa, words, said):
    done = iqa(*words)
    assert done.returncode == 0
    assert said in done.stdout


def test_datasets_are_listed_whole(iqa):
    said = iqa("datasets").stdout
    for name in ("agiqa1k", "agiqa3k", "clive", "demo_mini", "kadid10k", "koniq10k", "spaq"):
        assert f"│ {name} " in said
    assert "…" not in said


@pytest.mark.parametrize("width", [60, 80, 100, 300])
def test_a_table_cuts_nothing_whatever_its_width(width, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # a terminal, to rich
    monkeypatch.setenv("COLUMNS", str(width))
    file, path = io.StringIO(), f"/{'x' * 70}/photo[red]:smile:.jpg"
    rows = [[path, "58.25", ""], ["b.jpg", "-", f"no such image file {path}"]]
    print_table("Scores by [a model]", ["image", "score", "error"], rows, file)
    text = re.sub(r"\x1b\[[0-9;]*m", "", file.getvalue())
    lines = text.splitlines()
    assert lines[0] == "Scores by [a model]"
    assert max(map(len, lines)) <= width
    cells = [[cell.strip() for cell in line.split("│")] for line in lines if line[0] == "│"]
    assert "".join(line[1] for line in cells) == f"{path}b.jpg"
    assert [line[2] for line in cells if line[2]] == ["58.25", "-"]
    assert "".join(line[3] for line in cells).replace(" ", "") == rows[1][2].replace(" ", "")


def test_in_a_pipe_a_path_stays_on_one_line():
    file, path = io.StringIO(), f"/{'x' * 300}.jpg"
    print_table("Scores", ["image", "score"], [[path, "58.25"]], file)
    assert f"│ {path} │ 58.25 │" in file.getvalue()


def test_datasets_check_ends_with_what_is_wrong(iqa, tmp_path):
    table = tmp_path / "ratings.csv"
    table.write_text("image,mos\na.png,1\nb.png,2\n")
    done = iqa("datasets", "check", f"csv:{table}")
    assert done.returncode == 1
    assert "2 of 2 images are not in" in done.stdout
    assert done.stdout.endswith("faults: 1\n")


def test_datasets_fetch_says_where_to_ask_and_that_nothing_was_fetched(iqa):
    done = iqa("datasets", "fetch", "clive")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("error: dataset `clive` has no direct address to fetch: ask at")
    assert done.stderr.count("\n") == 1
