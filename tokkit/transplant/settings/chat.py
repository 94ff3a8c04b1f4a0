"""Chat templates: whose is taken, and whether the target's tokens can say what it writes."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tokkit.errors import UsageError
from tokkit.tokenizer import Tokenizer
from tokkit.transplant.settings.roles import Roles, texts_of
from tokkit.transplant.settings.templates import Templates, read_templates, render

POLICIES = ("target", "source", "none")
_MARKER = re.compile(r"<\|[^\s<>|]{1,60}\|>|<｜[^\s<>｜]{1,60}｜>")
"""What no text contains unless it is meant as a special token."""
_TURNS: Sequence[Mapping[str, str]] = (
    {"role": "user", "content": "What is two and two?"},
    {"role": "assistant", "content": "Four."},
    {"role": "user", "content": "And three?"},
    {"role": "assistant", "content": "Five."},
)


@dataclass(frozen=True)
class Chat:
    """The chat template of the new model.

    Attributes:
        origin: ``"target"``, ``"source"``, a file's path, or ``"none"``.
        templates: Templates by name; empty where there are none.
        problems: What is not right about it, in words.
    """

    origin: str
    templates: Templates = field(default_factory=dict)
    problems: tuple[str, ...] = ()


def choose_chat(
    policy: str,
    source_path: str | Path,
    target_path: str | Path,
    source: Tokenizer,
    target: Tokenizer,
    roles: Roles,
    *,
    ends: Collection[int] = (),
) -> Chat:
    """Choose a chat template and check it.

    ``"target"`` takes the target's own; if it has none, the source's where the target has a
    token for each of its special markers, else none.

    Args:
        policy: One of `POLICIES`, or the path of a Jinja template.
        source_path: Folder of the model.
        target_path: Folder or file of the target tokenizer.
        source: The tokenizer of the model.
        target: The tokenizer it is moved onto.
        roles: Of the target; see `find_roles`.
        ends: The ids that end generation; an answer should end with one. Empty: not checked.

    Raises:
        UsageError: If the policy is neither known nor a readable file.
    """
    if policy == "none":
        return Chat("none")
    if policy not in POLICIES:
        templates: Templates = {"default": _read_file(policy)}
        return _checked(policy, templates, (source, target), target, roles, ends)
    if policy == "target" and (templates := read_templates(_place(target_path, target))):
        return _checked("target", templates, (target,), target, roles, ends)
    templates = read_templates(_place(source_path, source))
    chat = _checked("source", templates, (source,), target, roles, ends)
    if not templates:
        return Chat("none")
    if policy == "target" and chat.problems:
        reason = f"the source's cannot be kept: {chat.problems[0]}"
        return Chat("none", problems=(f"the target has no chat template, and {reason}",))
    return chat


def _place(path: str | Path, tokenizer: Tokenizer) -> Path:
    """Return where a tokenizer's files are: what was fetched, of a Hub id."""
    if Path(path).exists() or tokenizer.source is None:
        return Path(path)
    return tokenizer.source.path


def _read_file(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"--chat-template {path!r}: neither {', '.join(POLICIES)} nor a readable file "
            f"({error})"
        ) from None


def _checked(
    origin: str,
    templates: Templates,
    written_for: Sequence[Tokenizer],
    target: Tokenizer,
    roles: Roles,
    ends: Collection[int],
) -> Chat:
    """Check the default of some templates."""
    if not templates:
        return Chat(origin)
    template = templates.get("default", next(iter(templates.values())))
    markers = {text for each in written_for for text in _own_markers(each)}
    return Chat(origin, templates, tuple(check_chat(template, target, roles, markers, ends)))


def _own_markers(tokenizer: Tokenizer) -> Iterator[str]:
    """Give the texts of the special and the other added tokens."""
    yield from tokenizer.vocab.specials
    yield from (token.content for token in tokenizer.added.tokens if token.content.strip())


def check_chat(
    template: str,
    target: Tokenizer,
    roles: Roles,
    markers: Collection[str] = (),
    ends: Collection[int] = (),
) -> Iterator[str]:
    """Render a chat of two turns each and give what is wrong with it, in words.

    Args:
        template: A Jinja template as transformers has them.
        target: The tokenizer that has to read what it writes.
        roles: Of the target.
        markers: What the template may mean as special tokens besides ``<|...|>``.
        ends: The ids that end generation; empty: not checked.
    """
    texts = texts_of(target, roles)
    try:
        text = render(template, _TURNS, texts)
        asked = render(template, _TURNS[:3], texts, prompt=True)
    except ModuleNotFoundError:
        yield "the chat template was not checked: jinja2 is not installed"
        return
    except Exception as error:  # a template can do anything
        reason = str(error).strip().splitlines() or [type(error).__name__]
        yield f"the chat template cannot be rendered ({reason[0]})"
        return
    known = set(_own_markers(target))
    for marker in sorted(_written(text + asked, markers) - known):
        count = target.encode(marker, parse_specials=True).size
        yield (
            f"the chat template writes {marker!r}, which is no special token of the target "
            f"tokenizer but {count} of text"
        )
    bos = texts.get("bos", "")
    if bos and text.startswith(bos + bos):
        yield f"the chat template begins with {bos!r} twice"
    if ends and not _stops(text, target, ends):
        yield "the chat template ends an answer with nothing that ends generation"


def _written(text: str, markers: Collection[str]) -> set[str]:
    """Return the markers that a text contains."""
    longest_first = sorted(filter(None, markers), key=len, reverse=True)
    found = set(_MARKER.findall(text))
    if longest_first:
        found |= set(re.findall("|".join(map(re.escape, longest_first)), text))
    return found


def _stops(text: str, target: Tokenizer, ends: Collection[int]) -> bool:
    """Say whether what follows an answer holds an id that ends generation.

    A template that writes nothing there leaves the end to the training data.
    """
    after = text.rpartition(_TURNS[-1]["content"])[2]
    ids = target.encode(after, parse_specials=True).tolist()
    return not after.strip() or any(token in ends for token in ids)
