"""Several processes on one cache, and caches that were damaged in between."""

import random
import shutil
import warnings

import pytest
from campaign import FEATURES, leftovers, shards

from iqa import datasets

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_at_once_fill_one_cache_with_the_same(processes, iqa, cache, truth):
    children = [iqa(*FEATURES, IQA_CACHE=cache) for _ in range(processes)]
    assert [child.wait() for child in children] == [0] * processes
    assert len({child.out for child in children}) == 1
    assert {child.err for child in children} == {""}
    assert shards(cache) == truth
    assert leftovers(cache) == []


def test_one_is_killed_and_the_others_go_on(iqa, cache, truth):
    children = [iqa(*FEATURES, IQA_CACHE=cache) for _ in range(3)]
    children[0].begun()
    while not list(cache.glob("features/*/*.safetensors")):
        assert any(child.process.is_alive() for child in children)
    children[0].process.kill()
    assert [child.wait() for child in children[1:]] == [0, 0]
    assert iqa(*FEATURES, IQA_CACHE=cache).wait() == 0
    assert shards(cache) == truth
    assert leftovers(cache) == []


def cut(path, rng):
    path.write_bytes(path.read_bytes()[: rng.randrange(path.stat().st_size)])


def flip(path, rng):
    content = bytearray(path.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.write_bytes(content)


def fill(path, rng):
    path.write_bytes(rng.randbytes(path.stat().st_size))


def remove(path, rng):
    path.unlink()


def swap(path, rng):
    others = sorted(other for other in path.parent.glob(f"*{path.suffix}") if other != path)
    if others:
        shutil.copy(rng.choice(others), path)


DAMAGES = (cut, flip, fill, remove, swap)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_damaged_heals(seed, iqa, full_cache, demo, truth, monkeypatch):
    rng = random.Random(seed)
    files = sorted(path for path in full_cache.rglob("*") if path.is_file())
    for path in rng.sample(files, 12):
        rng.choice(DAMAGES)(path, rng)
    monkeypatch.setenv("IQA_CACHE", str(full_cache))
    with warnings.catch_warnings(action="ignore"):
        datasets.load("demo_mini")
    assert iqa(*FEATURES, IQA_CACHE=full_cache).wait() == 0
    assert shards(full_cache) == truth
    pictures = {path.relative_to(demo): path.read_bytes() for path in demo.rglob("*.png")}
    assert {path: (full_cache / path).read_bytes() for path in pictures} == pictures
    assert leftovers(full_cache) == []


@pytest.mark.parametrize("kind", ["references/*.png", "*.safetensors"])
def test_a_folder_in_the_place_of_a_file_is_told_and_kept(kind, iqa, full_cache):
    """It may be someone's own: it is not removed."""
    path = sorted(full_cache.rglob(kind))[0]
    path.unlink()
    path.mkdir()
    (path / "mine").touch()
    child = iqa(*FEATURES, IQA_CACHE=full_cache)
    assert child.wait() == 1
    assert child.err.splitlines()[-1].startswith(f"error: {path}: Is a directory; ")
    assert (path / "mine").exists()
