"""What this machine has: packages, a GPU, its precision, memory, room on disks."""

import os
import platform
import shutil
from collections.abc import Collection, Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from iqa.doctor.finding import Finding

GB = 1e9


def versions(extras: Collection[str] = ()) -> list[Finding]:
    """The packages that this one asks for: a line for each that does not fit, or one for all.

    Args:
        extras: of `pyproject.toml`, whose packages are needed too.
    """
    asked = [Requirement(line) for line in metadata.requires("iqa") or []]
    wanted = [r for r in asked if _applies(r, extras) and r.name != "iqa"]
    faults = [finding for r in wanted if (finding := _misfit(r))]
    told = f"Python {platform.python_version()}, {len(wanted)} packages as this one asks"
    return faults or [Finding("versions", told)]


def _applies(requirement: Requirement, extras: Iterable[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


def _misfit(requirement: Requirement) -> Finding | None:
    try:
        version = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        version = ""
    if version and requirement.specifier.contains(version, prereleases=True):
        return None
    wanted = f"{requirement.name}{requirement.specifier}"
    return Finding(
        f"package {requirement.name}",
        f"{version or 'not installed'}, expected {requirement.specifier or 'any version'}",
        f"run `pip install '{wanted}'`, or `make install` for all",
    )


def gpu(card: str = "", needed_bytes: float = 0) -> Finding:
    """The GPU and its memory.

    Args:
        card: name of the one that a profile is planned for; "" where CPUs will do.
        needed_bytes: the least memory that is needed.
    """
    import torch

    if not torch.cuda.is_available():
        remedy = (
            f"this is planned for one {card}: use a machine with a GPU and PyTorch for CUDA"
            if card
            else "nothing that was asked about needs one; large backbones are slow without"
        )
        return Finding("GPU", "none, CPUs compute", remedy, needed=bool(card))
    total = torch.cuda.get_device_properties(0).total_memory
    found = f"{torch.cuda.get_device_name(0)}, {total / GB:.0f} GB"
    if total < needed_bytes:
        return Finding(
            "GPU", found, f"at least {needed_bytes / GB:.0f} GB are needed: use a larger"
        )
    return Finding("GPU", found)


def precision(wanted: Collection[str] = ()) -> Finding:
    """Whether bfloat16 is computed here; float32 always is.

    Args:
        wanted: values of the parameter `precision`.
    """
    import torch

    if not torch.cuda.is_available():
        return Finding("precision", "fp32 and bf16, which most CPUs compute no faster")
    if torch.cuda.is_bf16_supported(including_emulation=False):
        return Finding("precision", "fp32 and bf16")
    return Finding("precision", "fp32 alone", "set `precision: fp32`", needed="bf16" in wanted)


def memory(needed_bytes: float = 0) -> Finding:
    """The machine's memory.

    Args:
        needed_bytes: the least that is needed.
    """
    import psutil

    have = psutil.virtual_memory()
    found = f"{have.total / GB:.0f} GB, {have.available / GB:.0f} GB of them free"
    if have.total < needed_bytes:
        return Finding("memory", found, f"at least {needed_bytes / GB:.0f} GB are needed")
    if have.available < needed_bytes:
        least = f"at least {needed_bytes / GB:.0f} GB are needed: close other programs"
        return Finding("memory", found, least, needed=False)
    return Finding("memory", found)


def disk(what: str, folder: Path, variable: str, needed_bytes: float = 0) -> Finding:
    """The room at `folder`, and whether it may be written to.

    Args:
        what: is kept there.
        folder: need not exist.
        variable: of the environment that names another place.
        needed_bytes: the least that is needed.
    """
    there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    free = shutil.disk_usage(there).free
    found = f"{folder}, {free / GB:.0f} GB free"
    if not os.access(there, os.W_OK):
        return Finding(what, f"{folder} cannot be written to", f"choose a place by {variable}")
    if free < needed_bytes:
        least = f"at least {needed_bytes / GB:.1f} GB are needed"
        return Finding(what, found, f"{least}: make room, or choose a place by {variable}")
    return Finding(what, found)
