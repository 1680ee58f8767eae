import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageEnhance, ImageFilter
from skimage import data as photographs

from iqa.datasets import ENTRIES, check, load
from iqa.datasets.benchmarks import BENCHMARKS
from iqa.datasets.near_duplicates import (
    BITS,
    NEAR,
    known_pairs,
    near_duplicates,
    perceptual_hash,
)

PHOTOGRAPH = Image.fromarray(photographs.astronaut())
OTHER = Image.fromarray(photographs.chelsea())
VERSIONS = {
    "darker": ImageEnhance.Brightness(PHOTOGRAPH).enhance(0.4),
    "blurred": PHOTOGRAPH.filter(ImageFilter.GaussianBlur(4)),
    "smaller": PHOTOGRAPH.resize((200, 200)),
    "grey": PHOTOGRAPH.convert("L"),
    "shifted": PHOTOGRAPH.crop((4, 4, 512, 512)),
}


def ids(count):
    return pd.Series([f"{n}.jpg" for n in range(count)])


@pytest.mark.parametrize("version", VERSIONS)
def test_versions_of_a_photograph_are_near_and_another_photograph_is_not(version):
    images = (PHOTOGRAPH, VERSIONS[version], OTHER)
    pairs = near_duplicates(ids(3), np.stack([perceptual_hash(image) for image in images]))
    assert pairs[["a", "b"]].values.tolist() == [["0.jpg", "1.jpg"]]


def test_images_of_one_colour_are_like_none():
    black, white = (Image.new("RGB", (64, 64), colour) for colour in ("black", "white"))
    hashes = np.stack([perceptual_hash(image) for image in (black, white, black)])
    assert near_duplicates(ids(3), hashes).empty


def test_all_pairs_up_to_the_threshold_are_found_and_no_other(monkeypatch):
    monkeypatch.setattr("iqa.datasets.near_duplicates._BLOCK", 7)  # several blocks
    rng = np.random.default_rng(0)
    hashes = rng.permuted(np.repeat([[False, True]], BITS // 2, axis=1).repeat(40, axis=0), axis=1)
    hashes[20:] = hashes[:20]
    for row in range(20):  # the copies differ in 57 to 76 bits
        hashes[20 + row, : 57 + row] ^= True
    expected = sorted(
        (int((hashes[a] != hashes[b]).sum()), f"{a}.jpg", f"{b}.jpg")
        for a in range(40)
        for b in range(a + 1, 40)
        if (hashes[a] != hashes[b]).sum() <= NEAR
    )
    found = near_duplicates(ids(40), hashes)
    assert found["distance"].is_monotonic_increasing
    assert sorted(zip(found["distance"], found["a"], found["b"], strict=True)) == expected
    assert len(expected) == 8


def test_no_images_have_no_pairs():
    assert near_duplicates(ids(0), np.zeros((0, BITS), bool)).empty


def write(folder, **columns):
    """A table of four images, of which the first two show one photograph."""
    images = (PHOTOGRAPH, VERSIONS["darker"], OTHER, OTHER.rotate(90))
    for name, image in zip("abcd", images, strict=True):
        image.save(folder / f"{name}.png")
    table = pd.DataFrame({"image": [f"{name}.png" for name in "abcd"], "score": [1, 2, 3, 4]})
    table.assign(**columns).to_csv(folder / "scores.csv", index=False)
    return f"csv:{folder / 'scores.csv'}"


def test_the_check_of_any_table_names_near_duplicates(tmp_path):
    report = check(write(tmp_path))
    assert report.faults == ()
    (note,) = report.notes
    assert note.startswith("near-duplicates: 1 (a.png ~ b.png (")
    assert " in different content groups; " in note
    assert report.pairs[["a", "b"]].values.tolist() == [["a.png", "b.png"]]


def test_near_duplicates_that_share_a_group_are_well(tmp_path):
    report = check(write(tmp_path, group=["x", "x", "y", "z"]))
    assert (report.faults, report.notes, len(report.pairs)) == ((), (), 1)


def test_near_duplicates_across_a_tables_own_split_are_counted(tmp_path):
    name = write(tmp_path, group=["x", "x", "y", "z"], split=["train", "test", "train", "val"])
    (note,) = check(name).notes
    assert "on two sides of the split; 1 of 1 test images have one outside" in note
    (note,) = check(write(tmp_path, split=["test", "test", "train", "val"])).notes
    assert "different content groups" in note


def test_a_copy_is_told_once(tmp_path):
    name = write(tmp_path)
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    report = check(name)
    assert report.notes == ()
    assert report.faults == (
        "the same bytes in different content groups: a.png, b.png; give them one group",
    )


@pytest.mark.parametrize(("name", "pairs"), [("clive", 4), ("agiqa3k", 11), ("biq2021", 2364)])
def test_pairs_of_released_sets_are_kept_with_the_package(name, pairs):
    found = known_pairs(name)
    assert len(set(found)) == len(found) == pairs
    assert {len(pair) for pair in found} == {2}


def test_a_set_without_a_table_has_no_known_pairs():
    assert known_pairs("koniq10k/512x384") == []


@pytest.mark.real_data
@pytest.mark.parametrize("name", [b.info.name for b in BENCHMARKS if known_pairs(b.info.name)])
def test_kept_pairs_are_those_of_the_real_images_and_share_a_group(name):
    if ENTRIES[name].files() != "found":
        pytest.skip(f"{name} is not under IQA_DATA")
    report = check(name)
    found = {frozenset(pair) for pair in zip(report.pairs["a"], report.pairs["b"], strict=True)}
    assert found == set(known_pairs(name))
    assert not any("different content groups" in note for note in report.notes)
    group = load(name).table.set_index("id")["group"]
    assert all(group.loc[list(pair)].nunique() == 1 for pair in known_pairs(name))
