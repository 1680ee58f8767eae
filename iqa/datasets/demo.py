"""The demo set: photographs of installed packages, distorted as in KADID-10k, with pseudo-MOS.

It is made on first use, in parallel, under the cache: one folder for each reference and distortion
is a unit of work that is written whole, so a build that was cut is taken up where it stopped.
"""

import json
from binascii import crc32
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from iqa.datasets.distortions import DISTORTIONS, from_bytes, to_bytes
from iqa.datasets.photographs import PHOTOGRAPHS, reference
from iqa.datasets.pseudo_mos import HIGH, LOW, METRICS, fuse, measure
from iqa.datasets.types import Dataset, DatasetInfo
from iqa.files import cache_root, fingerprint, written_whole
from iqa.images import open_image

# Raise it when the code changes what is built from the same recipe.
VERSION = 2
LEVELS = (1, 2, 3, 4, 5)


@dataclass(frozen=True)
class DemoRecipe:
    """What a demo set is made of.

    Attributes:
        photographs: names in `PHOTOGRAPHS`.
        distortions: names in `DISTORTIONS`.
        size: (width, height) of every image in pixels.
        seed: seed of all that is random in the distortions.
    """

    photographs: tuple[str, ...]
    distortions: tuple[str, ...]
    size: tuple[int, int]
    seed: int

    @property
    def key(self) -> str:
        """16 hexadecimal digits over all that decides the result, the photographs' bytes too."""
        strengths = [DISTORTIONS[name].strengths for name in self.distortions]
        files = (PHOTOGRAPHS[name].path().read_bytes() for name in self.photographs)
        return fingerprint(repr((VERSION, self, strengths, METRICS)), *files)


FULL = DemoRecipe(tuple(PHOTOGRAPHS), tuple(DISTORTIONS), (384, 288), seed=8)
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


@dataclass(frozen=True)
class Unit:
    """One reference under one distortion, at all levels, in a folder of its own."""

    recipe: DemoRecipe
    root: Path
    photograph: str
    distortion: str

    @property
    def folder(self) -> Path:
        """Where its five images and their metrics lie."""
        return self.root / "images" / self.photograph / self.distortion

    @property
    def reference(self) -> Path:
        """The undistorted image; it is not rated."""
        return self.root / "references" / f"{self.photograph}.png"

    def is_built(self) -> bool:
        """Whether everything is there."""
        names = ["metrics.json", *(f"{level}.png" for level in LEVELS)]
        return self.reference.is_file() and all((self.folder / name).is_file() for name in names)


def load(info: DatasetInfo, recipe: DemoRecipe, progress: bool = False) -> Dataset:
    """Read the set that `recipe` describes; build first what is missing of it.

    Args:
        info: what to say about the set.
        recipe: what it is made of.
        progress: show a progress bar on standard error while building.

    Returns:
        Columns of every data set and: distortion, family (str), level (1 to 5), reference (path of
        the undistorted image), one column for each metric, and pixels, the fingerprint of the
        image. The data set's fingerprint covers ids, pixels and scores.

    Raises:
        UserError: a photograph is missing.
    """
    root = cache_root() / "demo" / recipe.key
    units = [Unit(recipe, root, *pair) for pair in product(recipe.photographs, recipe.distortions)]
    if not _is_finished(root, units):
        _finish(root, units, progress)
    table = pd.read_parquet(root / "scores.parquet")
    for column in ("path", "reference"):
        table[column] = [str(root / relative) for relative in table[column]]
    table["target"] = info.to_target(table["score"])
    content = table[["id", "pixels", "score"]].to_csv(index=False)
    return Dataset(info, table, fingerprint(content))


def _is_finished(root: Path, units: list[Unit]) -> bool:
    return (root / "scores.parquet").is_file() and all(unit.is_built() for unit in units)


def _finish(root: Path, units: list[Unit], progress: bool) -> None:
    """Build what is missing; a second process that wants the same set waits for the first."""
    from filelock import FileLock

    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / ".lock"):
        missing = [unit for unit in units if not unit.is_built()]
        _write_references(missing)
        _build(missing, progress)
        with written_whole(root / "scores.parquet") as draft:
            _table(units).to_parquet(draft, index=False)


def _write_references(units: list[Unit]) -> None:
    for path, name, size in {(u.reference, u.photograph, u.recipe.size) for u in units}:
        if not path.is_file():
            with written_whole(path) as draft:
                reference(PHOTOGRAPHS[name], size).save(draft)


def _build(units: list[Unit], progress: bool) -> None:
    """Build `units` on all cores, with one thread each."""
    from joblib import Parallel, delayed, parallel_config
    from rich.console import Console
    from rich.progress import track

    with parallel_config(backend="loky", n_jobs=-1, inner_max_num_threads=1):
        built: Iterator[None] = Parallel(return_as="generator_unordered")(
            delayed(build_unit)(unit) for unit in units
        )
        for _ in track(
            built,
            description="Building the demo set",
            total=len(units),
            disable=not progress,
            console=Console(stderr=True),
        ):
            pass


def build_unit(unit: Unit) -> None:
    """Distort one reference at all levels and measure the results; the folder appears whole."""
    with open_image(unit.reference) as opened:
        original = np.array(opened)
    distortion = DISTORTIONS[unit.distortion]
    images = np.stack(
        [
            to_bytes(distortion.apply(from_bytes(original), level, _generator(unit)))
            for level in LEVELS
        ]
    )
    record = measure(images, original) | {"pixels": [fingerprint(i.tobytes()) for i in images]}
    with written_whole(unit.folder) as draft:
        draft.mkdir()
        for level, image in zip(LEVELS, images, strict=True):
            Image.fromarray(image).save(draft / f"{level}.png", compress_level=1)
        (draft / "metrics.json").write_text(json.dumps(record))


def _generator(unit: Unit) -> np.random.Generator:
    """Random numbers that depend on the unit alone, not on which process makes it, or when.

    The levels draw the same numbers: directions, signs and places stay, the strength grows.
    """
    names = [crc32(name.encode()) for name in (unit.photograph, unit.distortion)]
    return np.random.default_rng([unit.recipe.seed, *names])


def _table(units: list[Unit]) -> pd.DataFrame:
    """The scores of a finished set: one row an image, paths relative to the set's folder."""
    table = pd.concat([_rows(unit) for unit in units], ignore_index=True)
    return table.assign(score=fuse(table))


def _rows(unit: Unit) -> pd.DataFrame:
    measured = pd.DataFrame(json.loads((unit.folder / "metrics.json").read_text()))
    described = pd.DataFrame(
        {
            "id": [f"{unit.photograph}-{unit.distortion}-{level}" for level in LEVELS],
            "path": [str((unit.folder / f"{i}.png").relative_to(unit.root)) for i in LEVELS],
            "group": unit.photograph,
            "distortion": unit.distortion,
            "family": DISTORTIONS[unit.distortion].family,
            "level": LEVELS,
            "reference": str(unit.reference.relative_to(unit.root)),
        }
    )
    return described.join(measured)
