"""Everything of a model folder but its weights: settings, tokenizer, template, licence."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokkit.errors import JobError, ModelError
from tokkit.transplant.preparing import Prepared
from tokkit.transplant.settings.chat import choose_chat
from tokkit.transplant.settings.files import new_config, new_generation_config
from tokkit.transplant.settings.tokenizer_files import is_tokenizer_file, write_tokenizer

CONFIG = "config.json"
GENERATION = "generation_config.json"
KEPT = ("*.py", "LICENSE*", "NOTICE*", "USE_POLICY*", "*processor_config.json")
"""Files that belong to a model whatever its tokenizer is."""


@dataclass(frozen=True)
class Metadata:
    """What became of the settings.

    Attributes:
        config: Settings of ``config.json`` that changed, before and after.
        generation: The same of ``generation_config.json``.
        chat_template: Where the chat template is from.
        warnings: What a user should know, in words.
    """

    config: Mapping[str, tuple[Any, Any]]
    generation: Mapping[str, tuple[Any, Any]]
    chat_template: str
    warnings: tuple[str, ...]


def write_metadata(prepared: Prepared, folder: Path) -> Metadata:
    """Write everything but the weights and what is said about them.

    Raises:
        ModelError: If the source's settings cannot be read.
        JobError: If something cannot be written.
        CheckError: If a converted tokenizer does not mean the same.
    """
    source = prepared.checkpoint.folder
    translation = prepared.translation
    config = new_config(
        prepared.checkpoint.config, prepared.rows, translation, tied=prepared.tied
    )
    generation = new_generation_config(_read(source / GENERATION), translation)
    ends = generation.content.get("eos_token_id")
    chat = choose_chat(
        prepared.options.chat_template,
        source,
        prepared.target_place,
        prepared.source,
        prepared.target,
        translation.target_roles,
        ends=[
            each for each in (ends if isinstance(ends, list) else [ends]) if each is not None
        ],
    )
    try:
        for pattern in KEPT:
            for path in sorted(source.glob(pattern)):
                if not is_tokenizer_file(path.name):
                    shutil.copyfile(path, folder / path.name)
        for name, rewritten in ((CONFIG, config), (GENERATION, generation)):
            _write(folder / name, rewritten.content)
    except OSError as error:
        raise JobError(f"{folder}: cannot be written ({error.strerror})") from error
    said = write_tokenizer(
        prepared.target_place,
        prepared.target,
        folder,
        translation.target_roles,
        chat,
        config.content,
    )
    return Metadata(
        config.changes,
        generation.changes,
        chat.origin,
        (*config.warnings, *generation.warnings, *chat.problems, *said),
    )


def _read(path: Path) -> dict[str, Any] | None:
    """Read a file of settings that need not exist."""
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: cannot be read as JSON ({error}): fetch it again") from error
    if not isinstance(content, dict):
        raise ModelError(f"{path}: should be a JSON object: fetch it again")
    return content


def _write(path: Path, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False)
    path.write_text(f"{text}\n", encoding="utf-8")
