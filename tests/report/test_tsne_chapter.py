"""The chapter on hidden features, from made-up runs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_runs import record_of, shown_by

from iqa.evaluation import summarize_folds
from iqa.experiments import write_record
from iqa.report.chapters.tsne import claims, findings, main_table, write
from iqa.report.tables import with_interval

BOOK = Path(__file__).parents[2] / "book"
HEADS = ["relu", "sigmoid"]
FEATURE = "backbone feature"
PAIRS = {"relu": ["sigmoid"], FEATURE: HEADS}


def record(**changes):
    metrics = {"baseline": "relu", "feature": FEATURE, "neighbours": 12}
    made = record_of("tsne", metrics, {"total": 1.0}, **changes)
    training = {"epochs": 3, "learning_rate": 1e-4, "batch_size": 64, "objective": "mse"}
    parameters = made.parameters | {"heads": HEADS, "folds": 10, "training": training}
    return made.model_copy(update={"parameters": parameters})


def tables_of(silhouette, neighbours, groups=0.3):
    """Ten folds in which sigmoid is ahead of relu by these two."""
    rng, rows = np.random.default_rng(0), []
    for head, ahead in ((FEATURE, -1), ("relu", 0), ("sigmoid", 1)):
        for fold in range(10):
            noise = rng.normal(0, 0.01, 2)
            figures = {
                "trustworthiness": 0.9,
                "silhouette": 0.02 + ahead * silhouette + noise[0],
                "silhouette_groups": groups,
                "neighbour_srcc": 0.5 + ahead * neighbours + noise[1],
            }
            rows.append({"head": head, "seed": 8, "fold": fold} | figures)
    numbers = pd.DataFrame(rows)
    summary, differences = summarize_folds(numbers, PAIRS, 1 / 8)
    xy = {"x": rng.normal(size=30), "y": rng.normal(size=30), "bucket": np.arange(30) % 4}
    points = pd.concat([pd.DataFrame(xy).assign(head=head) for head in (FEATURE, *HEADS)])
    return {
        "numbers": numbers, "summary": summary, "differences": differences, "points": points
    }  # fmt: skip


@pytest.mark.parametrize("label", ["tsne-clive"])
def test_a_run_leaves_every_fragment_that_its_page_shows(tmp_path, label):
    shown = shown_by(BOOK / "tsne.md", label)
    assert {"findings.md", "points.png", "measures.svg", "table.md", "record.md"} <= shown
    run = write_record(tmp_path / "run", record(untrained=True), tables_of(0.1, 0.1))
    write(run, tmp_path / "shown")
    assert shown <= {path.name for path in (tmp_path / "shown").iterdir()}
    assert "**untrained**" in (tmp_path / "shown" / "setting.md").read_text()


@pytest.mark.parametrize(
    ("silhouette", "neighbours", "said"),
    [
        (0.1, 0.1, "Both measures **support** the claim."),
        (0.1, 0.0, "One of the two measures **support** the claim."),
        (-0.1, -0.1, "**not confirmed**: what is significant speaks against it."),
        (0.1, -0.1, "**contradict each other**: the claim is not confirmed here."),
        (0.0, 0.0, "**not confirmed** here: neither difference is significant."),
    ],
)
def test_the_papers_claim_is_judged_by_both_measures(silhouette, neighbours, said):
    (claim,) = claims(record(), tables_of(silhouette, neighbours)["differences"])
    assert claim.endswith(said)
    assert claim.count("not significant") == (silhouette == 0) + (neighbours == 0)


def test_what_a_head_adds_to_the_feature_is_told_with_its_sign():
    tables = tables_of(0.1, 0.1)
    said = findings(record(), tables["summary"], tables["differences"])
    assert "significantly more with relu, sigmoid" in said
    tables = tables_of(-0.1, -0.1)
    said = findings(record(), tables["summary"], tables["differences"])
    assert "significantly less with relu, sigmoid" in said


def test_contents_are_spoken_of_where_there_are_some():
    tables = tables_of(0.1, 0.1)
    assert "the **content** more" in findings(record(), tables["summary"], tables["differences"])
    alone = tables_of(0.1, 0.1, groups=np.nan)
    assert "By content" not in findings(record(), alone["summary"], alone["differences"])
    assert "silhouette by content" not in main_table(record(), alone["summary"])


def test_a_row_shows_the_means_of_its_head():
    summary = tables_of(0.1, 0.1)["summary"]
    table = main_table(record(), summary).set_index("features")
    line = summary.query("head == 'sigmoid' and measure == 'silhouette'").iloc[0]
    shown = with_interval(line["mean"], line["low"], line["high"])
    assert table.loc["sigmoid", "silhouette by quality"] == shown
    assert list(table.index) == [f"{FEATURE}, before any head", *HEADS]


def test_no_srcc_of_an_untrained_backbone_goes_without_the_word():
    tables = tables_of(0.1, 0.1)
    said = findings(record(untrained=True), tables["summary"], tables["differences"])
    for line in said.splitlines():
        assert "SRCC" not in line or "**untrained**" in line
