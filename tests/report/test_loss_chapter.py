"""The chapter on losses, from made-up runs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_runs import record_of, shown_by

from iqa.evaluation import summarize_variants
from iqa.experiments import write_record
from iqa.experiments.losses import LOSSES, agreement
from iqa.report.chapters.loss import against, effects, findings, with_agreement, write
from iqa.report.tables import short

BOOK = Path(__file__).parents[2] / "book"
BASELINE = "MSE + margin"
ALIKE = dict.fromkeys(LOSSES, 0.3)


def predictions_of(noise, heads=("relu", "sigmoid"), images=120):
    """Predictions with each loss: the target with noise of the loss's own strength."""
    parts, target = [], np.random.default_rng(0).random(images)
    for h, head in enumerate(heads):
        for v, (loss, strength) in enumerate(noise.items()):
            errors = np.random.default_rng(10 * h + v).standard_normal(images)
            part = pd.DataFrame({"target": target, "prediction": target + strength * errors})
            part["id"] = part["group"] = [f"i{n}" for n in range(images)]
            for side in ("val", "test"):
                parts.append(part.assign(head=head, variant=loss, seed=8, fold=0, side=side))
    return pd.concat(parts, ignore_index=True)


def summary_of(noise, **changes):
    predictions = predictions_of(noise, **changes)
    summary = summarize_variants(predictions, BASELINE, 200)
    return summary.merge(agreement(predictions, LOSSES), on=["head", "variant"])


def record(batches=("64", "6 × 2"), **changes):
    metrics = {
        "baseline": BASELINE,
        "scale_free": ["margin", "1 − PLCC"],
        "batches": list(batches),
    }
    made = record_of("loss", metrics, {"total": 1.0}, **changes)
    training = {"epochs": 15, "learning_rate": 1e-4, "batch_size": 64, "objective": "varied"}
    more = {"training": training, "folds": 3}
    return made.model_copy(update={"parameters": made.parameters | more, "protocol": "varied"})


def written(folder, noise, **changes):
    """The fragments of a run with these losses, by name."""
    pairs = {name: noise[name] for name in (BASELINE, "MSE + margin, swapped")}
    usual = summary_of(noise).assign(batch="64", seeds=3)
    paper = summary_of(pairs, heads=("sigmoid",)).assign(batch="6 × 2", seeds=1)
    tables = {"summary": pd.concat([usual, paper], ignore_index=True)}
    write(write_record(folder / "run", record(**changes), tables), folder / "shown")
    return {path.name: path for path in (folder / "shown").iterdir()}


@pytest.mark.parametrize("label", ["loss-clive", "loss-agiqa3k"])
def test_a_run_leaves_every_fragment_that_its_page_shows(tmp_path, label):
    shown = shown_by(BOOK / "loss.md", label)
    assert {"findings.md", "losses.svg", "record.md"} <= shown
    assert shown <= set(written(tmp_path, ALIKE))


def test_the_setting_says_that_the_objective_varies_and_untrained(tmp_path):
    said = written(tmp_path, ALIKE, untrained=True)["setting.md"].read_text()
    for words in ("**untrained**", "**MOS**", "batch 64, objective varied", "3-fold"):
        assert words in said


def test_the_table_leaves_out_the_rmse_of_what_has_no_scale():
    summary = summary_of(ALIKE)
    rows = with_agreement(summary).set_index(["head", "loss"])
    for line in summary.itertuples():
        row = rows.loc[(line.head, line.variant)]
        assert row["PLCC"] == short(line.plcc_val_fit)
        assert row["RMSE"] == ("–" if LOSSES[line.variant].scale_free else short(line.rmse))
    assert (rows["RMSE"] == "–").sum() == 4


def test_what_is_better_and_what_is_worse_is_told_with_its_difference():
    noise = ALIKE | {"MSE": 0.05, "margin": 3.0}
    part = summary_of(noise, heads=("relu",))
    said = against(part, BASELINE)
    above, below = said.split("significantly above it: ")[1].split("significantly below it: ")
    by_loss = part.set_index("variant")
    assert above.startswith(f"*MSE* ({short(by_loss.loc['MSE', 'difference'], sign=True)}")
    assert short(by_loss.loc["margin", "difference"], sign=True) in below
    assert "*margin*" not in above
    assert said.endswith("no difference is confirmed for the others.")


def test_no_difference_is_said_plainly():
    said = against(summary_of(ALIKE, heads=("relu",)), BASELINE)
    assert "none of the 5 others differs significantly, with differences from −" in said
    assert "significantly above" not in said


def gap(difference, low, high, p):
    row = {"head": "relu", "variant": "MSE", "difference": difference, "low_gap": low}
    return pd.DataFrame([row | {"high_gap": high, "p_holm": p}])


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (gap(-0.1, -0.2, -0.05, 0.001), "relu −.100 [−.200, −.050]."),
        (gap(0.1, 0.05, 0.2, 0.001), "relu +.100 [+.050, +.200]."),
        (gap(-0.01, -0.02, 0.01, 0.5), "not significant; its interval excludes a cost above .020."),
        (gap(0.02, 0.01, 0.03, 0.06), "not significant; its interval excludes a cost above .000."),
    ],
)
def test_a_cost_is_bounded_where_it_is_not_confirmed(row, words):
    assert effects(row, "MSE").endswith(words)


def test_findings_name_each_head_both_defects_and_what_has_no_scale():
    lines = findings(record(), summary_of(ALIKE)).splitlines()
    assert [line.split("**")[1] for line in lines[:4]] == [
        "relu",
        "sigmoid",
        "Swapped arguments (B1)",
        "Targets between .01 and .05 (B3)",
    ]
    assert lines[4].startswith("- *margin* and *1 − PLCC* leave shift and scale")


def test_the_papers_batches_are_told_where_there_are_some(tmp_path):
    said = written(tmp_path / "both", ALIKE)["paper_batch.md"].read_text()
    paper = summary_of(dict.fromkeys((BASELINE, "MSE + margin, swapped"), 0.3))
    before = paper.query("head == 'relu' and variant == @BASELINE")["srcc"].item()
    assert f"with 1 seed, *{BASELINE}* gives SRCC sigmoid {short(before)}." in said
    assert "**Swapped arguments (B1)** minus the formula as written: sigmoid " in said
    without = written(tmp_path / "one", ALIKE, batches=["64"])["paper_batch.md"].read_text()
    assert without == "\n"
