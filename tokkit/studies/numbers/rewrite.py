"""Writing a tokenizer whose numbers are cut in another way; see `rewrite_numbers`."""

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tokkit.errors import FormatError, JobError
from tokkit.formats import load, save
from tokkit.formats.huggingface import build
from tokkit.formats.huggingface_model import model_kind, model_tokens
from tokkit.formats.huggingface_parts import steps
from tokkit.formats.huggingface_scores import dump, read_vocabulary
from tokkit.formats.nearest import nearest
from tokkit.normalize import foreign_component
from tokkit.outputs import refuse_existing, replace_folder
from tokkit.segment.bpe import BPE
from tokkit.segment.wordpiece import WordPiece
from tokkit.studies.numbers.rewrite_check import check_rewrite
from tokkit.studies.numbers.rewrite_files import copy_beside, fetch_beside, find_trouble
from tokkit.studies.numbers.rewrite_pattern import (
    Grouping,
    alternatives,
    parse_grouping,
    space_before,
)
from tokkit.studies.numbers.rewrite_result import Rewritten
from tokkit.studies.numbers.rewrite_steps import Change, regroup_steps
from tokkit.studies.numbers.rewrite_tokens import (
    MOST_ADDED,
    Coverage,
    add_groups,
    find_coverage,
    has_spaced_digits,
)
from tokkit.tokenizer import Source, Tokenizer

RECORD = "rewrite.json"
"""The file of the new folder that says what was done."""
_EXAMPLES = ("1234567", " 1234567", "1,234,567")


def rewrite_numbers(
    source: str,
    output: str | Path,
    digits: str,
    *,
    pattern: str | None = None,
    add_tokens: bool = False,
    force: bool = False,
) -> Rewritten:
    """Write a Hugging Face folder of a tokenizer that cuts numbers in another way.

    Ids keep their meaning, and everything but numbers is cut as before; numbers are cut in
    time linear in their length. What is written is loaded again through `tokenizers` and
    `transformers`, and compared with the original.

    Args:
        source: A tokenizer's file or folder, or a Hub id.
        output: The folder to write.
        digits: ``single``, ``l2rK`` or ``r2lK``: groups of K digits from the left or right.
        pattern: How a file that does not say so cuts text.
        add_tokens: Whether groups that are no token become new ones, with ids behind all
            others; else they are cut further.
        force: Whether to replace `output`.

    Raises:
        UsageError: If `digits` is something else, or `output` exists without `force`.
        FormatError: If the tokenizer cannot be loaded, cannot be said in this format, or has
            no token for such groups.
        CheckError: If what was written does something else than was meant.
        JobError: If it cannot be written.
    """
    grouping = parse_grouping(digits)
    output = Path(output)
    refuse_existing(output, force=force, sign=RECORD)
    before, inexact = nearest(load(source, pattern=pattern))
    fetch_beside(source)
    _refuse_marks(source, before)
    _refuse_unknown_digits(source, before)
    content, changes = _regroup(before, grouping)
    if add_tokens:
        content = add_groups(content, before, grouping.size)
    after = _build(content, before)
    coverage = find_coverage(after, grouping.size, _space_of(changes))
    _refuse_uncovered(source, grouping, coverage)
    keeps_rest = all(change.before for change in changes)
    try:
        checked = check_rewrite(before, after, grouping, keeps_rest=keeps_rest)
    except FormatError as error:
        raise FormatError(f"{source}: {error}") from None
    examples = {text: _tokens(after, text) for text in _EXAMPLES}
    added = len(after) - len(before)
    result = Rewritten(
        output,
        source,
        grouping,
        changes,
        coverage,
        added,
        len(after),
        examples,
        checked,
        inexact=inexact,
    )
    return _write(after, result)


def _refuse_marks(source: str, tokenizer: Tokenizer) -> None:
    """Refuse tokenizers whose tokens say where words begin or end.

    A group is a word of its own for them: it would be read back with spaces between groups.
    """
    segmenter = tokenizer.segmenter
    marks = isinstance(segmenter, BPE) and (segmenter.prefix or segmenter.suffix)
    if isinstance(segmenter, WordPiece) or marks:
        raise FormatError(
            f"{source}: its tokens say where words begin or end, so that 1234567 would be read "
            "back as '1 234 567': choose a tokenizer with byte-level or SentencePiece tokens"
        )


def _refuse_unknown_digits(source: str, tokenizer: Tokenizer) -> None:
    """Refuse tokenizers to which not every digit is a token."""
    (digits,) = find_coverage(tokenizer, 1, "")
    if digits.tokens < digits.of:
        raise FormatError(
            f"{source}: {digits.of - digits.tokens} of the ten digits are no token of its "
            "vocabulary, so that its numbers cannot be read back however they are cut"
        )


def _regroup(tokenizer: Tokenizer, grouping: Grouping) -> tuple[dict[str, Any], list[Change]]:
    """Return the ``tokenizer.json`` with another rule for numbers, and what was changed."""
    raw = tokenizer.source.content if tokenizer.source is not None else b"{}"
    # Old files leave out what the libraries ask for today.
    content = {"added_tokens": [], **json.loads(raw)}
    kind = model_kind(content["model"])
    content["model"] = {"type": kind, **content["model"]}
    if kind == "Unigram":
        content["model"]["vocab"] = read_vocabulary(raw.decode())
    parts = {name: content.get(name) for name in ("normalizer", "pre_tokenizer")}
    written = json.loads(foreign_component(**parts).to_str())
    space = _space(content["model"]) if has_spaced_digits(tokenizer) else ""
    is_bytes = any(step["type"] == "ByteLevel" for step in steps(written["normalizer"]))
    cutter, changes = regroup_steps(
        written["pre_tokenizer"], grouping, space, is_bytes=is_bytes
    )
    return {**content, "pre_tokenizer": cutter}, changes


def _space(model: Mapping[str, Any]) -> str:
    """How pieces spell the space before a number."""
    has_mark = any(token[:1] == "▁" and token[1:].isdecimal() for token in model_tokens(model))
    return "▁" if has_mark else " "


def _build(content: Mapping[str, Any], before: Tokenizer) -> Tokenizer:
    """Build the tokenizer that a ``tokenizer.json`` describes, beside the files of `before`."""
    path = before.source.path.with_name("tokenizer.json") if before.source else Path()
    return build(content, Source("hf", path, dump(content)))


def _space_of(changes: Sequence[Change]) -> str:
    """What may now go with the first group of a number."""
    spaces = (space_before(alternatives(change.after)) for change in changes)
    return next(filter(None, spaces), "")


def _refuse_uncovered(source: str, grouping: Grouping, coverage: Sequence[Coverage]) -> None:
    """Refuse groups of which none is a token."""
    if coverage[-1].tokens:
        return
    size = grouping.size
    longest = max(each.digits for each in coverage if each.tokens)
    adding = size <= MOST_ADDED
    raise FormatError(
        f"{source}: its vocabulary has no token of {size} digits, so that all groups of {size} "
        f"would be cut further: ask for groups of {longest}"
        f"{' (single)' if longest == 1 else ''} at most"
        + (", or let --add-tokens make tokens for them" if adding else "")
    )


def _tokens(tokenizer: Tokenizer, text: str) -> list[str]:
    ids = tokenizer.encode(text, parse_specials=False).tolist()
    return [tokenizer.vocab.tokens[each].decode(errors="replace") for each in ids]


def _write(after: Tokenizer, result: Rewritten) -> Rewritten:
    """Write the folder, checked, so that it is complete or not there."""
    output = result.output
    try:
        output.parent.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=f".{output.name}.", dir=output.parent))
    except OSError as error:
        raise JobError(f"{output}: cannot be written ({error.strerror})") from None
    try:
        new = place / "new"
        save(after, new, "hf")
        copy_beside(after, new)
        result = replace(result, trouble=find_trouble(after, new))
        record = json.dumps(result.as_json(), ensure_ascii=False, indent=1)
        (new / RECORD).write_text(record + "\n", encoding="utf-8")
        replace_folder(new, output)
    except OSError as error:
        raise JobError(f"{output}: cannot be written ({error.strerror})") from None
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return result
