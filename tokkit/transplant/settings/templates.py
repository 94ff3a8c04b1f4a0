"""Reading chat templates, and rendering them as transformers does."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Templates = Mapping[str, str]
"""Templates by name; the one that is used unless another is asked for is ``"default"``."""

_GENERATION = re.compile(r"\{%(-?)\s*(end)?generation\s*(-?)%\}")


def read_templates(path: str | Path) -> Templates:
    """Return the templates beside a tokenizer by name; none where there are none, or no path.

    They may be in ``chat_template.jinja`` and ``additional_chat_templates``, in
    ``chat_template.json``, or in ``tokenizer_config.json`` as a text or a list.
    """
    place = Path(path)
    if not place.exists():
        return {}
    folder = place if place.is_dir() else place.parent
    found: dict[str, str] = {}
    for name in ("tokenizer_config.json", "chat_template.json"):
        try:
            content = json.loads((folder / name).read_bytes()).get("chat_template")
        except (OSError, ValueError, AttributeError):
            continue
        found |= dict(_named(content))
    jinja = {"default": folder / "chat_template.jinja"}
    extra = sorted((folder / "additional_chat_templates").glob("*.jinja"))
    for name, file in {**jinja, **{each.stem: each for each in extra}}.items():
        if file.is_file():
            found[name] = file.read_text(encoding="utf-8")
    return found


def _named(content: Any) -> Iterator[tuple[str, str]]:
    """Give the templates that a file has under ``chat_template``."""
    if isinstance(content, str):
        yield "default", content
    elif isinstance(content, Mapping):
        yield from ((k, v) for k, v in content.items() if isinstance(v, str))
    elif isinstance(content, list):
        for each in content:
            if isinstance(each, Mapping) and isinstance(each.get("template"), str):
                yield str(each.get("name")), each["template"]


def render(
    template: str,
    turns: Sequence[Mapping[str, str]],
    texts: Mapping[str, str],
    *,
    prompt: bool = False,
) -> str:
    """Render a template in a sandbox, as transformers would.

    Args:
        template: The template.
        turns: Its messages, with role and content.
        texts: How the special token of each role is written.
        prompt: Whether the beginning of an answer is to follow.
    """
    from jinja2.exceptions import TemplateError
    from jinja2.ext import loopcontrols
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    def refuse(message: str) -> None:
        raise TemplateError(message)

    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols]
    )
    environment.filters["tojson"] = lambda value, **_: json.dumps(value, ensure_ascii=False)
    # The same text for every day, so that checks do not depend on it.
    environment.globals.update(
        raise_exception=refuse, strftime_now=lambda _: "26 Nov 2026", bos_token=""
    )
    plain = _GENERATION.sub(lambda found: _condition(*found.groups()), template)
    names = {f"{role}_token": text for role, text in texts.items()}
    return environment.from_string(plain).render(
        messages=list(turns), tools=None, documents=None, add_generation_prompt=prompt, **names
    )


def _condition(left: str, ends: str | None, right: str) -> str:
    """Write what marks the assistant's part as a condition that holds."""
    return f"{{%{left} {'endif' if ends else 'if true'} {right}%}}"
