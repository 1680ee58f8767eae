from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from iqa.report.chapters import literature
from iqa.report.chapters.activations import all_figures, findings, main_table
from iqa.report.chapters.fragments import what_was_run

TABLE5 = "results/literature/table5.csv"


def heads():
    return pd.DataFrame(
        {
            "head": ["sigmoid", "relu", "gelu"],
            "srcc": [0.9, 0.8, 0.7],
            "low": [0.85, 0.7, 0.6],
            "high": [0.95, 0.85, 0.8],
            "srcc_sd_seeds": [0.01, 0.02, np.nan],
            "srcc_within": [0.95, 0.9, 0.85],
            "within_low": [0.9, 0.85, 0.8],
            "within_high": [0.97, 0.93, 0.9],
        }
    )


def comparisons(p_sigmoid):
    rows = [("sigmoid", 0.1, 0.05, 0.15, p_sigmoid), ("gelu", -0.1, -0.2, 0.01, 0.2)]
    names = ["head", "difference", "low", "high", "p_holm"]
    one = pd.DataFrame(rows, columns=names).assign(p=lambda t: t["p_holm"] / 2)
    return pd.concat([one.assign(figure="srcc"), one.assign(figure="srcc_within", p_holm=0.5)])


# The parts of a record that the sentences are made from.
Said = SimpleNamespace(
    metrics={"baseline": "relu"}, dataset=SimpleNamespace(score_kind="pseudo-MOS", groups=11)
)


def test_a_cell_shows_value_interval_and_corrected_p():
    table = main_table(heads(), comparisons(0.0004), "srcc").set_index("head")
    assert table.loc["sigmoid (B_Sig)", "SRCC [95 %]"] == ".900 [.850, .950]"
    assert table.loc["sigmoid (B_Sig)", "minus baseline [95 %]"] == "+.100 [+.050, +.150]"
    assert table.loc["sigmoid (B_Sig)", "p (Holm)"] == "< .001"
    assert table.loc["relu (B)", "p (Holm)"] == ""


@pytest.mark.parametrize(
    ("p", "verdict"), [(0.01, "is **seen** over all"), (0.2, "is **not confirmed** over all")]
)
def test_a_claim_is_seen_only_when_significant(p, verdict):
    text = findings(Said, heads(), comparisons(p))
    assert f"B_Sig (sigmoid) beats relu {verdict} images" in text
    assert "pseudo-MOS" in text
    assert ("sigmoid is significantly better" in text) == (p < 0.05)


def test_a_significant_loss_contradicts_the_claim():
    table = comparisons(0.01)
    table["difference"] = -table["difference"].abs()
    assert "**contradicted** over all images" in findings(Said, heads(), table)


def test_table5_is_complete_and_traceable():
    values = pd.read_csv(TABLE5)
    assert len(values) == 192
    assert values["method"].nunique() == 20
    assert values["dataset"].nunique() == 7
    assert not values.isna().any().any()
    key = values.set_index(["method", "dataset", "metric"])["value"]
    assert key.index.is_unique
    assert key["B_Gated", "kadid10k", "SRCC"] == 0.970
    assert key["B_Sig", "clive", "PLCC"] == 0.930


def test_the_best_of_a_column_is_bold_and_gaps_are_dashes():
    table = literature.wide_table(pd.read_csv(TABLE5), "SRCC").set_index("method")
    assert table.loc["B_Sig", "CLIVE"] == "**.909**"
    assert table.loc["B_Gated", "CLIVE"] == ".887"
    assert table.loc["ILNIQE", "FLIVE"] == "–"
    assert (table.map(lambda cell: cell.startswith("**")).sum() == 1).all()


def test_what_is_read_off_table5():
    text = literature.findings(pd.read_csv(TABLE5))
    assert "B_Gated has the best SRCC on KADID-10k." in text
    assert "B_Sig has the best SRCC on CLIVE and AGIQA-3K." in text


def test_the_protocols_plcc_is_marked_and_one_that_is_nowhere_left_out():
    columns = ["srcc", "krcc", "plcc_raw", "plcc_val_fit", "plcc_test_fit", "rmse"]
    by_fold = pd.DataFrame(0.5, index=range(6), columns=columns)
    by_fold = by_fold.assign(head=["relu", "sigmoid", "gelu"] * 2, seed=8, fold=0)
    table = all_figures(by_fold, heads(), "val")
    assert list(table["head"]) == ["sigmoid", "relu", "gelu"]
    assert "PLCC, logistic fitted on validation (the protocol's)" in table
    table = all_figures(by_fold.assign(plcc_val_fit=np.nan), heads(), "raw")
    assert [name for name in table if "PLCC" in name] == [
        "PLCC raw (the protocol's)",
        "PLCC, logistic fitted on test",
    ]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({}, "5-fold cross-validation over contents, checkpoint chosen on validation"),
        (
            {"protocol": {"split": "published", "checkpoint": "test", "plcc": "raw"}},
            "a split for each seed, 80/20 by image, checkpoint chosen on the test images",
        ),
    ],
)
def test_a_run_says_its_protocol_and_old_records_the_one_there_was(parameters, said):
    training = {"epochs": 2, "learning_rate": 1e-4, "batch_size": 64, "objective": "mse"}
    record = SimpleNamespace(
        parameters={"folds": 5, "backbone": "b", "input_size": 64, "training": training}
        | parameters,
        protocol="p",
        dataset=SimpleNamespace(title="T", images=9, groups=3, score_kind="MOS"),
        untrained=False,
        seeds=[8],
    )
    assert f"Protocol *p*: {said}" in what_was_run(record)
