"""Less-is-Better: a lexicon of subwords, words and longer units (arXiv 2403.00417).

The first published algorithm (CogALex 2020, github.com/ray306/LiB), in which reading and
memorising take turns. A document is cut by longest match with the lexicon so far. Two units
that stand side by side become a unit of their own when a document has them a second time
(considered with probability alpha). Every unit in use is compared with the next shorter one:
if that leads to fewer unknown characters, units, or a lower sum of ranks by the point where
both ways meet again, the unit moves tailward, else headward, by delta times its rank. What
moves past the tail is forgotten, and so is what stays `life` documents on probation, where
the last omega of the lexicon is put after each document.

Differences: single characters are never forgotten, and all 256 bytes are tokens, so nothing
is lost; rare characters, spelled in bytes, never become units; documents are lines drawn with
replacement; a pair is short enough if its own length is. A vocabulary smaller than the lexicon
keeps the units that the text uses most, which cuts held-out English into a tenth fewer tokens
than the head of the ranking does.

The tokenizer cuts text by leftmost longest match, which is how lines were cut for reading;
where no unit crosses a newline the cut of a line does not depend on the lines around it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from tokkit.added import Added, AddedTokens
from tokkit.corpus import Corpus
from tokkit.errors import JobError, UsageError
from tokkit.kernels._jit import Counts
from tokkit.learn.bpe import ALPHABET, check_specials
from tokkit.learn.figures import summarise
from tokkit.learn.lexicon import Lexicon
from tokkit.learn.lines import Lines, encode, read_lines
from tokkit.learn.options import History, Job, LiB, Options
from tokkit.pretokenize import Pieces
from tokkit.segment.longest import LongestMatch
from tokkit.tokenizer import Tokenizer
from tokkit.vocab import Vocabulary, flatten

SURPLUS = 2.0
"""How much larger than the target `search_size` lets the lexicon grow before choosing."""

PATIENCE = 4
"""How many times `epochs` it reads at most."""

ROWS = 100
"""Rows of the history's curve."""


def learn(corpus: Corpus, options: Options, job: Job) -> tuple[Tokenizer, History]:
    """Learn a tokenizer from ``options.lib.epochs`` documents.

    ``options.vocab_size`` is an upper bound: the lexicon finds its own size. Characters seen
    less than ``options.min_count`` times are spelled in bytes. The tokens of ``options.init``
    are kept and known from the start.

    Raises:
        CorpusError: If the corpus has no text.
        UsageError: If a setting means nothing, or the vocabulary is to be smaller than the
            bytes, characters and special tokens.
    """
    if options.lib.target_size is not None:
        return search_size(corpus, options, job, options.lib.target_size)
    lexicon = start(corpus, options, job)
    lexicon.read(options.lib.epochs, job)
    return finish(lexicon, options)


def search_size(
    corpus: Corpus, options: Options, job: Job, target: int
) -> tuple[Tokenizer, History]:
    """Learn a tokenizer of exactly `target` tokens.

    ``options.lib.epochs`` documents are read, and on until the lexicon has `SURPLUS` times the
    target's size (at most `PATIENCE` times as many); then the units that the text uses most are
    kept. That is exact, and cuts held-out prose into fewer tokens than any settings we tried
    under which the lexicon ends up at the target by itself.

    Raises:
        CorpusError: If the corpus has no text.
        JobError: If the lexicon stays smaller than the target.
        UsageError: As in `learn`.
    """
    options = replace(options, vocab_size=target)
    lexicon = start(corpus, options, job)
    lexicon.read(options.lib.epochs, job)
    lexicon.read(PATIENCE * options.lib.epochs, job, until=round(SURPLUS * target))
    tokenizer, history = finish(lexicon, options)
    if len(tokenizer) < target:
        raise JobError(
            f"the lexicon has no more than {len(tokenizer)} tokens after "
            f"{lexicon.documents} documents, not {target}: ask for fewer, or give a larger "
            "alpha, document_size or epochs"
        )
    return tokenizer, history


def check(settings: LiB) -> None:
    """Refuse settings that mean nothing.

    Raises:
        UsageError: If one is out of its range.
    """
    for name in ("alpha", "omega", "delta"):
        value = getattr(settings, name)
        if not 0 <= value <= 1 or (name == "delta" and value == 1):
            raise UsageError(f"{name} {value} is not a share: give a number from 0 to 1")
    names = ("life", "max_length", "document_size", "epochs", "text_limit")
    for name in names:
        if getattr(settings, name) < 1:
            raise UsageError(f"{name} {getattr(settings, name)} is too small: give 1 or more")


def identity(corpus: Corpus, options: Options) -> str:
    """Name what a saved lexicon was learned from and with; documents may be added later."""
    settings = replace(options.lib, epochs=1, target_size=None)
    init = options.init.digest if options.init else None
    return repr((corpus.key, settings, options.seed, options.min_count, init))


def start(corpus: Corpus, options: Options, job: Job) -> Lexicon:
    """Make a lexicon of the characters, most frequent first, and the tokens to extend.

    It goes on where a job that was killed had saved it.
    """
    check(options.lib)
    _beginning(options)  # fail before reading the corpus
    settings = options.lib
    lines = encode(read_lines(corpus, settings.line_ends, settings.text_limit, options.seed))
    lexicon = Lexicon(lines, settings, options.seed)
    lexicon.add(
        character
        for character, count in zip(lines.characters, lines.counts, strict=True)
        if count >= options.min_count
    )
    known = options.init.vocab.tokens if options.init else ()
    lexicon.add(token.decode("utf-8", "surrogateescape") for token in known if token)
    lexicon.resume(job, identity(corpus, options))
    return lexicon


def finish(lexicon: Lexicon, options: Options) -> tuple[Tokenizer, History]:
    """Choose the vocabulary and say how learning went."""
    lines = lexicon.lines
    units = [unit.encode("utf-8", "surrogateescape") for unit in lexicon.units()]
    first, specials = _beginning(options)
    kept = {*first, *ALPHABET, *(unit for unit in units if _is_character(unit))}
    tokens = _assemble(first, [*units, *ALPHABET])
    least = len(kept - {b""}) + first.count(b"")
    if options.vocab_size < least:
        raise UsageError(
            f"a vocabulary of {options.vocab_size} tokens is too small: bytes, characters, "
            f"special tokens and what is extended are {least}; a larger min_count spells rare "
            "characters in bytes"
        )
    totals = count_tokens(tokens, lines)
    lexicon_size = len(tokens)
    if lexicon_size > options.vocab_size:
        tokens = _most_used(tokens, totals, kept, options.vocab_size)
        totals = count_tokens(tokens, lines)
    summary = summarise(tokens, totals) | _kinds(tokens, lines) | lexicon.figures()
    summary["lexicon"] = lexicon_size
    return _build(tokens, specials, options), History(lexicon.curve(ROWS), summary)


def _beginning(options: Options) -> tuple[list[bytes], dict[str, int]]:
    """Return the tokens that come first, and the ids of special tokens."""
    tokens = list(options.init.vocab.tokens) if options.init else []
    specials = dict(options.init.vocab.specials) if options.init else {}
    for special in options.specials:
        if special not in specials:
            specials[special] = len(tokens)
            tokens.append(b"")
    check_specials(options.specials, tokens + list(ALPHABET))
    return tokens, specials


def _assemble(first: Sequence[bytes], units: Sequence[bytes]) -> list[bytes]:
    """Put tokens after the first ones, each once: ``[a, b], [b, c]`` is ``[a, b, c]``."""
    known = set(first)
    tokens = list(first)
    for unit in units:
        if unit not in known:
            known.add(unit)
            tokens.append(unit)
    return tokens


def _is_character(token: bytes) -> bool:
    """Tell whether a token is one character: ``"é"`` is, ``"ee"`` is not."""
    return len(token.decode("utf-8", "surrogateescape")) == 1


def count_tokens(tokens: Sequence[bytes], lines: Lines) -> Counts:
    """Count how often each token occurs in the text, cut by longest match."""
    segmenter = LongestMatch(tokens)
    totals = np.zeros(len(tokens), np.int64)
    for text in lines.texts():
        ids, _ = segmenter.segment(Pieces(*flatten([text])))
        totals += np.bincount(ids, minlength=len(tokens))
    return totals


def _most_used(
    tokens: Sequence[bytes], totals: Counts, kept: set[bytes], size: int
) -> list[bytes]:
    """Keep the tokens of `kept` and of the others the most used; ties go to the better rank."""
    fixed = [not token or token in kept for token in tokens]
    worth = np.where(fixed, np.iinfo(np.int64).max, totals)
    chosen = np.sort(np.argsort(-worth, kind="stable")[:size])
    return [tokens[index] for index in chosen]


def _kinds(tokens: Sequence[bytes], lines: Lines) -> dict[str, Any]:
    """Return which share of the tokens are parts of words, words, and several words.

    A word is what stands between white space in the text, so unmarked words are no words.
    """
    words: set[bytes] = set()
    for text in lines.texts():
        words.update(text.split())
    parts = [token.split() for token in tokens if token]
    several = sum(len(part) > 1 for part in parts)
    whole = sum(len(part) == 1 and part[0] in words for part in parts)
    return {
        "subword_share": 1 - (several + whole) / len(parts),
        "word_share": whole / len(parts),
    }


def _build(tokens: Sequence[bytes], specials: Mapping[str, int], options: Options) -> Tokenizer:
    """Make the tokenizer: no pre-tokenization, longest match."""
    known = options.init.added.tokens if options.init else ()
    contents = {added.content for added in known}
    added = [Added(text, token) for text, token in specials.items() if text not in contents]
    return Tokenizer(
        Vocabulary(tuple(tokens), specials),
        LongestMatch(tokens),
        added=AddedTokens((*known, *added)),
    )


def parts(ranks: Mapping[bytes, int], unit: bytes, levels: int = 2) -> Iterator[bytes]:
    """Take a unit apart where two stronger units make it up: the authors' reading of words.

    With ``that 5, 's 9, that's 20``, ``that's`` becomes ``that 's``. Of several ways the one
    with the strongest first half counts, and halves are taken apart `levels` - 1 times more.

    Args:
        ranks: The rank of each unit: the ids of a vocabulary that `learn` made are ranks.
        unit: What to take apart.
        levels: How many times.
    """
    ways = [
        (ranks[unit[:cut]], ranks[unit[cut:]], cut)
        for cut in range(1, len(unit))
        if unit[:cut] in ranks and unit[cut:] in ranks
    ]
    best = min(ways, default=None)
    if levels == 0 or best is None or max(best[:2]) >= ranks.get(unit, len(ranks)):
        yield unit
        return
    yield from parts(ranks, unit[: best[2]], levels - 1)
    yield from parts(ranks, unit[best[2] :], levels - 1)
