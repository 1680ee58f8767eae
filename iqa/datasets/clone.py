"""A data set published as a git repository: its newest commit, complete or absent."""

import os
import shutil
import subprocess
from pathlib import Path

from iqa.errors import UserError
from iqa.files import written_whole


def clone(address: str, target: Path, progress: bool = False) -> str:
    """Clone the newest commit of a repository, and keep its files alone.

    Git compares every file with its checksum, and it cannot go on where it was cut off: a clone
    that fails leaves nothing. The history would double the room on the disk.

    Args:
        address: of the repository.
        target: the folder to make; must not be there.
        progress: show git's progress on standard error.

    Returns:
        The commit, 40 hexadecimal digits.

    Raises:
        UserError: git is not installed, or fails; says why.
    """
    if shutil.which("git") is None:
        raise UserError(
            f"{address} is fetched by git, which is not installed; install git, or download the "
            f"repository as a zip on another machine and unpack it to {target}"
        )
    with written_whole(target) as draft:
        shown = "--progress" if progress else "--quiet"
        _git(address, progress, "clone", "--depth=1", shown, "--", address, str(draft))
        commit = _git(address, False, "-C", str(draft), "rev-parse", "HEAD")
        shutil.rmtree(draft / ".git")
    return commit.strip()


def _git(address: str, progress: bool, *arguments: str) -> str:
    """What git prints; a UserError in its words when it fails."""
    done = subprocess.run(
        ("git", *arguments),
        env=os.environ | {"GIT_TERMINAL_PROMPT": "0"},  # a wrong address asks for a password
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=None if progress else subprocess.PIPE,
        text=True,
    )
    if done.returncode:
        said = (done.stderr or "its words are above").strip().splitlines()[-1]
        raise UserError(
            f"{address}: git failed ({said}); see that the network and the disk are there, then "
            "run the command again"
        )
    return done.stdout
