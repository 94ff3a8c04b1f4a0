"""One training job: which algorithm, on what, into which folder."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from tokkit import __version__
from tokkit.corpus import Corpus
from tokkit.errors import UsageError
from tokkit.learn import ALGORITHMS, bpe
from tokkit.learn.folder import learn_into
from tokkit.learn.options import History, Job, Options
from tokkit.patterns import Digits, Pattern, find_pattern
from tokkit.tokenizer import Tokenizer
from tokkit.words import WordCounts

DEFAULT_PATTERN = "cl100k"
DEFAULT_PATTERNS: Mapping[str, str] = {"lib": "none", "unigram": "none"}
SETTINGS = ("superbpe", "supertokens", "lib")


def train(
    algorithm: str,
    source: Corpus | WordCounts,
    options: Options,
    job: Job,
    folder: Path,
    *,
    force: bool = False,
    resume: bool = False,
) -> dict[str, Any]:
    """Learn a tokenizer and write it as a folder that other libraries load.

    Args:
        algorithm: A name of `ALGORITHMS`.
        source: What to learn from; word counts serve ``bpe`` only.
        options: What to learn.
        job: With what means; the folder does not depend on them.
        folder: Where to write; see `tokkit.learn.folder`.
        force: Replace what is there.
        resume: Continue a job that was killed.

    Returns:
        What was written as ``training.json``.

    Raises:
        UsageError: If the algorithm is unknown, or cannot learn from counts, or a special
            token cannot be written.
    """
    if algorithm not in ALGORITHMS:
        raise UsageError(f"no algorithm {algorithm!r}: choose one of {', '.join(ALGORITHMS)}")
    if isinstance(source, WordCounts) and algorithm != "bpe":
        raise UsageError(
            f"{algorithm} needs text, not word counts: only bpe learns from counts"
        )
    bpe.check_specials(options.specials, ())
    settings = describe_settings(algorithm, options)
    request = {"settings": settings, "input": _identify(source)}

    def learn(job: Job) -> tuple[Tokenizer, History]:
        if isinstance(source, WordCounts):
            tokenizer, history = bpe.learn_from_counts(source, options, job)
        else:
            tokenizer, history = ALGORITHMS[algorithm](source, options, job)
        history.summary = {"corpus": describe_source(source), **history.summary}
        return tokenizer, history

    return learn_into(folder, request, learn, job, force=force, resume=resume)


def describe_settings(algorithm: str, options: Options) -> dict[str, Any]:
    """Say as JSON what decides the result besides the text."""
    shared = {
        field.name: getattr(options, field.name)
        for field in dataclasses.fields(options)
        if field.name not in (*SETTINGS, "init", "pattern")
    }
    own = getattr(options, algorithm) if algorithm in SETTINGS else None
    pattern = options.pattern
    return {
        "tokkit": __version__,
        "algorithm": algorithm,
        "options": {
            **shared,
            "pattern": {
                "name": pattern.name,
                "digits": pattern.digits,
                "regex": pattern.regex,
            },
            "init": options.init.digest if options.init else None,
            **({algorithm: _plain(dataclasses.asdict(own))} if own is not None else {}),
        },
    }


def _plain(value: Any) -> Any:
    """Make keys strings, as JSON wants them: ``{(4, 5): 1}`` is ``{"4-5": 1}``."""
    if not isinstance(value, Mapping):
        return value
    return {
        "-".join(map(str, key)) if isinstance(key, tuple) else str(key): _plain(item)
        for key, item in value.items()
    }


def _identify(source: Corpus | WordCounts) -> str:
    """What changes when the text, or the files it is read from, do."""
    return source.key if isinstance(source, Corpus) else json.dumps(dict(source.metadata))


def describe_source(source: Corpus | WordCounts) -> dict[str, Any]:
    """Say what was learned from: its digest, documents, bytes, and what was skipped."""
    if isinstance(source, WordCounts):
        return {
            "digest": source.metadata["digest"],
            "documents": int(source.metadata["documents"]),
            "bytes": int(source.metadata["bytes"]),
            "skipped": json.loads(source.metadata["skipped"]),
        }
    tally = source.tally
    return {
        "digest": tally.digest,
        "documents": tally.documents,
        "bytes": tally.size,
        "skipped": dict(sorted(source.skipped.items())),
    }


def choose_pattern(
    name: str | None, digits: Digits, algorithm: str, counts: WordCounts | None
) -> Pattern:
    """The pattern asked for; else that of the counts; else the usual one of the algorithm.

    Raises:
        UsageError: If another one was asked for than the counts were made with.
        PatternError: If there is no such pattern.
    """
    if counts is None:
        return find_pattern(name or DEFAULT_PATTERNS.get(algorithm, DEFAULT_PATTERN), digits)
    made = counts.metadata
    pattern = find_pattern(made["pattern"] or made["regex"], cast("Digits", made["digits"]))
    if name is not None and find_pattern(name, digits) != pattern:
        raise UsageError(
            f"the words were counted with the pattern {pattern.name or pattern.regex!r}, "
            f"not {name!r}: count them again, or leave --pattern out"
        )
    return pattern
