"""From what the options say to what the library takes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from tokkit.errors import UsageError

if TYPE_CHECKING:
    from tokkit.corpus import Corpus, OnError

DASK_PARTS = 32
PARTS_PER_WORKER = 4

PARSERS: Mapping[type, Callable[[str], object]] = {
    int: int,
    float: float,
    str: str,
    bool: {"true": True, "false": False}.__getitem__,
}


def split_assignment(text: str, option: str) -> tuple[str, str]:
    """Split at the last equals sign: ``"a=b.txt=2"`` is ``("a=b.txt", "2")``.

    Raises:
        UsageError: If there is none.
    """
    name, equals, value = text.rpartition("=")
    if not equals or not name:
        raise UsageError(f"{option} {text!r} is not of the form NAME=VALUE")
    return name, value


def read_corpus(
    paths: Sequence[str],
    *,
    text_column: str,
    on_error: "OnError",
    weight: Sequence[str],
    sample: float,
    seed: int,
) -> "Corpus":
    """Open a corpus whose inputs count as often as ``--weight FILE=W`` says, else once.

    Raises:
        UsageError: If a weight is not a number, or is that of something else than an input.
    """
    from tokkit.corpus import open_corpus

    weights = dict.fromkeys(paths, 1.0)
    for assignment in weight:
        path, value = split_assignment(assignment, "--weight")
        if path not in weights:
            raise UsageError(
                f"--weight {assignment!r} names no input: give one exactly as given"
            )
        try:
            weights[path] = float(value)
        except ValueError:
            raise UsageError(f"--weight {assignment!r} does not end in a number") from None
    return open_corpus(
        paths,
        text_column,
        on_error,
        weights=[weights[path] for path in paths],
        sample=sample,
        seed=seed,
    )


@contextmanager
def open_executor(
    engine: str, scheduler: str | None, workers: int
) -> Iterator[tuple[Executor | None, int]]:
    """Give where parts of a job run, None being this process, and how many parts to make.

    Raises:
        UsageError: If a cluster is asked for but not named, or does not answer.
    """
    from tokkit.words.engines import dask_executor, local_executor

    if (engine == "dask") != (scheduler is not None):
        raise UsageError(
            "--engine dask and --scheduler ADDRESS go together: give both or neither"
        )
    if scheduler is not None:
        with dask_executor(scheduler) as executor:
            yield executor, DASK_PARTS
    elif workers > 1:
        with local_executor(workers) as executor:
            yield executor, PARTS_PER_WORKER * workers
    else:
        yield None, 1


def own_settings(
    algorithm: str,
    assignments: Sequence[str],
    preset: str | None = None,
    **named: float | None,
) -> dict[str, Any]:
    """Say what an algorithm's own settings are: the argument of `Options` named like it.

    Args:
        algorithm: Its name.
        assignments: Settings by name; ``own_settings("lib", ["life=5"])`` is
            ``{"lib": LiB(life=5)}``.
        preset: A name of `LIB_PRESETS`, which the rest is changed from.
        named: Settings with an option of their own; None where it was not given.

    Raises:
        UsageError: If it has no such setting, or the value is none of its type.
    """
    from tokkit.learn.options import LIB_PRESETS, LiB, SuperBPE, Supertokens

    defaults: dict[str, SuperBPE | Supertokens | LiB]
    defaults = {"superbpe": SuperBPE(), "supertokens": Supertokens(), "lib": LiB()}
    given = [*assignments]
    given += [f"{name}={value}" for name, value in named.items() if value is not None]
    if preset is not None and (algorithm != "lib" or preset not in LIB_PRESETS):
        raise UsageError(f"no preset {preset!r}: lib has {', '.join(LIB_PRESETS)}, others none")
    if algorithm not in defaults:
        if given:
            raise UsageError(f"{algorithm} has no settings of its own: leave {given[0]!r} out")
        return {}
    base = defaults[algorithm] if preset is None else LIB_PRESETS[preset]
    return {algorithm: replace(base, **parse_settings(given, type(base)))}


def parse_settings(assignments: Sequence[str], kind: type) -> dict[str, Any]:
    """Read settings of a dataclass: ``["life=5"]`` is ``{"life": 5}`` where that is an int.

    Raises:
        UsageError: If it has no such setting, or the value is none of its type.
    """
    types = get_type_hints(kind)
    return dict(_parse(text, types) for text in assignments)


def _parse(assignment: str, types: Mapping[str, Any]) -> tuple[str, object]:
    """Read one setting: ``_parse("life=5", {"life": int})`` is ``("life", 5)``."""
    name, value = split_assignment(assignment, "--set")
    kinds = {key: _plain_type(kind) for key, kind in types.items()}
    known = {key: kind for key, kind in kinds.items() if kind in PARSERS}
    if name not in known:
        raise UsageError(f"no setting {name!r}: choose one of {', '.join(known)}")
    try:
        return name, PARSERS[known[name]](value)
    except (ValueError, KeyError):
        raise UsageError(
            f"{name} cannot be {value!r}: give a value of type {known[name].__name__}"
        ) from None


def _plain_type(kind: Any) -> Any:
    """What a value that is not None has to be: ``int | None`` is ``int``."""
    plain = [each for each in get_args(kind) if each is not type(None)]
    return plain[0] if len(plain) == 1 else kind
