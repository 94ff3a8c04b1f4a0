"""Chats as the chat template of a model writes them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tokkit.errors import ModelError

Turn = tuple[str, str]
"""Who speaks - ``"system"``, ``"user"`` or ``"assistant"`` - and what is said."""

_FILES = ("chat_template.jinja", "chat_template.json", "additional_chat_templates")


def chat_template(files: str) -> Any:
    """Return the tokenizer of transformers if it has a chat template; else None.

    Args:
        files: Where the tokenizer is: a folder, a file in it, or a Hub id.

    Raises:
        ModelError: If there is a template that cannot be read.
    """
    folder = Path(files)
    if folder.is_file():
        folder = folder.parent
    if folder.is_dir() and not any((folder / name).exists() for name in _FILES):
        try:
            settings = json.loads((folder / "tokenizer_config.json").read_bytes())
        except (OSError, ValueError):
            return None
        if not isinstance(settings, dict) or "chat_template" not in settings:
            return None
    import transformers

    from tokkit.lm.hf_load import quiet

    # Its type differs between versions of transformers.
    tokenizer: Any = transformers.AutoTokenizer
    try:
        with quiet():
            found = tokenizer.from_pretrained(str(folder))
    except Exception as error:
        raise ModelError(f"{files}: its chat template cannot be read: {error}") from error
    return found if found.chat_template else None


def fill(template: Any, messages: Sequence[Turn]) -> str:
    """Write a chat with its template, up to where the answer begins.

    Raises:
        ModelError: If it cannot be written, also not without a system.
    """
    failure = ""
    for attempt in (messages, without_system(messages)):
        chat = [{"role": role, "content": content} for role, content in attempt]
        try:
            return str(
                template.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
            )
        except Exception as error:  # whatever a template raises
            failure = failure or str(error)
    raise ModelError(f"the chat template refuses a chat ({failure}): go without it (--plain)")


def without_system(messages: Sequence[Turn]) -> list[Turn]:
    """Let the first question begin with what the system says.

    For chat templates that know no system, such as that of Gemma.
    """
    system = [content for role, content in messages if role == "system"]
    rest = [(role, content) for role, content in messages if role != "system"]
    if not rest:
        return []
    (role, content), *others = rest
    return [(role, "\n\n".join([*system, content])), *others]
