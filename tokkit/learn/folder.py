"""Learning into a folder: all of it is there or nothing, and a killed job can be resumed.

While a job runs everything lies in ``OUTPUT.partial``::

    OUTPUT.partial/request.json   what was asked for; resuming with anything else is refused
    OUTPUT.partial/work/          what the steps keep to resume from
    OUTPUT.partial/folder/        the result being written, renamed to OUTPUT when complete
"""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tokkit import formats
from tokkit.errors import InputError, UsageError
from tokkit.learn.options import History, Job
from tokkit.outputs import refuse_existing, replace_folder
from tokkit.tokenizer import Tokenizer

TRAINING = "training.json"
REQUEST = "request.json"

Learn = Callable[[Job], tuple[Tokenizer, History]]
"""The learning itself, with what is learned from what already decided."""


def learn_into(
    folder: Path,
    request: Mapping[str, Any],
    learn: Learn,
    job: Job,
    *,
    force: bool = False,
    resume: bool = False,
) -> dict[str, Any]:
    """Learn, and write what was learned with an account of it.

    Args:
        folder: What to write: ``tokenizer.json``, ``tokenizer_config.json``, ``training.json``.
        request: All that the result depends on, as JSON; ``request["settings"]`` goes into
            ``training.json``, the rest (such as which files) only has to be equal to resume.
        learn: Does the work; given `job` with a workspace.
        job: With what means.
        force: Replace what is at `folder`, and start over whatever an earlier job left.
        resume: Continue what an earlier job left, if it did leave anything.

    Returns:
        What ``training.json`` says.

    Raises:
        UsageError: If something is in the way, or was asked for differently when it began.
    """
    request = json.loads(json.dumps(request))
    folder = Path(os.path.abspath(folder))  # "." has no name to put ".partial" after
    if resume and _is_finished(folder, request):
        return _read(folder / TRAINING)
    refuse_existing(folder, force=force, sign=TRAINING)
    partial = _begin(folder, request, force=force, resume=resume)
    try:
        tokenizer, history = learn(replace(job, workspace=partial / "work"))
    except Exception as error:
        # If the request has to change, or nothing was kept, there is nothing to resume.
        if isinstance(error, InputError) or not any((partial / "work").iterdir()):
            shutil.rmtree(partial, ignore_errors=True)
        raise
    account = {**request["settings"], **describe(tokenizer), **history.summary}
    account["curve"] = history.curve
    _write_folder(partial / "folder", tokenizer, account)
    replace_folder(partial / "folder", folder)
    shutil.rmtree(partial)
    return account


def describe(tokenizer: Tokenizer) -> dict[str, Any]:
    """Say which vocabulary it is: ``{"vocabulary": {"size": 512, "digest": "9f86..."}}``."""
    return {"vocabulary": {"size": len(tokenizer.vocab), "digest": tokenizer.vocab.digest}}


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _is_finished(folder: Path, request: Mapping[str, Any]) -> bool:
    """Whether `folder` is what an earlier job with this request wrote, and wrote completely."""
    if not (folder / TRAINING).is_file() or folder.with_name(f"{folder.name}.partial").exists():
        return False
    account = _read(folder / TRAINING)
    return all(account.get(name) == value for name, value in request["settings"].items())


def _begin(folder: Path, request: Mapping[str, Any], *, force: bool, resume: bool) -> Path:
    """Make the folder to work in, or take over the one an earlier job left."""
    partial = folder.with_name(f"{folder.name}.partial")
    if (partial / REQUEST).is_file() and resume:
        _refuse_other(_read(partial / REQUEST), request, partial)
    elif partial.exists() and not force and not resume:
        raise UsageError(
            f"{str(partial)!r} is left of a job that did not finish: "
            "--resume continues it, --force starts over"
        )
    elif partial.exists():
        shutil.rmtree(partial)
    shutil.rmtree(partial / "folder", ignore_errors=True)
    partial.mkdir(parents=True, exist_ok=True)
    _write_json(partial / REQUEST, request)  # first: work without it could not be resumed
    (partial / "work").mkdir(exist_ok=True)
    return partial


def _refuse_other(
    earlier: Mapping[str, Any], request: Mapping[str, Any], partial: Path
) -> None:
    """Refuse to continue a job that was asked for differently, naming one difference."""
    before, now = _flat(earlier), _flat(request)
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            raise UsageError(
                f"{str(partial)!r} was begun with another {name} "
                f"({before.get(name)!r}, now {now.get(name)!r}): ask for the same, or --force"
            )


def _flat(tree: Any, name: str = "") -> dict[str, Any]:
    """Name every leaf: ``{"a": {"b": 1}}`` is ``{"a.b": 1}``."""
    if not isinstance(tree, dict):
        return {name: tree}
    leaves: dict[str, Any] = {}
    for key, value in tree.items():
        leaves |= _flat(value, f"{name}.{key}" if name else key)
    return leaves


def _write_folder(folder: Path, tokenizer: Tokenizer, account: Mapping[str, Any]) -> None:
    """Write the tokenizer, which is checked by its format, and the account."""
    formats.save(tokenizer, folder, to="hf")
    _write_json(folder / TRAINING, account)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file atomically."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    os.replace(unfinished, path)
