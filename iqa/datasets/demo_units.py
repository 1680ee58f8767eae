"""A folder of the demo set: one photograph under one distortion at all levels, and its record."""

import json
from binascii import crc32
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from iqa.datasets.distortions import DISTORTIONS, from_bytes, to_bytes
from iqa.datasets.photographs import PHOTOGRAPHS
from iqa.datasets.pseudo_mos import METRICS, measure
from iqa.errors import UserError
from iqa.files import fingerprint, written_whole
from iqa.images import read_rgb

# Raise it when the code changes what is built from the same recipe.
VERSION = 2
LEVELS = (1, 2, 3, 4, 5)
RECORD = "record.json"


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


@dataclass(frozen=True)
class Unit:
    """One reference under one distortion, at all levels, in a folder of its own."""

    recipe: DemoRecipe
    root: Path
    photograph: str
    distortion: str

    @property
    def folder(self) -> Path:
        """Where its five images and their record lie."""
        return self.root / "images" / self.photograph / self.distortion

    @property
    def images(self) -> list[Path]:
        """The distorted images, by level."""
        return [self.folder / f"{level}.png" for level in LEVELS]

    @property
    def reference(self) -> Path:
        """The undistorted image; it is not rated."""
        return self.root / "references" / f"{self.photograph}.png"

    def record(self, reference: str) -> dict | None:
        """What `build_unit` wrote; None where it, an image or the reference is lost or changed.

        Args:
            reference: fingerprint of the pixels that the reference has now.
        """
        try:
            record = json.loads((self.folder / RECORD).read_bytes())
            told = record.pop("checksum"), record["files"], record["reference"]
            found = _checksum(record), _files_of(self.images), reference
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
            return None
        return record if told == found else None


def _files_of(paths: list[Path]) -> list[str]:
    """Fingerprints of the bytes of files."""
    return [fingerprint(path.read_bytes()) for path in paths]


def pixels_of(path: Path) -> str:
    """Fingerprint of the pixels of an image; "" where it cannot be read."""
    try:
        return fingerprint(read_rgb(path).tobytes())
    except UserError:
        return ""


def _checksum(record: dict) -> str:
    return fingerprint(json.dumps(record, sort_keys=True))


def build_unit(unit: Unit) -> None:
    """Distort one reference at all levels and measure the results; the folder appears whole."""
    original = np.asarray(read_rgb(unit.reference))
    distortion = DISTORTIONS[unit.distortion]
    images = np.stack(
        [
            to_bytes(distortion.apply(from_bytes(original), level, _generator(unit)))
            for level in LEVELS
        ]
    )
    record = measure(images, original) | {
        "reference": fingerprint(original.tobytes()),
        "pixels": [fingerprint(image.tobytes()) for image in images],
    }
    with written_whole(unit.folder) as draft:
        draft.mkdir()
        files = [draft / path.name for path in unit.images]
        for path, image in zip(files, images, strict=True):
            Image.fromarray(image).save(path, compress_level=1)
        record["files"] = _files_of(files)
        record["checksum"] = _checksum(record)
        (draft / RECORD).write_text(json.dumps(record))


def _generator(unit: Unit) -> np.random.Generator:
    """Random numbers that depend on the unit alone, not on which process makes it, or when.

    The levels draw the same numbers: directions, signs and places stay, the strength grows.
    """
    names = [crc32(name.encode()) for name in (unit.photograph, unit.distortion)]
    return np.random.default_rng([unit.recipe.seed, *names])
