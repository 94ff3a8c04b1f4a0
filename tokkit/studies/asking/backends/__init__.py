"""What answers requests, by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

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
    """

    workers: int | None = None
    timeout: float = 120.0
    key_variable: str = "OPENAI_API_KEY"
    seed: int = 0


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


BACKENDS: Mapping[str, Opener] = {"openai": _openai}


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
    if name not in BACKENDS or not colon or not place:
        known = ", ".join(f"{each}:…" for each in BACKENDS)
        raise UsageError(f"{name!r} is no backend: name one of {known}")
    return BACKENDS[name](place, model, options or BackendOptions())
