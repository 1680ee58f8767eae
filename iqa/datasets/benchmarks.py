"""The seven benchmarks, each a declaration: where its table is, what it says, what to expect.

Adding a benchmark means adding one entry to `BENCHMARKS`; `iqa.datasets.reader` reads them all.
Counts and ranges in `Facts` were taken from the published tables.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from iqa.datasets.types import DatasetInfo, Facts


def read_clive(path: Path) -> pd.DataFrame:
    """The names in AllImages_release.mat and, beside it, their scores: columns image, MOS."""
    from scipy.io import loadmat

    names = loadmat(path)["AllImages_release"].ravel()
    scores = loadmat(path.with_name("AllMOS_release.mat"))["AllMOS_release"].ravel()
    return pd.DataFrame({"image": [str(name.item()) for name in names]}).join(
        pd.Series(scores, name="MOS")
    )


def read_text(path: Path) -> pd.DataFrame:
    """A table with commas; names stay text."""
    return pd.read_csv(path, skipinitialspace=True, encoding="utf-8-sig")


def read_sheet(path: Path) -> pd.DataFrame:
    """The first sheet of a workbook, without its empty rows."""
    return pd.read_excel(path).dropna(how="all").reset_index(drop=True)


def as_written(names: pd.Series) -> pd.Series:
    """The table's name is the file's, folders and all."""
    return names.astype("string").astype(object)


def without_folder(names: pd.Series) -> pd.Series:
    """KADID-10k/images/I01_01_01.png is known as I01_01_01.png."""
    return as_written(names).str.rsplit("/", n=1).str[-1]


def each_alone(table: pd.DataFrame) -> pd.Series:
    """Every image is a content group of its own."""
    return table["id"]


def by_reference(table: pd.DataFrame) -> pd.Series:
    """I01_05_03.png is a version of I01.png."""
    return table["id"].str.split("_").str[0]


def by_prompt(table: pd.DataFrame) -> pd.Series:
    """The prompt, as the table has it."""
    return table["prompt"].str.strip()


def by_subject_and_action(table: pd.DataFrame) -> pd.Series:
    """`cat, driving car, city, anime style`: the first two of the prompt's four parts.

    The numbers in the names count subjects and actions anew for each generator (deepai_9_5 and
    dreamStudio_8_0 are both `alien, having pizza`), so names alone cannot tell the group.
    """
    return table["Prompt"].str.split(",").str[:2].str.join(",").str.strip()


def is_valid(table: pd.DataFrame) -> pd.Series:
    """FLIVE's flag of the validation side; its table has no test side."""
    flags = table["is_valid"].astype(str).str.lower().isin(("true", "1", "1.0"))
    return flags.map({True: "val", False: "train"})


@dataclass(frozen=True)
class SplitTable:
    """A file beside the score table that says which side each image is on.

    Attributes:
        file: its name.
        image: column of image names.
        side: column with training, validation, test.
    """

    file: str
    image: str
    side: str


@dataclass(frozen=True)
class Benchmark:
    """How one image set is laid out on disk.

    Attributes:
        info: what is known before reading.
        facts: what its whole table must show.
        folders: where it may lie under the data root, best first.
        tables: the score table's path in that folder, best first.
        images: the image folder's path in that folder, best first.
        read: path of the table -> its rows.
        image: names of the image column, best first.
        score: names of the score column, best first.
        table_rows: rows of the table, those left out among them.
        name: image column -> ids, which are paths in the image folder too.
        group: rows with an `id` -> content groups.
        leave_out: images in the table that do not count, and why is said in `info.where`.
        split_table: where the official split is, if in a file of its own.
        split_column: a column and how to read the official split from it, where present.
    """

    info: DatasetInfo
    facts: Facts
    folders: tuple[str, ...]
    tables: tuple[str, ...]
    images: tuple[str, ...]
    read: Callable[[Path], pd.DataFrame]
    image: tuple[str, ...]
    score: tuple[str, ...]
    table_rows: int
    name: Callable[[pd.Series], pd.Series] = as_written
    group: Callable[[pd.DataFrame], pd.Series] = each_alone
    leave_out: tuple[str, ...] = ()
    split_table: SplitTable | None = None
    split_column: tuple[str, Callable[[pd.DataFrame], pd.Series]] | None = None


CLIVE = Benchmark(
    info=DatasetInfo(
        name="clive",
        title="CLIVE",
        score_kind="MOS",
        low=0.0,
        high=100.0,
        higher_is_better=True,
        group_rule="every image is its own",
        licence="free for any purpose with the copyright notice of UT Austin, cited",
        citation="Ghadiyaram, Bovik: Massive online crowdsourced study of subjective and "
        "objective picture quality. IEEE TIP 25(1), 2016, 10.1109/TIP.2015.2500021",
        expected_rows=1162,
        where="ask at https://live.ece.utexas.edu/research/ChallengeDB/ and unpack to "
        "$IQA_DATA/CLIVE/ChallengeDB_release (the 7 training examples t1 to t7 do not count)",
    ),
    facts=Facts(low=3.42, high=92.43, groups=1162, identical=(frozenset({"246.bmp", "333.bmp"}),)),
    folders=("CLIVE/ChallengeDB_release", "ChallengeDB_release", "CLIVE"),
    tables=("Data/AllImages_release.mat",),
    images=("Images",),
    read=read_clive,
    image=("image",),
    score=("MOS",),
    table_rows=1169,
    leave_out=tuple(f"t{i}.bmp" for i in range(1, 8)),
)

KONIQ = Benchmark(
    info=DatasetInfo(
        name="koniq10k",
        title="KonIQ-10k",
        score_kind="MOS",
        low=0.0,
        high=100.0,
        higher_is_better=True,
        group_rule="every image is its own",
        licence="free for research; photographs of YFCC100M under Creative Commons licences",
        citation="Hosu, Lin, Sziranyi, Saupe: KonIQ-10k. IEEE TIP 29, 2020, "
        "10.1109/TIP.2020.2967829",
        expected_rows=10073,
        where="get the scores and 1024x768 or 512x384 from "
        "https://database.mmsp-kn.de/koniq-10k-database.html and unpack to $IQA_DATA/KonIQ-10k; "
        "1024x768 is used where both are there; scores are MOS_zscore, since MOS holds 1 to 5",
    ),
    facts=Facts(low=3.91, high=88.39, groups=10073, split=(7058, 1000, 2015)),
    folders=("KonIQ-10k", "koniq10k", "koniq-10k"),
    tables=(
        "koniq10k_scores.csv",
        "koniq10k_scores/koniq10k_scores.csv",
        "koniq10k_scores_and_distributions.csv",
        "koniq10k_scores_and_distributions/koniq10k_scores_and_distributions.csv",
    ),
    images=(
        "1024x768",
        "koniq10k_1024x768/1024x768",
        "koniq10k_1024x768",
        "512x384",
        "koniq10k_512x384/512x384",
        "koniq10k_512x384",
    ),
    read=read_text,
    image=("image_name",),
    score=("MOS_zscore",),
    table_rows=10073,
    split_table=SplitTable("koniq10k_distributions_sets.csv", "image_name", "set"),
)

FLIVE = Benchmark(
    info=DatasetInfo(
        name="flive",
        title="FLIVE",
        score_kind="MOS",
        low=0.0,
        high=100.0,
        higher_is_better=True,
        group_rule="every image is its own",
        licence="not stated; images of other collections under their own terms",
        citation="Ying, Niu, Gupta, Mahajan, Ghadiyaram, Bovik: From patches to pictures "
        "(PaQ-2-PiQ). CVPR 2020, arXiv 1912.10088",
        expected_rows=39810,
        where="follow https://github.com/niu-haoran/FLIVE_Database and put labels_image.csv and "
        "the folder database to $IQA_DATA/FLIVE",
    ),
    facts=Facts(low=0.0, high=94.33, groups=39810),
    folders=("FLIVE", "flive"),
    tables=("labels_image.csv",),
    images=("database", "images", "."),
    read=read_text,
    image=("name",),
    score=("mos",),
    table_rows=39810,
    split_column=("is_valid", is_valid),
)

SPAQ = Benchmark(
    info=DatasetInfo(
        name="spaq",
        title="SPAQ",
        score_kind="MOS",
        low=0.0,
        high=100.0,
        higher_is_better=True,
        group_rule="every image is its own",
        licence="not stated",
        citation="Fang, Zhu, Zeng, Ma, Wang: Perceptual quality assessment of smartphone "
        "photography. CVPR 2020, pp. 3677-3686",
        expected_rows=11125,
        where="follow https://github.com/h4nwei/SPAQ and unpack Annotations and TestImage to "
        "$IQA_DATA/SPAQ",
    ),
    facts=Facts(low=2.0, high=96.0, groups=11125),
    folders=("SPAQ", "spaq"),
    tables=(
        "Annotations/MOS and Image attribute scores.xlsx",
        "MOS and Image attribute scores.xlsx",
    ),
    images=("TestImage", "Test Images"),
    read=read_sheet,
    image=("Image name",),
    score=("MOS",),
    table_rows=11125,
)

# Found by hashing the published files: most are pairs of prompts that were given one image.
AGIQA_3K_IDENTICAL = (
    frozenset({"DALLE2_normal_253.jpg", "glide_normal_101.jpg", "glide_normal_263.jpg"}),
    *(
        frozenset(f"midjourney_normal_{number}.jpg" for number in pair)
        for pair in (
            ("072", "094"),
            ("120", "185"),
            ("131", "161"),
            ("141", "186"),
            ("217", "289"),
            ("231", "250"),
            ("240", "298"),
            ("269", "285"),
        )
    ),
)

AGIQA_3K = Benchmark(
    info=DatasetInfo(
        name="agiqa3k",
        title="AGIQA-3K",
        score_kind="MOS",
        low=0.0,
        high=5.0,
        higher_is_better=True,
        group_rule="the prompt, shared by 7 to 10 images",
        licence="MIT",
        citation="Li et al.: AGIQA-3K. IEEE TCSVT 34(8), 2024, arXiv 2306.04717",
        expected_rows=2982,
        where="follow https://github.com/lcysyzxdxc/AGIQA-3k-Database and put data.csv and the "
        "folder images to $IQA_DATA/AGIQA-3K",
    ),
    facts=Facts(low=0.0, high=4.49, groups=300, identical=AGIQA_3K_IDENTICAL),
    folders=("AGIQA-3K", "agiqa-3k", "AGIQA3K"),
    tables=("data.csv",),
    images=("images", "AGIQA-3K", "."),
    read=read_text,
    image=("name",),
    score=("mos_quality",),
    table_rows=2982,
    group=by_prompt,
)

AGIQA_1K = Benchmark(
    info=DatasetInfo(
        name="agiqa1k",
        title="AGIQA-1K",
        score_kind="MOS",
        low=0.0,
        high=5.0,
        higher_is_better=True,
        group_rule="subject and action of the prompt, shared by 4 to 8 images",
        licence="MIT",
        citation="Zhang et al.: A perceptual quality assessment exploration for AIGC images. "
        "arXiv 2303.12618",
        expected_rows=1078,
        where="follow https://github.com/lcysyzxdxc/AGIQA-1k-Database and put "
        "AIGC_MOS_Zscore.xlsx and the folder file to $IQA_DATA/AGIQA-1K (its table names "
        "dreamStudio_8_9_1_1.jpg twice, with MOS 0.44 and 2.08: both rows of 1080 are left out)",
    ),
    facts=Facts(low=0.0, high=5.0, groups=180),
    folders=("AGIQA-1K", "agiqa-1k", "AGIQA1K"),
    tables=("AIGC_MOS_Zscore.xlsx",),
    images=("file", "images", "."),
    read=read_sheet,
    image=("Image",),
    score=("MOS",),
    table_rows=1080,
    group=by_subject_and_action,
    leave_out=("dreamStudio_8_9_1_1.jpg",),
)

KADID = Benchmark(
    info=DatasetInfo(
        name="kadid10k",
        title="KADID-10k",
        score_kind="DMOS",
        low=1.0,
        high=5.0,
        higher_is_better=True,
        group_rule="the reference that 125 versions were made from",
        licence="free for research; photographs of Pixabay; no formal licence",
        citation="Lin, Hosu, Saupe: KADID-10k. QoMEX 2019, 10.1109/QoMEX.2019.8743252",
        expected_rows=10125,
        where="get kadid10k.zip from https://database.mmsp-kn.de/kadid-10k-database.html and "
        "unpack to $IQA_DATA/kadid10k (its DMOS rises with quality)",
    ),
    facts=Facts(low=1.0, high=4.93, groups=81),
    folders=("kadid10k", "KADID-10k", "KADID10K"),
    tables=("dmos.csv", "KADID-10k.txt"),
    images=("images",),
    read=read_text,
    image=("dist_img", "dis_img_path"),
    score=("dmos", "score"),
    table_rows=10125,
    name=without_folder,
    group=by_reference,
)

BENCHMARKS = (CLIVE, KONIQ, FLIVE, SPAQ, AGIQA_3K, AGIQA_1K, KADID)
