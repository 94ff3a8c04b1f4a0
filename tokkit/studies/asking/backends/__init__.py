"""What answers requests, by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tokkit.errors import UsageError
from tokkit.studies.asking.request import Backend


@dataclass(frozen=True, kw_only=True)
class BackendOptions:
    """What can be said about a backend beside its name; each heeds what it knows of.

    Attributes:
        workers: How many requests may be under way at once; None: as the backend likes.
        timeout: After how many seconds an attempt at a request has failed.
        key_variable: The environment variable with the key of a server.
        seed: Of what a simulated model gets wrong.
        device: Where a local model computes.
        dtype: With which precision.
        tokenizer: Where the tokenizer of a local model is; None: with the model.
        plain: Whether a local model is sent plain text even if it has a chat template.
        batch_size: How many requests go through a local model at once; None: as it likes.
        columns: What a file of recorded answers calls its columns, by tokkit's names.
    """

    workers: int | None = None
    timeout: float = 120.0
    key_variable: str = "OPENAI_API_KEY"
    seed: int = 0
    device: str = "auto"
    dtype: str = "auto"
    tokenizer: str | None = None
    plain: bool = False
    batch_size: int | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


Opener = Callable[[str, str | None, BackendOptions], Backend]
"""Makes a backend of what follows its name and a colon, the model's name, and options."""


def _openai(place: str, model: str | None, options: BackendOptions) -> Backend:
    from tokkit.studies.asking.backends.openai import OpenAIBackend

    return OpenAIBackend(
        place,
        model,
        key_variable=options.key_variable,
        workers=options.workers or 8,
        timeout=options.timeout,
    )


def _hf(place: str, model: str | None, options: BackendOptions) -> Backend:
    from tokkit.studies.asking.backends.hf import HFBackend

    return HFBackend(
        place,
        device=options.device,
        dtype=options.dtype,
        tokenizer=options.tokenizer,
        plain=options.plain,
        batch_size=options.batch_size,
    )


def _batch(place: str, model: str | None, options: BackendOptions) -> Backend:
    from tokkit.studies.asking.backends.batch import BatchBackend

    return BatchBackend.parse(place, model)


def _replay(place: str, model: str | None, options: BackendOptions) -> Backend:
    from tokkit.studies.asking.backends.replay import ReplayBackend

    return ReplayBackend(place, options.columns)


def _sim(place: str, model: str | None, options: BackendOptions) -> Backend:
    from tokkit.studies.asking.backends.sim import SimulatedBackend

    return SimulatedBackend.parse(place, seed=options.seed)


BACKENDS: Mapping[str, Opener] = {
    "hf": _hf,
    "openai": _openai,
    "batch": _batch,
    "replay": _replay,
    "sim": _sim,
}

_FORMS: Mapping[str, str] = {
    "hf": "hf:PATH",
    "openai": "openai:URL",
    "batch": "batch:openai:FOLDER or batch:anthropic:FOLDER",
    "replay": "replay:FILE",
    "sim": "sim:NAME or sim:NAME:RATE",
}


def open_backend(
    spec: str, *, model: str | None = None, options: BackendOptions | None = None
) -> Backend:
    """Return the backend that ``NAME:PLACE`` names, such as ``openai:http://localhost:8000``.

    Args:
        spec: Its name, a colon, and where it is or what it is called there.
        model: The name of the model, where a backend has several.
        options: Everything else.

    Raises:
        UsageError: If there is no such backend, or it is not there.
        MissingExtraError: If it needs what is not installed.
    """
    name, colon, place = spec.partition(":")
    if name not in BACKENDS:
        known = ", ".join(f"{each}:…" for each in BACKENDS)
        raise UsageError(f"{name!r} is no backend: name one of {known}")
    if not colon or not place:
        raise UsageError(f"{spec!r} does not say whom to ask: write {_FORMS[name]}")
    return BACKENDS[name](place, model, options or BackendOptions())
