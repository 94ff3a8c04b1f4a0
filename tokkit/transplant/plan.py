"""Plans: for every target row, which source rows are added up, how much of each, and why.

A plan needs the two tokenizers and no weights of the model, so that one serves every size and
every fine-tune of a family. It is one file, which holds the tokens of both vocabularies too.
Rows that a hypernetwork predicts are only marked as such, with what it is recognised by.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tokkit import __version__
from tokkit.errors import UsageError
from tokkit.kernels._jit import Ids
from tokkit.transplant.context import (
    COPIED,
    MEAN_ROW,
    ORIGINS,
    OVERRIDE,
    PADDING_ROW,
    PREDICTED,
    ROLE,
    SIDES,
    UNUSED,
    Side,
)
from tokkit.transplant.rows import Rows, Weights
from tokkit.vocab import Vocabulary, flatten
from tokkit.weights.tensors import read_file, write_file

if TYPE_CHECKING:
    import pandas

KNOWN = (COPIED, ROLE, OVERRIDE)
"""Origins of rows that are no guesses."""
_VIRTUAL = {
    MEAN_ROW: "(mean of the source's rows)",
    PADDING_ROW: "(mean of known rows)",
}
PLAN_FILE = "transplant.plan"
"""The name of the plan in the folder of a transplanted model."""


@dataclass(frozen=True, eq=False)
class Half:
    """How the rows of one side are made.

    Attributes:
        method: The name of the method that made the new rows.
        rows: One row per target id, over source ids and, from the size of the source's
            vocabulary on, virtual rows.
        virtual: The virtual rows, over source ids; see `tokkit.transplant.context`.
        noise: Standard deviations of noise that each row gets, ``float32[target ids]``.
        origins: Why each row is what it is: indexes into `ORIGINS`, ``uint8[target ids]``.
        notes: What the method says of its result.
    """

    method: str
    rows: Rows
    virtual: Rows
    noise: Weights
    origins: NDArray[np.uint8]
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def guesses(self) -> NDArray[np.bool_]:
        """Which rows are guesses, ``bool[target ids]``; padding is none."""
        return ~np.isin(self.origins, (*KNOWN, UNUSED))

    @property
    def predicted(self) -> Ids:
        """The target ids whose rows a hypernetwork predicts, ``int32[k]``, ascending."""
        return np.flatnonzero(self.origins == PREDICTED).astype(np.int32)


@dataclass(frozen=True, eq=False)
class Plan:
    """How every row of a model's embeddings is made for another tokenizer.

    Attributes:
        source: The vocabulary of the model.
        target: The vocabulary it is moved onto.
        halves: How the rows of each side are made.
        seed: Of everything random.
        hypernet: The digest of the hypernetwork that predicts rows; None: none are predicted.
    """

    source: Vocabulary
    target: Vocabulary
    halves: Mapping[Side, Half]
    seed: int = 0
    hypernet: str | None = None

    @property
    def is_identity(self) -> bool:
        """Whether both vocabularies are the same, so that nothing changes."""
        return self.source.digest == self.target.digest

    @property
    def known(self) -> Ids:
        """The target ids whose input rows are no guesses, ``int32[k]``."""
        origins = self.halves["input"].origins
        return np.flatnonzero(np.isin(origins, KNOWN)).astype(np.int32)

    @property
    def least_rows(self) -> int:
        """How many rows a model has to have for this plan."""
        ids = (half.rows.ids for half in self.halves.values())
        wanted = [each[each < len(self.source)].max(initial=-1) for each in ids]
        return int(max(wanted, default=-1)) + 1

    def counts(self, side: Side) -> dict[str, int]:
        """Return how many rows have each origin: ``{"copied": 26599, "composed": 101401}``."""
        found = np.bincount(self.halves[side].origins, minlength=len(ORIGINS))
        return {name: int(count) for name, count in zip(ORIGINS, found, strict=True) if count}

    def summary(self) -> dict[str, Any]:
        """Return what there is to say about the plan, as JSON."""
        return {
            "source_tokens": len(self.source),
            "target_tokens": len(self.target),
            **{
                side: {
                    "method": half.method,
                    "rows": self.counts(side),
                    "pieces_per_new_token": _mean_pieces(half, len(self.source)),
                    **{k: v for k, v in half.notes.items() if isinstance(v, int | float | str)},
                }
                for side, half in self.halves.items()
            },
        }

    def find(self, text: str) -> int:
        """Return the id of a target token: by its text, special or not, or its number.

        Raises:
            UsageError: If there is no such token.
        """
        # Bytes that are no text come from a command line as surrogates.
        spelled = text.encode("utf-8", "surrogateescape")
        found = self.target.ids.get(spelled, self.target.specials.get(text))
        if found is None and text.isascii() and text.isdigit():
            found = int(text)
        if found is None:
            raise UsageError(
                f"{text!r} is no token of the new vocabulary: give one as text, or its id"
            )
        return found

    def explain(self, token: int) -> dict[str, Any]:
        """Return how one target row is made, as JSON.

        What a hypernetwork reads has no weight of its own: that is None.

        Raises:
            UsageError: If there is no such id.
        """
        if not 0 <= token < len(self.target):
            raise UsageError(f"id {token} is outside a vocabulary of {len(self.target)} tokens")
        return {
            "id": token,
            "token": show(self.target, token),
            **{side: self._explain_half(half, token) for side, half in self.halves.items()},
        }

    def _explain_half(self, half: Half, token: int) -> dict[str, Any]:
        parts = []
        is_predicted = half.origins[token] == PREDICTED
        for number, weight in half.rows.row(token):
            virtual = number - len(self.source)
            name = _VIRTUAL.get(virtual, f"(virtual row {virtual})")
            if virtual < 0:
                name = show(self.source, number)
            share = None if is_predicted else round(weight, 6)
            parts.append({"id": number, "token": name, "weight": share})
        return {
            "origin": ORIGINS[half.origins[token]],
            "method": half.method,
            "parts": parts,
            "noise": float(half.noise[token]),
        }

    def frame(self) -> "pandas.DataFrame":
        """Return one line per target token: id, token, bytes, origin of each side."""
        import pandas

        numbers = range(len(self.target))
        return pandas.DataFrame(
            {
                "id": numbers,
                "token": [show(self.target, number) for number in numbers],
                **{
                    f"{side}_origin": [ORIGINS[code] for code in half.origins]
                    for side, half in self.halves.items()
                },
                **{f"{side}_parts": half.rows.counts for side, half in self.halves.items()},
            }
        )

    def save(self, path: Path) -> None:
        """Write the plan as one file."""
        arrays: dict[str, NDArray[Any]] = {}
        for name, vocab in (("source", self.source), ("target", self.target)):
            arrays[f"{name}.bytes"], arrays[f"{name}.ends"] = flatten(vocab.tokens)
        first = self.halves["input"]
        for side, half in self.halves.items():
            if side != "input" and half is first:
                continue
            arrays |= {
                f"{side}.{part}.{key}": getattr(getattr(half, part), key)
                for part in ("rows", "virtual")
                for key in ("ends", "ids", "weights")
            }
            arrays |= {f"{side}.noise": half.noise, f"{side}.origins": half.origins}
        told = {
            "tokkit": __version__,
            "seed": self.seed,
            "source": dict(self.source.specials),
            "target": dict(self.target.specials),
            "methods": {side: half.method for side, half in self.halves.items()},
            "notes": {side: dict(half.notes) for side, half in self.halves.items()},
            **({} if self.hypernet is None else {"hypernet": self.hypernet}),
        }
        write_file(path, arrays, {"plan": json.dumps(told)})

    @classmethod
    def load(cls, path: str | Path) -> "Plan":
        """Read a plan, or that of the folder of a transplanted model.

        Raises:
            UsageError: If it is no plan, or a damaged one.
        """
        place = Path(path)
        place = place / PLAN_FILE if place.is_dir() else place
        if not place.is_file():
            raise UsageError(f"{place}: no such plan; --save-plan FILE writes one")
        arrays, metadata = read_file(place)
        if "plan" not in metadata:
            raise UsageError(f"{place}: is not a plan of tokkit transplant")
        try:
            plan = cls._of(arrays, json.loads(metadata["plan"]))
            sound = all(plan._is_sound(half) for half in plan.halves.values())
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            sound = False
        if not sound:
            raise UsageError(f"{place}: the plan is damaged: write it again with --save-plan")
        return plan

    @classmethod
    def _of(cls, arrays: Mapping[str, NDArray[Any]], told: Mapping[str, Any]) -> "Plan":
        """Put together what `save` took apart."""
        source, target = (
            Vocabulary(_strings(arrays[f"{name}.bytes"], arrays[f"{name}.ends"]), told[name])
            for name in ("source", "target")
        )
        halves: dict[Side, Half] = {}
        for side in SIDES:
            if f"{side}.origins" not in arrays:
                halves[side] = halves["input"]
                continue
            rows, virtual = (
                Rows(*(arrays[f"{side}.{part}.{key}"] for key in ("ends", "ids", "weights")))
                for part in ("rows", "virtual")
            )
            halves[side] = Half(
                told["methods"][side],
                rows,
                virtual,
                arrays[f"{side}.noise"],
                arrays[f"{side}.origins"],
                told["notes"][side],
            )
        return cls(source, target, halves, told["seed"], told.get("hypernet"))

    def _is_sound(self, half: Half) -> bool:
        """Whether rows, noise and origins are there for every token, and no id is too high."""
        wanted = len(self.target)
        return (
            half.virtual.is_sound(len(self.source))
            and half.rows.is_sound(len(self.source) + len(half.virtual))
            and len(half.rows) == half.noise.size == half.origins.size == wanted
            and (half.noise.dtype.name, half.origins.dtype.name) == ("float32", "uint8")
            and bool(np.isfinite(half.noise).all())
            and int(half.origins.max(initial=0)) < len(ORIGINS)
            and (isinstance(self.hypernet, str) or not half.predicted.size)
            and all(self.target.tokens[token] for token in half.predicted.tolist())
        )


def _mean_pieces(half: Half, source_size: int) -> float:
    """How many source rows make a new one, on average; virtual rows are none."""
    owners = half.rows.owners[half.rows.ids < source_size]
    counts = np.bincount(owners, minlength=len(half.rows))
    new = half.guesses & (counts > 0)
    return round(float(counts[new].mean()), 3) if new.any() else 0.0


def _strings(data: NDArray[np.uint8], ends: NDArray[np.int64]) -> tuple[bytes, ...]:
    content = data.tobytes()
    bounds = [0, *ends.tolist()]
    return tuple(content[a:b] for a, b in pairwise(bounds))


def show(vocab: Vocabulary, token: int) -> str:
    r"""Write a token for people: its text, ``\xNN`` for bytes that are none, or its name."""
    if vocab.tokens[token]:
        return vocab.tokens[token].decode("utf-8", "backslashreplace")
    names = {token_id: text for text, token_id in vocab.specials.items()}
    return names.get(token, f"<unused {token}>")
