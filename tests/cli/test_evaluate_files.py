import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from typer.testing import CliRunner

from iqa.cli import app
from iqa.errors import UserError

RATINGS = np.linspace(1, 5, 60)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Writes predictions for 60 images, errors of the size given."""
    monkeypatch.chdir(tmp_path)

    def to(name, error, columns=("image", "mos", "score"), seed=1):
        preds = RATINGS + error * np.random.default_rng(seed).normal(size=60)
        table = pd.DataFrame({"image": [f"{n:02d}.png" for n in range(60)], "mos": RATINGS})
        table = table.assign(score=preds)[list(columns)]
        table.to_parquet(name) if name.endswith("parquet") else table.to_csv(name, index=False)

    return to


@pytest.fixture
def dataset(tmp_path):
    """The same 60 images as files, of noise, in a table with the ratings."""
    for n in range(60):
        pixels = np.random.default_rng(n).integers(0, 255, (32, 32, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{n:02d}.png")
    table = pd.DataFrame({"image": [f"{n:02d}.png" for n in range(60)], "mos": RATINGS})
    table.assign(scene=[f"s{n // 2}" for n in range(60)]).to_csv(tmp_path / "r.csv", index=False)
    return f"csv:{tmp_path / 'r.csv'}"


def call(*words):
    return CliRunner().invoke(app, words, env={"COLUMNS": "200"})


def test_evaluate_prints_metrics_and_says_which_columns_it_took(write):
    write("mine.csv", 0.5)
    done = call("evaluate", "mine.csv")
    assert done.exit_code == 0
    lines = dict(re.findall(r"│ (\w[\w ]*?) +│ (-?\d\.\d+) +│ [\d.]+ to [\d.]+", done.stdout))
    assert list(lines) == [
        "SRCC", "KRCC", "PLCC raw", "PLCC fitted", "RMSE raw", "RMSE fitted",
    ]  # fmt: skip
    assert "columns of mine.csv: image `image`, prediction `score`, rating `mos`" in done.stderr
    assert "no content column: every image counts as its own content" in done.stderr


def test_on_a_data_set_predictions_need_no_ratings_and_one_format_is_like_the_other(write, dataset):
    write("a.csv", 0.5, ["image", "score"])
    write("a.parquet", 0.5, ["image", "score"])
    one, two = (call("evaluate", name, "--on", dataset) for name in ("a.csv", "a.parquet"))
    assert one.exit_code == two.exit_code == 0
    assert one.stdout == two.stdout
    assert "60 images, 30 contents, MOS 1 to 5" in one.stdout


def test_a_falling_scale_is_noticed_and_turned_on_request(write):
    write("mine.csv", 0.2)
    table = pd.read_csv("mine.csv")
    table.assign(score=-100 * table["score"]).to_csv("distance.csv", index=False)
    asis, turned = (
        call("evaluate", "distance.csv"),
        call("evaluate", "distance.csv", "--better", "lower"),
    )
    assert "predictions fall as ratings rise (SRCC -0.9" in asis.stderr
    assert "another scale" not in asis.stderr  # one remedy at a time
    assert "predictions fall" not in turned.stderr
    assert "seem to be on another scale than ratings (1 to 5)" in turned.stderr
    both = call("compare", "mine.csv", "distance.csv", "--lower", "distance")
    assert "distance and mine are equivalent: SRCC +0.000" in both.stdout


def test_ratings_that_fall_with_quality_are_turned_on_request(write):
    for name, error in (("base", 1.0), ("good", 0.1)):
        write(f"{name}.csv", error)
        table = pd.read_csv(f"{name}.csv")
        table.assign(dmos=100 - table["mos"]).drop(columns="mos").to_csv(f"{name}.csv", index=False)
    refused = call("compare", "base.csv", "good.csv")
    assert "base.csv: in column `dmos` a higher rating may mean" in str(refused.exception)
    turned = call("compare", "base.csv", "good.csv", "--rating-better", "lower")
    assert "good is better than base: SRCC +0." in turned.stdout
    asis = call("compare", "base.csv", "good.csv", "--rating-better", "higher")
    assert "good is worse than base: SRCC -0." in asis.stdout
    one = call("evaluate", "good.csv", "--rating-better", "lower")
    assert "ratings in column dmos, negated" in one.stdout
    for option, value in (("--rating-better", "lower"), ("--rating", "dmos")):
        unused = call("evaluate", "good.csv", option, value, "--on", "clive")
        assert unused.exit_code == 2
        assert "are for the table; --on has its own" in unused.stderr


def test_a_table_of_scores_and_ratings_is_judged_by_the_ratings_wherever_they_are(write):
    write("mine.csv", 0.5)
    for number in range(60):
        Image.new("RGB", (32, 32)).save(f"{number:02d}.png")
    alone, on = call("evaluate", "mine.csv"), call("evaluate", "mine.csv", "--on", "csv:mine.csv")
    assert "score `mos`" in on.stderr
    assert re.search("SRCC .*", on.stdout)[0] == re.search("SRCC .*", alone.stdout)[0]
    own = call("evaluate", "mine.csv", "--on", "csv:mine.csv?score=score")
    assert "mine: every prediction equals its rating" in own.stderr


def test_on_a_falling_scale_negated_predictions_are_turned_like_its_ratings(write):
    write("mine.csv", 0.2)
    table = pd.read_csv("mine.csv")
    table.assign(mos=6 - table["mos"], score=6 - table["score"]).to_csv("fall.csv", index=False)
    for number in range(60):
        Image.new("RGB", (32, 32)).save(f"{number:02d}.png")
    rising, falling = (
        call("evaluate", "mine.csv"),
        call("evaluate", "fall.csv", "--better", "lower", "--on", "csv:fall.csv?better=lower"),
    )
    for metric in ("SRCC", "RMSE raw"):
        assert (
            re.search(f"{metric} .*", rising.stdout)[0]
            == re.search(f"{metric} .*", falling.stdout)[0]
        )
    assert "turned so that higher is better" in falling.stdout
    assert "another scale" not in falling.stderr


def test_a_margin_beyond_half_of_a_correlation_is_refused(write):
    write("a.csv", 0.5)
    assert call("compare", "a.csv", "a.csv", "--margin", "1").exit_code == 2


def test_compare_gives_a_verdict_for_each_model_and_a_page(write):
    write("base.csv", 1.0)
    write("good.parquet", 0.1)
    write("twin.csv", 1.0, ["image", "score"])
    done = call("compare", "base.csv", "good.parquet", "twin.csv", "--html", "page.html")
    assert done.exit_code == 0
    assert "good is better than base: SRCC +0." in done.stdout
    assert "twin and base are equivalent: SRCC +0.000" in done.stdout
    page = Path("page.html").read_text(encoding="utf-8")
    assert '<p class="answer better">good is better than base: SRCC +0.' in page


def test_of_two_models_in_files_of_one_name_the_named_one_is_turned(write):
    Path("x").mkdir()
    write("m.csv", 0.2)
    table = pd.read_csv("m.csv")
    table.assign(score=-table["score"]).to_csv("x/m.csv", index=False)
    refused = call("compare", "m.csv", "x/m.csv", "--lower", "m")
    assert str(refused.exception) == "unknown model of --lower 'm': choose one of m.csv, x/m.csv"
    turned = call("compare", "m.csv", "x/m.csv", "--lower", "x/m.csv")
    assert "x/m.csv and m.csv are equivalent: SRCC +0.000" in turned.stdout


def test_the_page_refers_to_nothing_outside_and_escapes_names(write):
    name = "<b>mine & co.csv"
    write(name, 0.5)
    done = call("evaluate", name, "--html", "page.html")
    assert done.exit_code == 0
    page = Path("page.html").read_text(encoding="utf-8")
    addresses = re.findall(r"""(?:https?:|//|url\(|@import|src=|href=)[^\s"'<>)]*""", page)
    assert set(addresses) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;b&gt;mine &amp; co agree" in page
    assert page.count("<svg") == 1


def test_a_split_that_leaks_is_said_with_status_1_and_its_test_side_is_evaluated(write, dataset):
    write("mine.csv", 0.5)
    table = pd.read_csv("mine.csv")
    table[20:].to_csv("test.csv", index=False)
    names = list(table["image"])
    Path("clean.json").write_text(json.dumps({"train": names[:20], "test": names[20:]}))
    Path("leaky.json").write_text(json.dumps({"train": names[:21], "test": names[20:]}))
    clean = call("evaluate", "test.csv", "--on", dataset, "--split", "clean.json")
    assert clean.exit_code == 0
    assert "the sides of the split share nothing that was looked for" in clean.stdout
    leaky = call(
        "evaluate", "test.csv", "--on", dataset, "--split", "leaky.json", "--html", "p.html"
    )
    assert leaky.exit_code == 1
    said = "ids shared by train and test: 1, such as 20.png; this affects 1 of 40 test images"
    assert f"leak: {said}" in leaky.stdout
    assert "contents shared by train and test: 1, such as 20.png and 21.png" in leaky.stdout
    assert f"The split leaks: {said}" in Path("p.html").read_text(encoding="utf-8")
    whole = call("evaluate", "mine.csv", "--on", dataset, "--split", "clean.json")
    assert whole.exit_code == 0
    assert "20 predictions are left out, which are not for the test side" in whole.stderr
    assert "40 images" in whole.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evaluate", "nosuch.csv"], "predictions nosuch.csv not found"),
        (["evaluate", "mine.csv", "--on", "nosuch"], "unknown dataset 'nosuch'"),
        (["compare", "mine.csv"], "a comparison needs 2 models or more"),
        (["compare", "mine.csv", "mine.csv"], "mine.csv is given twice"),
        (["compare", "mine.csv", "b.csv", "b.csv"], "b.csv is given twice"),
        (["compare", "mine.csv", "--lower", "x"], "unknown model of --lower 'x': choose one of"),
    ],
)
def test_a_users_error_says_what_is_wrong(write, words, said):
    write("mine.csv", 0.5)
    done = call(*words)
    assert isinstance(done.exception, UserError)
    assert str(done.exception).startswith(said)


def test_beside_a_data_sets_ratings_those_of_the_table_do_not_matter(write, dataset):
    write("mine.csv", 0.5)
    pd.read_csv("mine.csv").assign(mos="good", scene=None).to_csv("text.csv", index=False)
    done = call("evaluate", "text.csv", "--on", dataset)
    assert done.exit_code == 0
    assert "columns of text.csv: image `image`, prediction `score`\n" in done.stderr


def test_an_input_is_never_written_over(write, dataset):
    write("mine.csv", 0.5)
    write("other.csv", 0.2)
    names = list(pd.read_csv("mine.csv")["image"])
    Path("s.json").write_text(json.dumps({"train": names[:20], "test": names[20:]}))
    before = {path: path.read_bytes() for path in Path().iterdir()}
    table = dataset.removeprefix("csv:")
    for words in (
        ["evaluate", "mine.csv", "--html", "mine.csv"],
        ["evaluate", "mine.csv", "--on", dataset, "--split", "s.json", "--html", "s.json"],
        ["evaluate", "mine.csv", "--on", dataset, "--html", table],
        ["compare", "mine.csv", "other.csv", "--html", "other.csv"],
        ["datasets", "check", dataset, "--pairs", table],
    ):
        done = call(*words)
        assert isinstance(done.exception, UserError)
        assert "is an input: give another name" in str(done.exception)
    assert {path: path.read_bytes() for path in Path().iterdir()} == before


def test_what_a_split_has_beyond_the_set_is_said_and_an_unknown_side_is_not_clean(write, dataset):
    write("mine.csv", 0.5)
    names = list(pd.read_csv("mine.csv")["image"])
    words = ["evaluate", "mine.csv", "--on", dataset, "--common", "--split", "s.json"]
    Path("s.json").write_text(json.dumps({"train": ["x.png", names[0]], "test": names[20:]}))
    done = call(*words)
    assert done.exit_code == 0
    assert "note: split: 1 of 2 train ids are not in r, so nothing is known of them" in done.stderr
    Path("s.json").write_text(json.dumps({"train": ["x.png", "y.png"], "test": names[20:]}))
    assert "no id of the side train is in" in str(call(*words).exception)


def test_a_check_shows_no_raw_escapes_of_a_table(write, tmp_path):
    Image.new("RGB", (32, 32)).save(tmp_path / "a.png")
    (tmp_path / "r.csv").write_text('image,"m\x1b[31mos"\na.png,1\na.png,2\nb.png,3\n')
    done = call("datasets", "check", f"csv:{tmp_path / 'r.csv'}?score=m\x1b[31mos")
    assert "\x1b" not in done.output
