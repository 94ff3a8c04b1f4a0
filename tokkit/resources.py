"""Where the files that tokkit ships lie, however it was installed."""

from importlib.resources import files
from pathlib import Path


def resource(name: str) -> Path:
    """Find a shipped file: ``resource("sample.jsonl")``; `data/README.md` lists them."""
    return Path(str(files("tokkit_data").joinpath(name)))
