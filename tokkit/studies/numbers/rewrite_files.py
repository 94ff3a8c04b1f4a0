"""The files beside a ``tokenizer.json``: chat template, roles, configuration."""

import json
import logging
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tokkit.errors import CheckError
from tokkit.formats.check import check_hf
from tokkit.tokenizer import Tokenizer

logger = logging.getLogger("tokkit")

_MAP = "special_tokens_map.json"
_TEMPLATES = ("chat_template.jinja", "chat_template.json", "additional_chat_templates")
_CONFIG = "tokenizer_config.json"
_MODEL = "config.json"


def fetch_beside(source: str) -> None:
    """Fetch the other files of a tokenizer of the Hub to where its ``tokenizer.json`` is."""
    if Path(source).exists():
        return
    from huggingface_hub import snapshot_download

    patterns = [_CONFIG, _MAP, *_TEMPLATES, f"{_TEMPLATES[-1]}/*"]
    try:
        snapshot_download(source, allow_patterns=patterns)
    except Exception as error:  # the library raises whatever its transport does
        logger.info(
            "%s: its configuration and chat template are not to be had (%s)",
            source,
            type(error).__name__,
        )


def copy_beside(tokenizer: Tokenizer, folder: Path) -> None:
    """Copy templates and roles from beside the tokenizer's source into a written folder.

    Raises:
        CheckError: If the folder is not read as `tokenizer` with its roles.
    """
    if tokenizer.source is None:
        return
    origin = tokenizer.source.path.parent
    for name in _TEMPLATES:
        if (origin / name).is_dir():
            shutil.copytree(origin / name, folder / name)
        elif (origin / name).is_file():
            shutil.copyfile(origin / name, folder / name)
    roles = _known_roles(origin / _MAP, tokenizer)
    if roles:
        text = json.dumps(roles, ensure_ascii=False, indent=1)
        (folder / _MAP).write_text(text + "\n", encoding="utf-8")
        check_hf(folder, tokenizer, decodes=False)


def find_trouble(tokenizer: Tokenizer, folder: Path) -> str:
    """Say what goes wrong when the folder is read beside the model of the tokenizer's source.

    transformers puts pre-tokenizers of its own beside some models' ``config.json``.

    Returns:
        What differs and what to do, in words; empty if nothing does, or there is no model.
    """
    config = tokenizer.source.path.with_name(_MODEL) if tokenizer.source else Path()
    if not config.is_file():
        return ""
    shutil.copyfile(config, folder / _MODEL)
    try:
        check_hf(folder, tokenizer, decodes=False)
    except CheckError as error:
        return f"beside the model's {_MODEL}, {str(error).replace(str(folder), 'FOLDER')}"
    finally:
        (folder / _MODEL).unlink()
    return ""


def _known_roles(path: Path, tokenizer: Tokenizer) -> dict[str, Any]:
    """Read the roles of tokens that are there; transformers would add the others."""
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    known = {added.content for added in tokenizer.added.tokens}
    return {
        role: token
        for role, token in said.items()
        if known.issuperset(map(_text, token if isinstance(token, list) else [token]))
    }


def _text(token: Any) -> Any:
    return token.get("content") if isinstance(token, Mapping) else token
