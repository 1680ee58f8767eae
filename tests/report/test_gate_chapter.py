"""The chapter on the gate, from made-up runs."""

from pathlib import Path

import pandas as pd
import pytest
from made_up_runs import predictions_of, record_of, shown_by

from iqa.evaluation import summarize_variants
from iqa.experiments import write_record
from iqa.experiments.gates import pairs_of_heads
from iqa.report.chapters.gate import headlines, write
from iqa.report.chapters.gate_findings import answer, findings, moved, why_it_stops
from iqa.report.tables import with_interval, with_sign

BOOK = Path(__file__).parents[2] / "book"
NOISE = {"gated": 0.3, "gated_even": 0.3, "gated_bf16": 0.3, "gated_scalar": 0.1, "relu": 0.9}
NOISE |= {"mixture4": 0.3, "mixture4_channel": 0.1, "gated, hardened": 0.9}
SLOW, FAST = "lr 0.0001, batch 64", "lr 0.003, batch 64"


def gates(reach):
    """Gates of two heads whose weights moved by `reach` when trained fast, little when slow."""
    rows = []
    for training, far in ((SLOW, 0.003), (FAST, reach)):
        for head, share in (("gated", 1.0), ("gated_bf16", 0.5)):
            for candidate, sign in (("learnable_sigmoid", 1), ("learnable_leaky_relu", -1)):
                change = far * share
                row = {"training": training, "head": head, "layer": "act1", "candidate": candidate}
                row |= {"start": 0.5, "lowest": 0.5 - change, "highest": 0.5 + change}
                row |= {"moved_mean": change / 2, "moved_max": change, "preferred": 0.5 + sign / 4}
                row |= {"logit_moved_max": 4 * change, "q00": -change, "q05": -change / 2}
                rows.append(row | {"q50": 0.0, "q95": change / 2, "q100": change})
    return pd.DataFrame(rows)


def pushed(lost):
    """A path on which steps are lost from the second on, or never."""
    rows = [(10, 0.1, 0.1, 2e-4, 1e-4), (20, 0.2, 0.125, 2e-4, 4e-4 if lost else 1e-4)]
    rows.append((30, 0.3, 0.125 if lost else 0.3, 3e-4, 4e-4 if lost else 1e-4))
    return pd.DataFrame(rows, columns=["step", "float32", "bfloat16", "adams_step", "half_gap"])


@pytest.fixture(scope="module")
def tables():
    predictions = predictions_of(NOISE)
    parts = [predictions.assign(training=training) for training in (SLOW, FAST)]
    parts[1]["prediction"] = parts[1]["prediction"].round(2)
    everything = pd.concat(parts)
    soft = everything[~everything["head"].str.contains("hardened")]
    designs = soft.assign(variant=soft["head"], head=soft["training"])
    pairs = {"mixtures": ("mixture4_channel", "mixture4"), "hardened": ("gated, hardened", "gated")}
    compared = {
        name: pd.concat(
            pairs_of_heads(part, [pair], 200).assign(training=training)
            for training, part in everything.groupby("training", sort=False)
        )
        for name, pair in pairs.items()
    }
    summary = summarize_variants(designs, "gated", 200)
    return compared | {"summary": summary, "gates": gates(0.3), "pushed": pushed(True)}


def record(**changes):
    rates = {SLOW: 1e-4, FAST: 3e-3}
    made = record_of(
        "gate",
        {
            "baseline": "gated",
            "trainings": {name: {"learning_rate": rate} for name, rate in rates.items()},
            "steps": {SLOW: 220, FAST: 220},
            "seeds": {SLOW: [8], FAST: [8, 19]},
        },
        {"total": 1.0},
        **changes,
    )
    training = made.parameters["training"] | {"batch_size": 64, "objective": "mse+margin"}
    made.parameters.update(training=training, folds=5)
    return made


@pytest.mark.parametrize("label", ["gate-clive", "gate-agiqa3k"])
def test_a_run_leaves_every_fragment_that_its_page_shows(tmp_path, tables, label):
    write(write_record(tmp_path / "run", record(untrained=True), tables), tmp_path / "shown")
    shown = shown_by(BOOK / "gate.md", label)
    assert {"findings.md", "designs.svg", "record.md"} <= shown
    assert shown <= {path.name for path in (tmp_path / "shown").iterdir()}
    said = (tmp_path / "shown" / "setting.md").read_text()
    assert "**untrained**" in said
    assert f"{FAST} (220 steps, 2 seeds)" in said
    for page in (tmp_path / "shown").glob("*.md"):
        rows = [line for line in page.read_text().splitlines() if line.startswith("|")]
        counts = {line.count("|") for line in rows}
        assert len(counts) <= 1, page.name


def test_the_tables_say_what_was_summarised(tmp_path, tables):
    write(write_record(tmp_path / "run", record(), tables), tmp_path / "shown")
    table = (tmp_path / "shown" / "table.md").read_text()
    for row in tables["summary"].itertuples():
        assert with_interval(row.srcc, row.low, row.high) in table
    hardened = (tmp_path / "shown" / "hardened.md").read_text()
    for _, row in tables["hardened"].iterrows():
        assert with_sign(row) in hardened
    movement = (tmp_path / "shown" / "movement.md").read_text()
    assert [line for line in movement.splitlines() if FAST in line and ".3000" in line]
    assert "75%" in (tmp_path / "shown" / "preference.md").read_text()


def test_each_question_is_answered_with_the_way_the_numbers_fall(tables):
    said = {line.split("**")[1]: line for line in findings(record(), tables).splitlines()[1:8]}
    assert "Of 2 comparisons, 2 significantly better: +" in said["One *g* for the whole layer:"]
    assert "Of 2 comparisons, 2 significantly worse: ReLU −" in said["No gate:"]
    assert "Nothing significant in 2" in said["Does it matter that *g* learns?"]
    mixed = said["The mixture weighed by channel minus the one weighed by layer:"]
    assert "2 significantly better" in mixed
    hard = said["Each channel keeps its preferred activation alone:"]
    assert "2 significantly worse, from −" in hard


def test_a_question_whose_heads_were_not_run_is_not_asked(tables):
    assert answer("With gamma", {"gated_gamma": ""}, tables["summary"]) == ""
    assert "gamma" not in findings(record(), tables)


def test_a_gate_that_hardly_moved_is_called_an_even_blend():
    slow, fast = moved(record(), gates(0.3))
    assert "by .0015 on average and .0030 at most: **it stays an even blend**" in slow
    assert "take *g* to about 0.022" in slow
    assert "by .1500 on average and .3000 at most: it moves" in fast


def test_a_step_that_is_rounded_away_is_said_to_be_only_where_one_was():
    lost, kept = why_it_stops(pushed(True)), why_it_stops(pushed(False))
    assert "*g* is .30000 in float32 (weight .574) and .12500 in bfloat16 (weight .531)" in lost
    assert "from *g* = .12500 on: Adam's step there, 0.0002, is shorter" in lost
    assert "stands still: half the distance is 0.0004" in lost
    assert "creeps on" not in lost
    assert "none is lost" in kept


def test_the_first_page_says_whether_learning_matters_and_how_far_the_gate_moved(tables):
    first, second = headlines(record(), tables)
    assert first.startswith("**Does it matter that *g* learns?** Nothing significant")
    assert second.startswith(f"At {SLOW} the weights")
