"""What continued training did: ``continued.json``, the model card, what people are shown."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokkit import __version__
from tokkit.lm.device import peak_memory
from tokkit.lm.train_run import Run
from tokkit.lm.train_work import hundredths
from tokkit.transplant.account import CARD
from tokkit.transplant.continuing.opening import Opened
from tokkit.transplant.continuing.text import Counts
from tokkit.transplant.running.evaluate import Evaluation
from tokkit.transplant.showing import facts

if TYPE_CHECKING:
    import pandas
    from rich.console import RenderableType

ACCOUNT = "continued.json"


@dataclass(frozen=True, eq=False)
class Continued:
    """A finished training.

    Attributes:
        content: What ``continued.json`` says, but the evaluation.
        evaluation: Bits per byte before and after; None if there was no text to measure on.
        output: The folder.
    """

    content: Mapping[str, Any]
    evaluation: Evaluation | None = None
    output: str = ""

    def frame(self) -> "pandas.DataFrame":
        """Return a line per slice of the evaluation; see `Evaluation.frame`."""
        import pandas

        return pandas.DataFrame() if self.evaluation is None else self.evaluation.frame()

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        measured = None if self.evaluation is None else self.evaluation.as_json()
        return {"output": self.output, **self.content, "evaluation": measured}

    def write(self, folder: Path) -> None:
        """Write ``continued.json``, and say in the model card that there was training."""
        content = {name: value for name, value in self.as_json().items() if name != "output"}
        text = json.dumps(content, indent=1, ensure_ascii=False)
        # What was asked for may hold bytes that are no text, which JSON writes as an escape.
        (folder / ACCOUNT).write_bytes(f"{text}\n".encode("utf-8", "backslashreplace"))
        card = folder / CARD
        if card.is_file():
            before = card.read_text(encoding="utf-8", errors="replace").rstrip("\n")
            card.write_text(f"{before}\n\n{self._card()}", encoding="utf-8")

    def _card(self) -> str:
        said = self.content
        lines = [
            "## Trained on",
            "",
            f"After that its {_trained(said)} were trained for {said['settings']['steps']:,} "
            f"steps on {said['tokens']['seen']:,} tokens of text with tokkit {__version__}: "
            "`continued.json` holds how. What is said of rows above is where they began.",
        ]
        if self.evaluation is not None:
            rows = [
                f"| {each.name.replace('|', '-')} | {each.before:.3f} | {each.after:.3f} |"
                for each in self.evaluation.slices
            ]
            head = ["", "| bits per byte | before | after |", "|---|---:|---:|"]
            lines += [*head, *rows]
        return "\n".join(lines) + "\n"

    def __rich__(self) -> "RenderableType":
        from rich.console import Group

        said, tokens = self.content, self.content["tokens"]
        steps = said["settings"]["steps"]
        shown: list[Any] = [
            facts(
                {
                    "output": self.output,
                    "trained": f"{_trained(said)}: {said['parameters']['trained']:,} of "
                    f"{said['parameters']['all']:,} parameters",
                    "read": f"{tokens['seen']:,} tokens in {steps:,} steps, "
                    f"of a text of {tokens['corpus']:,}",
                    "loss": f"{said['losses'][0]:.4f} → {said['losses'][-1]:.4f}",
                    "moved": _moved(said["settings"]["train"], said["lexical"]),
                    "took": f"{said['seconds']:,.0f} s, {said['peak_memory'] / 1e9:,.1f} GB",
                }
            )
        ]
        if self.evaluation is not None:
            shown.append(self.evaluation)
        return Group(*shown)


def _trained(said: Mapping[str, Any]) -> str:
    """Name what was trained."""
    names = {"all": "weights", "embeddings": "embeddings", "new-rows": "new rows"}
    return names[said["settings"]["train"]]


def _moved(train: str, lexical: float | None) -> str | None:
    """Say how far embeddings have moved."""
    what = "new rows" if train == "new-rows" else "embeddings"
    return None if lexical is None else f"{what} by {lexical**0.5:.1%} of their length"


def describe(name: str, opened: Opened, run: Run, counts: Counts) -> dict[str, Any]:
    """Say how a model called `name` was trained, as JSON."""
    weight, schedule = opened.request.lexical_weight, run.schedule
    return {
        "tokkit": __version__,
        "model": name,
        "settings": {
            **opened.request.decisive(),
            "corpus": [str(each) for each in opened.request.corpus],
        },
        "parameters": {
            "all": sum(each.numel() for each in run.model.parameters()),
            "trained": sum(each.numel() for each in run.trained),
        },
        "new_rows": None if opened.new is None else len(opened.new),
        "text": {"documents": counts.documents, "bytes": counts.bytes},
        "tokens": {
            "corpus": counts.tokens,
            "seen": schedule.steps * schedule.batch * run.context,
        },
        "losses": hundredths(run.losses),
        "lexical": run.penalties[-1] / weight if weight else None,
        "seconds": round(run.seconds, 1),
        "processes": opened.processes.count,
        "peak_memory": peak_memory(opened.processes.device),
    }
