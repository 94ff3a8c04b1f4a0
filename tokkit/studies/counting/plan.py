"""What a counting study asks: which tasks, of which strings, written and put how."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import get_args

from tokkit.errors import UsageError
from tokkit.studies.counting.drawing import DrawName
from tokkit.studies.counting.forms import FormName
from tokkit.studies.counting.prompts import SYSTEM, StyleName
from tokkit.studies.counting.tasks import TaskName

_SEPARATING = " ,'\"[]\\{}\n"
"""What forms put between letters."""
_ANSWER_TOKENS = {"direct": 256, "cot": 4096, "supervise": 4096}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Everything that decides what is asked.

    Each string is asked in each task, for each target, in each form and style: comparisons of
    these are comparisons on the same strings.

    Attributes:
        tasks: What is asked.
        letters: What strings are made of.
        lengths: The smallest and the largest number of letters.
        number: How many strings there are; of each number of letters per token, if any.
        targets: What to count; none: each letter.
        forms: How strings are written.
        styles: What models are told: to answer at once, to think, or to think as told.
        draw: How letters are drawn: see `tokkit.studies.counting.drawing`.
        letters_per_token: Strings are such that, written raw, they are cut into tokens of so
            many letters; none: as they come.
        system: The system message; empty: none.
        max_tokens: The most tokens of an answer; None: 256 to answer at once, 4,096 to think.
        temperature: Of the answers; 0 takes the likeliest token.
        seed: Of what is drawn.
        preset: What the study is called; empty: it is no known one.

    Raises:
        UsageError: If that cannot be asked.
    """

    tasks: tuple[TaskName, ...] = ("count",)
    letters: str = "ab"
    lengths: tuple[int, int] = (10, 20)
    number: int = 100
    targets: tuple[str, ...] = ()
    forms: tuple[FormName, ...] = ("raw", "comma", "list", "space")
    styles: tuple[StyleName, ...] = ("direct",)
    draw: DrawName = "balanced"
    letters_per_token: tuple[int, ...] = ()
    system: str = SYSTEM
    max_tokens: int | None = None
    temperature: float = 0.0
    seed: int = 0
    preset: str = ""

    def __post_init__(self) -> None:
        _check_letters(self.letters)
        for target in self.targets:
            if not target or not set(self.letters).issuperset(target):
                raise UsageError(
                    f"cannot count {target!r} in strings of {self.letters!r}: a target is made "
                    "of these letters"
                )
        least, most = self.lengths
        if not 1 <= least <= most:
            raise UsageError(f"strings of {least} to {most} letters: write such as 10-20")
        if self.letters_per_token and self.draw == "published":
            raise UsageError("published strings are as they are: leave out letters per token")

    @property
    def focus(self) -> str:
        """The letters whose numbers are balanced."""
        single = "".join(target for target in self.targets if len(target) == 1)
        return (single or self.letters) if self.draw == "balanced" else ""

    def targets_of(self, task: TaskName) -> Sequence[str]:
        """What a task is asked for: each target to count, or the string as a whole."""
        return (self.targets or tuple(self.letters)) if task == "count" else ("",)

    def answer_tokens(self, style: StyleName) -> int:
        """The most tokens of an answer."""
        return self.max_tokens or _ANSWER_TOKENS[style]

    def change(self, **given: object) -> "Plan":
        """Return a plan that differs in what is given; what is None stays."""
        return replace(self, **{name: each for name, each in given.items() if each is not None})  # type: ignore[arg-type]


def _check_letters(letters: str) -> None:
    """Do nothing if strings can be made of these letters, and be read again.

    Raises:
        UsageError: If not.
    """
    if len(letters) < 2 or len(set(letters)) < len(letters):
        raise UsageError(f"letters {letters!r}: give two or more different ones, such as ab")
    wrong = [each for each in letters if each in _SEPARATING or not each.isprintable()]
    if wrong:
        raise UsageError(f"letter {wrong[0]!r} cannot be told from what is between letters")


ZHANG2024 = Plan(
    number=1000,
    styles=("supervise",),
    draw="published",
    max_tokens=10240,
    temperature=1.0,
    seed=42,
    preset="zhang2024",
)
"""The study of arXiv 2410.19730 as its code has it for GPT-4o mini, with the provider's
default temperature. Letters and lengths are to be chosen, of `ZHANG2024_STRINGS` for instance;
its tables are of the supervised style."""

ZHANG2024_STRINGS: tuple[tuple[str, tuple[int, int]], ...] = (
    ("ab", (10, 20)),
    ("ab", (20, 30)),
    ("ab", (30, 40)),
    ("ez", (10, 20)),
    ("ez", (20, 30)),
    ("ez", (30, 40)),
    ("abez", (30, 40)),
    ("abez", (60, 80)),
    ("rbez", (60, 80)),
    ("rbez", (80, 100)),
    ("tdpq", (80, 100)),
)
"""Letters and lengths of the strings that were published."""

PRESETS = {"zhang2024": ZHANG2024}
"""Known studies by name."""

DRAWS: tuple[DrawName, ...] = get_args(DrawName)
