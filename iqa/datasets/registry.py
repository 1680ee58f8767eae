"""Data sets by name: what is known of each, and the function that reads it."""

from collections.abc import Callable
from dataclasses import dataclass

from iqa.datasets import demo
from iqa.datasets.types import Dataset, DatasetInfo
from iqa.errors import unknown


@dataclass(frozen=True)
class Entry:
    """A data set that can be loaded.

    Attributes:
        info: what is known before loading.
        read: (progress) -> Dataset.
    """

    info: DatasetInfo
    read: Callable[[bool], Dataset]


def _entry(info: DatasetInfo, recipe: demo.DemoRecipe) -> Entry:
    return Entry(info, lambda progress: demo.load(info, recipe, progress))


ENTRIES = {
    entry.info.name: entry
    for entry in (_entry(demo.INFO, demo.FULL), _entry(demo.MINI_INFO, demo.MINI))
}


def names() -> list[str]:
    """The names that `load` knows, in alphabetical order."""
    return sorted(ENTRIES)


def info(name: str) -> DatasetInfo:
    """What is known of a data set without reading it.

    Raises:
        UserError: `name` is not in `names()`.
    """
    return _find(name).info


def load(name: str, progress: bool = False) -> Dataset:
    """Read a data set.

    Args:
        name: one of `names()`.
        progress: show a progress bar on standard error where reading takes long.

    Raises:
        UserError: `name` is not in `names()`, or the set's files are missing or faulty.
    """
    return _find(name).read(progress)


def _find(name: str) -> Entry:
    if name not in ENTRIES:
        raise unknown("dataset", name, names())
    return ENTRIES[name]
