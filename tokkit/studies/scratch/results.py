"""What a study found."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokkit.results import Provenance, write_study, write_table
from tokkit.stats import Interval, wilson
from tokkit.studies.scratch.comparing import Difference, Standing, differences, standings
from tokkit.studies.scratch.plan import Plan
from tokkit.studies.scratch.points import Point, Record
from tokkit.studies.scratch.trial import ALL

if TYPE_CHECKING:
    import pandas
    from rich.console import RenderableType

CURVES = "curves.csv"


@dataclass(frozen=True)
class Study:
    """What a study found.

    Attributes:
        plan: What was trained.
        records: The points of each model: all tokenizations of a seed, then the next seed.
    """

    plan: Plan
    records: Sequence[Record]

    @property
    def measure(self) -> str:
        """What values are: ``accuracy``, or ``bits_per_byte``, of which less is better."""
        return "bits_per_byte" if self.plan.task == "text" else "accuracy"

    @cached_property
    def by_tokenization(self) -> Mapping[str, Sequence[Record]]:
        """The models of each tokenization, one per seed."""
        return {
            name: [each for each in self.records if each.settings["tokenization"] == name]
            for name in self.plan.tokenizations
        }

    @cached_property
    def standings(self) -> list[Standing]:
        """The tokenizations at equal steps, equal tokens and equal time."""
        return standings(self.by_tokenization)

    @cached_property
    def differences(self) -> list[Difference]:
        """How much each two tokenizations differ in the end."""
        return differences(self.answers())

    @property
    def parts(self) -> list[str]:
        """What else answers are counted by: the kinds of problems, and the digits."""
        return [name for name in self.records[0].points[-1].counts if name != ALL]

    def pooled(self, tokenization: str, part: str = ALL) -> Interval:
        """Return the share of right answers in the end, of the models of all seeds.

        Its interval takes the answers of models as independent.
        """
        counts = [each.points[-1].counts[part] for each in self.by_tokenization[tokenization]]
        return wilson(sum(right for _, right in counts), sum(count for count, _ in counts))

    def frame(self) -> "pandas.DataFrame":
        """Return the curves: one line per model and point.

        Beside the attributes of a point there are ``n`` and ``k``, the problems and the right
        answers, and the same of each kind and digit: ``n length match`` and so on.
        """
        import pandas

        rows = [self._row(record, point) for record in self.records for point in record.points]
        return pandas.DataFrame(rows)

    def answers(self) -> "pandas.DataFrame":
        """Return the answers in the end: one line per model and held-out problem or text."""
        import pandas

        return pandas.concat([self._answers(each) for each in self.records], ignore_index=True)

    def as_json(self, *, timed: bool = True) -> dict[str, Any]:
        """Everything but the curves and the answers, as JSON.

        Args:
            timed: Whether what was timed is told, which is never the same twice.
        """
        models = [self._row(record, record.points[-1]) for record in self.records]
        if not timed:
            models = [{k: v for k, v in row.items() if k != "seconds"} for row in models]
        return {
            "plan": asdict(self.plan),
            "measure": self.measure,
            "models": models,
            "standings": [
                each.as_json() for each in self.standings if timed or each.basis != "seconds"
            ],
            "differences": [each.as_json() for each in self.differences],
        }

    def write(self, folder: Path, command: Sequence[str] = ()) -> None:
        """Write ``curves.csv``, ``results.csv`` (the answers) and ``summary.json``."""
        provenance = Provenance(
            study="scratch",
            command=command,
            seeds={"models": self.plan.seeds},
            tokenizers={
                each.settings["tokenization"]: each.settings["digest"] for each in self.records
            },
        )
        write_table(self.frame(), folder / CURVES)
        write_study(folder, self.answers(), provenance, self.as_json(timed=False))

    def __rich__(self) -> "RenderableType":
        from tokkit.studies.scratch.showing import show

        return show(self)

    def _answers(self, record: Record) -> "pandas.DataFrame":
        table = record.answers()
        if "answer" in table:
            table["right"] = table["answer"] == table["truth"]
        table.insert(0, "seed", record.settings["schedule"]["seed"])
        table.insert(0, "tokenization", record.settings["tokenization"])
        return table

    def _row(self, record: Record, point: Point) -> dict[str, Any]:
        counts = {
            key if name == ALL else f"{key} {name}": number
            for name, pair in point.counts.items()
            for key, number in zip("nk", pair, strict=True)
        }
        return {
            "tokenization": record.settings["tokenization"],
            "seed": record.settings["schedule"]["seed"],
            "step": point.step,
            "tokens": point.tokens,
            "seconds": point.seconds,
            "loss": point.loss,
            self.measure: point.value,
            **counts,
        }
