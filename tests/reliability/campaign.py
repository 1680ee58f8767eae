"""What the reliability campaign is made of: processes to kill, caches to compare."""

import multiprocessing
import shutil
import time
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

from safetensors.numpy import load_file

# Children are forked from a process that has imported what takes seconds: a kill costs little.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["iqa.cli", "iqa.datasets", "iqa.features.engine", "iqa.training", "openvino", "timm", "peft"]
)

PRELUDE = """
import os, sys
os.setsid()
os.chdir({folder!r})
os.environ.update({environment!r})
for name, descriptor in (("out", 1), ("err", 2)):
    os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
"""

FEATURES = ("features", "demo_mini", "resnet/tiny", "--weights", "none")
SMALL_SHARDS = "from iqa.features import cache\ncache.SHARD = 4"
"""So that 125 images are 32 files, as many thousand are."""


@dataclass
class Child:
    """A process of Python code; it works in `folder`, where what it prints lies too."""

    process: BaseProcess
    folder: Path

    def wait(self) -> int:
        """The exit status; of a signal, its number below zero."""
        self.process.join(120)
        assert not self.process.is_alive()
        return self.process.exitcode

    def begun(self) -> None:
        """Wait until it has written a file of that name, or ended."""
        while self.process.is_alive() and not (self.folder / "begun").exists():
            time.sleep(0.005)

    @property
    def out(self) -> str:
        return (self.folder / "out").read_text()

    @property
    def err(self) -> str:
        return (self.folder / "err").read_text()


def fork(code: str, folder: Path, **environment: object) -> Child:
    """Start a process that runs code in `folder`."""
    texts = {name: str(value) for name, value in environment.items()}
    prelude = PRELUDE.format(environment=texts, folder=str(folder))
    child = Child(FORKS.Process(target=exec, args=(prelude + code, {})), folder)
    child.process.start()
    return child


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
