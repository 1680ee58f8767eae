"""The chapter on shares of the training images, from made-up runs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_runs import record_of, shown_by

from iqa.evaluation import summarize_variants
from iqa.experiments import write_record
from iqa.experiments.data_efficiency import differences_by_share, share_name, summarize_shares
from iqa.report.chapters.data_efficiency import apart, differences, enough, findings, write
from iqa.report.share_curves import srcc_by_share
from iqa.report.tables import short

BOOK = Path(__file__).parents[2] / "book"
SHARES = [0.1, 0.5, 1.0]
EQUAL = {"relu": [0.3, 0.2, 0.1], "sigmoid": [0.3, 0.2, 0.1]}


def tables_of(noise, images=150):
    """The tables of a run whose heads err so much at each of `SHARES`."""
    target, parts = np.random.default_rng(0).random(images), []
    for head, by_share in noise.items():
        for share, strength in zip(SHARES, by_share, strict=True):
            for seed in (8, 19):
                errors = np.random.default_rng(seed).standard_normal(images)
                part = pd.DataFrame({"target": target, "prediction": target + strength * errors})
                part["id"] = part["group"] = [f"i{n}" for n in range(images)]
                parts.append(part.assign(head=head, variant=share_name(share), seed=seed))
    predictions = pd.concat(parts, ignore_index=True).assign(side="test", fold=0)
    drawn = pd.DataFrame({"share": SHARES, "variant": [share_name(share) for share in SHARES]})
    drawn = drawn.assign(images=[80, 400, 800], contents=[8, 40, 80], of=800)
    drawn = drawn.assign(steps=195, seed=8, fold=0)
    summary = summarize_variants(predictions, "100 %", 200)
    return {
        "summary": summarize_shares(summary, drawn, "100 %"),
        "differences": differences_by_share(predictions, "relu", "100 %", 200),
        "drawn": drawn,
    }


def record(**changes):
    metrics = {"baseline": "relu", "whole": "100 %", "shares": SHARES}
    made = record_of("data_efficiency", metrics, {"total": 1.0}, **changes)
    training = {"epochs": 15, "learning_rate": 1e-4, "batch_size": 64, "objective": "mse+margin"}
    return made.model_copy(
        update={"parameters": made.parameters | {"training": training, "folds": 3}}
    )


def written(folder, noise, **changes):
    """The fragments of a run, by name."""
    write(write_record(folder / "run", record(**changes), tables_of(noise)), folder / "shown")
    return {path.name: path for path in (folder / "shown").iterdir()}


@pytest.mark.parametrize("label", ["data_efficiency-clive", "data_efficiency-agiqa3k"])
def test_a_run_leaves_every_fragment_that_its_page_shows(tmp_path, label):
    shown = shown_by(BOOK / "data_efficiency.md", label)
    assert {"findings.md", "shares.svg", "table.md", "record.md"} <= shown
    assert shown <= set(written(tmp_path, EQUAL))


def test_the_setting_says_how_many_steps_each_share_had(tmp_path):
    said = written(tmp_path, EQUAL, untrained=True)["setting.md"].read_text()
    for words in (
        "**untrained**",
        "Every share had 195 steps of the optimiser",
        "The shares held 80 to 800 images on average",
    ):
        assert words in said


def test_a_row_says_what_a_share_held_and_kept(tmp_path):
    table = written(tmp_path, EQUAL)["table.md"].read_text().splitlines()
    summary = tables_of(EQUAL)["summary"].set_index(["head", "variant"])
    row = next(line for line in table if "relu" in line and "| 10 %" in line)
    line = summary.loc[("relu", "10 %")]
    cells = [cell.strip() for cell in row.split("|")]
    assert "80 (8)" in cells
    assert f"{100 * line['kept']:.0f} %" in cells
    assert short(line["srcc_sd_seeds"]) in cells


def test_findings_say_how_much_is_kept_and_up_to_where_a_loss_is_sure():
    tables = tables_of({"relu": [1.0, 0.12, 0.12], "sigmoid": [1.0, 0.5, 0.1]})
    said = findings(record(), tables["summary"], tables["differences"]).splitlines()
    kept = tables["summary"].set_index(["head", "variant"])["kept"]
    for line, head in zip(said, ("relu", "sigmoid"), strict=False):
        assert f"keeps {100 * kept[head, '10 %']:.0f} % of it with 10 % and " in line
    assert "The fall is confirmed up to 10 % of the images: −" in said[0]
    assert said[0].endswith("; not above.")
    assert "The fall is confirmed up to 50 % of the images: −" in said[1]
    assert not said[1].endswith("; not above.")


def test_no_loss_is_said_plainly():
    smaller = tables_of({"relu": [0.2, 0.2, 0.2]})["summary"].iloc[:2].set_index("variant")
    assert enough(smaller) == "No fall in SRCC is confirmed."


def test_a_difference_that_grows_with_less_data_is_told_both_ways():
    for worse, sign in (("relu", "+"), ("sigmoid", "−")):
        gaps = tables_of(EQUAL | {worse: [2.0, 0.2, 0.1]})["differences"]
        said = apart(record(), "sigmoid", gaps)
        change = gaps.set_index("variant").loc["10 %", "change"]
        assert f"it changes by {short(change, sign=True)} [" in said
        assert said.split("it changes by ")[1].startswith(sign)
        assert "not confirmed" not in said


def test_a_difference_that_stays_is_not_confirmed_to_depend_on_the_data():
    said = apart(record(), "sigmoid", tables_of(EQUAL)["differences"])
    assert "**not confirmed**" in said
    assert "+.000 [+.000, +.000] at 100 %" in said


def test_the_whole_set_has_no_change_against_itself():
    rows = differences(record(), tables_of(EQUAL)["differences"]).set_index("share")
    assert rows.loc["100 %", "minus that on all images [95 %]"] == ""
    assert rows.loc["10 %", "minus that on all images [95 %]"] == "+.000 [+.000, +.000]"


def test_the_figure_draws_each_head_over_the_images_of_its_shares():
    summary = tables_of(EQUAL | {"gated": [0.4, 0.3, 0.2]})["summary"]
    (ax,) = srcc_by_share(summary).axes
    assert ax.get_xscale() == "log"
    assert [line.get_label() for line in ax.lines] == ["relu", "sigmoid", "gated"]
    for line in ax.lines:
        part = summary[summary["head"] == line.get_label()]
        np.testing.assert_allclose(line.get_xdata(), [80, 400, 800])
        np.testing.assert_allclose(line.get_ydata(), part["srcc"])
    assert ax.get_xticklabels()[0].get_text() == "80\n(10 %)"
