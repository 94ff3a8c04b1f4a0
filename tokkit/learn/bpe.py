"""Byte-pair encoding, with the merges of Hugging Face's ``BpeTrainer``.

Ids are the special tokens, then the 256 bytes in the order of their byte-level characters, then
the merges (``initial_alphabet=ByteLevel.alphabet()`` there). The rule for ties, here and there:
of pairs with equal counts the one with the lower left id is merged first, then the one with
the lower right id. Overlapping occurrences all count ("aaa" has two of (a, a)); they are merged
from left to right. A pair whose bytes are a token already makes that token.

Unlike there, counts have 64 bits, and no merge makes the spelling of a special token.
"""

import logging
from collections.abc import Mapping, Sequence

import numpy as np

from tokkit.added import Added, AddedTokens
from tokkit.alphabet import BYTE_LEVEL, from_byte_level
from tokkit.corpus import Corpus
from tokkit.errors import CorpusError, UsageError
from tokkit.kernels._jit import Ids
from tokkit.learn.figures import summarise
from tokkit.learn.merging import NO_MERGES, NO_RULES, Learned, Rules, Words, learn_merges
from tokkit.learn.options import History, Job, Options
from tokkit.pretokenize import Pieces, for_pattern
from tokkit.segment.bpe import BPE
from tokkit.tokenizer import Tokenizer
from tokkit.vocab import Vocabulary
from tokkit.words import WordCounts, count_words

ALPHABET: tuple[bytes, ...] = tuple(
    bytes([byte]) for byte in sorted(range(256), key=BYTE_LEVEL.__getitem__)
)
"""All bytes, in the order of the characters that byte-level files spell them with."""

logger = logging.getLogger("tokkit")


def learn(corpus: Corpus, options: Options, job: Job) -> tuple[Tokenizer, History]:
    """Learn a tokenizer from a corpus.

    Raises:
        CorpusError: If the corpus has no text.
        UsageError: If the vocabulary is to be smaller than what it starts with.
    """
    return learn_from_counts(count(corpus, options, job), options, job)


def count(corpus: Corpus, options: Options, job: Job) -> WordCounts:
    """Count the words of a corpus, if what is asked for can be learned from them."""
    beginning(options)
    return count_words(
        corpus,
        options.pattern,
        executor=job.executor,
        parts=job.parts,
        progress=job.progress,
        workspace=job.workspace,
    )


def learn_from_counts(
    counts: WordCounts,
    options: Options,
    job: Job,
    *,
    rules: Rules = NO_RULES,
    warn: bool = True,
) -> tuple[Tokenizer, History]:
    """Learn a tokenizer from the words of a corpus.

    If pairs run out before the vocabulary is full it stays smaller; the history's summary says
    so (``exhausted``), and a warning is logged.

    Raises:
        CorpusError: If there are no words.
        UsageError: If the vocabulary is to be smaller than what it starts with, or the words
            were counted with another pattern.
    """
    if not len(counts.counts):
        raise CorpusError("there are no words to learn from: the corpus holds no text")
    made_with = counts.metadata.get("regex", options.pattern.regex)
    if made_with != options.pattern.regex:
        raise UsageError(
            f"the words were counted with the pattern {made_with!r}, not "
            f"{options.pattern.regex!r}: ask for the same, or count again"
        )
    tokens, specials = beginning(options)
    earlier = NO_MERGES if options.init is None else merges_of(options.init)
    learned = learn_merges(
        segment(counts, tokens, options),
        tokens,
        options.vocab_size,
        min_count=options.min_count,
        rules=rules,
        reserved=reserve(specials),
        earlier=earlier,
        progress=job.progress,
    )
    tokenizer = build(learned, np.concatenate([earlier, learned.merges]), specials, options)
    return tokenizer, history_of(learned, options, warn=warn)


def beginning(options: Options) -> tuple[list[bytes], dict[str, int]]:
    """Return the tokens that learning starts with, and the ids of special tokens.

    These are those of ``options.init``, if given, then bytes it lacks, then new special tokens.

    Raises:
        UsageError: If the vocabulary is to be smaller, or a special token is spelled like
            another token.
    """
    if options.init is None:
        tokens, specials = [b""] * len(options.specials) + list(ALPHABET), {}
        first = 0
    else:
        check_extensible(options.init)
        tokens, specials = list(options.init.vocab.tokens), dict(options.init.vocab.specials)
        # Vocabularies of others may lack bytes that text does not contain.
        tokens += [byte for byte in ALPHABET if byte not in options.init.vocab.ids]
        first = len(tokens)
    new = [special for special in options.specials if special not in specials]
    if options.init is not None:
        tokens += [b""] * len(new)
    specials |= {special: first + place for place, special in enumerate(new)}
    check_specials(options.specials, tokens)
    if options.vocab_size < len(tokens):
        raise UsageError(
            f"a vocabulary of {options.vocab_size} tokens is too small: "
            f"learning starts with {len(tokens)} (bytes, special tokens, what is extended)"
        )
    return tokens, specials


def check_specials(specials: Sequence[str], tokens: Sequence[bytes]) -> None:
    """Refuse special tokens that a file could not tell from other tokens.

    Raises:
        UsageError: If one is empty, no text, comes twice, or is spelled like another token.
    """
    taken = set(tokens)
    for place, special in enumerate(specials):
        if any("\ud800" <= character <= "\udfff" for character in special):
            raise UsageError(f"special token {special!r} is not UTF-8: leave it out")
        if not special or special in specials[:place]:
            raise UsageError(f"special token {special!r} is empty or given twice: leave it out")
        if from_byte_level(special) in taken:
            raise UsageError(
                f"special token {special!r} is spelled like an ordinary token: "
                "give it a name such as '<|name|>'"
            )


def check_extensible(tokenizer: Tokenizer) -> None:
    """Refuse to extend anything but byte-level BPE without a normalizer.

    Raises:
        UsageError: If it is anything else.
    """
    segmenter = tokenizer.segmenter
    if (
        not isinstance(segmenter, BPE)
        or segmenter.units != "bytes"
        or segmenter.prefix
        or segmenter.suffix
        or tokenizer.normalizer
    ):
        raise UsageError(
            "only byte-level BPE tokenizers without a normalizer can be extended: "
            "learn a new vocabulary instead"
        )


def merges_of(tokenizer: Tokenizer) -> Ids:
    """Return the merges of a BPE tokenizer, ``int32[m, 3]``, in rank order."""
    segmenter = segmenter_of(tokenizer)
    return segmenter.merges[np.argsort(segmenter.ranks, kind="stable")]


def reserve(specials: Mapping[str, int]) -> dict[int, bytes]:
    """Return the bytes that would be spelled, in a byte-level file, like a special token."""
    spelled = {token: from_byte_level(special) for special, token in specials.items()}
    return {token: spelling or b"" for token, spelling in spelled.items()}


def segment(counts: WordCounts, tokens: Sequence[bytes], options: Options) -> Words:
    """Return words as ids: of their bytes, or as the tokenizer to extend segments them."""
    if options.init is not None:
        ids, ends = extended(tokens, options.init).segment(Pieces(counts.data, counts.ends))
        return Words(ids, ends, counts.counts)
    id_of = np.zeros(256, dtype=np.int32)
    for token, spelling in enumerate(tokens):
        if len(spelling) == 1:
            id_of[spelling[0]] = token
    return Words(id_of[counts.data], counts.ends, counts.counts)


def extended(tokens: Sequence[bytes], init: Tokenizer) -> BPE:
    """Return what segments with the merges of `init`, and more tokens."""
    ignore_merges = segmenter_of(init).ignore_merges
    return BPE(tokens, merges_of(init), ignore_merges=ignore_merges)


def build(
    learned: Learned, merges: Ids, specials: Mapping[str, int], options: Options
) -> Tokenizer:
    """Make the tokenizer: text is cut by ``options.pattern``, pieces by `merges`."""
    init = options.init
    known = () if init is None else init.added.tokens
    contents = {added.content for added in known}
    added = [Added(text, token) for text, token in specials.items() if text not in contents]
    return Tokenizer(
        Vocabulary(tuple(learned.tokens), specials),
        BPE(
            learned.tokens,
            merges,
            ignore_merges=init is not None and segmenter_of(init).ignore_merges,
        ),
        pretokenizer=for_pattern(options.pattern),
        added=AddedTokens((*known, *added)),
        pattern=options.pattern,
    )


def segmenter_of(tokenizer: Tokenizer) -> BPE:
    """Return the segmenter of a tokenizer that passed `check_extensible`."""
    assert isinstance(tokenizer.segmenter, BPE)
    return tokenizer.segmenter


def history_of(learned: Learned, options: Options, *, warn: bool = True) -> History:
    """Say how learning went; warn, if wanted, of a vocabulary smaller than asked for."""
    summary = summarise(learned.tokens, learned.totals)
    summary["merges"] = len(learned.merges)
    summary["exhausted"] = learned.exhausted
    for row in learned.curve:
        row["bytes_per_token"] = summary["bytes"] / max(row["tokens"], 1)
    if learned.exhausted and warn:
        logger.warning(
            "the text supports %d tokens, not %d: no pair is left that occurs %d times or more",
            len(learned.tokens),
            options.vocab_size,
            max(options.min_count, 1),
        )
    return History(learned.curve, summary)
