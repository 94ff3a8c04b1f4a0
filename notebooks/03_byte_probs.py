# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Bytes from a model of tokens
#
# A language model predicts tokens, and a prompt is cut into tokens before it is asked. Where
# the prompt ends in the middle of what would have been one token, the model is asked about
# something it has never seen, and even a *perfect* model answers wrongly. This notebook shows
# that with a Markov chain small enough to be computed by hand (the example of arXiv 2406.16829
# and 2410.09303), repairs it, and then does what only bytes allow: it joins two models that
# have different vocabularies. It needs no network and no torch.

# %%
import json
import math
import os
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from tokkit import Tokenizer, Vocabulary
from tokkit.byteprobs import ByteLM, Ensemble
from tokkit.byteprobs.naive import predict_token
from tokkit.corpus import open_corpus
from tokkit.demo.text import read_documents
from tokkit.learn import ALGORITHMS
from tokkit.learn.options import Job, Options
from tokkit.lm.ngram import NGramModel
from tokkit.patterns import find_pattern
from tokkit.segment.bpe import BPE

# %% [markdown]
# ## A chain of two letters
#
# After `A` comes `B` with probability $\alpha$, after `B` comes `A` with probability $\beta$;
# the first letter is drawn from the chain's stationary distribution. The vocabulary has a token
# for `A`, one for `B`, and one for `AA`: byte-pair encoding with a single merge.

# %%
ALPHA, BETA = 0.3, 0.6
FIRST_A = BETA / (ALPHA + BETA)
A, B, AA = range(3)

spellings = [b"A", b"B", b"AA"]
tokenizer = Tokenizer(
    Vocabulary(tuple(spellings)), BPE(spellings, np.array([[A, A, AA]], dtype=np.int32))
)
for text in (b"AAB", b"AAAB", b"BAAAA"):
    print(text.decode(), [spellings[token].decode() for token in tokenizer.encode(text)])


# %%
def chance(text):
    """The probability that the chain begins with these letters."""
    before = [FIRST_A, 1 - FIRST_A]
    step = [[1 - ALPHA, ALPHA], [BETA, 1 - BETA]]
    total = 1.0
    for letter in map("AB".index, text):
        total *= before[letter]
        before = step[letter]
    return total


# %% [markdown]
# ## The perfect model of its tokens
#
# What follows in the token sequence can be written down. After `AA` or `B` everything can come.
# After the token `A` the next letter *has to be* `B`: had it been `A`, the two would have been
# the one token `AA`. No training makes this model better; it already is what training tends to.


# %%
def perfect(ids):
    """The distribution of the next token, and of two ids after them: the end, the start."""
    last = ids[-1]
    row = np.zeros(5)
    if last == A:
        row[B] = 1
    else:
        comes_a = {B: BETA, AA: 1 - ALPHA}.get(last, FIRST_A)
        row[A], row[AA], row[B] = comes_a * ALPHA, comes_a * (1 - ALPHA), 1 - comes_a
    return row


model = NGramModel.from_function(tokenizer, perfect)
lm = ByteLM(model)

# %% [markdown]
# Now the question a user asks: *what comes after this prompt?* The usual answer cuts the prompt
# into tokens and takes the first letter of the next token. The exact one sums over all ways the
# text can go on, those in which the prompt's last letter is the first half of `AA` among them.

# %%
print("P(A | prompt)")
print(f"{'prompt':>8} {'tokens':>10} {'by tokens':>10} {'by bytes':>10} {'the chain':>10}")
for prompt in ("", "A", "B", "AA", "BA", "AAA", "ABBA", "BAAAA", "BAAAAA"):
    naive = predict_token(model, prompt)
    exact = np.exp(lm.next_logprobs(prompt))
    truth = chance(prompt + "A") / chance(prompt)
    cut = "·".join(piece.decode() for piece in naive.pieces) or "–"
    values = (naive.byte_probs[ord("A")], exact[ord("A")], truth)
    print(f"{prompt or '–':>8} {cut:>10} " + " ".join(f"{value:>10.4f}" for value in values))
    assert math.isclose(exact[ord("A")], truth, rel_tol=1e-12)
    assert math.isclose(exact[ord("A")] + exact[ord("B")], 1, rel_tol=1e-12)
    if naive.ids and naive.ids[-1] == A:
        assert naive.byte_probs[ord("A")] == 0  # the bias: never, whatever the chain is

# %% [markdown]
# Whenever the prompt ends with the token `A`, the tokens say that `A` is impossible; the chain
# says 0.7. The probabilities of bytes are those of the chain, to the last digit, and so is the
# probability of a whole text:

# %%
text = "ABBAAABAAAAAABB"
score = lm.score(text)
print(f"by bytes {score.logprob:.12f}\nthe chain {math.log(chance(text)):.12f}")
assert math.isclose(score.logprob, math.log(chance(text)), rel_tol=1e-12)

# %% [markdown]
# ## A bigger chain, and a model that was learned
#
# Eight letters, a random transition matrix, a vocabulary with 34 tokens of several letters
# learned by byte-pair encoding from what the chain wrote, and a model of its tokens that is
# counted from the same text: nothing is perfect any more. We compare both ways of predicting
# the next letter with the chain itself, in the places where a prompt might end.

# %%
LETTERS = "abcdefgh"
random = np.random.default_rng(0)
transitions = random.dirichlet(np.full(len(LETTERS), 0.4), size=len(LETTERS))
sums = transitions.cumsum(axis=1)


def write(length):
    """A text of the chain."""
    letters, state = [], 0
    for number in random.random(length):
        state = min(int(np.searchsorted(sums[state], number)), len(LETTERS) - 1)
        letters.append(LETTERS[state])
    return "".join(letters)


def learn(texts, vocab_size, pattern="none"):
    """A vocabulary learned from texts."""
    path = Path(mkdtemp(prefix="tokkit-")) / "texts.jsonl"
    path.write_text("\n".join(json.dumps({"text": text}) for text in texts))
    options = Options(vocab_size=vocab_size, pattern=find_pattern(pattern))
    learned, _ = ALGORITHMS["bpe"](open_corpus([path]), options, Job())
    return learned


texts = [write(300) for _ in range(1000)]
learned = learn(texts, 290)
chain_model = NGramModel.fit(learned, texts, order=2, smoothing=0.1)
chain_lm = ByteLM(chain_model)
print([token.decode() for token in learned.vocab.tokens[256:]])


# %%
def distance(probs, letter):
    """How far from the chain a distribution of the next byte is (total variation)."""
    truth = np.zeros(257)
    truth[[ord(each) for each in LETTERS]] = transitions[LETTERS.index(letter)]
    return 0.5 * np.abs(probs / probs.sum() - truth).sum()


prompts = [write(random.integers(5, 40)) for _ in range(40)]
by_tokens = [distance(predict_token(chain_model, p).byte_probs, p[-1]) for p in prompts]
by_bytes = [
    distance(np.exp(row), p[-1])
    for row, p in zip(chain_lm.next_logprobs_batch(prompts), prompts, strict=True)
]
for name, found in {"by tokens": by_tokens, "by bytes": by_bytes}.items():
    bar = "█" * round(60 * float(np.mean(found)))
    print(f"{name:>9} {np.mean(found):.3f} {bar}")
assert np.mean(by_bytes) < np.mean(by_tokens) / 3

# %% [markdown]
# What is left of the distance is what the counted model does not know. In bits per letter, on
# text that the model has not seen, against the chain itself, which nobody can beat for long:

# %%
unseen = write(2000)
steps = zip("a" + unseen, unseen, strict=False)
chances = [transitions[LETTERS.index(one), LETTERS.index(other)] for one, other in steps]
scored = chain_lm.score(unseen)
print(f"the chain {-np.log2(chances).mean():.4f}")
print(f" by bytes {scored.bits_per_byte:.4f}")
print(f"by tokens {scored.token_bits_per_byte:.4f}  (its own tokens only)")

# %% [markdown]
# ## Two models with different vocabularies
#
# Probabilities of tokens cannot be averaged if the tokens differ; those of bytes can. Two small
# models of docstrings: one with short tokens that has seen half of the text, one with long
# tokens that has seen the other half.

# %%
docstrings = [document for document in read_documents() if document.kind == "docstrings"]
seen = [document.text for document in docstrings if not document.is_held_out][:3000]
held_out = [document.text for document in docstrings if document.is_held_out][:200]
halves = {400: seen[::2], 1500: seen[1::2]}
models = [
    ByteLM(NGramModel.fit(learn(half, size, "gpt2"), half, order=3))
    for size, half in halves.items()
]
both = Ensemble(models, mix="mixture")
product = Ensemble(models, mix="product")
sentence = "Return the number of items in the list."
for each in models:
    ids = each.model.tokenizer.encode(sentence)
    print(len(ids), [each.model.tokenizer.vocab.tokens[token].decode() for token in ids])

# %% [markdown]
# What may come next looks alike from both, although they cut the prompt differently:

# %%
for each in models:
    print(each.next("Return the numb"))
models[1].next("Return the number of ").frame(6)

# %%
texts = [text.encode()[:120] for text in held_out if len(text) > 120][:4]
sources = {"short tokens": models[0], "long tokens": models[1], "mixture": both}
sources["product"] = product
bits = {}
for name, source in sources.items():
    scores = [source.score(text) for text in texts]
    bits[name] = -sum(score.logprob for score in scores) / sum(map(len, texts)) / math.log(2)
    print(f"{name:>13} {bits[name]:.3f} bits per byte {'█' * round(12 * bits[name])}")

# %% [markdown]
# An ensemble is asked byte by byte, so it writes text as well:

# %%
written = both.sample("Return the numb", max_bytes=60, temperature=0.5, seed=1)
print(repr("Return the numb" + written.text))

# %% [markdown]
# ## A real model, where there is one
#
# With `TOKKIT_SHARED_DATA` naming a folder that has `models/stories260k`, the same with a
# transformer: it shares no vocabulary with a model that was just counted.

# %%
stories = Path(os.environ.get("TOKKIT_SHARED_DATA", "nowhere")) / "models" / "stories260k"
if stories.is_dir():
    from tokkit.lm.hf import HFModel

    transformer = ByteLM(HFModel.load(stories))
    pair = Ensemble([transformer, models[1]], weights=[0.9, 0.1])
    story = b"Once upon a time, there was a little girl who liked the number of items."
    for name, source in {"stories260k": transformer, "with docstrings": pair}.items():
        found = source.score(story)
        print(f"{name:>16} {found.bits_per_byte:.3f} bits per byte")
    naive = predict_token(transformer.model, "Once upon a ti").byte_probs
    exact = np.exp(transformer.next_logprobs("Once upon a ti"))
    print(
        f"after 'Once upon a ti' comes 'm': {exact[ord('m')]:.4f} by bytes, "
        f"{naive[ord('m')]:.4f} by tokens"
    )
else:
    print("no transformer here")
