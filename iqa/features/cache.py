"""Features on disk: shards of rows, each written whole and checked when it is read."""

import hashlib
import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.progress import track
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from iqa.files import cache_root, written_whole

# Images per shard: what a kill can cost, a few seconds of work.
SHARD = 128


class DamagedShard(Exception):
    """A shard that cannot be trusted; the message says why."""


def _checksum(ids: str, values: np.ndarray) -> str:
    return hashlib.sha256(ids.encode() + np.ascontiguousarray(values).tobytes()).hexdigest()


def write_shard(
    path: Path, ids: tuple[str, ...], values: np.ndarray, about: dict[str, str]
) -> None:
    """Write the features `values` (N, D) of the images `ids` to the safetensors file `path`.

    Args:
        path: Where to; a reader sees the whole file or none.
        ids: The images, in the order of the rows.
        values: float32 (N, D).
        about: What the features are, for whoever looks into the file.
    """
    listed = json.dumps(ids)
    metadata = {**about, "ids": listed, "sha256": _checksum(listed, values)}
    with written_whole(path) as draft:
        # Through Python's own writing, whose errors tell a full disk.
        draft.write_bytes(save({"values": np.ascontiguousarray(values)}, metadata))


def read_shard(path: Path, ids: tuple[str, ...]) -> np.ndarray:
    """Read the features (N, D) of the images `ids` back from `path`.

    Raises:
        FileNotFoundError: There is no such shard.
        DamagedShard: The file is cut short or altered, or holds other images.
    """
    if not path.is_file():
        raise FileNotFoundError(path)
    try:
        with safe_open(path, "numpy") as shard:
            metadata = shard.metadata() or {}
            values = shard.get_tensor("values")
    except (SafetensorError, OSError) as error:
        raise DamagedShard(str(error)) from error
    listed = json.dumps(ids)
    if metadata.get("ids") != listed:
        raise DamagedShard("it holds other images")
    if metadata.get("sha256") != _checksum(listed, values):
        raise DamagedShard("its checksum differs")
    return values


def through_cache(
    table: pd.DataFrame,
    key: str,
    about: dict[str, str],
    compute: Callable[[Sequence[str]], Iterator[np.ndarray]],
    title: str,
    progress: bool = False,
) -> np.ndarray:
    """The features (N, D) of the images of `table`, from the cache or computed and kept there.

    They lie under `cache_root()/features/<key>/` in shards of 128 images; a damaged shard is
    reported and computed again.

    Args:
        table: columns `id` and `path`, a row per image.
        key: names all that the features depend on.
        about: what they are, for whoever looks into a file.
        compute: gives the feature (D,) of each path, in order; called once, with the paths of the
            images that are not there, if any.
        title: of the progress bar.
        progress: whether to show it, on standard error.
    """
    folder = cache_root() / "features" / key
    parts = {
        folder / f"{start:06d}.safetensors": table.iloc[start : start + SHARD]
        for start in range(0, len(table), SHARD)
    }
    shards = {path: _cached(path, part) for path, part in parts.items()}
    missing = {path: parts[path] for path, values in shards.items() if values is None}
    if missing:
        paths = [path for part in missing.values() for path in part["path"]]
        # On standard error, so that what a command writes to standard output stays clean.
        console = Console(stderr=True)
        bar = track(compute(paths), title, len(paths), console=console, disable=not progress)
        shards.update(_kept(missing, iter(bar), about))
    return np.concatenate(list(shards.values()))


def _cached(path: Path, part: pd.DataFrame) -> np.ndarray | None:
    try:
        return read_shard(path, tuple(part["id"]))
    except FileNotFoundError:
        return None
    except DamagedShard as why:
        warnings.warn(f"cached features {path} are damaged ({why}): computed again", stacklevel=4)
        return None


def _kept(
    missing: dict[Path, pd.DataFrame], rows: Iterator[np.ndarray], about: dict[str, str]
) -> Iterator[tuple[Path, np.ndarray]]:
    """Write the shards `missing`, one after the other, as their rows come."""
    for path, part in missing.items():
        values = np.stack(list(islice(rows, len(part))))
        write_shard(path, tuple(part["id"]), values, about)
        yield path, values
    next(rows, None)  # the bar reaches its end only when it is asked for one more
