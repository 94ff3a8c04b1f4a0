"""Chats as the chat template of a model writes them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import transformers

from tokkit.errors import ModelError
from tokkit.lm.hf_load import quiet
from tokkit.studies.asking.rendering import without_system
from tokkit.studies.asking.request import Message

# Its type differs between versions of transformers.
_AUTO_TOKENIZER: Any = transformers.AutoTokenizer


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
    names = ("chat_template.jinja", "chat_template.json", "additional_chat_templates")
    if folder.is_dir() and not any((folder / name).exists() for name in names):
        try:
            settings = json.loads((folder / "tokenizer_config.json").read_bytes())
        except (OSError, ValueError):
            return None
        if not isinstance(settings, dict) or "chat_template" not in settings:
            return None
    try:
        with quiet():
            found = _AUTO_TOKENIZER.from_pretrained(str(folder))
    except Exception as error:
        raise ModelError(f"{files}: its chat template cannot be read: {error}") from error
    return found if found.chat_template else None


def fill(template: Any, messages: Sequence[Message]) -> str:
    """Write a chat with its template, up to where the answer begins.

    Raises:
        ModelError: If it cannot be written, also not without a system.
    """
    failure = ""
    for attempt in (messages, without_system(messages)):
        chat = [{"role": message.role, "content": message.content} for message in attempt]
        try:
            return str(
                template.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
            )
        except Exception as error:  # whatever a template raises
            failure = failure or str(error)
    raise ModelError(
        f"the chat template refuses a chat ({failure}): ask in plain text (--plain)"
    )
