"""The chapter on generalization, from made-up runs."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_runs import record_of, shown_by

from iqa.experiments import write_record
from iqa.experiments.rates import OWN
from iqa.experiments.transfer import (
    SOURCE,
    by_replicate,
    mean_predictions,
    summarize_transfer,
)
from iqa.experiments.transfer_targets import OTHER_HALF
from iqa.report.chapters.generalization import claims, findings, write
from iqa.report.tables import with_interval, with_sign

BOOK = Path(__file__).parents[2] / "book"
# Noise of the predictions: (relu, sigmoid) on the source's own folds, and on the target.
ALIKE = ((0.2, 0.2), (0.4, 0.4))
SEEN = ((0.2, 0.2), (2.0, 0.3))
CONTRADICTED = ((0.2, 0.2), (0.3, 2.0))
LESS = ((2.0, 0.2), (0.4, 0.4))


def record(name="b", kind="MOS", groups=200, **changes):
    used = {"title": "Other set", "score_kind": "MOS", "images": 200, "groups": groups}
    used |= {"name": name, "fingerprint": "1"}
    metrics = {"baseline": "relu", "targets": {name: used}, "rates": [1e-4, 1e-3]}
    made = record_of("generalization", metrics, {}, **changes)
    training = {"epochs": 15, "learning_rate": 1e-4, "batch_size": 64, "objective": "mse+margin"}
    parameters = made.parameters | {"training": training, "folds": 2}
    source = made.dataset.model_copy(update={"score_kind": kind})
    return made.model_copy(update={"parameters": parameters, "dataset": source})


def predictions_of(noise, variant, images=200):
    rng, parts = np.random.default_rng(0), []
    for place, by_head in zip((SOURCE, "b"), noise, strict=True):
        ids = [f"{place}{n}" for n in range(images)]
        target = np.linspace(0, 1, images)
        frame = pd.DataFrame({"id": ids, "group": ids, "target": target, "side": "test"})
        for head, strength in zip(("relu", "sigmoid"), by_head, strict=True):
            for fold in (0, 1):
                noisy = target + strength * rng.standard_normal(images)
                part = frame.assign(head=head, seed=8, fold=fold, prediction=noisy)
                parts.append(part.assign(tested_on=place, variant=variant))
    return pd.concat(parts, ignore_index=True)


@cache
def tables(at_reference, at_own):
    """What the notebook leaves, of predictions with this noise."""
    parts = [predictions_of(at_reference, "0.0001"), predictions_of(at_own, OWN)]
    found = [summarize_transfer(part, "relu", 300) for part in parts]
    together = {
        name: pd.concat(
            [one[name].assign(variant=v) for one, v in zip(found, ("0.0001", OWN), strict=True)],
            ignore_index=True,
        )
        for name in found[0]
    }
    everything = pd.concat(parts, ignore_index=True)
    kept = {"replicates": by_replicate(everything), "predictions": mean_predictions(everything)}
    return together | kept | {"validation": pd.DataFrame({"head": ["relu"], "own": [True]})}


def written(folder, made, **changes):
    write(write_record(folder / "run", record(**changes), made), folder / "shown")
    return {path.name: path for path in (folder / "shown").iterdir()}


@pytest.mark.parametrize("source", ["clive", "agiqa3k", "demo"])
def test_a_run_leaves_every_fragment_that_its_page_shows(tmp_path, source):
    shown = shown_by(BOOK / "generalization.md", f"generalization-{source}")
    assert {"findings.md", "intervals-own.svg", "record.md"} <= shown
    assert shown <= set(written(tmp_path, tables(SEEN, ALIKE)))


def test_the_setting_says_where_scores_come_from_and_what_is_tested_on(tmp_path):
    made = tables(SEEN, ALIKE)
    said = written(tmp_path / "a", made, kind="pseudo-MOS", untrained=True)[
        "setting.md"
    ].read_text()
    for words in (
        "**untrained**",
        "Other set (200 images of 200 contents, **MOS**)",
        "4 of each kind",
        "The source's scores are **pseudo-MOS**, made by metrics",
        "out of 0.0001 and 0.001",
    ):
        assert words in said
    assert "not another data set" not in said
    human = written(tmp_path / "b", made)["setting.md"].read_text()
    assert "pseudo-MOS" not in human
    half = {n: t.replace({"tested_on": {"b": OTHER_HALF}}) for n, t in made.items()}
    said = written(tmp_path / "c", half, name=OTHER_HALF)["setting.md"].read_text()
    assert "**not another data set**" in said


@pytest.mark.parametrize(
    ("noise", "verdict"),
    [(SEEN, "**seen**"), (ALIKE, "**not confirmed**"), (CONTRADICTED, "**contradicted**")],
)
def test_the_claim_is_judged_at_the_papers_rate_and_at_each_heads_own(noise, verdict):
    (one,) = claims(record(), tables(noise, ALIKE), "b")
    assert f"is {verdict}, " in one.split("With each head")[0]
    assert "at its own rate it is **not confirmed**" in one
    (other,) = claims(record(), tables(ALIKE, noise), "b")
    assert "is **not confirmed**" in other.split("With each head")[0]
    assert f"at its own rate it is {verdict}" in other


@pytest.mark.parametrize(
    ("noise", "said"),
    [
        (SEEN, "is **seen** for sigmoid (+"),
        (CONTRADICTED, "is **seen** for sigmoid (−"),
        (LESS, "is **not confirmed**; it matters less for sigmoid (−"),
        (ALIKE, "is **not confirmed**: no such difference changes significantly"),
    ],
)
def test_whether_the_activation_matters_more_is_judged_by_the_change(noise, said):
    at_reference, own = findings(record(), tables(noise, ALIKE)).splitlines()[1:3]
    assert said in at_reference
    assert "no such difference changes significantly" in own


def test_findings_and_table_say_what_the_tables_say(tmp_path):
    made = tables(SEEN, ALIKE)
    said = findings(record(), made)
    at = "variant == '0.0001' and tested_on == 'b'"
    lost = made["lost"].query(at).set_index("head").loc["relu"]
    loss = with_interval(lost["value"], lost["low"], lost["high"])
    assert f"relu {loss} the most" in said
    gap = made["comparisons"].query(at).iloc[0]
    assert with_sign(gap) in said
    heads = made["heads"].query(at).set_index("head")["srcc"]
    order = f"sigmoid {heads['sigmoid']:.3f} > relu {heads['relu']:.3f}".replace("0.", ".")
    assert f"**On Other set, at 0.0001**: {order}" in said
    rows = written(tmp_path, made)["reference.md"].read_text().splitlines()
    (row,) = (line for line in rows if "Other set" in line and "relu" in line)
    assert loss in row
    (row,) = (line for line in rows if "Other set" in line and "sigmoid" in line)
    assert with_sign(gap) in row


def test_few_contents_are_said_to_make_intervals_wide():
    made = tables(SEEN, ALIKE)
    assert "Other set has 11 contents: its intervals are wide" in findings(record(groups=11), made)
    assert "are wide" not in findings(record(), made)
