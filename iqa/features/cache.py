"""Features on disk: shards of rows, each written whole and checked when it is read."""

import hashlib
import json
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from iqa.files import written_whole


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
        save_file({"values": np.ascontiguousarray(values)}, draft, metadata)


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
