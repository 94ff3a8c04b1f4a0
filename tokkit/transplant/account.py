"""What was done to a model: ``transplant.json``, the model card, and what people are shown."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

from tokkit import __version__
from tokkit.tokenizer import Tokenizer
from tokkit.transplant.card import CardFacts, kept_lines, model_card
from tokkit.transplant.context import ORIGINS, SIDES, Side
from tokkit.transplant.metadata import Metadata
from tokkit.transplant.preparing import Prepared, special_tokens
from tokkit.transplant.settings.tokenizer_files import REPLACING
from tokkit.transplant.showing import facts, methods_of, name_hypernet, notes, origins_table
from tokkit.weights.writing import Hashed

if TYPE_CHECKING:
    from tokkit.transplant.running.evaluate import Evaluation

ACCOUNT = "transplant.json"
CARD = "README.md"


@dataclass(frozen=True, eq=False)
class Report:
    """A finished transplantation.

    Attributes:
        prepared: What was planned.
        content: What ``transplant.json`` says.
        found: What was measured: verification, evaluation, calibration, tuning.
        output: The folder.
    """

    prepared: Prepared
    content: Mapping[str, Any]
    found: Mapping[str, Any] = field(default_factory=dict)
    output: str = ""

    @classmethod
    def of(
        cls,
        prepared: Prepared,
        metadata: Metadata,
        hashes: Mapping[str, Hashed],
        found: Mapping[str, Any],
    ) -> Self:
        """Put together what is known of a transplantation."""
        warnings = [*prepared.warnings, *metadata.warnings]
        content = {
            "tokkit": __version__,
            **prepared.as_json(),
            "settings": _request(prepared),
            "source": _identity(prepared.source),
            "target": _identity(prepared.target),
            "special_tokens": special_tokens(prepared),
            "numbers": prepared.numbers,
            "config": _changes(metadata.config),
            "generation_config": _changes(metadata.generation),
            "chat_template": metadata.chat_template,
            "warnings": warnings,
            **{name: _as_json(each) for name, each in found.items()},
            "rows_by_origin": {side: origins_of(prepared, side) for side in _sides(prepared)},
            "guesses": {
                side: ranges(prepared.plan.halves[side].guesses) for side in _sides(prepared)
            },
            "notes": {
                side: dict(prepared.plan.halves[side].notes) for side in _sides(prepared)
            },
            "tensor_hashes": {
                name: dataclasses.asdict(each) for name, each in sorted(hashes.items())
            },
        }
        return cls(prepared, content, found)

    def at(self, output: str) -> Self:
        """Say where it was written."""
        return dataclasses.replace(self, output=output)

    def as_json(self) -> dict[str, Any]:
        """All of it but what is long: hashes and lists of rows lie in ``transplant.json``."""
        long = ("tensor_hashes", "rows_by_origin", "guesses", "notes")
        short = {name: value for name, value in self.content.items() if name not in long}
        return {"output": self.output, **short}

    def __rich__(self) -> Any:
        from rich.console import Group

        prepared = self.prepared
        said = self.content
        shown: list[Any] = [
            facts(
                {
                    "output": self.output,
                    "rows": f"{said['rows']['before']:,} → {said['rows']['after']:,}",
                    "methods": methods_of(prepared.plan, prepared.tied),
                    "hypernetwork": name_hypernet(prepared),
                    "chat template": said["chat_template"],
                }
            ),
            origins_table(prepared.plan, prepared.tied),
        ]
        shown += [each for each in self.found.values() if hasattr(each, "__rich__")]
        if checks := self.found.get("verification", {}).get("checks"):
            shown.append(facts({f"{c['status']}: {c['name']}": c["detail"] for c in checks}))
        return Group(*shown, *notes("warning", said["warnings"]))


def write_account(report: Report, folder: Path) -> None:
    """Write ``transplant.json`` and the model card."""
    text = json.dumps(report.content, indent=1, ensure_ascii=False)
    # What was asked for may hold bytes that are no text, which JSON writes as an escape.
    (folder / ACCOUNT).write_bytes(f"{text}\n".encode("utf-8", "backslashreplace"))
    prepared = report.prepared
    halves = prepared.plan.halves
    card = CardFacts(
        base_model=prepared.model,
        target=prepared.tokenizer,
        method_in=halves["input"].method,
        method_out=halves["input" if prepared.tied else "output"].method,
        rows=prepared.rows,
        counts=prepared.plan.counts("input"),
        tied=prepared.tied,
        warnings=report.content["warnings"],
        measures=_measures(report.found.get("evaluation")),
        front=kept_lines(prepared.checkpoint.folder),
        predictor=prepared.predictor,
        **_loader(prepared),
    )
    (folder / CARD).write_text(model_card(card), encoding="utf-8")


def _measures(evaluation: "Evaluation | None") -> dict[str, str]:
    """Say what was measured, as lines of the card."""
    return {
        f"bits per byte, {each.name}": f"{each.before:.3f} before, {each.after:.3f} now"
        for each in (evaluation.slices if evaluation is not None else ())
    }


def _loader(prepared: Prepared) -> dict[str, str]:
    """Name what loads the tokenizer where `AutoTokenizer` would not load this one."""
    if prepared.checkpoint.config.get("model_type") not in REPLACING:
        return {}
    return {"loader": "tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)"}


def origins_of(prepared: Prepared, side: Side) -> dict[str, str]:
    """Return the rows of each origin: ``{"copied": "0-255 300", "composed": "256-299"}``."""
    half = prepared.plan.halves[side]
    return {
        name: ranges(half.origins == code)
        for code, name in enumerate(ORIGINS)
        if (half.origins == code).any()
    }


def ranges(flags: NDArray[np.bool_]) -> str:
    """Write which are set: ``[1, 1, 0, 1]`` is ``"0-1 3"``."""
    edges = np.flatnonzero(np.diff(flags.astype(np.int8), prepend=0, append=0))
    pairs = zip(edges[::2].tolist(), (edges[1::2] - 1).tolist(), strict=True)
    return " ".join(str(first) if first == last else f"{first}-{last}" for first, last in pairs)


def _sides(prepared: Prepared) -> tuple[Side, ...]:
    """The sides that have rows of their own."""
    return SIDES[:1] if prepared.tied else SIDES


def _identity(tokenizer: Tokenizer) -> dict[str, Any]:
    """Say which tokenizer it is: by its file where that was kept, else by all it does."""
    content = tokenizer.source.content if tokenizer.source is not None else b""
    return {
        "tokens": len(tokenizer.vocab),
        "vocabulary": tokenizer.vocab.digest,
        **(
            {"file_sha256": hashlib.sha256(content).hexdigest()}
            if content
            else {"tokenizer": tokenizer.digest}
        ),
    }


def _request(prepared: Prepared) -> dict[str, Any]:
    """Say what was asked for, as JSON."""
    return {
        name: str(value) if isinstance(value, Path) else value
        for name, value in dataclasses.asdict(prepared.options).items()
    }


def _changes(changes: Mapping[str, tuple[Any, Any]]) -> dict[str, Any]:
    return {name: {"before": old, "after": new} for name, (old, new) in changes.items()}


def _as_json(found: Any) -> Any:
    return found.as_json() if hasattr(found, "as_json") else found
