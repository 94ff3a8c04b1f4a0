"""What is checked of a transplanted model, and what was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tokkit.tokenizer import Tokenizer
from tokkit.transplant.settings.roles import Roles

Status = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class Check:
    """One thing that was checked.

    Attributes:
        name: What.
        status: ``ok``, ``failed``, or ``warning``: the model works, but not as one expects.
        detail: What was found, in words.
    """

    name: str
    status: Status
    detail: str

    @property
    def ok(self) -> bool:
        """Whether it did not fail."""
        return self.status != "failed"


@dataclass(frozen=True)
class Facts:
    """What the folder of a transplanted model should hold.

    Attributes:
        folder: The folder.
        target: Its tokenizer.
        roles: Of its special tokens.
        tied: Whether the output matrix should be the input matrix.
        rows: How many rows there should be.
        keeps_padding: Whether what pads the rows is the source's own.
    """

    folder: Path
    target: Tokenizer
    roles: Roles
    tied: bool
    rows: int
    keeps_padding: bool = False


def conclude(name: str, problems: Sequence[str], fine: str, bad: Status = "failed") -> Check:
    """Make a check of a list of problems."""
    return Check(name, bad if problems else "ok", "; ".join(problems) or fine)


def as_json(checks: Sequence[Check]) -> list[Mapping[str, str]]:
    """Return checks as JSON."""
    return [{"name": c.name, "status": c.status, "detail": c.detail} for c in checks]
