import dataclasses
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.io import savemat

from iqa.datasets import ENTRIES, check, grouped_split, load, official_split, registry
from iqa.datasets.benchmarks import BENCHMARKS
from iqa.datasets.reader import joined, locate, read_table
from iqa.errors import UserError
from iqa.files import data_root

BY_NAME = {benchmark.info.name: benchmark for benchmark in BENCHMARKS}


def draw(path, seed):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


def write_clive(root):
    folder = root / "CLIVE/ChallengeDB_release"
    names = [f"t{i}.bmp" for i in range(1, 8)] + ["3.bmp", "900.JPG", "901.JPG"]
    (folder / "Data").mkdir(parents=True)
    cells = np.array([[name] for name in names], dtype=object)
    savemat(folder / "Data/AllImages_release.mat", {"AllImages_release": cells})
    scores = np.linspace(0, 90, 10).reshape(1, -1)
    savemat(folder / "Data/AllMOS_release.mat", {"AllMOS_release": scores})
    savemat(folder / "Data/AllStdDev_release.mat", {"AllStdDev_release": scores / 5 + 1})
    return folder / "Images", names[7:]


def write_koniq(root, size="512x384"):
    folder = root / "KonIQ-10k"
    folder.mkdir()
    names = ["1.jpg", "2.jpg", "3.jpg"]
    scores = pd.DataFrame({"image_name": names, "MOS_zscore": [10.5, 50, 88], "MOS": [1.5, 3, 4]})
    scores.to_csv(folder / "koniq10k_scores.csv", index=False)
    sets = pd.DataFrame({"image_name": names[::-1], "set": ["test", "validation", "training"]})
    sets.to_csv(folder / "koniq10k_distributions_sets.csv", index=False)
    return folder / size, names


def write_flive(root):
    folder = root / "FLIVE"
    folder.mkdir()
    names = ["blur_dataset/motion1.jpg", "voc_emotic_ava/AVA__2.jpg"]
    rows = pd.DataFrame({"name": names, "mos": [70.0, 80.0], "is_valid": [True, False]})
    rows.to_csv(folder / "labels_image.csv", index=False)
    return folder / "database", names


def write_spaq(root):
    folder = root / "SPAQ"
    (folder / "Annotations").mkdir(parents=True)
    names = ["00001.jpg", "00002.jpg"]
    rows = pd.DataFrame({"Image name": names, "MOS": [48.86, 62.5], "Noisiness": [1.0, 2.0]})
    rows.to_excel(folder / "Annotations/MOS and Image attribute scores.xlsx", index=False)
    return folder / "TestImage", names


def write_agiqa3k(root):
    folder = root / "AGIQA-3K"
    folder.mkdir()
    names = ["AttnGAN_normal_000.jpg", "sd1.5_normal_000.jpg", "glide_normal_001.jpg"]
    prompts = ["statue of a man", "statue of a man", "a cat, close-up"]
    rows = pd.DataFrame({"name": names, "prompt": prompts, "mos_quality": [0.9, 1.3, 4.4]})
    rows["std_quality"] = [0.2, 0.6, 1.0]
    rows.to_csv(folder / "data.csv", index=False)
    return folder / "images", names


def write_agiqa1k(root):
    folder = root / "AGIQA-1K"
    folder.mkdir()
    names = ["deepai_9_5_0_0.jpg", "dreamStudio_8_0_1_1.jpg", "deepai_9_6_0_0.jpg"]
    prompts = [
        "alien, having pizza, city, anime style",
        "alien, having pizza, wild, realistic style",
    ]
    prompts += ["alien, playing baseball, city, anime style", "x, y, city, z", "x, y, city, z"]
    doubled = ["dreamStudio_8_9_1_1.jpg"] * 2
    rows = pd.DataFrame({"Image": names + doubled, "Prompt": prompts, "MOS": [3, 2, 1, 0.4, 2]})
    rows.to_excel(folder / "AIGC_MOS_Zscore.xlsx", index=False)
    return folder / "file", names


def write_kadid(root):
    folder = root / "kadid10k"
    folder.mkdir()
    names = ["I01_01_01.png", "I01_25_05.png", "I02_01_01.png"]
    references = [f"{name[:3]}.png" for name in names]
    rows = {"dist_img": names, "ref_img": references, "dmos": [4.57, 1, 4.93], "var": [1, 1, 1]}
    pd.DataFrame(rows).to_csv(folder / "dmos.csv", index=False)
    return folder / "images", names


def write_biq2021(root):
    folder = root / "BIQ2021"
    folder.mkdir()
    tables = {
        "Train": "Image Name,MOS,,\nss01 (1).jpg,0.2874,,\nss02 (1014).jpg,1,,\n",
        "Test": "Image Name,MOS\nss03 (954).jpg,0\n",
    }
    for side, rows in tables.items():
        (folder / f"{side} (Images and MOS).csv").write_text(rows)
    return folder / "Images", ["ss01 (1).jpg", "ss02 (1014).jpg", "ss03 (954).jpg"]


# writer, rows in the table, groups in order, official sides in order
KONIQ = (write_koniq, 3, ["1.jpg", "2.jpg", "3.jpg"], ["train", "val", "test"])
MINIATURES = {
    "clive": (write_clive, 10, ["3.bmp", "900.JPG", "901.JPG"], None),
    "koniq10k": KONIQ,
    "koniq10k/512x384": KONIQ,
    "flive": (
        write_flive,
        2,
        ["blur_dataset/motion1.jpg", "voc_emotic_ava/AVA__2.jpg"],
        ["val", "train"],
    ),
    "spaq": (write_spaq, 2, ["00001.jpg", "00002.jpg"], None),
    "agiqa3k": (write_agiqa3k, 3, ["statue of a man"] * 2 + ["a cat, close-up"], None),
    "agiqa1k": (
        write_agiqa1k,
        5,
        ["alien, having pizza"] * 2 + ["alien, playing baseball"],
        None,
    ),
    "kadid10k": (write_kadid, 3, ["I01", "I01", "I02"], None),
    "biq2021": (
        write_biq2021,
        3,
        ["ss01 (1).jpg", "ss02 (1014).jpg", "ss03 (954).jpg"],
        ["train", "train", "test"],
    ),
}


@pytest.fixture
def mini(tmp_path, monkeypatch):
    """Write the miniature of a benchmark, expect its rows, and give the image folder."""
    monkeypatch.setenv("IQA_DATA", str(tmp_path))

    def make(name):
        writer, rows, *_ = MINIATURES[name]
        folder, names = writer(tmp_path)
        for seed, image in enumerate(names):
            draw(folder / image, seed)
        small = dataclasses.replace(BY_NAME[name], table_rows=rows)
        monkeypatch.setitem(
            registry.ENTRIES, name, dataclasses.replace(registry._benchmark(small), facts=None)
        )
        return folder

    return make


@pytest.mark.parametrize("name", MINIATURES)
def test_each_layout_is_read(name, mini):
    folder = mini(name)
    table = load(name).table
    _, _, groups, sides = MINIATURES[name]
    assert table["group"].tolist() == groups
    assert all(Path(path) == folder / i for i, path in zip(table["id"], table["path"], strict=True))
    assert ("split" in table) == (sides is not None)
    if sides:
        assert table["split"].tolist() == sides
    assert check(name).faults == ()


def test_targets_follow_range_and_direction(mini):
    for name, expected in {
        "koniq10k": [0.105, 0.5, 0.88],
        "kadid10k": [(4.57 - 1) / 4, 0.0, (4.93 - 1) / 4],
        "agiqa3k": [0.9 / 5, 1.3 / 5, 4.4 / 5],
    }.items():
        mini(name)
        assert load(name).table["target"].tolist() == pytest.approx(expected)


def test_a_name_that_differs_in_the_case_of_its_suffix_alone_is_found(mini):
    folder = mini("clive")
    (folder / "900.JPG").rename(folder / "900.jpg")
    assert load("clive").table["path"].tolist()[1] == str(folder / "900.jpg")
    (folder / "3.bmp").rename(folder / "3.png")
    with pytest.raises(UserError, match=r"1 of 3 images are not in .*first '3\.bmp'"):
        load("clive")


def test_biq2021_has_a_table_for_each_side_and_names_what_is_missing(mini):
    folder = mini("biq2021")
    (folder / "ss02 (1014).jpg").rename(folder / "ss02 (1014).JPG")  # as published
    table = load("biq2021").table
    assert table["path"][1] == str(folder / "ss02 (1014).JPG")
    assert table["target"].tolist() == [0.2874, 1, 0]
    (folder / "ss03 (954).jpg").unlink()
    with pytest.raises(UserError, match=r"1 of 3 images are .* first 'ss03 \(954\)\.jpg'; unpack"):
        load("biq2021")
    (folder.parent / "Test (Images and MOS).csv").unlink()
    with pytest.raises(UserError, match=r"'.*Test \(Images and MOS\)\.csv'.*datasets fetch"):
        load("biq2021")


def test_the_larger_koniq_images_are_preferred_and_change_the_fingerprint(mini):
    small = mini("koniq10k")
    before = load("koniq10k")
    for name in before.table["id"]:
        draw(small.parent / "1024x768" / name, seed=len(name))
        with (small.parent / "1024x768" / name).open("ab") as file:
            file.write(b"0" * 100)
    after = load("koniq10k")
    assert "1024x768" in after.table["path"][0]
    assert after.fingerprint != before.fingerprint


def test_the_smaller_koniq_images_go_by_a_name_of_their_own(mini):
    small = mini("koniq10k/512x384")
    draw(small.parent / "1024x768" / "1.jpg", seed=0)
    assert set(map(Path, load("koniq10k/512x384").table["path"])) == set(small.iterdir())
    small.rename(small.parent / "koniq10k_512x384")
    assert "koniq10k_512x384" in load("koniq10k/512x384").table["path"][0]
    (small.parent / "koniq10k_512x384").rename(small.parent / "other")
    with pytest.raises(UserError, match=r"image folder .*512x384 not found"):
        load("koniq10k/512x384")


def test_koniq_keeps_the_ratings_that_the_published_protocol_divides(mini):
    from iqa.experiments.protocol import PUBLISHED  # PyTorch, which nothing else here needs

    folder = mini("koniq10k")
    data = load("koniq10k")
    assert data.table["MOS"].tolist() == [1.5, 3, 4]
    assert PUBLISHED.targets(data).tolist() == pytest.approx([0.015, 0.03, 0.04])
    table = folder.parent / "koniq10k_scores.csv"
    replaced("1.5", "1.6")(table)
    assert load("koniq10k").fingerprint != data.fingerprint
    replaced("1.6", "")(table)
    with pytest.raises(UserError, match=r"row 1 \(1.jpg\): score is empty"):
        load("koniq10k")


def test_the_fingerprint_sees_a_score_and_a_size_but_not_the_place(mini, tmp_path, monkeypatch):
    folder = mini("kadid10k")
    first = load("kadid10k").fingerprint
    moved = tmp_path / "moved"
    moved.mkdir()
    folder.parent.rename(moved / "kadid10k")
    monkeypatch.setenv("IQA_DATA", str(moved))
    assert load("kadid10k").fingerprint == first
    table = moved / "kadid10k/dmos.csv"
    table.write_text(table.read_text().replace("4.57", "4.56"))
    second = load("kadid10k").fingerprint
    with (moved / "kadid10k/images/I01_01_01.png").open("ab") as file:
        file.write(b"0")
    assert len({first, second, load("kadid10k").fingerprint}) == 3


def replaced(old, new):
    return lambda table: table.write_text(table.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (replaced("dmos", "mean"), "column `dmos` or `score` not found .found: dist_img, ref_img"),
        (replaced("4.57", "5.7"), r"row 1 \(I01_01_01.png\): score 5.7 is outside .* 1 to 5"),
        (replaced("4.57", ""), r"row 1 \(I01_01_01.png\): score is empty, expected a finite"),
        (replaced("4.57", "good"), r"row 1 \(I01_01_01.png\): score is 'good'"),
        (replaced("I01_25_05", "I01_01_01"), r"row 2 .*: is in row 1 too, expected one row"),
        (replaced("I02_01_01.png,I02.png,4.93,1\n", ""), "has 2 rows, expected 3"),
        (replaced("dist_img,ref_img,dmos,var", '"'), "cannot be read"),
        (lambda table: table.unlink(), r"dmos.csv not found"),
        (lambda table: (table.parent / "images/I02_01_01.png").unlink(), "1 of 3 images are not"),
        (lambda table: (table.parent / "images").rename(table.parent / "i"), "image folder"),
        (lambda table: table.parent.rename(table.parent.parent / "other"), "kadid10k not found"),
        (lambda table: os.environ.pop("IQA_DATA"), "IQA_DATA is not set"),
    ],
)
def test_a_fault_is_one_line_that_names_it(spoil, said, mini):
    spoil(mini("kadid10k").parent / "dmos.csv")
    with pytest.raises(UserError, match=said) as caught:
        load("kadid10k")
    assert "\n" not in str(caught.value)
    assert check("kadid10k").faults == (str(caught.value),)


def test_a_row_is_counted_as_in_the_file_though_some_are_left_out(mini, monkeypatch):
    mini("clive")
    read = BY_NAME["clive"].read
    spoilt = dataclasses.replace(
        BY_NAME["clive"],
        table_rows=10,
        read=lambda path: read(path).replace("901.JPG", "900.JPG"),
    )
    monkeypatch.setitem(registry.ENTRIES, "clive", registry._benchmark(spoilt))
    with pytest.raises(UserError, match=r"row 10 \(900.JPG\): is in row 9 too"):
        load("clive")


def test_the_spread_of_ratings_is_kept_and_changes_no_fingerprint(mini):
    folder = mini("agiqa3k")
    data = load("agiqa3k")
    assert data.table["deviation"].tolist() == [0.2, 0.6, 1.0]
    assert data.info.ratings == 21
    replaced("0.6", "0.7")(folder.parent / "data.csv")
    assert load("agiqa3k").fingerprint == data.fingerprint
    folder = mini("clive")
    assert load("clive").table["deviation"].tolist() == [15, 17, 19]  # the training examples count
    (folder.parent / "Data/AllStdDev_release.mat").unlink()
    with pytest.raises(UserError, match=r"standard deviations of its ratings are missing; restore"):
        load("clive").ratings()
    mini("kadid10k")
    with pytest.raises(UserError, match="the spread of its ratings is not published"):
        load("kadid10k").ratings()


def test_fewer_scores_than_names_are_told(mini):
    folder = mini("clive").parent / "Data"
    savemat(folder / "AllMOS_release.mat", {"AllMOS_release": np.zeros((1, 9))})
    with pytest.raises(UserError, match=r"10 names, but 9 scores in AllMOS_release.mat\); restore"):
        load("clive")


def test_missing_rows_are_told_with_how_many_count(mini, monkeypatch):
    mini("clive")
    monkeypatch.setitem(registry.ENTRIES, "clive", registry._benchmark(BY_NAME["clive"]))
    with pytest.raises(UserError, match="has 10 rows, expected 1169, of which 1162 count; restore"):
        load("clive")


def test_an_image_that_the_split_table_lacks_is_told(mini):
    folder = mini("koniq10k")
    replaced("2.jpg", "9.jpg")(folder.parent / "koniq10k_distributions_sets.csv")
    with pytest.raises(UserError, match=r"no row for '2\.jpg'"):
        load("koniq10k")


def test_without_the_split_table_the_check_says_so(mini, monkeypatch):
    folder = mini("koniq10k")
    (folder.parent / "koniq10k_distributions_sets.csv").unlink()
    said = r"koniq10k_distributions_sets.csv not found, .* put https://.*_sets.csv there"
    with pytest.warns(UserWarning, match=said):
        table = load("koniq10k").table
    assert "split" not in table
    with pytest.raises(UserError, match=r"`official`: this data set has none; .*datasets check"):
        official_split(table, 8)
    whole = dataclasses.replace(ENTRIES["koniq10k"], facts=BY_NAME["koniq10k"].facts)
    monkeypatch.setitem(registry.ENTRIES, "koniq10k", whole)
    with pytest.warns(UserWarning, match=said):
        faults = check("koniq10k").faults
    assert len(faults) == 4
    assert faults[0].startswith("lowest score: 10.5, expected 3.91; ")
    assert faults[3].startswith("official split: no split table, expected 7058/1000/2015; ")


def test_the_check_finds_damage_and_copies(mini):
    folder = mini("koniq10k")
    (folder / "1.jpg").write_bytes((folder / "1.jpg").read_bytes()[:300])
    (folder / "3.jpg").write_bytes((folder / "2.jpg").read_bytes())
    damaged, copies = check("koniq10k").faults
    assert "1.jpg: not a readable image" in damaged
    assert copies.startswith("the same bytes on two sides of the official split: 2.jpg in val, 3")


def test_copies_that_were_not_published_are_to_be_unpacked_again(mini, monkeypatch):
    folder = mini("spaq")
    (folder / "00002.jpg").write_bytes((folder / "00001.jpg").read_bytes())
    expecting(monkeypatch, "spaq", low=48.86, high=62.5, groups=2)
    (copies,) = check("spaq").faults
    assert copies.endswith("different images: 00001.jpg, 00002.jpg; unpack them again")


def expecting(monkeypatch, name, **facts):
    """Let a benchmark's miniature know other facts than those of the whole set."""
    small = dataclasses.replace(BY_NAME[name], table_rows=MINIATURES[name][1])
    small = dataclasses.replace(small, facts=dataclasses.replace(small.facts, **facts))
    monkeypatch.setitem(registry.ENTRIES, name, registry._benchmark(small))


def test_copies_that_were_published_are_noted_and_share_a_group(mini, monkeypatch):
    folder = mini("clive")
    (folder / "901.JPG").write_bytes((folder / "900.JPG").read_bytes())
    assert "different content groups: 900.JPG, 901.JPG" in check("clive").faults[0]
    same = (frozenset({"900.JPG", "901.JPG"}),)
    expecting(monkeypatch, "clive", low=70, high=90, groups=2, identical=same)
    report = check("clive")
    assert report.faults == ()
    (note,) = report.notes
    assert note.endswith("no split by group parts them: 900.JPG = 901.JPG")
    assert load("clive").table["group"].tolist() == ["3.bmp", "900.JPG", "900.JPG"]


def test_prompts_with_a_picture_in_common_are_one_group(mini, monkeypatch):
    mini("agiqa3k")
    same = (frozenset({"sd1.5_normal_000.jpg", "glide_normal_001.jpg"}),)
    expecting(monkeypatch, "agiqa3k", identical=same)
    assert load("agiqa3k").table["group"].tolist() == ["a cat, close-up"] * 3


@given(
    groups=st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=12),
    pairs=st.lists(st.frozensets(st.integers(0, 11), min_size=2, max_size=3), max_size=6),
    order=st.randoms(use_true_random=False),
)
def test_joined_groups_are_the_connected_ones_whatever_the_order(groups, pairs, order):
    ids = pd.Series([str(n) for n in range(len(groups))])
    same = [frozenset(map(str, pair)) for pair in pairs]
    found = joined(ids, pd.Series(groups), same)

    links = np.equal.outer(groups, groups)
    for pair in same:
        mine = np.isin(ids, list(pair))
        links |= np.outer(mine, mine)
    for _ in groups:
        links = (links.astype(int) @ links) > 0
    assert (np.equal.outer(found.to_numpy(), found.to_numpy()) == links).all()
    assert all(name == min(np.array(groups)[row]) for name, row in zip(found, links, strict=True))

    order.shuffle(same)
    assert joined(ids, pd.Series(groups), same).tolist() == found.tolist()


@pytest.mark.real_data
@pytest.mark.parametrize("benchmark", BENCHMARKS, ids=lambda b: b.info.name)
def test_real_tables_show_the_published_facts(benchmark):
    try:
        table = read_table(benchmark, locate(benchmark, data_root()).table)
    except UserError as fault:
        pytest.skip(str(fault))
    facts = benchmark.facts
    assert len(table) == benchmark.info.expected_rows
    assert (round(table["score"].min(), 2), round(table["score"].max(), 2)) == (
        facts.low,
        facts.high,
    )
    assert table["group"].nunique() == facts.groups
    if "MOS" in benchmark.extra:
        ends = (round(table["MOS"].min(), 3), round(table["MOS"].max(), 3))
        assert ends == (1.125, 4.364)
    if facts.split:
        sides = table["split"].value_counts()
        assert tuple(sides.reindex(["train", "val", "test"], fill_value=0)) == facts.split


@pytest.mark.real_data
@pytest.mark.parametrize("name", [name for name, b in BY_NAME.items() if b.facts.identical])
def test_no_split_by_group_parts_identical_images(name):
    if ENTRIES[name].files() != "found":
        pytest.skip(f"{name} is not under IQA_DATA")
    table = load(name).table
    identical = ENTRIES[name].facts.identical
    for seed in range(20):
        split = grouped_split(table, seed)
        for side in (split.train, split.val, split.test):
            assert all(same <= set(side) or not same & set(side) for same in identical)


@pytest.mark.real_data
@pytest.mark.parametrize("name", BY_NAME)
def test_real_files_pass_the_check(name):
    if ENTRIES[name].files() != "found":
        pytest.skip(f"{name} is not under IQA_DATA")
    assert check(name).faults == ()
