import pandas as pd
import pytest
from made_up_runs import predictions_of, record_of

from iqa.report.chapters.claims import CLAIMS, claims_table


def tables_of(sigmoid, p):
    comparisons = pd.DataFrame(
        {
            "figure": ["srcc", "srcc_within"],
            "head": "sigmoid",
            "difference": [sigmoid, 0.9],
            "low": [sigmoid - 0.01, 0.8],
            "high": [sigmoid + 0.02, 1.0],
            "p_holm": [p, 0.0],
        }
    )
    return {"comparisons": comparisons, "predictions": predictions_of({"sigmoid": 0.1})}


def run(experiment, tables, dataset="clive", **metrics):
    record = record_of(experiment, metrics, {})
    used = record.dataset.model_copy(update={"name": dataset})
    return record.model_copy(update={"dataset": used}), tables


def cells(measured, words):
    table = claims_table(measured).set_index("the claim")
    return table[[f"[{words}]" in claim for claim in table.index]].iloc[0].to_dict()


FIRST = "sigmoid beats ReLU, at the paper's learning rate"


@pytest.mark.parametrize(
    ("difference", "p", "verdict"),
    [
        (0.05, 0.01, "**seen** +.050"),
        (0.05, 0.06, "not confirmed +.050"),
        (-0.05, 0.01, "**contradicted** −.050"),
    ],
)
def test_a_claim_is_judged_by_its_difference_over_all_images(difference, p, verdict):
    measured = [run("activations", tables_of(difference, p))]
    said = cells(measured, FIRST)
    assert said["CLIVE"].startswith(verdict)
    assert said["AGIQA-3K"] == "–"


def test_what_was_not_run_is_a_dash_and_other_data_do_not_count():
    other = [run("activations", tables_of(0.1, 0.0), dataset="demo")]
    table = claims_table(other)
    assert (table[["CLIVE", "AGIQA-3K"]] == "–").all().all()
    assert len(table) == len(CLAIMS)


def test_the_gate_is_said_from_its_own_side():
    summary = pd.DataFrame(
        {
            "head": ["first", "second", "second"],
            "variant": ["gated_even", "gated_even", "gated"],
            "low": 0.5,
            "high": 0.6,
            "difference": [0.5, 0.03, None],
            "low_gap": [0.4, 0.01, None],
            "high_gap": [0.6, 0.04, None],
            "p_holm": [0.001, 0.001, None],
        }
    )
    measured = [run("gate", {"summary": summary}, "agiqa3k")]
    said = cells(measured, "a gate that learns beats an even blend")["AGIQA-3K"]
    assert said == "**contradicted** −.030 [−.040, −.010]"


def test_the_gate_and_a_plain_sigmoid_meet_on_the_same_images():
    predictions = predictions_of({"relu": 0.5, "sigmoid": 0.1, "gated": 0.9})
    tables = tables_of(0.1, 0.0) | {"predictions": predictions}
    said = cells(
        [run("activations", tables)], "the gate beats a plain sigmoid, at the paper's rate"
    )["CLIVE"]
    assert said.startswith("**contradicted** −.")


def test_every_claim_leads_to_a_page_of_the_book():
    from iqa.experiments import project_root

    for claim in CLAIMS:
        assert (project_root() / "book" / f"{claim.experiment}.md").is_file()
