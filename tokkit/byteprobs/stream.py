"""A text that grows byte by byte, and the exact probability of what comes next."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property

from tokkit.byteprobs.cover import Head, Strand, advance
from tokkit.byteprobs.drafts import draft
from tokkit.byteprobs.engine import Engine
from tokkit.byteprobs.outcomes import Outcomes, find_leaks, find_logp, find_outcomes
from tokkit.byteprobs.results import ByteLogprobs, Leaks
from tokkit.canonical.free import WITHOUT_LEAD, Free
from tokkit.errors import ImpossibleError, ModelError
from tokkit.lm.model import Logprobs, Tree

_log = logging.getLogger("tokkit")

_KEEP_EVERY = 16
_ROWS = 1 << 25
"""How many log probabilities may be asked for beforehand, more or less."""


class Stream:
    """A text that grows, as a `ByteStream`.

    The model is asked when probabilities are, about all sequences at once that matter by then;
    with speculation also about those that will matter if the likeliest token comes. A text that
    outgrows the model's context is read on from its second half.

    Attributes:
        windows: How often the text was begun with.
    """

    def __init__(
        self, engine: Engine, prefix: bytes, context: Sequence[int], lead: bytes
    ) -> None:
        self._engine = engine
        self._context = tuple(context)
        self._lead = lead
        self._is_free = isinstance(engine.grammar, Free)
        self._speculates = engine.speculate and not self._is_free
        self._before = 0.0
        self._pruned = 0.0
        self._known = memoryview(b"")
        self.windows = 0
        self._begin(prefix)

    def _begin(self, text: bytes) -> None:
        """Begin anew with a text."""
        engine = self._engine
        self.windows += 1
        self._text = bytearray()
        self._tree: Tree = engine.model.tree(self._context)
        self._roots = [Head(None, -1, engine.grammar.start)]
        self._cover = [Strand(self._roots[0], engine.table.root)]
        self._waiting: list[Head] = []
        self._drafted: set[int] = set()
        self._rounds = 0
        for byte in self._lead:
            self._advance(byte)
        if self._is_free and self._lead:
            self._roots.append(Head(None, -1, WITHOUT_LEAD))
            self._cover.append(Strand(self._roots[1], engine.table.root))
        for byte in text:
            self._append(byte)

    @property
    def text(self) -> bytes:
        """What the model reads of the text."""
        return bytes(self._text)

    def foresee(self, text: bytes) -> None:
        """Say what comes next, so that the model can be asked about all of it at once.

        This changes how often it is asked, not what comes out. With ``all`` nothing is asked
        beforehand: there are too many sequences.
        """
        self._known = memoryview(b"" if self._is_free else text)

    def push(self, byte: int) -> None:
        """Append a byte.

        Raises:
            ImpossibleError: If no text has this byte here.
        """
        is_known = bool(self._known) and self._known[0] == byte
        self._known = self._known[1:] if is_known else memoryview(b"")
        self._append(byte)

    def _append(self, byte: int) -> None:
        beam = self._engine.beam
        if self._is_free and beam is not None and len(self._cover) > beam:
            self._prune(beam)
        self._text.append(byte)
        self._advance(byte)
        if not self._cover:
            raise ImpossibleError(explain(bytes(self._text), self._is_free))

    def _advance(self, byte: int) -> None:
        """Follow the text by one byte, and let go of what cannot matter again."""
        before = self._cover
        self._cover = advance(before, byte, self._engine.table, self._engine.grammar)
        alive = {id(strand.head) for strand in self._cover}
        for head, _ in before:
            if id(head) not in alive:
                self._settle(head)
                if head.is_weighed:
                    head.release()
        self.__dict__.pop("_outcomes", None)

    def _prune(self, beam: int) -> None:
        """Follow only the most probable strands from now on."""
        shares = self._outcomes.shares
        ranked = sorted(range(len(self._cover)), key=lambda place: (-shares[place], place))
        self._pruned += float(shares[ranked[beam:]].sum()) * (1.0 - self._pruned)
        self._cover = [self._cover[place] for place in sorted(ranked[:beam])]

    # Asking the model

    def prepare(self) -> Tree | None:
        """Put all that has to be asked now into the tree; None if nothing has to be."""
        for head, _ in self._cover:
            self._settle(head)
        wanted = [head for head, _ in self._cover if not head.is_weighed]
        if not self._roots[0].is_weighed:
            wanted.append(self._roots[0])
        if not wanted:
            return None
        if self._outgrows(wanted):
            self._read_on()
            return self.prepare()
        if self._known:
            drafted = list(self._along())
        else:
            drafted = draft(self._engine, self._cover) if self._speculates else []
        if self._outgrows(drafted):
            drafted = []
        self._drafted = set(map(id, drafted))
        self._enter([*wanted, *drafted])
        return self._tree

    def _along(self) -> Iterator[Head]:
        """Yield the heads of what is known to come, as far as the model can read them."""
        engine, cover = self._engine, self._cover
        most = _ROWS // engine.model.vocab_size
        for byte in self._known:
            cover = advance(cover, byte, engine.table, engine.grammar)
            fresh = [head for head, node in cover if not (node.depth or head.is_asked)]
            most -= len(fresh)
            if not cover or most < 0 or self._outgrows(fresh):
                return
            yield from fresh

    def _enter(self, wanted: Sequence[Head]) -> None:
        """Add heads, and what they came from, to the tree."""
        missing: dict[int, Head] = {}
        for head in wanted:
            for each in head.line():
                each = each if each.parent else self._roots[0]
                if each.is_asked or id(each) in missing:
                    break
                missing[id(each)] = each
        self._waiting = sorted(missing.values(), key=lambda head: head.depth)
        for head in self._waiting:
            if head.parent is not None:
                head.number = self._tree.add(head.parent.number, head.token)

    def absorb(self, rows: Logprobs) -> None:
        """Take in what the model says of all that `prepare` put into the tree."""
        needed = {id(head) for head, _ in self._cover}
        ahead = self._drafted - needed
        for head, row in zip(self._waiting, rows, strict=True):
            for each in [head] if head.parent else self._roots:
                each.row = row
                if id(each) in ahead:
                    continue
                self._settle(each)
                if each.parent and id(each) not in needed:
                    each.release()
        self._waiting = []
        self._rounds += 1
        if self._rounds % _KEEP_EVERY == 0:
            self._tree.keep([head.number for head, _ in self._cover])

    def _settle(self, head: Head) -> None:
        """Weigh what the model said of a head, now that it matters."""
        if head.row is not None:
            head.weigh(self._engine.weigh(head.row, head.state))

    def _ask(self) -> None:
        """Have all that matters now weighed."""
        tree = self.prepare()
        if tree is not None:
            self.absorb(self._engine.model.evaluate([tree])[0])

    def _outgrows(self, heads: Sequence[Head]) -> bool:
        """Tell whether some sequence is longer than the model can read."""
        limit = self._engine.model.context
        deepest = max((head.depth for head in heads), default=0)
        return limit is not None and len(self._context) + deepest > limit

    def _read_on(self) -> None:
        """Begin anew with the second half of what the model can read."""
        assert self._engine.model.context is not None
        room = (self._engine.model.context - len(self._context)) // 2
        if room < 1:
            raise ModelError(
                f"{self._engine.model.name}: {len(self._context)} tokens before the text leave "
                f"no room in a context of {self._engine.model.context}: shorten them"
            )
        before = find_logp(self._engine, self._cover)
        line = [*max((strand.head for strand in self._cover), key=_depth).line()][::-1]
        tokens = self._engine.table.tokens
        skipped = sum(len(tokens[head.token]) for head in line[1 : len(line) - room])
        text = bytes(self._text)
        start = max(skipped - len(self._lead), 0)
        while start < len(text) and text[start] & 0xC0 == 0x80:
            start += 1
        rest = text[start:]
        # The first space of what is left is what the tokenizer puts before every text.
        self._begin(rest.removeprefix(self._lead) if rest != self._lead else rest)
        if before is None:
            _log.info(
                "%s: the text is longer than its context of %d tokens: only the last %d bytes "
                "were read",
                self._engine.model.name,
                self._engine.model.context,
                len(self._text),
            )
        earlier, self._before = self._before, 0.0
        if before is not None:
            self._before = earlier + before - self.logp_prefix

    # What comes next

    @cached_property
    def _outcomes(self) -> Outcomes:
        """What the cover says of the next byte."""
        self._ask()
        root = self._roots[0] if self._lead and not self._text else None
        return find_outcomes(self._engine, self._cover, root)

    @property
    def logprobs(self) -> ByteLogprobs:
        """Log probabilities of the next byte and of the end, ``float64[257]``."""
        return self._outcomes.logprobs

    @property
    def logp_prefix(self) -> float:
        """The log probability of a text that begins with what there is.

        A text longer than the model's context counts as the product of its windows; if it was
        given all at once, only what the model can read of it counts.
        """
        return self._before + (self._outcomes.logp if self._text else 0.0)

    @property
    def leaks(self) -> Leaks:
        """What the model gives to other outcomes here."""
        shares = self._outcomes.shares.tolist()  # First: asking may begin the text anew.
        found = find_leaks(self._engine, self._cover, shares)
        return replace(found, pruned=self._pruned)


def _depth(head: Head) -> int:
    return head.depth


def explain(text: bytes, is_free: bool) -> str:
    """Say that nothing spells `text`, and why that may be."""
    place = len(text) - 1
    shown = text[-40:].decode("utf-8", "backslashreplace")
    reason = (
        "no token has this byte there"
        if is_free
        else "no text that this tokenizer writes goes on like this (it has to be UTF-8, as the "
        "tokenizer normalizes it); --segmentation all takes whatever tokens spell"
    )
    return (
        f"the text is impossible from byte {place} (0x{text[-1]:02X}) of {shown!r} on: {reason}"
    )
