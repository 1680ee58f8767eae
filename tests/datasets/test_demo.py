import dataclasses
import shutil
import subprocess
import sys
from contextlib import nullcontext
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from iqa import datasets
from iqa.datasets import demo
from iqa.errors import UserError
from iqa.files import cache_root, fingerprint

TINY = demo.DemoRecipe(("coffee", "china"), ("jpeg", "white-noise"), (128, 96), seed=8)


@pytest.fixture
def cache(tmp_path, built_here, monkeypatch):
    monkeypatch.setenv("IQA_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def built_here(monkeypatch):
    """Sets are built in this process: each of the usual ones imports PyTorch first."""
    monkeypatch.setattr(demo, "_build", lambda units, _: list(map(demo.build_unit, units)))


def build(recipe=TINY):
    return demo.load(demo.MINI_INFO, recipe)


def times(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*.png")}


def test_the_miniature_is_whole():
    """In the cache that tests share: built side by side, as for users."""
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
    before = times(cache_root() / "demo")
    assert datasets.load("demo_mini").fingerprint == mini.fingerprint
    assert times(cache_root() / "demo") == before
    assert datasets.check("demo_mini").faults == ()


def test_mean_pseudo_mos_falls_with_the_level_for_every_distortion(cache):
    recipe = demo.DemoRecipe(demo.FULL.photographs[:4], demo.FULL.distortions, (128, 96), seed=8)
    trend = datasets.level_trend(build(recipe).table)
    assert len(trend) == 25
    assert trend["falls"].all(), trend[~trend["falls"]]


@pytest.mark.slow
def test_mean_pseudo_mos_falls_with_the_level_in_the_full_set():
    full = datasets.load("demo")
    assert len(full) == full.info.expected_rows == 750
    assert datasets.level_trend(full.table)["falls"].all()


def folder_of(cache, photograph="china", distortion="jpeg"):
    return cache / "demo" / TINY.key / "images" / photograph / distortion


def test_a_cut_build_is_taken_up_and_gives_the_same(cache):
    whole, lost = build(), folder_of(cache)
    before = times(cache)
    shutil.rmtree(lost)
    assert build().fingerprint == whole.fingerprint
    after = times(cache)
    changed = {path for path in before if before[path] != after[path]}
    assert changed == {*lost.glob("*.png"), cache / "demo" / TINY.key / "references" / "china.png"}


def cut(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def swap(path):
    shutil.copy(path.with_name("5.png"), path)


def nest(path):
    path.write_text("[" * 100_000)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *product(["3.png", "record.json"], [cut, flip, Path.unlink, swap]),
        ("record.json", nest),
        ("record.json", lambda path: path.write_text("[1]")),
        (
            "record.json",
            lambda path: path.write_text(path.read_text().replace('"ssim": [0', '"ssim": [1')),
        ),
    ],
)
def test_what_is_damaged_or_swapped_is_noticed_and_heals(name, damage, cache):
    whole, folder = build(), folder_of(cache)
    content = (folder / name).read_bytes()
    damage(folder / name)
    with (
        nullcontext()
        if not (folder / "record.json").exists()
        else pytest.warns(UserWarning, match=r"damaged or changed, first .*china/jpeg: made again")
    ):
        healed = build()
    assert healed.fingerprint == whole.fingerprint
    assert (folder / name).read_bytes() == content
    pd.testing.assert_frame_equal(healed.table, whole.table)


@pytest.mark.parametrize(
    "damage", [cut, flip, Path.unlink, lambda path: shutil.copy(path.with_name("coffee.png"), path)]
)
def test_a_damaged_reference_is_made_anew_and_nothing_else(damage, cache):
    whole = build()
    path = cache / "demo" / TINY.key / "references" / "china.png"
    content, before = path.read_bytes(), times(folder_of(cache))
    damage(path)
    assert build().fingerprint == whole.fingerprint
    assert path.read_bytes() == content
    assert times(folder_of(cache)) == before


def test_a_disk_that_keeps_nothing_is_one_line(cache, monkeypatch):
    monkeypatch.setattr(demo, "_build", lambda *_: None)
    with pytest.raises(UserError, match=r"coffee/jpeg: what was written is not what is read"):
        build()


def test_a_unit_that_fails_leaves_nothing(cache, monkeypatch):
    unit = demo.Unit(TINY, cache, "china", "white-noise")
    demo._write_references([unit])
    monkeypatch.setattr(Image.Image, "save", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        demo.build_unit(unit)
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
    assert datasets.info("demo").expected_rows == 750
