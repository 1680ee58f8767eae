"""What a declaration of a benchmark is made of: its fields, and functions that its table needs."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from iqa.datasets.types import DatasetInfo, Facts


def read_clive(path: Path) -> pd.DataFrame:
    """The names in AllImages_release.mat and what lies beside it: columns image, MOS, std.

    Scores have to be there; their standard deviations are read where they are.
    """
    from scipy.io import loadmat

    names = loadmat(path)["AllImages_release"].ravel()
    table = pd.DataFrame({"image": [str(name.item()) for name in names]})
    for column, variable in {"MOS": "AllMOS_release", "std": "AllStdDev_release"}.items():
        beside = path.with_name(f"{variable}.mat")
        if column == "std" and not beside.is_file():
            continue
        values = loadmat(beside)[variable].ravel()
        if len(values) != len(names):
            raise ValueError(f"{len(names)} names, but {len(values)} scores in {beside.name}")
        table[column] = values
    return table


def read_text(path: Path) -> pd.DataFrame:
    """A table with commas; names stay text, a prompt "None" too: only an empty cell is missing."""
    return pd.read_csv(
        path, skipinitialspace=True, encoding="utf-8-sig", keep_default_na=False, na_values=[""]
    )


def read_sheet(path: Path) -> pd.DataFrame:
    """The first sheet of a workbook, without its empty rows; only an empty cell is missing."""
    sheet = pd.read_excel(path, keep_default_na=False, na_values=[""])
    return sheet.dropna(how="all").reset_index(drop=True)


def read_biq2021(path: Path) -> pd.DataFrame:
    """The training table and, beside it, the test table: columns Image Name, MOS, split."""
    tables = {"train": path, "test": path.with_name(path.name.replace("Train", "Test"))}
    sides = {side: read_text(table) for side, table in tables.items()}
    columns = ["Image Name", "MOS"]
    return pd.concat(
        [table[columns].assign(split=side) for side, table in sides.items()], ignore_index=True
    )


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

    The numbers in the names count subjects and actions for each generator separately
    (deepai_9_5 and dreamStudio_8_0 are both `alien, having pizza`), so names alone cannot tell the
    group.
    """
    return table["Prompt"].str.split(",").str[:2].str.join(",").str.strip()


def by_table(table: pd.DataFrame) -> pd.Series:
    """The side that `read_biq2021` noted: the table that a row is from."""
    return table["split"]


def is_valid(table: pd.DataFrame) -> pd.Series:
    """FLIVE's flag of the validation side; its table has no test side."""
    flags = table["is_valid"].astype(str).str.lower().isin(("true", "1", "1.0"))
    return flags.map({True: "val", False: "train"})


@dataclass(frozen=True)
class SplitTable:
    """A file beside the score table that says which side each image is on.

    Attributes:
        file: its name.
        address: where its owner publishes it.
        image: column of image names.
        side: column with training, validation, test.
    """

    file: str
    address: str
    image: str
    side: str


@dataclass(frozen=True)
class Archive:
    """A file that a data set's owner publishes under a direct address.

    No owner publishes a checksum, so there is no place for one: a zip's own are tested, and the
    SHA-256 of what came is shown.

    Attributes:
        address: of the file.
        target: what it becomes, relative to the data root. Of a zip, the file or folder of that
            name is unpacked; any other file is put there as it is.
    """

    address: str
    target: str


@dataclass(frozen=True)
class Repository:
    """A git repository that a data set's owner publishes.

    Attributes:
        address: what `git clone` takes.
        target: the folder it becomes, relative to the data root.
    """

    address: str
    target: str


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
        deviation: column of the standard deviations of the ratings, on the scale of the scores;
            kept as `deviation` where the table has it. "" where none is published.
        extra: further columns of numbers that are kept where the table has them.
        archives: what `iqa datasets fetch` gets, small files first; empty where the owner has to
            be asked.
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
    deviation: str = ""
    extra: tuple[str, ...] = ()
    archives: tuple[Archive | Repository, ...] = ()
