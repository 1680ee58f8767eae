import dataclasses
import shutil
import subprocess

import pytest

from iqa.datasets import registry
from iqa.datasets.benchmarks import BIQ2021
from iqa.datasets.clone import clone
from iqa.datasets.declaration import Repository
from iqa.datasets.fetch import fetch
from iqa.errors import UserError

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def git(folder, *arguments):
    who = ("-c", "user.name=a", "-c", "user.email=a@b")
    command = ("git", *who, "-C", str(folder), *arguments)
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def owners(tmp_path, monkeypatch):
    """A repository of two commits, which `biq2021` is fetched from."""
    folder = tmp_path / "owner"
    folder.mkdir()
    git(folder, "init", "--quiet")
    for text in ("old", "newest"):
        (folder / "README.md").write_text(text)
        git(folder, "add", ".")
        git(folder, "commit", "--quiet", "-m", text)
    published = Repository(f"file://{folder}", "BIQ2021")
    entry = registry._benchmark(dataclasses.replace(BIQ2021, archives=(published,)))
    monkeypatch.setitem(registry.ENTRIES, "biq2021", entry)
    monkeypatch.setenv("IQA_DATA", str(tmp_path / "data"))
    return folder


def test_the_newest_commit_is_cloned_and_named(owners, tmp_path):
    (got,) = fetch("biq2021")
    assert got.version == f"commit {git(owners, 'rev-parse', 'HEAD')}"
    assert got.size == len("newest")
    assert [path.name for path in (tmp_path / "data").rglob("*")] == ["BIQ2021", "README.md"]
    (again,) = fetch("biq2021")
    assert again.version == ""


def test_a_clone_that_fails_leaves_nothing(owners, tmp_path):
    objects = [path for path in (owners / ".git/objects").rglob("*") if path.is_file()]
    for path in objects:
        path.chmod(0o600)
        path.write_bytes(path.read_bytes()[:9])
    with pytest.raises(
        UserError, match=r"owner: git failed \(.+\); see that the network"
    ) as caught:
        list(fetch("biq2021"))
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "data").iterdir()) == []


def test_without_git_the_remedy_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UserError, match="which is not installed; install git, or download"):
        clone("https://example.org/a", tmp_path / "a")
