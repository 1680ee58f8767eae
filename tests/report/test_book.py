"""The smoke profile from notebooks to staged pages, and the check of built pages."""

import shutil
import sys
from pathlib import Path

import pytest

from iqa.errors import UserError
from iqa.experiments import project_root, read_profile, read_record, run
from iqa.report.__main__ import COMMITTED, stage

sys.path.append(str(Path(__file__).parents[1]))
from check_pages import faults


@pytest.fixture(scope="module")
def smoke_runs():
    profile = read_profile("smoke")
    return {spec.label: run(spec, profile).folder for spec in profile.resolved()}


def test_every_notebook_leaves_a_valid_record(smoke_runs):
    for label, folder in smoke_runs.items():
        record, tables = read_record(folder)
        assert record.experiment == label
        assert record.dataset.score_kind == "pseudo-MOS"
        assert record.untrained == (label != "demo_data")
        assert tables
        assert record.key


def test_a_head_never_sees_a_content_that_it_is_tested_on(smoke_runs):
    _, tables = read_record(smoke_runs["activations"])
    predictions = tables["predictions"]
    for _, fold in predictions.groupby("fold"):
        sides = [set(part["group"]) for _, part in fold.groupby("side")]
        assert not sides[0] & sides[1]
    tested = predictions[predictions["side"] == "test"].groupby(["head", "seed"])["id"]
    assert (tested.count() == 125).all()
    assert (tested.nunique() == 125).all()


def test_pages_are_staged_and_say_untrained_and_pseudo_mos(smoke_runs, tmp_path):
    stage("smoke", tmp_path / "book")
    for chapter in ("activations", "gate", "tsne", "gradcam"):
        said = (tmp_path / "book" / "_generated" / chapter / "setting.md").read_text()
        assert "**untrained**" in said
        assert "**pseudo-MOS**" in said
    page = (tmp_path / "book" / "activations.md").read_text()
    for line in page.splitlines():
        if line.startswith("```{include} "):
            assert (tmp_path / "book" / line.removeprefix("```{include} ")).is_file()


def test_a_missing_record_stages_nothing(tmp_path, monkeypatch):
    broken = read_profile("smoke").model_copy(update={"folder": str(tmp_path / "none")})
    monkeypatch.setattr("iqa.report.__main__.read_profile", lambda name: broken)
    with pytest.raises(UserError, match="run the experiment first"):
        stage("smoke", tmp_path / "book")
    assert not (tmp_path / "book").exists()


def test_a_committed_run_without_a_record_is_named_and_the_rest_is_staged(
    smoke_runs, tmp_path, monkeypatch
):
    nowhere = {
        name: read_profile(name).model_copy(update={"folder": str(tmp_path / "none")})
        for name in COMMITTED
    }
    monkeypatch.setattr(
        "iqa.report.__main__.read_profile",
        lambda name: nowhere.get(name) or read_profile(name),
    )
    missing = [spec.label for profile in nowhere.values() for spec in profile.runs]
    said = stage("smoke", tmp_path / "book")
    assert said == {f"human/{label}": "Not run" for label in missing}
    for page in (tmp_path / "book").glob("*.md"):
        assert "_generated/human/" not in page.read_text()
    for label in missing:
        pages = (page.read_text() for page in (tmp_path / "book").glob("*.md"))
        assert any(f"no record of `{label}`" in page for page in pages)
    first = (tmp_path / "book" / "_generated" / "home" / "model.md").read_text()
    assert "Not run" in first


def test_a_skipped_run_of_the_profile_is_told_and_the_rest_is_staged(
    smoke_runs, tmp_path, monkeypatch
):
    smoke = read_profile("smoke")
    folder = tmp_path / "runs"
    shutil.copytree(project_root() / smoke.folder, folder)
    shutil.rmtree(folder / "tsne")
    (folder / "tsne.log").write_text("skipped: dataset `spaq`: IQA_DATA is not set\n")
    changed = smoke.model_copy(update={"folder": str(folder)})
    monkeypatch.setattr(
        "iqa.report.__main__.read_profile",
        lambda name: changed if name == "smoke" else read_profile(name),
    )
    said = stage("smoke", tmp_path / "book")
    assert said["tsne"] == "Skipped: dataset `spaq`: IQA_DATA is not set"
    assert "Skipped: dataset `spaq`" in (tmp_path / "book/tsne.md").read_text()
    assert "runs/tsne" not in (tmp_path / "book/_toc.yml").read_text()
    assert (tmp_path / "book/_generated/gate/findings.md").is_file()


GOOD = '<h1 id="top">Hi</h1><a href="#top">up</a><a href="https://example.org">out</a>'


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ('<a href="gone.html">x</a>', "gone.html leads nowhere"),
        ('<img src="gone.png">', "gone.png leads nowhere"),
        ('<a href="#gone">x</a>', "#gone has no such place"),
        ('<script src="https://example.org/a.js"></script>', "from the network"),
        ("<pre>Traceback (most recent call last)</pre>", "shows a traceback"),
    ],
)
def test_faults_of_a_page_are_found(tmp_path, monkeypatch, html, fault):
    monkeypatch.setattr("check_pages._contents", lambda: ["index"])
    (tmp_path / "index.html").write_text(GOOD)
    assert faults(tmp_path) == []
    (tmp_path / "index.html").write_text(GOOD + html)
    assert len(faults(tmp_path)) == 1
    assert fault in faults(tmp_path)[0]


def test_a_missing_chapter_is_found(tmp_path):
    (tmp_path / "index.html").write_text(GOOD)
    assert "gate.html: missing" in faults(tmp_path)
