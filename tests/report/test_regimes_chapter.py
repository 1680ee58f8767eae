"""The chapter on regimes, from made-up runs."""

from pathlib import Path

import pandas as pd
import pytest
from made_up_runs import TUNING, predictions_of, record_of, shown_by, tables_of

from iqa.experiments import write_record
from iqa.report.chapters.regimes import claim, findings, seconds_of_a_split, write
from iqa.report.tables import with_interval, with_sign

BOOK = Path(__file__).parents[2] / "book"
SECONDS = {"lora, split 8": 10.0, "full, split 8": 30.0, "lora, split 19": 20.0, "total": 99.0}
NOISE = {"frozen": 0.6, "lora": 0.1, "full": 0.09}


def record(**changes):
    tunings = {
        regime: TUNING | {"regime": regime, "backbone_learning_rate": rate}
        for regime, rate in (("lora", 2e-3), ("full", 3e-4))
    }
    return record_of("regimes", {"tunings": tunings}, SECONDS, **changes)


def written(folder, predictions, **changes):
    """The fragments of a run with these predictions, by name."""
    tables = tables_of(predictions, ["lora", "full"])
    write(write_record(folder / "run", record(**changes), tables), folder / "shown")
    return {path.name: path for path in (folder / "shown").iterdir()}


def gaps(lora, full, p):
    rows = [("lora", lora, p, "srcc"), ("full", full, p, "srcc"), ("full", -0.9, 0.0, "other")]
    return pd.DataFrame(rows, columns=["head", "difference", "p_holm", "figure"])


@pytest.mark.parametrize("label", ["regimes-clive", "regimes-agiqa3k"])
def test_a_run_leaves_every_fragment_that_its_page_shows(tmp_path, label):
    shown = shown_by(BOOK / "regimes.md", label)
    assert {"findings.md", "intervals.svg", "record.md"} <= shown
    assert shown <= set(written(tmp_path, predictions_of(NOISE)))


def test_the_setting_says_what_was_trained_and_how(tmp_path):
    said = written(tmp_path, predictions_of(NOISE), untrained=True)["setting.md"].read_text()
    for words in (
        "1,080 images",
        "**MOS**",
        "**untrained**",
        "seeds 8 and 19",
        "0.002 (LoRA, rank 4) and 0.0003 (full)",
        "whole images, mirrored at random, the backbone's products in bfloat16",
    ):
        assert words in said


def test_a_row_shows_figures_difference_and_seconds(tmp_path):
    predictions = predictions_of(NOISE)
    table = written(tmp_path, predictions)["table.md"].read_text()
    rows = {line.split("|")[1].strip(): line for line in table.splitlines()}
    tables = tables_of(predictions, ["lora", "full"])
    frozen = tables["heads"].set_index("head").loc["frozen"]
    assert with_interval(frozen["srcc"], frozen["low"], frozen["high"]) in rows["frozen"]
    gaps = tables["comparisons"].query("figure == 'srcc'").set_index("head")
    assert f"{with_sign(gaps.loc['lora'])} " in rows["LoRA"]
    assert rows["LoRA"].endswith(" 15                |")
    assert rows["full"].endswith(" 30                |")


def test_seconds_are_averaged_over_splits_and_the_total_left_out():
    assert seconds_of_a_split(record()) == {"LoRA": 15.0, "full": 30.0}


def test_a_plcc_that_one_split_lacks_is_a_dash_not_the_mean_of_the_others(tmp_path):
    predictions = predictions_of(NOISE)
    flat = predictions.eval("head == 'lora' and seed == 8 and side == 'val'")
    predictions = predictions[~flat]
    table = written(tmp_path, predictions)["table.md"].read_text()
    row = next(line for line in table.splitlines() if "LoRA" in line)
    assert row.split("|")[3].strip() == "–"


def test_full_and_lora_are_compared_on_the_same_images():
    tables = tables_of(predictions_of(NOISE), ["lora", "full"])
    named = {n: t.replace({"head": {"lora": "LoRA"}}) for n, t in tables.items()}
    srcc = tables["heads"].set_index("head")["srcc"]
    said = findings(record(), named)
    assert f"full minus LoRA is +{srcc['full'] - srcc['lora']:.3f}".replace("0.", ".") in said
    assert "- **LoRA** adds +" in said
    assert "**significant**" in said
    assert "The last of 3 epochs was kept in 4 of 4 trainings; more epochs" in said
    alone = {n: t[t["head"] != "full"] for n, t in named.items()}
    assert "full minus LoRA" not in findings(record(), alone)


def test_differences_within_a_content_are_told_where_there_are_some():
    one = findings(record(), tables_of(predictions_of(NOISE), ["lora"]))
    several = findings(record(), tables_of(predictions_of(NOISE, each=4), ["lora"]))
    assert "Within one content" not in one
    assert "Within one content" in several


def test_few_contents_are_said_to_make_intervals_wide():
    few = findings(record(), tables_of(predictions_of(NOISE, contents=10), ["lora"]))
    assert "draw the 8 contents of the test images; with so few" in few


@pytest.mark.parametrize(
    ("lora", "full", "p", "verdict"),
    [
        (0.02, 0.01, 0.001, "**a smaller loss**"),
        (0.05, 0.1, 0.001, "**a loss of that size**"),
        (0.3, 0.1, 0.001, "**a larger loss**"),
        (0.05, 0.1, 0.2, "**a loss is not shown**"),
        (-0.05, -0.1, 0.001, "**a loss is not shown**"),
    ],
)
def test_the_papers_claim_is_judged_by_the_better_regime(lora, full, p, verdict):
    paper = pd.Series({"low": 3, "high": 20, "unit": "points of SRCC"})
    said = claim(gaps(lora, full, p), paper)
    assert said.endswith(f"{verdict}.")
    assert f"{abs(100 * full):.1f} points {'behind' if full > 0 else 'ahead of'} full" in said
