"""Where a tokenizer's pre-tokenizer can cut, as an automaton that reads tokens."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tokkit.canonical.automaton import NONE, Automaton
from tokkit.canonical.cuts_classes import MOST, CharacterClasses
from tokkit.canonical.cuts_learning import learn
from tokkit.canonical.cuts_oracles import PretokenizerOracle
from tokkit.canonical.cuts_pipeline import Pipeline, build_pipeline
from tokkit.canonical.cuts_sifting import PipelineOracle, sift
from tokkit.canonical.cuts_survey import is_native, is_plain, survey
from tokkit.canonical.protocols import Nodes
from tokkit.errors import PatternError
from tokkit.kernels import cuts as kernels
from tokkit.kernels._jit import frozen
from tokkit.tokenizer import Tokenizer
from tokkit.unicode import SURROGATES
from tokkit.vocab import flatten

Sets = NDArray[np.uint64]

_TESTS = 100_000
_FEW_TESTS = 6_000
_KEPT_BYTES = 1 << 26
_FEWEST_KEPT = 16
_ALL = np.uint64(0xFFFF_FFFF_FFFF_FFFF)


def build_cuts(tokenizer: Tokenizer, tokens: Sequence[bytes], lead: bool = True) -> "TokenCuts":
    """Find out where the pre-tokenizer of a tokenizer can cut.

    Args:
        tokenizer: The tokenizer.
        tokens: The bytes of each id in internal text; ``b""`` for ids that carry no text.
        lead: Whether text begins with the prefix, if any, that the tokenizer puts before it.
    """
    pipeline = build_pipeline(tokenizer, tokens, lead)
    if is_plain(pipeline):
        return _plain_cuts(pipeline, tokens)
    return _pipeline_cuts(pipeline, tokens)


def find_lead(tokenizer: Tokenizer, tokens: Sequence[bytes]) -> bytes:
    """Return what a tokenizer puts before a text: ``b" "`` or ``b""``, as internal text.

    Args:
        tokenizer: The tokenizer.
        tokens: The bytes of each id in internal text.
    """
    return build_pipeline(tokenizer, tokens, lead=True).before


def _plain_cuts(pipeline: Pipeline, tokens: Sequence[bytes]) -> "TokenCuts":
    """The cuts of patterns that tokkit scans for, in texts that nothing else happens to."""
    classes, changed = survey(pipeline, tokens)
    oracle = PretokenizerOracle(pipeline.pretokenizer, classes.representatives)
    automaton = learn(oracle, len(classes.representatives), _TESTS)
    classes, automaton = classes.without(changed, automaton)
    return TokenCuts(classes, automaton, tokens, "automaton", pipeline.normalizer is None)


def _pipeline_cuts(pipeline: Pipeline, tokens: Sequence[bytes]) -> "TokenCuts":
    """The cuts of any steps."""
    classes, changed = survey(pipeline, tokens)
    classes = sift(pipeline, classes)
    oracle = PipelineOracle(pipeline, classes.representatives)
    automaton = learn(oracle, len(classes.representatives), _FEW_TESTS)
    classes, automaton = classes.without(changed, automaton)
    if (kinds := len(classes.representatives)) > MOST:
        raise PatternError(
            f"the pre-tokenizer tells {kinds} kinds of characters apart: "
            f"at most {MOST} can be followed"
        )
    exact = is_native(pipeline.normalizer) and is_native(pipeline.pretokenizer)
    return TokenCuts(
        classes, automaton, tokens, "automaton" if exact else "learned cuts", exact
    )


class TokenCuts:
    """The cuts of an automaton over characters, read token by token.

    A node is a state of the automaton; or, inside a character, the number of states plus
    ``(2 * state + bit) * TAILS + tail``: the state before the character, whether there is a cut
    before it, and what there is of it (see `tokkit.kernels.cuts`).

    Attributes:
        method: How it decides, for the output.
        exact: Whether that is as the definition says.
        start: The node before any text.
        places: See `Cuts`.
        classes: The characters that the automaton tells apart.
        automaton: The automaton.
    """

    start = 0

    def __init__(
        self,
        classes: CharacterClasses,
        automaton: Automaton,
        tokens: Sequence[bytes],
        method: str,
        exact: bool,
    ) -> None:
        self.method = method
        self.exact = exact
        self.classes = classes
        self.automaton = automaton
        self.places = len(automaton.steps)
        self._steps = frozen(np.ascontiguousarray(automaton.steps))
        self._table = frozen(classes.table.astype(np.uint8))
        self._alive = frozen(_live_classes(automaton))
        self._sets = frozen(_classes_of_tails(self._table))
        data, ends = flatten(tokens)
        self._data, self._ends = frozen(data), frozen(ends)
        self._read()
        kept = max(_KEPT_BYTES // (4 * len(tokens) or 1), _FEWEST_KEPT)
        self._after = lru_cache(kept)(self._find)
        self._nowhere = frozen(np.full(len(tokens), NONE, dtype=np.int32))

    def beginning(self, node: int) -> Nodes:
        """Return the node after each token if a piece begins with it."""
        if node >= len(self._steps):
            return self._nowhere
        return self._after(node, True)

    def within(self, node: int) -> Nodes:
        """Return the node after each token if it goes on with the piece."""
        return self._after(node, False)

    def can_end(self, nodes: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Tell at which nodes (none of them -1) a text can end."""
        states = np.minimum(nodes, len(self._steps) - 1)
        return (nodes < len(self._steps)) & self.automaton.accepts[states]

    def waiting(self, nodes: NDArray[np.int32]) -> NDArray[np.uint64]:
        """Return of which classes the unfinished character may turn out to be, as bits."""
        place, tail = np.divmod(nodes - len(self._steps), kernels.TAILS)
        return np.where(place < 0, _ALL, self._alive[place] & self._sets[tail])

    def class_of(self, character: bytes) -> int:
        """Return the class of a character, 0 to 63, given as UTF-8."""
        return int(self._table[ord(character.decode())])

    def _read(self) -> None:
        """Put the classes of the tokens' characters into a tree."""
        room = self._data.size + 1
        tokens = self._ends.size
        leads = np.empty(tokens, dtype=np.uint8)
        nodes, tails = np.empty(tokens, dtype=np.int32), np.empty(tokens, dtype=np.int32)
        labels, parents = np.zeros(room, dtype=np.uint8), np.zeros(room, dtype=np.int32)
        first, following = np.zeros_like(parents), np.zeros_like(parents)
        count = kernels.read_tokens(
            self._data,
            self._ends,
            self._table,
            leads,
            nodes,
            tails,
            labels,
            parents,
            first,
            following,
        )
        self._leads, self._nodes, self._tails = frozen(leads), frozen(nodes), frozen(tails)
        self._labels, self._parents = (
            frozen(labels[:count].copy()),
            frozen(parents[:count].copy()),
        )
        self._continuing = frozen(np.flatnonzero((leads > 0) & (nodes >= 0)).astype(np.int32))

    def _find(self, node: int, begins: bool) -> Nodes:
        """Find the node after each token, whether a piece `begins` with it or goes on."""
        if node < len(self._steps):
            return frozen(self._follow(node, begins))
        return frozen(self._complete(*divmod(node - len(self._steps), kernels.TAILS)))

    def _follow(self, state: int, begins: bool) -> Nodes:
        """Find the node after each token at the end of a character."""
        out = np.empty(self._ends.size, dtype=np.int32)
        kernels.follow_tokens(
            state,
            int(begins),
            self._steps,
            self._alive,
            self._sets,
            self._labels,
            self._parents,
            self._nodes,
            self._tails,
            self._leads,
            np.empty(self._labels.size, dtype=np.int32),
            out,
        )
        return out

    def _complete(self, place: int, tail: int) -> Nodes:
        """Find the node after each token inside a character."""
        out = np.full(self._ends.size, NONE, dtype=np.int32)
        kernels.complete_tokens(
            place >> 1,
            place & 1,
            tail,
            self._table,
            self._steps,
            self._alive,
            self._sets,
            self._data,
            self._ends,
            self._labels,
            self._parents,
            self._nodes,
            self._tails,
            self._leads,
            self._continuing,
            out,
        )
        return out


def _live_classes(automaton: Automaton) -> Sets:
    """For each state and bit, which classes have a step: bits, ``uint64[2 * states]``."""
    classes = automaton.steps.shape[1]
    bits = np.uint64(1) << np.arange(classes, dtype=np.uint64)
    live = np.where(automaton.steps != NONE, bits[None, :, None], np.uint64(0))
    union: Sets = np.bitwise_or.reduce(live, axis=1)
    return union.reshape(-1)


def _classes_of_tails(table: NDArray[np.uint8]) -> Sets:
    """For each tail, the classes of the characters it is the beginning of, as bits."""
    classes = np.uint64(1) << table.astype(np.uint64)
    classes[SURROGATES.start : SURROGATES.stop] = 0
    lacks_one = np.bitwise_or.reduce(classes.reshape(-1, 64), axis=1)
    long = lacks_one.copy()
    long[: 0x800 >> 6] = 0  # these have two bytes
    lacks_two = np.bitwise_or.reduce(long.reshape(-1, 64), axis=1)
    longer = np.zeros(5 * 64, dtype=np.uint64)
    longer[0x10000 >> 12 : lacks_two.size] = lacks_two[0x10000 >> 12 :]
    lacks_three = np.bitwise_or.reduce(longer.reshape(-1, 64), axis=1)
    lacks_one[: 0x80 >> 6] = 0
    return np.concatenate((lacks_one, lacks_two, lacks_three))
