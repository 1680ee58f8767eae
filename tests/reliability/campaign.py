"""What the reliability campaign is made of: a command to kill, caches to compare."""

import shutil
from pathlib import Path

from forks import Child
from safetensors.numpy import load_file

FEATURES = ("features", "demo_mini", "resnet/tiny", "--weights", "none")
SMALL_SHARDS = "from iqa.features import cache\ncache.SHARD = 4"
"""So that 125 images are 32 files, as many thousand are."""


def copied(source: Path, target: Path) -> Path:
    return shutil.copytree(source, target, dirs_exist_ok=True)


def shards(cache: Path) -> dict[str, bytes]:
    """The features in a cache: name of the shard -> its values."""
    files = sorted((cache / "features").glob("*/*.safetensors"))
    return {file.name: load_file(file)["values"].tobytes() for file in files}


def leftovers(folder: Path) -> list[Path]:
    """What unfinished writes left below `folder`."""
    return [path for path in folder.rglob(".*") if path.name != ".lock"]


def one_line(child: Child, *parts: str) -> bool:
    """Whether all that a command said to standard error is one error that holds the `parts`."""
    said = child.err
    assert said.startswith("error: "), said
    assert said.count("\n") == 1, said
    for part in parts:
        assert part in said
    return True
