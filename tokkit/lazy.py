"""Names that a package offers and imports when they are first used."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def imports(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Return what a package calls `__getattr__`, so that importing it imports nothing else.

    Args:
        package: Its name.
        homes: In which of its modules each name is.
    """

    def find(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{homes[name]}"), name)

    return find
