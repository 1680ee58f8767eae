"""The chapter on Grad-CAM, from made-up runs."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_up_runs import record_of, shown_by

from iqa.evaluation import summarize_means
from iqa.experiments import write_record
from iqa.report.chapters.gradcam import findings, headlines, localization_table, write

BOOK = Path(__file__).parents[2] / "book"
HEADS = ["relu", "sigmoid"]


def record(**changes):
    metrics = {
        "baseline": "relu",
        "photographs": 20,
        "photographs_trained_on": 0,
        "regions": 10,
        "sides": [0.25, 0.4],
        "blur_px": 6.1,
        "empty_maps": 0,
        "cam_layer": "some.layer",
        "cell_px": 16,
    }
    made = record_of("gradcam", metrics, {"total": 1.0}, **changes)
    training = {"epochs": 3, "learning_rate": 1e-4, "batch_size": 64, "objective": "mse"}
    parameters = made.parameters | {"heads": HEADS, "folds": 10, "training": training}
    return made.model_copy(update={"parameters": parameters})


def summary_of(lowering, before, ahead=0.0, deletion=-0.1, insertion=0.1, controls=True):
    """20 photographs; sigmoid's map has `ahead` more on the blur than relu's."""
    rng, parts = np.random.default_rng(0), []
    for untrained in [False, True] if controls else [False]:
        rows = []
        for head in HEADS:
            more = ahead * (head == "sigmoid") * (not untrained)
            on = (1.0 if untrained else lowering) + more + rng.normal(0, 0.05, 20)
            sharp = (1.0 if untrained else before) + rng.normal(0, 0.05, 20)
            figures = {"lowering": on, "lowering_before": sharp, "gain": on - sharp}
            figures |= {"raising": 2 - on, "change": -0.1 * on}
            if not untrained:
                noise = rng.normal(0, 0.01, 20)
                figures |= {"deletion": deletion + noise, "insertion": insertion + noise}
            groups = [str(i) for i in range(20)]
            rows.append(pd.DataFrame(figures).assign(head=head, group=groups))
        found = summarize_means(pd.concat(rows), "relu", 300)
        parts.append(found.assign(untrained=untrained))
    return pd.concat(parts, ignore_index=True)


def tables_of(summary, pictures=False):
    shares = np.linspace(0, 1, 4)
    curves = pd.concat(
        pd.DataFrame({"share": shares, "score": 1 - shares}).assign(head=h, kind=k, order=o)
        for h in HEADS
        for k in ("deletion", "insertion")
        for o in ("map", "random")
    )
    where = {"row": "r", "column": ["image", *HEADS], "caption": "c"}
    grid = pd.DataFrame({"picture": ["image", *HEADS]} | where)
    figures = ["quarters", "regions"] if pictures else []
    grid = pd.concat([grid.assign(figure=f) for f in figures] or [grid.assign(figure="")[:0]])
    return {"summary": summary, "curves": curves, "grid": grid}


def written(folder, pictures=False, **changes):
    pixels = dict.fromkeys(["image", *HEADS], np.zeros((6, 8, 3), np.uint8)) if pictures else {}
    tables = tables_of(summary_of(2, 1), pictures)
    write(write_record(folder / "run", record(**changes), tables, pixels), folder / "shown")
    return {path.name: path for path in (folder / "shown").iterdir()}


def test_a_run_without_pictures_leaves_every_fragment_that_its_page_shows(tmp_path):
    shown = shown_by(BOOK / "gradcam.md", "gradcam-clive")
    assert {"findings.md", "ratios.svg", "localization.md", "deletion.md", "record.md"} <= shown
    assert shown <= set(written(tmp_path))
    assert not list((tmp_path / "run").glob("*.png"))


def test_pictures_are_shown_where_the_record_has_some(tmp_path):
    files = written(tmp_path, pictures=True)
    assert {"quarters.png", "regions.png"} <= set(files)


def test_photographs_that_were_trained_on_are_said(tmp_path):
    made = record()
    some = made.model_copy(update={"metrics": made.metrics | {"photographs_trained_on": 3}})
    write(write_record(tmp_path / "run", some, tables_of(summary_of(2, 1))), tmp_path / "shown")
    assert "of 3 of them the content **was trained on**" in (
        tmp_path / "shown" / "setting.md"
    ).read_text()  # fmt: skip
    assert (
        "no head was trained on an image of the content"
        in written(tmp_path / "b")["setting.md"].read_text()
    )


@pytest.mark.parametrize(
    ("lowering", "before", "said"),
    [
        (2, 1, "above chance for relu and sigmoid. It is more than before the blur for relu"),
        (0.5, 1, "below chance for relu and sigmoid. It is less than before the blur for relu"),
        (1, 1, "not to be told from chance for relu and sigmoid"),
    ],
)
def test_where_the_map_lies_is_said_with_its_sign(lowering, before, said):
    trained, control = headlines(record(), {"summary": summary_of(lowering, before)})
    assert said in trained
    assert control.startswith("With an **untrained** backbone")


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (0.5, "is **supported** here."),
        (0.0, "is **not confirmed** here."),
        (-0.5, "is **not confirmed** here; the opposite is significant."),
    ],
)
def test_the_papers_claim_of_blurred_parts_is_judged(ahead, said):
    assert said in findings(record(), summary_of(2, 1, ahead))


@pytest.mark.parametrize(
    ("deletion", "insertion", "said"),
    [
        (-0.1, 0.1, "the map of relu and sigmoid finds what the score rests on better than chance"),
        (0.1, 0.1, "For no head do both show"),
        (-0.1, -0.1, "For no head do both show"),
    ],
)
def test_curves_are_judged_by_both(deletion, insertion, said):
    assert said in findings(record(), summary_of(2, 1, 0, deletion, insertion))


def test_rows_of_the_untrained_backbone_say_so():
    summary = summary_of(2, 1)
    table = localization_table(summary)
    assert list(table["head"]) == [
        "relu",
        "sigmoid",
        "relu, **untrained** backbone",
        "sigmoid, **untrained** backbone",
    ]
    assert table["lowers, on the blur"][0].startswith(f"{summary['value'][0]:.2f} [")


def test_a_run_on_an_untrained_backbone_alone_says_so_everywhere():
    alone = summary_of(1, 1, controls=False).assign(untrained=True)
    said = findings(record(untrained=True), alone)
    assert "pretrained" not in said
    for line in said.splitlines():
        if "SRCC" in line or "Area under" in line or "many times" in line:
            assert "**untrained**" in line
