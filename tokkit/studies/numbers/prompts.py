"""How a problem becomes what a model is told: as a chat, or as a text to continue."""

from collections.abc import Sequence
from dataclasses import dataclass

from tokkit.studies.asking.request import Message
from tokkit.studies.numbers.formats import NumberFormat
from tokkit.studies.numbers.problems import Problem


@dataclass(frozen=True, kw_only=True)
class Style:
    """How problems are put, after `run_addition_experiment` of arXiv 2402.14903.

    Attributes:
        query: How operands are written.
        answer: How answers are written in the examples.
        repeat: How operands are written where the problem is said again before its answer;
            None if it is not.
        spaces: How many spaces stand around the operation and before the equals sign.
        trailing_spaces: How many stand after the equals sign.
        system_prompt: What the model is told to be; nothing if empty.
        preamble: What the user says before everything else; nothing if empty.
    """

    query: NumberFormat
    answer: NumberFormat
    repeat: NumberFormat | None = None
    spaces: int = 0
    trailing_spaces: int = 0
    system_prompt: str = ""
    preamble: str = ""

    def ask(self, problem: Problem) -> str:
        """Put a problem: ``"1,234+5,678="``."""
        return self._put(problem, self.query)

    def respond(self, problem: Problem) -> str:
        """Answer it, after saying it again if that is asked: ``"1234+5678=6,912"``."""
        answer = self.answer.write(problem.truth)
        return answer if self.repeat is None else self._put(problem, self.repeat) + answer

    def chat(self, problem: Problem, examples: Sequence[Problem]) -> tuple[Message, ...]:
        """Put a problem as a chat in which the examples have been answered."""
        messages = []
        if self.system_prompt:
            messages.append(Message("system", self.system_prompt))
        if self.preamble:
            messages.append(Message("user", self.preamble))
        for example in examples:
            messages.append(Message("user", self.ask(example)))
            messages.append(Message("assistant", self.respond(example)))
        return (*messages, Message("user", self.ask(problem)))

    def text(self, problem: Problem, examples: Sequence[Problem]) -> str:
        """Put a problem as a text to continue: one line per example, the problem last."""
        before = [each for each in (self.system_prompt, self.preamble) if each]
        solved = [self.ask(example) + self.respond(example) for example in examples]
        return "\n".join([*before, *solved, self.ask(problem)])

    def _put(self, problem: Problem, written: NumberFormat) -> str:
        space = " " * self.spaces
        one, other = written.write(problem.num1), written.write(problem.num2)
        end = " " * self.trailing_spaces
        return f"{one}{space}{problem.operation}{space}{other}{space}={end}"
