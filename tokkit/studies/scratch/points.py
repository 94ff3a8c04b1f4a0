"""What was found while one model was trained, and where it is kept."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tokkit.errors import UsageError
from tokkit.results import write_json, write_table
from tokkit.studies.scratch.trial import Column

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Point:
    """A model after some steps.

    Attributes:
        step: How many.
        tokens: How many tokens it has read in them.
        seconds: How long they took: of processor time, or of a clock where it is not the
            processor that computes. Measuring the model does not count.
        loss: The mean loss since the point before, in nats per token that is foretold.
        value: See `Measured`.
        counts: See `Measured`.
    """

    step: int
    tokens: int
    seconds: float
    loss: float
    value: float
    counts: Mapping[str, tuple[int, int]]


@dataclass
class Record:
    """The points of one model, in a folder.

    Attributes:
        folder: Where they are kept.
        settings: All that they depend on.
        points: In the order of their steps.
    """

    folder: Path
    settings: Mapping[str, Any]
    points: list[Point]

    @classmethod
    def open(cls, folder: Path, settings: Mapping[str, Any]) -> Self:
        """Read what was found before, if anything was.

        Raises:
            UsageError: If that was with other settings.
        """
        settings = json.loads(json.dumps(settings))  # As they will be read: tuples are lists.
        path = folder / _RECORD
        if not path.is_file():
            return cls(folder, settings, [])
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["settings"] != settings:
            names = [key for key in settings if content["settings"].get(key) != settings[key]]
            raise UsageError(
                f"{folder} is of a study with another {names[0] if names else 'setting'}: "
                "choose another place, or --force replaces it"
            )
        points = [
            Point(**each | {"counts": {k: tuple(v) for k, v in each["counts"].items()}})
            for each in content["points"]
        ]
        return cls(folder, settings, points)

    @property
    def checkpoint(self) -> Path:
        """Where the model is kept while it is trained."""
        return self.folder / "checkpoint.pt"

    @property
    def is_complete(self) -> bool:
        """Whether there is nothing left to do."""
        steps = self.settings["schedule"]["steps"]
        return bool(self.points) and self.points[-1].step == steps

    def add(self, point: Point, columns: Mapping[str, Column] | None) -> None:
        """Keep a point; with the last one, what each answer was."""
        import pandas

        self.points.append(point)
        self.folder.mkdir(parents=True, exist_ok=True)
        if columns is not None:
            write_table(pandas.DataFrame(dict(columns)), self.folder / _ANSWERS)
        points = [asdict(each) for each in self.points]
        write_json(self.folder / _RECORD, {"settings": self.settings, "points": points})

    def answers(self) -> "pandas.DataFrame":
        """Return what each answer was in the end, one line per problem or text."""
        import pandas

        return pandas.read_csv(self.folder / _ANSWERS, keep_default_na=False)


_RECORD = "run.json"
_ANSWERS = "answers.csv"
