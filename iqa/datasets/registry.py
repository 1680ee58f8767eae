"""Data sets by name: what is known of each, and the function that reads it."""

from collections.abc import Callable
from dataclasses import dataclass

from iqa.datasets import csv_table, demo, reader
from iqa.datasets.benchmarks import BENCHMARKS
from iqa.datasets.declaration import Archive, Benchmark, Repository
from iqa.datasets.types import Dataset, DatasetInfo, Facts
from iqa.errors import unknown


@dataclass(frozen=True)
class Entry:
    """A data set that can be loaded.

    Attributes:
        info: what is known before loading.
        read: (progress) -> Dataset.
        files: () -> "found", "not found" or "made on use".
        facts: what the whole set shows; None where it is not known in advance.
        archives: what its owner publishes under direct addresses.
        missing: () -> which of its files are not found and how to get them; "" where none is.
    """

    info: DatasetInfo
    read: Callable[[bool], Dataset]
    files: Callable[[], str]
    facts: Facts | None
    archives: tuple[Archive | Repository, ...] = ()
    missing: Callable[[], str] = lambda: ""


def _demo(info: DatasetInfo, recipe: demo.DemoRecipe, facts: Facts) -> Entry:
    return Entry(
        info, lambda progress: demo.load(info, recipe, progress), lambda: "made on use", facts
    )


def _benchmark(declared: Benchmark) -> Entry:
    return Entry(
        declared.info,
        lambda _: reader.load(declared),
        lambda: "not found" if reader.missing(declared) else "found",
        declared.facts,
        declared.archives,
        lambda: reader.missing(declared),
    )


def _csv(name: str) -> Entry:
    source = csv_table.parse(name)
    info = csv_table.describe(source)
    return Entry(info, lambda _: csv_table.load(source), lambda: "found", None)


ENTRIES = {
    entry.info.name: entry
    for entry in (
        _demo(demo.INFO, demo.FULL, demo.FACTS),
        _demo(demo.MINI_INFO, demo.MINI, demo.MINI_FACTS),
        *map(_benchmark, BENCHMARKS),
    )
}


def names() -> list[str]:
    """The names that `load` knows, in alphabetical order; it reads `csv:PATH` too."""
    return sorted(ENTRIES)


def info(name: str) -> DatasetInfo:
    """What is known of a data set without reading it; of a `csv:` table, what its columns say.

    Raises:
        UserError: `name` is not in `names()`, or the `csv:` table is missing or faulty.
    """
    return find(name).info


def load(name: str, progress: bool = False) -> Dataset:
    """Read a data set.

    Args:
        name: one of `names()`, or `csv:PATH` as `iqa.datasets.csv_table` describes.
        progress: show a progress bar on standard error where reading takes long.

    Raises:
        UserError: `name` is not in `names()`, or the set's files are missing or faulty.
    """
    return find(name).read(progress)


def absent(name: str) -> str:
    """Why a benchmark's files are not there, in one line; "" where they are, or are made on use.

    Raises:
        UserError: `name` is not in `names()`, or the `csv:` table is missing or faulty.
    """
    return find(name).missing()


def find(name: str) -> Entry:
    """The entry of a name; a UserError lists the names there are."""
    if name.startswith(csv_table.PREFIX):
        return _csv(name)
    if name not in ENTRIES:
        raise unknown("dataset", name, [*names(), "csv:PATH"])
    return ENTRIES[name]
