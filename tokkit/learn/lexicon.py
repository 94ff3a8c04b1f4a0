"""The lexicon of Less-is-Better while it is learned: arrays for the kernels, and their file."""

import os
import time
import zipfile
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from tokkit import __version__
from tokkit.kernels._jit import Offsets
from tokkit.kernels.lib import (
    FIELDS,
    NODES,
    PARENT,
    PLACE,
    SYMBOL,
    TRIED,
    UNITS,
    add_unit,
    draw_lines,
    fill_table,
    read_document,
)
from tokkit.kernels.lib_order import update_order
from tokkit.learn.lines import Lines
from tokkit.learn.options import Job, LiB

if TYPE_CHECKING:
    from pathlib import Path

ROOM = 1 << 14
"""Nodes that there is room for at first."""
LINE = 100
"""Characters per line that a document may have on average."""

SAVE_SECONDS = 10.0


class Lexicon:
    """Units in the order of their strength.

    Attributes:
        documents: How many have been read.
    """

    def __init__(self, lines: Lines, settings: LiB, seed: int) -> None:
        self.lines = lines
        self.settings = settings
        self.documents = 0
        self._symbols = {character: i for i, character in enumerate(lines.characters)}
        self._nodes = np.zeros(FIELDS, np.int64)
        self._nodes[PLACE] = -1
        self._order = np.zeros(0, np.int64)
        self._probation = np.zeros(0, np.int64)
        self._counts = np.array([1, 0, 0], np.int64)
        # The generator must not start at 0; a hash of the seed never does in practice.
        self._state = np.random.SeedSequence(seed).generate_state(1, np.uint64) | np.uint64(1)
        self._statistics: list[tuple[int, int, int]] = []
        self._saved = time.monotonic()
        self._path: Path | None = None
        self._identity = ""
        self._make_room(ROOM)

    def _make_room(self, nodes: int) -> None:
        """Give the arrays room for so many nodes, and the trie's table two slots for each."""
        count = int(self._counts[NODES])
        room = 1 << (nodes - 1).bit_length()
        self._nodes = _resized(self._nodes, FIELDS * room)
        self._order = _resized(self._order, room)
        self._probation = _resized(self._probation, room)
        self._table = np.full(8 * room, -1, np.int64)
        fill_table(self._table, self._nodes, count)

    def add(self, units: Iterable[str]) -> None:
        """Append units that are not known yet and consist of characters that the text has."""
        known = set(self.units())
        for unit in units:
            symbols = [self._symbols.get(character, -1) for character in unit]
            if unit not in known and -1 not in symbols:
                known.add(unit)
                self._reserve(len(unit))
                text = np.array(symbols, np.int32)
                add_unit(self._table, self._nodes, self._order, self._counts, text)

    def units(self) -> list[str]:
        """Spell the units, strongest first."""
        count = int(self._counts[NODES])
        parents = self._nodes[PARENT : FIELDS * count : FIELDS].tolist()
        symbols = self._nodes[SYMBOL : FIELDS * count : FIELDS].tolist()
        characters = self.lines.characters
        spelled = [""] * count
        for node in range(1, count):
            spelled[node] = spelled[parents[node]] + characters[symbols[node]]
        return [spelled[node] for node in self._order[: self._counts[UNITS]].tolist()]

    def _reserve(self, symbols: int) -> None:
        """Make sure that so many nodes can be added."""
        wanted = int(self._counts[NODES]) + symbols
        if wanted > self._order.size:
            self._make_room(wanted)

    def read(self, limit: int, job: Job, until: int | None = None) -> None:
        """Read documents, `limit` of them in all, or until there are `until` units.

        Saves its state in ``job.workspace`` every ten seconds, see `resume`.
        """
        drawn = np.empty(self.settings.document_size, np.int64)
        while self.documents < limit and not (until and self._counts[UNITS] >= until):
            self._read_one(drawn)
            if self.documents % 20 == 0:
                job.progress("documents", self.documents, limit)
                if self._path and time.monotonic() - self._saved > SAVE_SECONDS:
                    self.save()
        if self._path:
            self.save()

    def _read_one(self, drawn: Offsets) -> None:
        settings = self.settings
        draw_lines(self._state, self.lines.ends.size, drawn)
        sizes = np.cumsum(self.lines.lengths[drawn])
        drawn = drawn[: 1 + np.searchsorted(sizes, settings.document_size * LINE)]
        symbols = int(sizes[drawn.size - 1])
        self._reserve(symbols)
        rewards, tokens = read_document(
            self._table,
            self._nodes,
            self._order,
            self._counts,
            self._state,
            self.lines.text,
            self.lines.ends,
            drawn,
            settings.alpha,
            settings.max_length,
            0,  # characters that are too rare to be units stay unknown
        )
        update_order(
            self._table,
            self._nodes,
            self._order,
            self._probation,
            self._counts,
            rewards,
            settings.omega,
            settings.delta,
            settings.life,
        )
        self.documents += 1
        self._statistics.append((int(self._counts[UNITS]), tokens, symbols))

    def resume(self, job: Job, identity: str) -> None:
        """Go on where a killed job stopped, if it saved its state and had the same identity."""
        if job.workspace is None:
            return
        self._path = job.workspace / "lexicon.npz"
        self._identity = f"{__version__} {identity}"
        try:
            with self._path.open("rb") as file, np.load(file) as saved:
                if str(saved["identity"]) == self._identity:
                    self._restore(saved)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return  # nothing was saved, or not to the end: start anew

    def _restore(self, saved: Any) -> None:
        self._counts = saved["counts"]
        self._nodes, self._order = saved["nodes"], saved["order"]
        self._probation, self._state = saved["probation"], saved["state"]
        self._statistics = [tuple(row) for row in saved["statistics"].tolist()]
        self.documents = len(self._statistics)
        self._make_room(int(self._counts[NODES]))

    def save(self) -> None:
        """Write the state next to its place, then move it there, so that it is never half."""
        assert self._path
        temporary = self._path.with_name(f"{self._path.name}.{os.getpid()}.tmp")
        with temporary.open("wb") as file:
            np.savez(
                file,
                identity=np.array(self._identity),
                counts=self._counts,
                nodes=self._nodes[: FIELDS * self._counts[NODES]],
                order=self._order[: self._counts[UNITS]],
                probation=self._probation[: self._counts[TRIED]],
                state=self._state,
                statistics=np.array(self._statistics, np.int64),
            )
        temporary.replace(self._path)
        self._saved = time.monotonic()

    def figures(self) -> dict[str, int]:
        """Return how much was read, and how many units there are."""
        return {
            "documents": self.documents,
            "characters_read": sum(row[2] for row in self._statistics),
            "units": int(self._counts[UNITS]),
        }

    def curve(self, rows: int) -> list[dict[str, Any]]:
        """Return at most `rows` rows: documents, units, characters per token since."""
        step = max(1, -(-len(self._statistics) // rows))
        curve = []
        for first in range(0, len(self._statistics), step):
            part = self._statistics[first : first + step]
            tokens = sum(row[1] for row in part)
            curve.append(
                {
                    "documents": first + len(part),
                    "units": part[-1][0],
                    "characters_per_token": sum(row[2] for row in part) / tokens,
                }
            )
        return curve


def _resized(array: Offsets, size: int) -> Offsets:
    """Copy an array to a longer one: ``[1, 2]`` to 3 is ``[1, 2, 0]``."""
    copy = np.zeros(size, array.dtype)
    copy[: array.size] = array
    return copy
