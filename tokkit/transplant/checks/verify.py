"""Checking a transplanted model the way it will be used: through transformers."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tokkit.errors import CheckError, MissingExtraError
from tokkit.tokenizer import Tokenizer
from tokkit.transplant.checks.check import Check, Facts, as_json
from tokkit.transplant.checks.rows import Weights, check_rows
from tokkit.transplant.context import OVERRIDE
from tokkit.transplant.settings.roles import Roles
from tokkit.weights.checkpoint import Checkpoint
from tokkit.weights.locate import locate

if TYPE_CHECKING:
    from tokkit.transplant.preparing import Prepared


@dataclass(frozen=True)
class Verification:
    """What was checked of a transplanted model.

    Attributes:
        checks: Each thing that was checked.
    """

    checks: tuple[Check, ...]

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return all(check.ok for check in self.checks)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON."""
        return {"ok": self.ok, "checks": as_json(self.checks)}

    def require(self) -> None:
        """Refuse a model that is not right.

        Raises:
            CheckError: If something failed.
        """
        failed = [f"{check.name} ({check.detail})" for check in self.checks if not check.ok]
        if failed:
            raise CheckError(f"the transplanted model is not right: {'; '.join(failed)}")


def verify_folder(prepared: "Prepared", folder: str | Path) -> dict[str, Any]:
    """Check what was written for a transplantation.

    Returns:
        What was checked, as JSON.

    Raises:
        CheckError: If something is not what it should be.
        MissingExtraError: If torch or transformers is not installed.
    """
    translation = prepared.translation
    origins = prepared.plan.halves["input"].origins
    found = verify(
        prepared.checkpoint.folder,
        folder,
        prepared.source,
        prepared.target,
        translation.target_roles,
        tied=prepared.tied,
        rows=prepared.rows,
        made=[i for i, origin in enumerate(origins.tolist()) if origin == OVERRIDE],
    )
    found.require()
    return found.as_json()


def verify(
    source_folder: str | Path,
    folder: str | Path,
    source: Tokenizer,
    target: Tokenizer,
    roles: Roles,
    *,
    tied: bool,
    rows: int,
    made: Collection[int] = (),
) -> Verification:
    """Load a transplanted model with transformers, and compare it with the source.

    Args:
        source_folder: The model.
        folder: The same moved onto another tokenizer.
        source: The tokenizer of the model.
        target: The other tokenizer.
        roles: Of the target's special tokens.
        tied: Whether the output matrix should be the input matrix.
        rows: How many rows there should be.
        made: Target ids whose rows the user had made from others.

    Raises:
        MissingExtraError: If torch or transformers is not installed.
    """
    try:
        from tokkit.transplant.checks.model import check_model
        from tokkit.transplant.checks.settings import (
            check_config,
            check_generation,
            check_template,
            check_tokenizer,
        )
    except ModuleNotFoundError as missing:
        raise MissingExtraError(str(missing.name), "torch") from missing
    same = source.vocab == target.vocab
    facts = Facts(Path(folder), target, roles, tied, rows, keeps_padding=same)
    checks = [
        *_guarded("weights", lambda: _weights(source_folder, folder, source, target, made)),
        *_guarded("config.json", lambda: check_config(facts)),
        *_guarded("generation_config.json", lambda: check_generation(facts)),
        *_guarded("tokenizer", lambda: check_tokenizer(facts)),
        *_guarded("chat template", lambda: check_template(facts)),
        *_guarded("model", lambda: check_model(facts)),
    ]
    return Verification(tuple(checks))


def _guarded(name: str, checks: Callable[[], Iterator[Check]]) -> Iterator[Check]:
    """Run checks; what raises failed."""
    from tokkit.lm.hf_load import quiet

    found: list[Check] = []
    try:
        with quiet():
            found.extend(checks())
    except Exception as error:  # transformers raises whatever a broken folder leads it to
        lines = str(error).strip().splitlines() or [type(error).__name__]
        found.append(Check(name, "failed", f"cannot be loaded: {lines[0]}"))
    yield from found


def _weights(
    source_folder: str | Path,
    folder: str | Path,
    source: Tokenizer,
    target: Tokenizer,
    made: Collection[int],
) -> Iterator[Check]:
    before, after = Checkpoint.open(source_folder), Checkpoint.open(folder)
    yield from check_rows(
        Weights(before, after, locate(before), locate(after), source, target, made)
    )
