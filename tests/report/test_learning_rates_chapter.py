"""The chapter on learning rates, from made-up runs."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_runs import record_of, shown_by

from iqa.evaluation import summarize_heads, summarize_variants
from iqa.experiments import write_record
from iqa.experiments.rates import OWN, losses
from iqa.report.chapters.learning_rates import CONCLUSIONS, findings, write
from iqa.report.tables import with_interval, with_sign

BOOK = Path(__file__).parents[2] / "book"
RATES, REFERENCE = (3e-5, 1e-4, 1e-3), "0.0001"
# Noise of the predictions: head -> (at 3e-5, at 1e-4, at 1e-3, at its own rate).
BETTER = {"relu": (0.9, 0.6, 0.6, 0.6), "sigmoid": (0.2, 0.1, 0.1, 0.1)}
ONLY_LESS_SENSITIVE = {"relu": (2.0, 1.0, 0.1, 0.1), "sigmoid": (0.1, 0.1, 0.1, 0.1)}
SENSITIVE = {"relu": (0.1, 0.1, 0.1, 0.1), "sigmoid": (2.0, 1.0, 0.1, 0.1)}


def record(rates=RATES, **changes):
    made = record_of(
        "learning_rates",
        {"baseline": "relu", "reference": 1e-4, "rates": list(rates)},
        {},
        **changes,
    )
    training = {"epochs": 15, "learning_rate": 1e-4, "batch_size": 64, "objective": "mse+margin"}
    parameters = made.parameters | {"training": training, "folds": 2, "heads": ["relu", "sigmoid"]}
    return made.model_copy(update={"parameters": parameters})


def tables(noise, chosen=(1e-4, 1e-3)):
    """What the notebook leaves, of predictions with this noise; one rate chosen in each fold."""
    validation = [
        {"head": head, "seed": 8, "fold": fold, "learning_rate": rate, "own": rate == own}
        for head in noise
        for fold, own in enumerate(chosen)
        for rate in RATES
    ]
    kept = {"validation": pd.DataFrame(validation).assign(val_srcc=0.5)}
    return summaries(tuple(noise.items())) | kept


@cache
def summaries(noise):
    rng, target, parts = np.random.default_rng(0), np.linspace(0, 1, 200), []
    ids = [f"i{n}" for n in range(200)]
    images = pd.DataFrame({"id": ids, "group": ids, "target": target, "side": "test", "fold": 0})
    for head, by_rate in noise:
        for variant, strength in zip([*map(str, RATES), OWN], by_rate, strict=True):
            noisy = target + strength * rng.standard_normal(200)
            parts.append(images.assign(head=head, seed=0, variant=variant, prediction=noisy))
    predictions = pd.concat(parts, ignore_index=True)
    heads, gaps = [], []
    for variant in (REFERENCE, OWN):
        found = summarize_heads(predictions.query("variant == @variant"), "relu", 300)
        heads.append(found.heads.assign(variant=variant))
        gaps.append(found.comparisons.assign(variant=variant))
    return {
        "heads": pd.concat(heads, ignore_index=True),
        "comparisons": pd.concat(gaps, ignore_index=True),
        "by_rate": summarize_variants(predictions, OWN, 300),
        "losses": losses(predictions, "relu", 1e-4, 300),
    }


def written(folder, noise, **changes):
    write(write_record(folder / "run", record(**changes), tables(noise)), folder / "shown")
    return {path.name: path for path in (folder / "shown").iterdir()}


@pytest.mark.parametrize("label", ["learning_rates-clive", "learning_rates-agiqa3k"])
def test_a_run_leaves_every_fragment_that_its_page_shows(tmp_path, label):
    shown = shown_by(BOOK / "learning_rates.md", label)
    assert {"findings.md", "rates.svg", "intervals-own.svg", "record.md"} <= shown
    assert shown <= set(written(tmp_path, BETTER))


def test_the_setting_says_the_rates_and_untrained(tmp_path):
    said = written(tmp_path, BETTER, untrained=True)["setting.md"].read_text()
    assert "each of 3e-05, 0.0001 and 0.001, all with 15 epochs" in said
    assert "**untrained**" in said
    assert "within each test fold" in said


@pytest.mark.parametrize(
    ("noise", "signs", "sensitivity"),
    [
        (BETTER, (1, 1), None),
        (ONLY_LESS_SENSITIVE, (1, 0), "less sensitive"),
        (SENSITIVE, (-1, 0), "more sensitive"),
        ({"relu": (0.3,) * 4, "sigmoid": (0.3,) * 4}, (0, 0), None),
        ({"relu": (0.3, 0.3, 0.3, 1.0), "sigmoid": (0.3, 0.3, 0.3, 0.1)}, (0, 1), None),
        ({"relu": (0.3, 1.0, 0.3, 0.1), "sigmoid": (0.3, 0.1, 0.3, 1.0)}, (1, -1), None),
    ],
)
def test_the_question_is_answered_by_both_comparisons(noise, signs, sensitivity):
    said = findings(record(), tables(noise))
    for key, words in CONCLUSIONS.items():
        assert (words.format(head="sigmoid") in said) == (key == signs)
    if sensitivity:
        assert f"sigmoid is **{sensitivity}** than relu" in said


def test_findings_say_what_the_tables_say():
    made = tables(ONLY_LESS_SENSITIVE)
    said = findings(record(), made)
    gaps = made["comparisons"].set_index(["figure", "variant", "head"])
    assert f"at 0.0001 {with_sign(gaps.loc[('srcc', REFERENCE, 'sigmoid')])}; with" in said
    own = with_sign(gaps.loc[("srcc", OWN, "sigmoid")])
    assert f"with each head at its own rate {own}, not significant" in said
    loss = made["losses"].query("loss == 'over the range' and head == 'relu'").iloc[0]
    assert f"relu {with_interval(loss['value'], loss['low'], loss['high'])}" in said
    assert "not significant at 3e-05" not in said.split("sigmoid")[0]
    relu = made["by_rate"].query("head == 'relu'").set_index("variant")["srcc"]
    assert relu.drop(OWN).idxmin() == "3e-05"


def test_a_choice_at_an_edge_is_said_and_none_is_not():
    at_edge = tables(BETTER, chosen=(1e-3, 1e-3, 1e-4))
    said = findings(record(), at_edge)
    assert "of 3 folds and seeds: relu 0.001 (2), sigmoid 0.001 (2)" in said
    assert "relu 0.001 (2), sigmoid 0.001 (2). For relu and sigmoid that is half" in said
    some = findings(record(), tables(BETTER, chosen=(1e-4, 1e-4, 3e-5)))
    assert "relu 3e-05 (1), sigmoid 3e-05 (1). For no head is it half of them." in some
    assert "edge" not in findings(record(), tables(BETTER, chosen=(1e-4, 1e-4)))


def test_the_rates_of_a_head_stand_from_low_to_high_and_its_own_last(tmp_path):
    lines = written(tmp_path, BETTER)["by_rate.md"].read_text().splitlines()[2:]
    cells = [tuple(cell.strip() for cell in line.split("|")[1:3]) for line in lines]
    rates = ["3e-05", "0.0001", "0.001", "own"]
    assert cells == [(head, rate) for head in ("relu", "sigmoid") for rate in rates]
