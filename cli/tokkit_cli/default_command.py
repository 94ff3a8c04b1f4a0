"""Groups of commands one of which need not be named."""

from typing import Any

from typer.core import TyperGroup

_HELP = ("-h", "--help")


class DefaultCommand(TyperGroup):
    """A group whose command `default` need not be named: ``tokkit transplant MODEL ...``.

    Attributes:
        default: Its name.
    """

    default = "run"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put the name of the default command where there is none."""
        if args and args[0] not in self.commands and args[0] not in _HELP:
            args = [self.default, *args]
        return super().parse_args(ctx, args)
