"""Unigram language models (arXiv 1804.10959), learned by the sentencepiece library.

Nothing is normalised, no space is put in front or taken away, and characters without a piece
are spelled in bytes, so that text comes back as it was (but for U+2581, which sentencepiece
itself writes for a space). Pieces start at spaces and do not go past them, nor from one script
into another or into digits: the library's own rules, which ``options.pattern`` does not change.

The library holds all text and works on it 16 times in parallel whatever the machine, as the
sums of rounded numbers depend on their order; so its result depends on nothing but the text.
It skips lines longer than it is told, so these are cut before.
"""

import io
import re
from dataclasses import replace
from typing import Any

import numpy as np

from tokkit.corpus import Corpus
from tokkit.errors import JobError, UsageError
from tokkit.formats.sentencepiece import build
from tokkit.formats.sentencepiece_model import PieceType, SentencePieceModel, read_model
from tokkit.learn.figures import summarise
from tokkit.learn.lines import read_lines
from tokkit.learn.options import History, Job, Options
from tokkit.segment.unigram import Unigram
from tokkit.tokenizer import Tokenizer

TEXT_LIMIT = 100_000_000
"""Characters to learn from; a larger corpus is sampled."""

THREADS = 16
LONGEST_LINE = 1 << 20
"""In bytes: more than `tokkit.learn.lines` ever makes."""

NAMES = "<unk>0123456789ABCDEFx"
"""The characters of the names of ``<unk>`` and the bytes; they always get pieces."""

_TOO_LARGE = re.compile(r"Vocabulary size too high \(\d+\)\. Please set it to a value <= (\d+)")
_TOO_SMALL = re.compile(r"smaller than required_chars\. \d+ vs (\d+)")


def learn(corpus: Corpus, options: Options, job: Job) -> tuple[Tokenizer, History]:
    """Learn a tokenizer from the lines of a corpus.

    Ids are the special tokens, ``<unk>`` (which text never becomes), the 256 bytes, and the
    pieces, most probable first.

    Raises:
        CorpusError: If the corpus has no text.
        UsageError: If the vocabulary is too small for its characters, or larger than the text
            supports, or another is to be extended.
        JobError: If the library fails.
    """
    if options.init is not None:
        raise UsageError("a unigram model cannot be extended: learn a new one instead")
    if options.min_count > 1:
        raise UsageError("sentencepiece has no minimal count for unigram: leave it out")
    lines = read_lines(corpus, True, TEXT_LIMIT, options.seed)
    job.progress("unigram", 0, 0)
    tokenizer = make(read_model(train(lines, options)))
    job.progress("unigram", 1, 1)
    totals = np.zeros(len(tokenizer), np.int64)
    for first in range(0, len(lines), 10_000):
        ids = tokenizer.encode_batch(lines[first : first + 10_000])
        totals += np.bincount(np.concatenate(ids), minlength=len(tokenizer))
    summary = summarise(tokenizer.vocab.tokens, totals)
    row = {"vocab_size": len(tokenizer), "bytes_per_token": summary["bytes_per_token"]}
    return tokenizer, History([row], summary)


def make(model: SentencePieceModel) -> Tokenizer:
    """Make the tokenizer that cuts as the model does, but adds scores up in 64 bits.

    The sentencepiece library uses 32, so that in texts of some ten thousand characters
    and more a choice between nearly equal ways can fall differently; Hugging Face's uses 64. It
    does not read every number exactly, but does those of ten decimals, and takes the lowest of
    all scores less 10 for unknown characters.
    """
    tokenizer = build(hide_names(model))
    segmenter = tokenizer.segmenter
    assert isinstance(segmenter, Unigram)
    exact = Unigram(
        segmenter.spellings,
        np.round(segmenter.scores, 10),
        unk_id=segmenter.unk_id,
        byte_fallback=segmenter.byte_fallback,
    )
    return replace(tokenizer, segmenter=exact)


def hide_names(model: SentencePieceModel) -> SentencePieceModel:
    """Give pieces that no text becomes scores below those of their names' characters.

    The sentencepiece library ignores their scores; that of Hugging Face would take the text
    ``<0x0A>`` for the byte of that name.
    """
    lowest = min(piece.score for piece in model.pieces if piece.type == PieceType.NORMAL)
    longest = max(len(piece.text) for piece in model.pieces)
    pieces = (
        piece
        if piece.type == PieceType.NORMAL
        else piece._replace(score=float(np.float32((lowest - 1) * (longest + 1))))
        for piece in model.pieces
    )
    return replace(model, pieces=tuple(pieces))


def train(lines: list[str], options: Options) -> bytes:
    """Let the library learn a model from lines; return its file.

    Raises:
        UsageError: If the vocabulary cannot have that size.
        JobError: If the library fails.
    """
    import sentencepiece

    model = io.BytesIO()
    settings: dict[str, Any] = {
        "model_type": "unigram",
        "vocab_size": options.vocab_size,
        "control_symbols": list(options.specials),
        "required_chars": "".join(sorted({*NAMES, *"".join(options.specials)})),
        "unk_id": len(options.specials),
        "bos_id": -1,
        "eos_id": -1,
        "pad_id": -1,
        "byte_fallback": True,
        "normalization_rule_name": "identity",
        "add_dummy_prefix": False,
        "remove_extra_whitespaces": False,
        "max_sentence_length": LONGEST_LINE,
        "num_threads": THREADS,
        "minloglevel": 2,
    }
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(lines), model_writer=model, **settings
        )
    except (RuntimeError, OSError) as error:
        raise _explain(str(error), options.vocab_size) from error
    return model.getvalue()


def _explain(message: str, size: int) -> UsageError | JobError:
    """Say in a sentence what the library reports."""
    if found := _TOO_LARGE.search(message):
        return UsageError(
            f"the text supports a unigram vocabulary of at most {found[1]} tokens, not {size}"
        )
    if found := _TOO_SMALL.search(message):
        return UsageError(
            f"a unigram vocabulary of {size} tokens is too small: the bytes, characters and "
            f"special tokens are {found[1]}"
        )
    return JobError(f"sentencepiece failed: {' '.join(message.split())}")
