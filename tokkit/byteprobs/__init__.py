"""Exact probabilities of bytes from language models of tokens.

A text has many token sequences that spell it. Three definitions say which of them count:

* ``renorm``: the canonical ones, those that the tokenizer itself produces; at every step the
  model is restricted to them and renormalised. Probabilities of bytes multiply to texts'.
* ``mask``: the canonical ones, with the model's own probabilities.
* ``all``: every sequence, with the model's own probabilities; the likeliest, if there are many.

`ByteLM` is a model seen in this way: it says what the next byte may be, scores texts, goes on
with them and fills gaps. `Ensemble` and `ProxyTuning` make one of several, whatever their
vocabularies. `tokkit.byteprobs.infilling` measures how well gaps are filled.

How it is done: a *head* is a sequence that spells the text up to some place, a *cover* one with
a last token that reaches the end of the text or passes it. The probability of a text is a sum
over its covers, and those with one byte more are what the next byte is read off. `canonical`
says which heads there are, `cover` and `layout` find them, the model is asked about all that
are new at once (`stream`, `scoring`), and sums over tokens that begin with the same bytes are
sums over ranges of a sorted table (`table`, `outcomes`).
"""

from typing import TYPE_CHECKING

from tokkit.lazy import imports

if TYPE_CHECKING:
    from tokkit.byteprobs.bytelm import ByteLM as ByteLM
    from tokkit.byteprobs.ensemble import Ensemble as Ensemble
    from tokkit.byteprobs.ensemble import ProxyTuning as ProxyTuning

_HOMES = {
    "ByteLM": "bytelm",
    "Ensemble": "ensemble",
    "ProxyTuning": "ensemble",
}

__all__ = ["ByteLM", "Ensemble", "ProxyTuning"]

__getattr__ = imports(__name__, _HOMES)
