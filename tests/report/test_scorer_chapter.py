"""The chapter and the card of the model that is shipped, from a made-up run."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_runs import TUNING, predictions_of, record_of, shown_by, tables_of

from iqa.experiments import write_record
from iqa.report.chapters.scorer import card, headlines, splits_table, write
from iqa.report.tables import p_value, with_sign

BOOK = Path(__file__).parents[2] / "book"


def record(**changes):
    metrics = {
        "tuning": TUNING | {"regime": "full", "backbone_learning_rate": 2e-4, "crop": 32},
        "median_srcc": 0.8123,
        "model": "made-up-model",
        "model_parameters": 5_060_097,
        "licences": {"weights": "A-1.0", "ratings": "for research."},
    }
    return record_of("scorer", metrics, {"stem": 3.0, "split 8": 9.0}, **changes)


@pytest.fixture
def tables():
    shipped = pd.DataFrame(
        {
            "data": ["Made up, held-out test images", "Another, all images, untouched"],
            "images": [232, 2982],
            "contents": [1, 300],
            "srcc": [0.8, 0.5],
            "srcc_low": [np.nan, 0.4],
            "srcc_high": [np.nan, 0.6],
            "plcc": [0.85, 0.55],
            "plcc_low": [0.8, 0.45],
            "plcc_high": [0.9, 0.65],
        }
    )
    return tables_of(predictions_of({"frozen": 0.6, "adapted": 0.1}), ["adapted"]) | {
        "shipped": shipped
    }


def test_a_run_leaves_every_fragment_that_its_page_shows(tmp_path, tables):
    write(write_record(tmp_path / "run", record(), tables), tmp_path / "shown")
    shown = shown_by(BOOK / "scorer.md", "scorer")
    assert {"findings.md", "shipped.md", "splits.md", "limits.md", "intervals.svg"} <= shown
    assert shown <= {path.name for path in (tmp_path / "shown").iterdir()}
    said = (tmp_path / "shown" / "findings.md").read_text()
    srcc = tables["by_fold"].query("head == 'adapted'")["srcc"]
    assert f"the median SRCC is **{srcc.median():.3f}**".replace("0.", ".") in said
    assert "SRCC .800 [–, –] on its 232 held-out images" in said
    assert ".500 [.400, .600] on all 2,982" in said
    gap = tables["comparisons"].query("figure == 'srcc'").iloc[0]
    assert f"adds {with_sign(gap)}" in said
    assert f"p {p_value(gap['p_holm'])}." in said


def test_a_row_a_split_shows_frozen_beside_adapted(tables):
    table = splits_table(tables["by_fold"])
    assert list(table["split"]) == ["8", "19"]
    by_split = tables["by_fold"].set_index(["head", "seed"])["srcc"]
    for head in ("frozen", "adapted"):
        shown = [f"0{cell}" for cell in table[f"SRCC, {head}"]]
        assert shown == [f"{by_split[head, seed]:.3f}" for seed in (8, 19)]


def test_the_card_says_data_figures_limits_and_terms(tables):
    text = card(record(), tables)
    assert text.startswith("# made-up-model\n")
    for words in (
        "on the scale of\nMade up.",
        "5.1 million parameters",
        "| Another, all images, untouched | 2,982",
        "## Limits\n\n- It learned the taste",
        "resized to 64 px",
        "started from: A-1.0. Ratings it learned from: for research.",
    ):
        assert words in text
    assert "untrained" not in text


def test_the_card_of_an_untrained_model_says_so(tables):
    text = card(record(untrained=True), tables)
    assert "**untrained**, for tests only." in text
    assert "some_backbone (**untrained** start)" in text


def test_the_first_page_gives_the_median_and_the_untouched_set(tables):
    (said,) = headlines(record(), tables)
    assert "median SRCC of .812 over 2 splits" in said
    assert "the shipped one .500 [.400, .600] on Another, all images, untouched." in said
