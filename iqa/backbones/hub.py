"""Weights from the Hugging Face hub: which commit, whether they are here, and what to do if not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from iqa.backbones.spec import BackboneSpec
from iqa.errors import UserError

# What a repository keeps its weights in; the second lists the parts of those that are split.
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json", "pytorch_model.bin")

TIMEOUT = 15
"""Seconds that the hub has to answer."""


def cached_commit(spec: BackboneSpec) -> str | None:
    """The commit of the weights that are in the hub's cache; None where they are not."""
    from huggingface_hub import try_to_load_from_cache

    def found(file: str) -> str | None:
        path = try_to_load_from_cache(spec.hub_id, file, revision=spec.revision)
        return Path(path).parent.name if isinstance(path, str) else None

    commit = found("config.json")
    return commit if any(found(file) for file in _WEIGHTS) else None


def commit_of(spec: BackboneSpec) -> str:
    """The commit to take: the one in the cache, else the newest, which asks the hub.

    Raises:
        UserError: The hub cannot be asked, or does not give them.
    """
    commit = cached_commit(spec)
    if commit is not None:
        return commit
    from huggingface_hub import hf_hub_download

    with hub_errors(spec), hub_or_cache():
        return Path(hf_hub_download(spec.hub_id, "config.json", revision=spec.revision)).parent.name


def check_access(spec: BackboneSpec) -> None:
    """See that the weights are in the cache, or that the hub gives them; nothing is downloaded.

    Raises:
        UserError: Neither, or their licence was not accepted.
    """
    from huggingface_hub import auth_check

    if cached_commit(spec) is None:
        with hub_errors(spec):
            try:
                auth_check(spec.hub_id)
            except OSError:
                raise
            except Exception as fault:  # of the client's HTTP library, as in `answers`
                raise OSError(f"the hub does not answer: {fault}") from fault


@contextmanager
def hub_or_cache() -> Iterator[None]:
    """While the hub does not answer, let its client look into the cache alone, as offline.

    It would try each file again for half a minute and more before it said so.
    """
    from huggingface_hub import constants

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = before or not answers()
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def answers() -> bool:
    """Whether the hub answers at all."""
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    try:
        get_session().head(constants.ENDPOINT, timeout=TIMEOUT)
    # Errors of the client's HTTP library come through as they are, and it has changed before.
    except Exception:
        return False
    return True


@contextmanager
def hub_errors(spec: BackboneSpec) -> Iterator[None]:
    """Turn what goes wrong on the way from the hub, or does not fit, into one line for the user."""
    from huggingface_hub import constants
    from safetensors import SafetensorError

    try:
        yield
    except OSError as error:
        why = "HF_HUB_OFFLINE is set" if constants.HF_HUB_OFFLINE else _first_sentence(error)
        raise UserError(
            f"backbone {spec.name!r}: its weights {spec.hub_id} are not in the hub's cache "
            f"{constants.HF_HUB_CACHE} and cannot be downloaded ({why}); {how_to_get(spec)}, "
            "or ask for weights='none' (untrained)"
        ) from error
    except (RuntimeError, SafetensorError) as error:
        raise misfit(spec, _first_sentence(error)) from error


def how_to_get(spec: BackboneSpec) -> str:
    """What to do where the weights can be had neither from the cache nor from the hub."""
    licence = (
        f"accept the licence at https://huggingface.co/{spec.hub_id}, run `hf auth login` and "
        if spec.gated
        else ""
    )
    return (
        f"{licence}run `hf download {spec.hub_id}` where there is network, copy the cache here or "
        "point HF_HOME to it"
    )


def misfit(spec: BackboneSpec, what: str) -> UserError:
    """The error for weights that were found but are not those of the model."""
    return UserError(
        f"backbone {spec.name!r}: the weights {spec.hub_id} do not fit ({what}); "
        f"run `hf download --force-download {spec.hub_id}`"
    )


def _first_sentence(error: Exception) -> str:
    return " ".join(str(error).split())[:160]
