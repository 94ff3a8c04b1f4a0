"""The HumanEval infilling benchmarks: a gap in a program, filled by a model.

Files and rules are those of https://github.com/openai/human-eval-infilling (Bavarian et al.,
2022; Fried et al., 2023): one JSON object per line, perhaps gzipped; a program is the prompt,
what was filled in, the suffix, the tests and a call of ``check``. Its harness takes completions
as they are. In the single-line benchmark (task ids begin with ``SingleLineInfilling``) the gap
is one line with its line feed, and a completion ends with the first line feed, which belongs to
it: where the model goes on, that is cut off, as is done in all published use. An exact match is
equality with the canonical solution, byte for byte.
"""

import gzip
import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Protocol

from tokkit.byteprobs.execution import Limits, run_program
from tokkit.byteprobs.infilling_rows import Row, RowLog
from tokkit.byteprobs.sampling import Generation
from tokkit.errors import CorpusError

SINGLE_LINE = "SingleLineInfilling"
_Z95 = 1.959963984540054
"""The 97.5th percentile of the normal distribution."""


class FillFunction(Protocol):
    """Fills a gap: `tokkit.byteprobs.fill.fill` with a model and options given."""

    def __call__(
        self, prefix: str, suffix: str, /, *, stop: Sequence[bytes | str]
    ) -> Generation:
        """Return what belongs between `prefix` and `suffix`, ended by the strings `stop`."""
        ...


@dataclass(frozen=True)
class Problem:
    """One gap.

    Attributes:
        task_id: Its name.
        prompt: The program before the gap.
        suffix: The program after it.
        canonical_solution: What was taken out.
        test: A function ``check`` that tests the whole.
        entry_point: The name of the function that is tested.
    """

    task_id: str
    prompt: str
    suffix: str
    canonical_solution: str
    test: str
    entry_point: str

    @property
    def is_single_line(self) -> bool:
        """Whether the gap is one line."""
        return self.task_id.startswith(SINGLE_LINE)

    def program(self, completion: str) -> str:
        """Return the program that tests a completion."""
        code = self.prompt + completion + self.suffix
        return f"{code}\n{self.test}\ncheck({self.entry_point})\n"


@dataclass(frozen=True)
class Rate:
    """How often something was so, with the Wilson interval at 95 %.

    Attributes:
        successes: How often it was.
        total: Of how many.
    """

    successes: int
    total: int

    @property
    def rate(self) -> float:
        """The share; NaN of none."""
        return self.successes / self.total if self.total else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true share lies (Wilson, 1927); everything is possible of none."""
        if not self.total:
            return 0.0, 1.0
        n, p = self.total, self.rate
        centre = p + _Z95**2 / (2 * n)
        spread = _Z95 * math.sqrt(p * (1 - p) / n + _Z95**2 / (4 * n * n))
        scale = 1 + _Z95**2 / n
        # At 0 and 1 the ends are exact, whatever rounding says.
        low = 0.0 if self.successes == 0 else (centre - spread) / scale
        high = 1.0 if self.successes == n else (centre + spread) / scale
        return low, high

    def as_json(self) -> Mapping[str, object]:
        """The rate and its interval; without any, null."""
        low, high = self.interval
        rate = self.rate if self.total else None
        return {"n": self.successes, "of": self.total, "rate": rate, "low": low, "high": high}


@dataclass(frozen=True)
class InfillingResult:
    """What became of all problems, in their order.

    Attributes:
        rows: One per problem.
    """

    rows: tuple[Row, ...]

    @property
    def exact_match(self) -> Rate:
        """How many were filled with the very text that was taken out."""
        return Rate(sum(row.exact_match for row in self.rows), len(self.rows))

    @property
    def passed(self) -> Rate | None:
        """How many programs passed their tests, pass@1; None if they were not run."""
        if any(row.passed is None for row in self.rows):
            return None
        return Rate(sum(row.passed is True for row in self.rows), len(self.rows))

    def as_json(self) -> Mapping[str, object]:
        """The rates as JSON."""
        passed = self.passed
        return {
            "problems": len(self.rows),
            "exact_match": self.exact_match.as_json(),
            "pass@1": None if passed is None else passed.as_json(),
            "interval": "Wilson, 95 %",
        }


def read_problems(path: str | Path) -> list[Problem]:
    """Read a benchmark file, ``.jsonl`` or ``.jsonl.gz``.

    Raises:
        CorpusError: If it is not one.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
        if path.suffix == ".gz":
            data = gzip.decompress(data)
    except (OSError, EOFError) as error:
        raise CorpusError(f"{path}: cannot be read ({error})") from error
    lines = enumerate(data.splitlines(), 1)
    problems = [_parse(line, f"{path}, line {number}") for number, line in lines if line]
    if not problems:
        raise CorpusError(f"{path}: has no problems; give a HumanEval infilling file")
    return problems


def _parse(line: bytes, place: str) -> Problem:
    names = [each.name for each in fields(Problem)]
    try:
        record = json.loads(line)
        return Problem(**{name: str(record[name]) for name in names})
    except (ValueError, TypeError, KeyError) as error:
        raise CorpusError(
            f"{place}: not a HumanEval infilling problem, an object with {', '.join(names)}"
        ) from error


def run_infilling(
    fill: FillFunction,
    problems: Iterable[Problem],
    *,
    output: Path | None = None,
    settings: Mapping[str, object] | None = None,
    execute: bool = False,
    limits: Limits | None = None,
    on_row: Callable[[Row], None] | None = None,
) -> InfillingResult:
    """Have all problems filled in, and tell how many were right.

    Args:
        fill: Fills one gap.
        problems: The problems.
        output: A file that a row is added to for each problem, as soon as it is done. If it
            exists, what it has is not done again; a row that was cut off by a crash is.
        settings: What the rows depend on besides the problems, such as the model; kept in the
            first line of `output`, so that rows of different settings are not mixed.
        execute: Whether programs are run, with what a model wrote in them; see
            `tokkit.byteprobs.execution` for what that is safe against and what not.
        limits: What a program may use.
        on_row: Told of each row.

    Raises:
        JobError: If `output` cannot be written.
        UsageError: If `output` has rows of other settings.
    """
    log = RowLog(output, dict(settings or {}))
    rows = []
    for problem in problems:
        row = log.rows.get(problem.task_id) or _fill(fill, problem)
        if execute and row.passed is None:
            outcome = run_program(problem.program(row.completion), limits)
            detail = "" if outcome.passed else f"{outcome.verdict}: {outcome.detail}"
            row = Row(**asdict(row) | {"passed": outcome.passed, "detail": detail})
        log.add(row)
        rows.append(row)
        if on_row:
            on_row(row)
    return InfillingResult(tuple(rows))


def _fill(fill: FillFunction, problem: Problem) -> Row:
    stop = ("\n",) if problem.is_single_line else ()
    written = fill(problem.prompt, problem.suffix, stop=stop)
    # A stop string is no part of what is generated, but the line feed is part of the line.
    completion = written.text + ("\n" if stop and written.finish == "stop" else "")
    is_exact = completion == problem.canonical_solution
    return Row(problem.task_id, completion, is_exact, written.finish, written.logprob)
