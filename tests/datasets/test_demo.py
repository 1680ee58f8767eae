import dataclasses
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from iqa import datasets
from iqa.datasets import demo
from iqa.errors import UserError
from iqa.files import fingerprint

TINY = demo.DemoRecipe(("coffee", "china"), ("jpeg", "white-noise"), (128, 96), seed=8)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("IQA_CACHE", str(tmp_path))
    return tmp_path


def build(recipe=TINY):
    return demo.load(demo.MINI_INFO, recipe)


def times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.png")}


def test_the_miniature_is_whole(cache):
    mini = datasets.load("demo_mini")
    info, table = mini.info, mini.table
    assert len(mini) == info.expected_rows == 125
    assert info.score_kind == "pseudo-MOS"
    assert table["score"].between(1, 5).all()
    assert table["score"].std() > 0.5
    assert table["group"].nunique() == 5
    assert set(table["level"]) == {1, 2, 3, 4, 5}
    for row in table.iloc[::17].itertuples():
        with Image.open(row.path) as image, Image.open(row.reference) as reference:
            assert image.size == reference.size == (128, 96)
            assert fingerprint(np.asarray(image).tobytes()) == row.pixels
    assert datasets.level_trend(table)["falls"].all()
    start = time.perf_counter()
    assert datasets.load("demo_mini").fingerprint == mini.fingerprint
    assert time.perf_counter() - start < 1


def test_mean_pseudo_mos_falls_with_the_level_for_every_distortion(cache):
    recipe = demo.DemoRecipe(demo.FULL.photographs[:4], demo.FULL.distortions, (128, 96), seed=8)
    trend = datasets.level_trend(build(recipe).table)
    assert len(trend) == 25
    assert trend["falls"].all(), trend[~trend["falls"]]


@pytest.mark.slow
def test_mean_pseudo_mos_falls_with_the_level_in_the_full_set():
    full = datasets.load("demo")
    assert len(full) == full.info.expected_rows == 1375
    assert datasets.level_trend(full.table)["falls"].all()


def test_a_cut_build_is_taken_up_and_gives_the_same(cache):
    whole = build()
    root = cache / "demo" / TINY.key
    before = times(root)
    lost = root / "images" / "china" / "jpeg"
    pixels = (lost / "3.png").read_bytes()
    (lost / "3.png").unlink()
    (root / "scores.parquet").unlink()
    again = build()
    assert again.fingerprint == whole.fingerprint
    assert (lost / "3.png").read_bytes() == pixels
    after = times(root)
    assert {path for path in before if before[path] != after[path]} == set(lost.glob("*.png"))


def test_a_unit_that_fails_leaves_nothing(cache, monkeypatch):
    unit = demo.Unit(TINY, cache, "china", "white-noise")
    demo._write_references([unit])
    monkeypatch.setattr(Image.Image, "save", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        demo.build_unit(unit)
    assert not unit.is_built()
    assert list(unit.folder.parent.iterdir()) == []


def test_key_and_fingerprint_follow_the_recipe_and_the_content(cache):
    other = dataclasses.replace(TINY, seed=9)
    assert other.key != TINY.key
    assert dataclasses.replace(TINY, size=(160, 120)).key != TINY.key
    first, second = build().table, build(other).table
    same = (first["pixels"] == second["pixels"]).groupby(first["distortion"]).all()
    assert same.to_dict() == {"jpeg": True, "white-noise": False}
    assert build().fingerprint != build(other).fingerprint


@pytest.mark.slow
def test_two_processes_at_once_build_one_set(cache):
    code = (
        "from iqa.datasets import demo\n"
        f"recipe = demo.{TINY!r}\n"
        "print(demo.load(demo.MINI_INFO, recipe).fingerprint)"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    prints = {run.communicate(timeout=120)[0] for run in runs}
    assert all(run.returncode == 0 for run in runs)
    assert prints == {build().fingerprint + "\n"}


def test_a_missing_photograph_is_one_line_and_leaves_nothing(cache, monkeypatch):
    gone = dataclasses.replace(demo.PHOTOGRAPHS["china"], file="gone.jpg")
    monkeypatch.setitem(demo.PHOTOGRAPHS, "china", gone)
    with pytest.raises(UserError, match=r"gone\.jpg not found"):
        build()
    assert list(cache.iterdir()) == []


def test_an_unknown_name_is_one_line():
    with pytest.raises(UserError, match=r"unknown dataset .dmeo.: choose one of agiqa1k, .*mini"):
        datasets.load("dmeo")
    assert {"demo", "demo_mini"} <= set(datasets.names())
    assert datasets.info("demo").expected_rows == 1375


def test_importing_the_package_does_not_import_torch():
    code = "import sys, iqa.datasets; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
