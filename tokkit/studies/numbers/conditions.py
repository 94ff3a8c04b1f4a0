"""The conditions a problem is put under, and the rows that come of it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tokkit.studies.numbers.formats import parse_format
from tokkit.studies.numbers.problems import Problem, write_solved
from tokkit.studies.numbers.prompts import Style

CONDITION_COLUMNS = (
    "operation",
    "model",
    "system_prompt",
    "preamble",
    "problem_number_format",
    "repeat_problem_number_format",
    "answer_number_format",
    "chunk_size",
    "num_spaces",
    "num_trailing_spaces",
    "num_shots",
)
"""The columns that say under which condition a problem is put."""
SYSTEM_PROMPT = "You are a helpful assistant."


@dataclass(frozen=True, kw_only=True)
class Condition:
    """How all problems of one cell are put.

    Attributes:
        query: The name of the format of the operands.
        answer: That of the answers of the examples.
        repeat: That of the operands where the problem is said again; empty if it is not.
        chunk_size: How many digits a group has.
        spaces: How many spaces stand around the operation and before the equals sign.
        trailing_spaces: How many stand after it.
        shots: How many examples come first.
        system_prompt: What the model is told to be; nothing if empty.
        preamble: What the user says before everything else; nothing if empty.
        model: Who was or is to be asked, if that is part of the condition.
        max_tokens: The most tokens an answer may have; None leaves it to who asks.
        flipped: Whether operands are exchanged, of the problem and of its examples.
    """

    query: str
    answer: str
    repeat: str = ""
    chunk_size: int = 3
    spaces: int = 0
    trailing_spaces: int = 0
    shots: int = 0
    system_prompt: str = ""
    preamble: str = ""
    model: str = ""
    max_tokens: int | None = None
    flipped: bool = False

    @property
    def style(self) -> Style:
        """How its problems are put.

        Raises:
            UsageError: If there is no such format.
        """
        return Style(
            query=parse_format(self.query, self.chunk_size),
            answer=parse_format(self.answer, self.chunk_size),
            repeat=parse_format(self.repeat, self.chunk_size) if self.repeat else None,
            spaces=self.spaces,
            trailing_spaces=self.trailing_spaces,
            system_prompt=self.system_prompt,
            preamble=self.preamble,
        )

    def row(
        self,
        index: int,
        problem: Problem,
        examples: Sequence[Problem],
        *,
        style: Style | None = None,
        plain: bool = False,
    ) -> dict[str, Any]:
        """Return the row of a problem, with what is asked.

        Args:
            index: Which problem it is.
            problem: The problem, before it is flipped.
            examples: Problems that are answered first; as many as there are shots.
            style: How it is put, if not as the condition says.
            plain: Whether it is a text to continue, not a chat.
        """
        style = style or self.style
        asked = problem.flipped if self.flipped else problem
        shown = [each.flipped for each in examples] if self.flipped else examples
        row = {
            "problem_index": index,
            "flip_problem": self.flipped,
            "flip_shots": self.flipped,
            **asked._asdict(),
            "problem_msg": style.ask(asked),
            "shots": write_solved(examples),
            **self._columns(),
        }
        if plain:
            return {**row, "prompt": style.text(asked, shown)}
        chat = json.dumps(style.chat(asked, shown), ensure_ascii=False)
        return {**row, "messages": chat}

    def _columns(self) -> dict[str, Any]:
        return {
            "model": self.model,
            "system_prompt": self.system_prompt,
            "preamble": self.preamble,
            "problem_number_format": self.query,
            "repeat_problem_number_format": self.repeat,
            "answer_number_format": self.answer,
            "chunk_size": self.chunk_size,
            "num_spaces": self.spaces,
            "num_trailing_spaces": self.trailing_spaces,
            "num_shots": self.shots,
            "max_tokens": self.max_tokens,
        }
