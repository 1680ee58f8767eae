"""The demo set: photographs of installed packages, distorted as in KADID-10k, with pseudo-MOS.

It is made on first use, in parallel, under the cache: one folder for each reference and distortion
is a unit of work that is written whole, so a build that was cut is taken up where it stopped. Its
record says what was written, so that what is damaged or changed later is noticed and made again.
"""

import warnings
from collections.abc import Generator, Iterator
from itertools import product
from pathlib import Path

import pandas as pd

from iqa.datasets.demo_units import LEVELS, RECORD, DemoRecipe, Unit, build_unit, pixels_of
from iqa.datasets.distortions import DISTORTIONS
from iqa.datasets.photographs import PHOTOGRAPHS, reference
from iqa.datasets.pseudo_mos import HIGH, LOW, METRICS, fuse
from iqa.datasets.types import Dataset, DatasetInfo, Facts
from iqa.errors import UserError
from iqa.files import cache_root, fingerprint, sweep, written_whole

FULL = DemoRecipe(tuple(PHOTOGRAPHS), tuple(DISTORTIONS), (320, 240), seed=8)
MINI = DemoRecipe(
    ("astronaut", "chelsea", "coffee", "china", "flower"),
    ("gaussian-blur", "jpeg", "white-noise", "darken", "pixelation"),
    (128, 96),
    seed=8,
)


def _info(name: str, title: str, recipe: DemoRecipe) -> DatasetInfo:
    return DatasetInfo(
        name=name,
        title=title,
        score_kind="pseudo-MOS",
        low=LOW,
        high=HIGH,
        higher_is_better=True,
        group_rule="the photograph that the versions were made from",
        licence="; ".join(f"{p}: {PHOTOGRAPHS[p].licence}" for p in recipe.photographs),
        citation="distortions after Lin, Hosu, Saupe, QoMEX 2019, 10.1109/QoMEX.2019.8743252; "
        + "; ".join(f"{p}: {PHOTOGRAPHS[p].credit}" for p in recipe.photographs),
        expected_rows=len(recipe.photographs) * len(recipe.distortions) * len(LEVELS),
        where="made on first use from photographs in installed packages",
        publishable=True,
    )


INFO = _info("demo", "Demo", FULL)
MINI_INFO = _info("demo_mini", "Demo (miniature)", MINI)
# An end of the scale is reached by an image that is first, or last, by all four metrics.
FACTS = Facts(low=1.06, high=4.98, groups=6)
MINI_FACTS = Facts(low=1.0, high=4.95, groups=5)


def load(info: DatasetInfo, recipe: DemoRecipe, progress: bool = False) -> Dataset:
    """Read the set that `recipe` describes; build first what is missing of it, or was changed.

    Args:
        info: what to say about the set.
        recipe: what it is made of.
        progress: show a progress bar on standard error while building.

    Returns:
        Columns of every data set and: distortion, family (str), level (1 to 5), reference (path of
        the undistorted image), one column for each metric, and pixels, the fingerprint of the
        image. The data set's fingerprint covers ids, pixels and scores.

    Warns:
        UserWarning: images were damaged or changed; they are made again.

    Raises:
        UserError: a photograph is missing, or the disk does not keep what is written.
    """
    root = cache_root() / "demo" / recipe.key
    units = [Unit(recipe, root, *pair) for pair in product(recipe.photographs, recipe.distortions)]
    records = _records(units)
    if len(records) < len(units):
        records = _finished(root, units, progress)
    table = pd.DataFrame([row for unit in units for row in _rows(unit, records[unit])])
    table["score"] = fuse(table)
    table["target"] = info.to_target(table["score"])
    content = table[["id", "pixels", "score"]].to_csv(index=False)
    return Dataset(info, table, fingerprint(content))


def _records(units: list[Unit]) -> dict[Unit, dict]:
    """The records of the units that are whole."""
    references = {path: pixels_of(path) for path in {unit.reference for unit in units}}
    found = {unit: unit.record(references[unit.reference]) for unit in units}
    return {unit: record for unit, record in found.items() if record is not None}


def _finished(root: Path, units: list[Unit], progress: bool) -> dict[Unit, dict]:
    """Build what is missing; a second process that wants the same set waits for the first."""
    from filelock import FileLock

    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / ".lock"):
        _write_references(_without_record(units))
        missing = _without_record(units)
        damaged = [unit.folder for unit in missing if (unit.folder / RECORD).exists()]
        if damaged:
            warnings.warn(
                f"demo pictures in {len(damaged)} folders were damaged or changed, first "
                f"{damaged[0]}: made again",
                stacklevel=4,
            )
        _build(missing, progress)
        lost = _without_record(missing)
    if lost:
        raise UserError(f"{lost[0].folder}: what was written is not what is read; check the disk")
    return _records(units)


def _without_record(units: list[Unit]) -> list[Unit]:
    whole = _records(units)
    return [unit for unit in units if unit not in whole]


def _write_references(units: list[Unit]) -> None:
    """Write those that `units` are made from, damaged ones again."""
    for path, name, size in {(u.reference, u.photograph, u.recipe.size) for u in units}:
        with written_whole(path) as draft:
            reference(PHOTOGRAPHS[name], size).save(draft)


def _build(units: list[Unit], progress: bool) -> None:
    """Build `units` on all cores, with one thread each."""
    from joblib import Parallel, delayed, parallel_config
    from rich.console import Console
    from rich.progress import track

    with parallel_config(backend="loky", n_jobs=-1, inner_max_num_threads=1):
        built: Generator[None] = Parallel(return_as="generator_unordered")(
            delayed(build_unit)(unit) for unit in units
        )
        try:
            for _ in track(
                built,
                description="Building the demo set",
                total=len(units),
                disable=not progress,
                console=Console(stderr=True),
            ):
                pass
        except BaseException:
            with warnings.catch_warnings(action="ignore"):  # of tasks that are given up
                built.close()
            # The workers were killed, whatever they were writing.
            for folder in {unit.folder.parent for unit in units}:
                sweep(folder)
            raise


def _rows(unit: Unit, record: dict) -> Iterator[dict[str, object]]:
    """One row an image."""
    for number, level in enumerate(LEVELS):
        yield {
            "id": f"{unit.photograph}-{unit.distortion}-{level}",
            "path": str(unit.images[number]),
            "group": unit.photograph,
            "distortion": unit.distortion,
            "family": DISTORTIONS[unit.distortion].family,
            "level": level,
            "reference": str(unit.reference),
            **{name: record[name][number] for name in (*METRICS, "pixels")},
        }
