import os
import subprocess
from pathlib import Path

import pytest
from campaign import FEATURES, SMALL_SHARDS, copied, shards
from forks import Child, fork

from iqa import datasets
from iqa.datasets import demo as demo_set


@pytest.fixture(scope="session")
def start(tmp_path_factory):
    """Start a process that runs code: `start(code, VARIABLE=value)`."""
    children = []

    def start(code: str, **environment: object) -> Child:
        children.append(fork(code, tmp_path_factory.mktemp("child"), **environment))
        return children[-1]

    yield start
    for child in children:
        child.process.kill()


@pytest.fixture(scope="session")
def iqa(start):
    """Start the command `iqa`: `iqa("features", ..., IQA_CACHE=folder)`."""

    def command(*words: object, before: str = SMALL_SHARDS, **environment: object) -> Child:
        argv = ["iqa", *map(str, words)]
        begun = "open('begun', 'w').close()"
        return start(
            f"{before}\nsys.argv = {argv!r}\nfrom iqa.cli import main\n{begun}\nmain()",
            **environment,
        )

    return command


@pytest.fixture(autouse=True, scope="session")
def built_here():
    """The demo set is built in this process: each of the usual ones imports PyTorch first."""
    with pytest.MonkeyPatch.context() as patch:
        build = lambda units, _: list(map(demo_set.build_unit, units))  # noqa: E731
        patch.setattr(demo_set, "_build", build)
        yield


@pytest.fixture(scope="session")
def demo(built_here, tmp_path_factory):
    """A cache with the small demo set and nothing else."""
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IQA_CACHE", str(folder))
        datasets.load("demo_mini")
    return folder


@pytest.fixture(scope="session")
def finished(demo, iqa, tmp_path_factory):
    """The cache of a run that nothing disturbed."""
    cache = copied(demo, tmp_path_factory.mktemp("truth") / "cache")
    assert iqa(*FEATURES, IQA_CACHE=cache).wait() == 0
    return cache


@pytest.fixture(scope="session")
def truth(finished):
    """The features of a run that nothing disturbed, by shard."""
    return shards(finished)


@pytest.fixture
def cache(demo, tmp_path):
    """A cache of the test's own, with the small demo set."""
    return copied(demo, tmp_path / "cache")


@pytest.fixture
def full_cache(finished, tmp_path):
    """A cache of the test's own, with the small demo set and its features."""
    return copied(finished, tmp_path / "cache")


@pytest.fixture
def disk(tmp_path):
    """A small disk of its own: `disk(kilobytes)` makes it or changes it, and gives its folder."""
    place = tmp_path / "disk"
    place.mkdir()

    def sized(kilobytes: int, *options: str) -> Path:
        remount = ["remount"] if os.path.ismount(place) else []
        chosen = ",".join([*remount, f"size={kilobytes}k", *options])
        words = ["mount", "-t", "tmpfs", "-o", chosen, "tmpfs", str(place)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        if done.returncode:
            pytest.skip(f"no file system can be mounted here ({done.stderr.strip()})")
        return place

    yield sized
    if os.path.ismount(place):
        subprocess.run(["umount", "--lazy", str(place)], check=True)
