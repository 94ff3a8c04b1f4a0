"""Learning vocabularies: five algorithms behind one signature."""

from collections.abc import Callable, Mapping

from tokkit.corpus import Corpus
from tokkit.learn import bpe, lib, superbpe, supertokens, unigram
from tokkit.learn.options import History, Job, Options
from tokkit.tokenizer import Tokenizer

Learner = Callable[[Corpus, Options, Job], tuple[Tokenizer, History]]
"""Learns a tokenizer from a corpus."""

ALGORITHMS: Mapping[str, Learner] = {
    "bpe": bpe.learn,
    "superbpe": superbpe.learn,
    "supertokens": supertokens.learn,
    "lib": lib.learn,
    "unigram": unigram.learn,
}
"""The algorithms by the names they have on the command line."""
