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
# # Learning a vocabulary
#
# A vocabulary is a list of byte strings. This notebook learns one from the standard library of
# the Python that runs it, looks at what was learned, and writes it as files that other
# libraries load. It needs no network.

# %%
from pathlib import Path
from tempfile import mkdtemp

import tokkit
from tokkit.corpus import open_corpus
from tokkit.demo.text import read_documents
from tokkit.learn import ALGORITHMS
from tokkit.learn.options import Job, Options
from tokkit.patterns import find_pattern

folder = Path(mkdtemp(prefix="tokkit-"))

# %% [markdown]
# ## The corpus
#
# A corpus is files; they are read in a stream, so it may be larger than memory. Docstrings are
# prose about code. One document in twenty is held out to measure on.

# %%
docstrings = [document for document in read_documents() if document.kind == "docstrings"]
learned = [document.text for document in docstrings if not document.is_held_out]
held_out = [document.text for document in docstrings if document.is_held_out]
(folder / "docstrings.txt").write_text("\n\n".join(learned), encoding="utf-8")
corpus = open_corpus([folder / "docstrings.txt"])
print(f"{len(learned)} documents to learn from, {len(held_out)} held out")

# %% [markdown]
# ## Byte-pair encoding
#
# Text is cut into words by a pattern, here that of GPT-4 (`cl100k`), and the most frequent pair
# of neighbouring tokens is merged into a new one until there are enough.

# %%
options = Options(vocab_size=4000, pattern=find_pattern("cl100k"))
bpe, history = ALGORITHMS["bpe"](corpus, options, Job())
print(f"{len(bpe.vocab)} tokens, {history.summary['bytes_per_token']:.2f} bytes per token")
print([bpe.vocab.tokens[token] for token in bpe.encode("Return the number of items.")])

# %% [markdown]
# The last tokens learned are the rarest ones:

# %%
print(bpe.vocab.tokens[-10:])

# %% [markdown]
# ## Across words
#
# SuperBPE merges within words first and then across them, so frequent phrases become tokens.

# %%
superbpe, _ = ALGORITHMS["superbpe"](corpus, options, Job())
phrases = [token for token in superbpe.vocab.tokens if len(token.split()) > 2]
print(len(phrases), phrases[:10])

# %% [markdown]
# ## Which one needs fewer tokens?
#
# Measured on the documents that neither has seen.


# %%
def bytes_per_token(tokenizer):
    """How many bytes of the held-out text a token stands for."""
    ids = tokenizer.encode_batch(held_out)
    return sum(len(text.encode()) for text in held_out) / sum(map(len, ids))


for name, tokenizer in {"bpe": bpe, "superbpe": superbpe}.items():
    print(f"{name:>8}: {bytes_per_token(tokenizer):.2f} bytes per token")

# %% [markdown]
# ## Files
#
# Writing ends with a check: the file is loaded by the library it is meant for, and has to give
# the same ids on awkward text.

# %%
tokkit.save(superbpe, folder / "superbpe")
again = tokkit.load(folder / "superbpe")
text = held_out[0]
assert again.encode(text).tolist() == superbpe.encode(text).tolist()
assert again.decode(again.encode(text)) == text.encode()
print(sorted(path.name for path in (folder / "superbpe").iterdir()))
