"""Processes that begin with PyTorch, timm and peft imported, which takes ten seconds otherwise."""

import multiprocessing
import time
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path

# A process that has imported and done nothing else, unlike that of the tests.
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
