"""All findings, of the machine alone or for a profile."""

from pathlib import Path

from iqa import backbones, datasets
from iqa.backbones import hub
from iqa.doctor import machine, needs
from iqa.doctor.finding import Finding
from iqa.errors import UserError
from iqa.experiments import Planned, plan, read_profile
from iqa.files import cache_root


def examine(profile: str = "") -> list[Finding]:
    """What there is and what is missing; nothing is downloaded.

    Args:
        profile: a file in `profiles/` without its ending, whose needs are looked at; "" for all
            data sets and backbones, of which none is needed.

    Raises:
        UserError: there is no such profile, or it is not valid.
    """
    if not profile:
        return _found(needs.of_anything())
    chosen = read_profile(profile)
    runs = list(plan(chosen).values())
    found = _found(needs.of_profile(chosen, runs))
    return [*found, _runs(profile, runs, found)]


def _found(asked: needs.Needs) -> list[Finding]:
    from huggingface_hub import constants

    answer = _hub()
    weights = Path(constants.HF_HUB_CACHE)
    return [
        *machine.versions(asked.extras),
        machine.gpu(asked.card, asked.memory_bytes),
        machine.precision(asked.precisions),
        machine.memory(asked.memory_bytes),
        machine.disk("disk of features", cache_root(), "IQA_CACHE", asked.feature_bytes),
        machine.disk("disk of weights", weights, "HF_HOME", asked.weight_bytes),
        answer,
        *(_weights(name, answer.remedy == "", asked.needed) for name in asked.backbones),
        *(_data(name, asked.needed) for name in asked.datasets),
    ]


def _hub() -> Finding:
    """Whether the hub answers. Never needed by itself: weights may be in the cache."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        remedy = "unset HF_HUB_OFFLINE to download weights"
        return Finding("hub", "not asked, HF_HUB_OFFLINE is set", remedy, needed=False)
    if not hub.answers():
        remedy = "weights come from the cache alone; check network and proxy"
        return Finding("hub", f"{constants.ENDPOINT} does not answer", remedy, needed=False)
    return Finding("hub", f"{constants.ENDPOINT} answers")


def _weights(name: str, answers: bool, needed: bool) -> Finding:
    """Whether the weights of a backbone are here, or could be downloaded."""
    spec, what = backbones.find(name), _weights_of(name)
    place = backbones.whereabouts(spec)
    if place == "on the hub" and not answers:
        return Finding(what, "not in the hub's cache", hub.how_to_get(spec), needed)
    try:
        backbones.check_weights(name)
    except UserError as fault:
        return Finding(what, "cannot be had", str(fault), needed)
    return Finding(what, f"{place}, {'may be downloaded' if place == 'on the hub' else 'whole'}")


def _weights_of(name: str) -> str:
    return f"weights of {name}"


def _data(name: str, needed: bool) -> Finding:
    """Whether a data set's table and image folder are found."""
    what = f"data set {name}"
    why = datasets.absent(name).removeprefix(f"dataset `{name}`: ")
    if why:
        fault, _, remedy = why.partition("; ")
        return Finding(what, fault, remedy, needed)
    files = datasets.ENTRIES[name].files() if name in datasets.ENTRIES else "found"
    if files == "found":
        files = f"table and folder found; `iqa datasets check {name}` looks at every image"
    return Finding(what, files)


def _runs(profile: str, runs: list[Planned], found: list[Finding]) -> Finding:
    """How many runs of a profile have all that they need."""
    missing = [finding.what for finding in found if finding.mark == "missing"]
    ready = sum(
        not run.absent
        and not any(_weights_of(name) in missing for name in needs.pretrained(run.values))
        for run in runs
    )
    told = f"{ready} of {len(runs)} runs have their data and weights"
    if missing:
        return Finding(f"profile {profile}", told, f"get what is missing: {', '.join(missing)}")
    return Finding(f"profile {profile}", told)
