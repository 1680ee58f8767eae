"""The chapters on baselines and on backbones, from made-up runs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_runs import record_of, shown_by

from iqa.evaluation import summarize_heads, summarize_variants
from iqa.experiments import write_record
from iqa.report.chapters import backbones, baselines
from iqa.report.chapters.variants import said_gap
from iqa.report.tables import short, with_sign

BOOK = Path(__file__).parents[2] / "book"
RIDGE, LOOSE = baselines.RIDGE, baselines.LOOSE
AVERAGED = "mean of 4 starts"
MAIN = {"relu": 0.3, "sigmoid": 0.3, RIDGE: 0.1, LOOSE: 0.6, "SVR": 0.1, "boosting": 0.3}


def predictions_of(noise, column="head", images=150):
    """Predictions of each of `noise`: the target with noise of its own strength."""
    parts, target = [], np.random.default_rng(0).random(images)
    for n, (name, strength) in enumerate(noise.items()):
        errors = np.random.default_rng(n + 1).standard_normal(images)
        part = pd.DataFrame({"target": target, "prediction": target + strength * errors})
        part["id"] = part["group"] = [f"i{i}" for i in range(images)]
        parts.append(part.assign(seed=8, fold=0, side="test", **{column: name}))
    return pd.concat(parts, ignore_index=True)


def record(experiment, metrics, parameters, **changes):
    made = record_of(experiment, metrics, {"total": 1.0}, **changes)
    training = {"epochs": 15, "learning_rate": 1e-4, "batch_size": 64, "objective": "mse"}
    more = {"training": training, "folds": 3} | parameters
    return made.model_copy(update={"parameters": made.parameters | more})


def baselines_run(folder, ways, main=MAIN, **changes):
    """A run whose heads have the errors `ways` by the way they are trained."""
    heads = ["relu", "sigmoid"]
    everything = predictions_of(main | {baselines.SCENES: 1.0})
    found = summarize_heads(everything, "relu", 200)
    varied = predictions_of(ways, "variant")
    beside = predictions_of({RIDGE: 0.1, LOOSE: main[LOOSE]}, "variant")
    gains = pd.concat([varied.assign(head=h) for h in heads])
    gaps = [gains, *[beside.query("variant == @RIDGE").assign(head=h) for h in heads]]
    gaps.append(beside.assign(head=baselines.SQUARES))
    fits = [{"head": h, "variant": w, "train_srcc": 0.99, "fold": 0} for h in heads for w in ways]
    choices = [{"head": RIDGE, "fold": i, "settings": f"alpha {10 * (i > 0)}"} for i in range(3)]
    metrics = {
        "looked_into": heads,
        "looked_into_seed": 8,
        "looked_into_splits": 1,
        "looked_into_images": 150,
        "averaged": AVERAGED,
        "features": 1280,
        "training_images": 900,
        "ridge_train_srcc": 0.9,
    }
    trainings = {w: {} for w in ways if w not in ("as studied", baselines.TUNED, AVERAGED)}
    made = record("baselines", metrics, {"heads": heads, "trainings": trainings}, **changes)
    tables = {
        "heads": found.heads,
        "comparisons": found.comparisons,
        "gains": summarize_variants(gains, "as studied", 200),
        "gaps": summarize_variants(pd.concat(gaps), RIDGE, 200),
        "fits": pd.DataFrame(fits),
        "choices": pd.DataFrame(choices),
    }
    baselines.write(write_record(folder / "run", made, tables), folder / "shown")
    return tables, {p.name: p for p in (folder / "shown").iterdir()}


WAYS = {"as studied": 0.4, "60 epochs": 0.41, baselines.TUNED: 0.3, AVERAGED: 0.1}


@pytest.mark.parametrize("label", ["baselines-clive", "baselines-agiqa3k"])
def test_baselines_leave_every_fragment_that_the_page_shows(tmp_path, label):
    shown = shown_by(BOOK / "baselines.md", label)
    assert {"why.md", "regressors.svg", "reasons.svg", "record.md"} <= shown
    _, files = baselines_run(tmp_path, WAYS, untrained=True)
    assert shown <= set(files)
    assert "(**untrained**)" in files["setting.md"].read_text()


def test_findings_say_what_the_tables_say(tmp_path):
    tables, files = baselines_run(tmp_path, WAYS)
    said = files["findings.md"].read_text()
    gap = tables["comparisons"].query("figure == 'srcc'").set_index("head").loc[RIDGE]
    assert f"**Ridge** minus the relu head: {with_sign(gap)}" in said
    assert "It is above all 2 MLP heads." in said
    assert "alpha 10 (2 of 3)" in files["table.md"].read_text()
    table = files["reasons.md"].read_text()
    for way in WAYS:
        assert table.count(f"| {way} ") == 2
    assert baselines.SQUARES not in table


def test_a_cause_is_named_only_where_a_change_surely_helps(tmp_path):
    tables, files = baselines_run(tmp_path, WAYS)
    said = files["why.md"].read_text()
    gains = tables["gains"].set_index(["head", "variant"])
    assert f"*60 epochs* adds, by relu {said_gap(gains.loc['relu', '60 epochs'])}" in said
    assert "**A linear map by itself is not what wins, its penalty is**" in said
    assert "relu with .990, **more closely**" in said
    short_said = next(line for line in said.splitlines() if "**relu, in short**" in line)
    assert f"*{AVERAGED}* help" in short_said
    assert "60 epochs" not in short_said
    assert "is no longer significantly ahead" in short_said
    gaps = tables["gaps"].set_index(["head", "variant"])
    closed = (
        gains.loc["relu", AVERAGED]["difference"] / -gaps.loc["relu", "as studied"]["difference"]
    )
    assert f"averaging closes {closed:.0%} of the gap" in short_said


def test_no_cause_is_named_where_nothing_helps_or_nothing_is_missing(tmp_path):
    alike = dict.fromkeys(WAYS, 0.4)
    _, files = baselines_run(tmp_path / "none", alike)
    said = files["why.md"].read_text()
    assert said.count("the reason was **not found**") == 2
    good = dict.fromkeys(WAYS, 0.05)
    _, files = baselines_run(tmp_path / "good", good, main=MAIN | {"relu": 0.05, LOOSE: 0.1})
    said = files["why.md"].read_text()
    assert said.count("so nothing to explain") == 2
    assert "**The penalty is not shown to matter**" in said
    assert "Above it is relu." in files["findings.md"].read_text()


def backbones_run(folder, noise, **changes):
    predictions = pd.concat(
        [predictions_of(noise, "variant").assign(head=head) for head in ("relu", "sigmoid")]
    )
    summary = summarize_variants(predictions, next(iter(noise)), 200)
    about = pd.DataFrame({"variant": list(noise)})
    about = about.assign(features=1280, parameters=3_370_000, processor_ms=15.4)
    about["untrained"] = about["variant"].str.endswith("untrained")
    made = record("backbones", {"baseline": next(iter(noise))}, {}, **changes)
    tables = {"summary": summary, "backbones": about}
    backbones.write(write_record(folder / "run", made, tables), folder / "shown")
    return summary, {p.name: p for p in (folder / "shown").iterdir()}


@pytest.mark.parametrize("label", ["backbones-clive", "backbones-agiqa3k"])
def test_backbones_leave_every_fragment_that_the_page_shows(tmp_path, label):
    shown = shown_by(BOOK / "backbones.md", label)
    assert {"findings.md", "cost.md", "backbones.svg"} <= shown
    _, files = backbones_run(tmp_path, {"a": 0.1, "b": 0.3, "a, untrained": 0.9})
    assert shown <= set(files)
    assert "| 1,280      | 3.37 million | 15 ms " in files["cost.md"].read_text()


@pytest.mark.parametrize(
    ("control", "said"),
    [(0.9, "That is what pretraining is worth"), (0.1, "helps is **not confirmed**")],
)
def test_what_pretraining_is_worth_is_said_of_the_same_network(tmp_path, control, said):
    noise = {"a": 0.1, "b": 0.3, "a, untrained": control}
    summary, files = backbones_run(tmp_path, noise)
    text = files["findings.md"].read_text()
    assert text.count(said) == 2
    rows = summary.query("head == 'relu'").set_index("variant")
    assert f"a gives SRCC {short(rows.loc['a', 'srcc'])}; the others minus it: b " in text
    assert f"a, untrained: SRCC {short(rows.loc['a, untrained', 'srcc'])}" in text
    _, files = backbones_run(tmp_path / "other", {"b": 0.1, "a, untrained": 0.9})
    assert "pretraining" not in files["findings.md"].read_text().lower()
