"""What a check found."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, NamedTuple

from tokkit.visible import spell_bytes

_SHOWN = 3
_IN_JSON = 20
_LONGEST = 40


class Failure(NamedTuple):
    """A trial that did not hold.

    Attributes:
        part: What is hard about the text; see `tokkit.analysis.audit.stress`.
        text: The text; a bar is where it was cut.
        found: What became of it; a bar is between tokens.
    """

    part: str
    text: bytes
    found: bytes

    def __str__(self) -> str:
        return f"{_short(self.text)} → {_short(self.found) or 'nothing'}"


def _short(data: bytes) -> str:
    text = spell_bytes(data)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


@dataclass(frozen=True)
class Check:
    """What was tried, and how often it held.

    Attributes:
        name: Its name.
        definition: What has to hold of one trial.
        required: Whether text is lost, or ids are wrong, where it does not hold; else it is a
            measure, which says how much depends on how text is put together.
        passed: How often it held.
        tried: How often it was tried.
        failures: Where it did not hold.
        note: Why it was not tried, or what it could not be tried on.
    """

    name: str
    definition: str
    required: bool
    passed: int
    tried: int
    failures: tuple[Failure, ...] = ()
    note: str = ""

    def parts(self) -> dict[str, int]:
        """How many failures each part of the stress set has."""
        return dict(Counter(each.part for each in self.failures))

    def examples(self) -> list[str]:
        """The first failures of different parts, as people read them."""
        first = {each.part: str(each) for each in reversed(self.failures)}
        return [first[part] for part in self.parts()][:_SHOWN]

    def as_json(self) -> dict[str, Any]:
        """Everything; of failures the first 20."""
        return {
            "check": self.name,
            "definition": self.definition,
            "required": self.required,
            "passed": self.passed,
            "tried": self.tried,
            "note": self.note,
            "failed_by_part": self.parts(),
            "failures": [
                {
                    "part": each.part,
                    "text": spell_bytes(each.text),
                    "becomes": spell_bytes(each.found),
                }
                for each in self.failures[:_IN_JSON]
            ],
        }
