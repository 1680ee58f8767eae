"""The chapter on the defects of the published code, from made-up effects."""

import ast
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_runs import record_of, shown_by

from iqa.experiments import write_record
from iqa.experiments.audit_effects import ORDER
from iqa.report.chapters.audit import (
    defects_table,
    effects_table,
    findings,
    orders,
    write,
    write_together,
)
from iqa.report.effects import effects as effects_figure

ROOT = Path(__file__).parents[2]
DEFECTS = pd.read_csv(ROOT / "results/literature/defects.csv").fillna("")
BASE = {"relu": 0.70, "sigmoid": 0.73}


def effects(moved=None, sure=()):
    """Each defect moves each head by 0, or as `moved` says; `sure` are significant."""
    rows = []
    for head, base in BASE.items():
        for defect in ORDER:
            both = ["SRCC", "PLCC"] if defect == "as published" else ["SRCC"]
            for figure in ["PLCC"] if "PLCC" in defect else both:
                gap = (moved or {}).get((head, defect), 0.0)
                p = 0.001 if defect in sure else 0.5
                rows.append(
                    (head, defect, figure, base, base + gap, gap, gap - 0.01, gap + 0.01, p, p)
                )
    names = ["head", "defect", "figure", "baseline", "value", "difference", "low", "high", "p"]
    return pd.DataFrame(rows, columns=[*names, "p_holm"])


def ties():
    row = {"images": 1162.0, "distinct": 1160.0, "distinct_bf16": 270.0, "krcc": 0.5312}
    return pd.DataFrame([row | {"head": head, "krcc_bf16": 0.5313} for head in BASE])


def record(**changes):
    counts = {"contents_on_two_sides": 97.9, "dropped": 3, "examples": 7}
    made = record_of("audit", counts | {"trained_a_fold": [930, 924]}, {"total": 9.0}, **changes)
    return made.model_copy(update={"parameters": made.parameters | {"folds": 5}})


def training(made):
    """What a study's record says of training, which the others made up leave out."""
    settings = {"epochs": 15, "learning_rate": 1e-4, "batch_size": 64, "objective": "mse+margin"}
    return made.model_copy(update={"parameters": made.parameters | {"training": settings}})


def run(folder, table, **changes):
    tables = {"effects": table, "ties": ties()}
    return write_record(folder / "run", training(record(**changes)), tables)


@pytest.mark.parametrize("label", ["audit-clive", "audit-agiqa3k"])
def test_a_run_leaves_every_fragment_that_its_page_shows(tmp_path, label):
    write(run(tmp_path, effects()), tmp_path / "shown")
    shown = shown_by(ROOT / "book/audit.md", label)
    assert {"findings.md", "effects.svg", "record.md"} <= shown
    assert shown <= {path.name for path in (tmp_path / "shown").iterdir()}


def test_an_untrained_backbone_is_called_so(tmp_path):
    write(run(tmp_path, effects(), untrained=True), tmp_path / "shown")
    assert "**untrained**" in (tmp_path / "shown/setting.md").read_text()


def test_what_is_raised_lowered_or_neither_is_told_by_head():
    moved = {("relu", "B1"): -0.017, ("sigmoid", "B1"): 0.02, ("sigmoid", "PLCC raw"): -0.03}
    said = findings(record(), effects(moved, sure=("B1", "PLCC raw")), ties())
    lines = {line.split("**")[1]: line for line in said.splitlines()}
    assert "lowered by B1 −.017 [−.027, −.007]" in lines["relu"]
    assert "raised" not in lines["relu"].replace("not shown", "")
    assert "raised by B1 +.020 [+.010, +.030]; lowered by PLCC raw −.030" in lines["sigmoid"]
    assert "not shown to be moved by B3, B4, B5" in lines["sigmoid"]
    assert "other folds" not in lines["sigmoid"]
    assert "as published" not in lines["sigmoid"]


def test_nothing_is_shown_where_nothing_is_sure():
    said = findings(record(), effects({("relu", "B1"): 0.3}), ties())
    assert "raised by" not in said
    assert "lowered by" not in said
    assert "relu SRCC +.000 [−.010, +.010], not significant" in said


def test_the_order_of_heads_is_told_where_it_changes():
    kept = findings(record(), effects(), ties())
    assert "the same under each of the 10 protocols" in kept
    turned = findings(record(), effects({("relu", "B12"): 0.2, ("relu", "B3"): 0.1}), ties())
    assert "another one under 2 of the 10 protocols compared: B3 and B12." in turned


def test_orders_have_the_rigorous_one_first_and_the_best_head_first():
    table = orders(effects({("relu", "B12"): 0.2})).set_index("protocol")["heads by SRCC"]
    assert table.index[0] == "rigorous"
    assert table["rigorous"] == "sigmoid .730 > relu .700"
    assert table["B12"] == "relu .900 > sigmoid .730"


def test_counts_are_the_records():
    said = findings(record(), effects(), ties())
    assert "puts 98 of 1,080 contents on more than one side" in said
    assert "leaves 3 of 1,080 images out" in said
    assert "leave 0.0 to 0.6 % of a fold's training images out" in said  # 924 and 930 by 12
    assert "1,162 scores of relu take 1,160 values, in bfloat16 270" in said
    assert "KRCC goes from .5312 to .5313" in said


def test_a_row_says_what_was_and_what_is_then_reported():
    table = effects_table(effects({("relu", "B3"): -0.2}, sure=("B3",)))
    row = table.query("head == 'relu' and defect == 'B3'").iloc[0]
    assert row["rigorous"] == ".700"
    assert row["with it"] == ".500"
    assert row["difference [95 %]"] == "−.200 [−.210, −.190]"
    assert row["p (Holm)"] == ".001"


def test_one_table_has_every_defect_and_both_data_sets():
    found = {"CLIVE": effects({("relu", "B1"): 0.05}, sure=("B1",)), "AGIQA-3K": None}
    table = defects_table(DEFECTS, found).set_index("")
    clive, agiqa = (table[f"{title} [95 %]"].str.replace("\u00a0", " ") for title in found)
    assert [f"**B{n}**" for n in range(1, 17)] == list(table.index[:16])
    assert clive["**B1**"].split("<br>")[0] == "relu: +.050 [+.040, +.060]"
    assert clive["**B3**"].split("<br>")[0] == "relu: +.000 [−.010, +.010] n. s."
    assert "relu, PLCC raw: +.000" in clive["**PLCC**"]
    assert agiqa["**B1**"] == "not run"
    assert agiqa["**B4**"] == "only CLIVE has such images"
    assert agiqa["**B10**"] == clive["**B10**"] == "needs several GPUs"
    assert clive["**B16**"] == "unknown"


def test_the_table_is_written_whatever_has_run(tmp_path):
    write_together({}, tmp_path / "none")
    assert "not run" in (tmp_path / "none/defects.md").read_text()
    write_together({"audit-clive": run(tmp_path, effects())}, tmp_path / "one")
    assert "relu: +.000" in (tmp_path / "one/defects.md").read_text()


@pytest.mark.parametrize("test", [name for name in DEFECTS["shown_by"] if name])
def test_every_test_that_a_defect_names_is_there(test):
    file, _, name = test.partition("::")
    functions = ast.walk(ast.parse((ROOT / file).read_text()))
    assert name in {node.name for node in functions if isinstance(node, ast.FunctionDef)}


def test_what_is_measured_needs_nothing_and_the_rest_says_what():
    """But for B4, which one set can show: it says so for the others."""
    known = {*ORDER, "PLCC"} - {"B4"}
    assert all((row["needs"] == "") == (row["defect"] in known) for _, row in DEFECTS.iterrows())


def test_the_figure_has_a_row_a_defect_and_red_for_what_is_sure():
    table = effects({("relu", "B1"): 0.05}, sure=("B1",))
    figure = effects_figure(table)
    first = figure.axes[0]
    names = [label.get_text() for label in first.get_yticklabels()]
    assert names[0] == "B1 (SRCC)"
    assert "PLCC raw" in names
    assert len(names) == len(table) / 2
    dots = first.collections[1]
    assert dots.get_offsets()[0][0] == pytest.approx(0.05)
    colours = np.unique(dots.get_facecolors(), axis=0)
    assert len(colours) == 2
