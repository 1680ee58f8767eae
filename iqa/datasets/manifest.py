"""A split as data: the ids of each side, its hash, its audit, and the file that others can load."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from iqa.errors import UserError
from iqa.files import fingerprint, written_whole

SIDES = ("train", "val", "test")


@dataclass(frozen=True)
class Split:
    """Which images train, which choose the checkpoint, which are reported.

    Attributes:
        kind: how it was drawn: a name in `iqa.datasets.SPLITS`, or such as "grouped 5-fold".
        seed: seed of the draw.
        fold: number of the fold that is the test side, from 0.
        train: ids to fit on.
        val: ids to choose the checkpoint on; empty for the kind "published" alone.
        test: ids to report on.

    Raises:
        UserError: an id stands on two sides, or twice on one; or a side is empty.
    """

    kind: str
    seed: int
    fold: int
    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        what, seen = f"split `{self.kind}`, fold {self.fold}", dict[str, str]()
        for side in SIDES:
            names = getattr(self, side)
            if not names and (side, self.kind) != ("val", "published"):
                raise UserError(
                    f"{what}: no image is in {side}; ask for other fractions, or use a set with "
                    "more images and content groups"
                )
            for name in names:
                if name in seen:
                    raise UserError(
                        f"{what}: id {name!r} is in {seen[name]} and in {side}; every id may "
                        "stand in one place only"
                    )
                seen[name] = side

    @property
    def hash(self) -> str:
        """16 hexadecimal digits over the kind and the ids of each side, whatever their order."""
        return fingerprint(self.kind, *(json.dumps(sorted(getattr(self, side))) for side in SIDES))


def shared_groups(split: Split, group_of: Mapping[str, str]) -> list[str]:
    """The content groups with images on more than one side of `split`; empty when it is clean.

    Args:
        split: the split to audit.
        group_of: the content group of each id.

    >>> leaky = Split("random", 0, 0, ("cat-1",), ("dog-1",), ("cat-2",))
    >>> shared_groups(leaky, {"cat-1": "cat", "cat-2": "cat", "dog-1": "dog"})
    ['cat']
    """
    sides = [{group_of[name] for name in getattr(split, side)} for side in SIDES]
    return sorted(set().union(*(a & b for a, b in combinations(sides, 2))))


def check_groups(split: Split, group_of: Mapping[str, str]) -> None:
    """Refuse a split that has a content group on two sides.

    Args:
        split: the split to audit.
        group_of: the content group of each id.

    Raises:
        UserError: a group is on two sides, or an id has no group; names the first.
    """
    for name in (*split.train, *split.val, *split.test):
        if name not in group_of:
            raise UserError(
                f"split `{split.kind}`: id {name!r} has no content group; use the split with the "
                "data set it was made for"
            )
    shared = shared_groups(split, group_of)
    if shared:
        raise UserError(
            f"split `{split.kind}`: {len(shared)} content group(s) have images on two sides, the "
            f"first is {shared[0]!r}; use the split `grouped`, or mend the column `group`"
        )


class _Manifest(BaseModel):
    """The fields of the file, in its order."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    format: Literal["iqa-split-1"] = "iqa-split-1"
    dataset: str
    kind: str
    seed: int
    fold: int
    hash: str
    train: tuple[str, ...]
    val: tuple[str, ...]
    test: tuple[str, ...]
    checksum: str = ""

    @property
    def expected_checksum(self) -> str:
        """Over every other field: `hash` does not see the seed, the fold or the data set."""
        return fingerprint(json.dumps(self.model_dump(exclude={"checksum"}), sort_keys=True))


def write_split(path: Path, split: Split, dataset_fingerprint: str) -> None:
    """Write `split` as JSON: the ids of each side, how it was drawn, its hash and a checksum.

    Args:
        path: of the file, replaced atomically.
        split: what to write; the order of its ids is kept.
        dataset_fingerprint: `Dataset.fingerprint` of the set it was drawn from.
    """
    bare = _Manifest(dataset=dataset_fingerprint, hash=split.hash, **asdict(split))
    whole = bare.model_copy(update={"checksum": bare.expected_checksum})
    with written_whole(path) as draft:
        draft.write_text(whole.model_dump_json(indent=1) + "\n", encoding="utf-8")


def read_split(path: Path, dataset_fingerprint: str | None = None) -> Split:
    """Read what `write_split` wrote.

    Args:
        path: of the file.
        dataset_fingerprint: that the split must have been drawn from; None to take any.

    Raises:
        UserError: the file is missing, damaged, altered, or of another data set.
    """
    try:
        found = _Manifest.model_validate_json(path.read_bytes())
    except OSError as fault:
        raise UserError(f"split {path}: {fault.strerror}; write it with `write_split`") from None
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(map(str, first["loc"])) or "file"
        raise UserError(
            f"split {path}: {where}: {first['msg']}; fetch or write the file again"
        ) from None
    split = Split(found.kind, found.seed, found.fold, found.train, found.val, found.test)
    if found.hash != split.hash or found.checksum != found.expected_checksum:
        raise UserError(
            f"split {path}: its content does not fit its hash {found.hash}: it was altered or "
            "damaged; fetch or write the file again"
        )
    if dataset_fingerprint not in (None, found.dataset):
        raise UserError(
            f"split {path}: was drawn from data {found.dataset}, not from {dataset_fingerprint}; "
            "use it with the data set it was made for"
        )
    return split
