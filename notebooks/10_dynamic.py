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
# # Tokens of a batch's own
#
# A tokenizer is the same for every text, and so it is never quite right for the one at hand. If
# a batch of texts says `ValueError` forty times, there could be a token for it, for as long as
# the batch lasts. This notebook merges the frequent pairs of a batch (arXiv 2411.18553), has a
# small model read the result, and measures what that costs; then the model writes with words
# that it has no tokens for. The model ships with tokkit. It needs torch, no network, and less
# than a minute.

# %%
import json
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

import torch
from rich.console import Console

from tokkit.corpus import open_corpus
from tokkit.demo.text import read_documents
from tokkit.dynamic import draw_curve, merge_batch
from tokkit.dynamic.measures.evaluate import Plan, evaluate
from tokkit.dynamic.measures.level import Level
from tokkit.dynamic.models.embedding import find_rows
from tokkit.dynamic.models.prefill import go_on, prefill
from tokkit.hypernet.source import SourceRows
from tokkit.lm import HFModel
from tokkit.report import write_chart
from tokkit.report.dynamic import chart_curve, chart_evaluation
from tokkit.resources import resource

show = Console(width=96).print
folder = Path(mkdtemp(prefix="tokkit-"))
model = HFModel.load(resource("demo-model"), device="cpu", dtype="float32")
tokenizer = model.tokenizer
texts = [
    document.text.encode()
    for document in read_documents()
    if document.is_held_out and document.kind == "code"
]
print(f"{len(tokenizer):,} tokens, {len(texts)} texts")

# %% [markdown]
# ## Merging a batch
#
# The pair of neighbouring tokens that is most frequent in the batch becomes one token wherever
# it stands, then the most frequent pair of what that gives, and so on: byte-pair encoding that
# begins where the tokenizer ends. Merges stay within what the tokenizer's own pre-tokenizer
# leaves together.

# %%
batch = [text[:600] for text in texts if len(text) > 600][:16]
ids = tokenizer.encode_batch(batch, parse_specials=False)
merged = merge_batch(tokenizer, ids, merges=100)
print(f"{merged.lengths[0]:,} tokens, {merged.lengths[-1]:,} after 100 merges")
print([token.decode() for token in merged.tokens[:16]])

# %% [markdown]
# What a batch calls for depends on where merges may go. `word` lets punctuation and the word
# beside it become one token; but for white space alone, no token has a space inside.

# %%
for boundary in ("pretokens", "word"):
    found = merge_batch(tokenizer, ids, merges=100, boundary=boundary)
    print(f"{boundary:>9}: {found.reduction:.0%} fewer", [t.decode() for t in found.tokens[:9]])

# %% [markdown]
# ## How much shorter?
#
# The curve for the beginnings of all texts as one batch. The axis is logarithmic but for the
# first few merges. Within pre-tokens there is an end to it soon: the tokenizer was learned from
# such text and has the frequent words already.

# %%
curves = {
    boundary: draw_curve(tokenizer, [text[:4000] for text in texts], boundary=boundary)
    for boundary in ("pretokens", "word")
}
for boundary, curve in curves.items():
    needed = {f"{share:.0%}": curve.merges_for(share) for share in (0.1, 0.2, 0.4)}
    print(f"{boundary:>9}: merges for so many tokens fewer: {needed}")
write_chart(chart_curve(curves["word"]), folder / "curve.png")
chart_curve(curves["word"])

# %% [markdown]
# ## A model reads it
#
# The model has no embedding for a token that was made a moment ago. The simplest one, if it is
# only to be read, is that of its last part. Here the beginnings of four texts are read, as they
# are and in a fifth fewer tokens, and the model goes on in tokens that it knows.

# %%
prompts = [text[: text.rindex(b"\n")] for text in batch[:4]]
ids = tokenizer.encode_batch(prompts, parse_specials=False)
source = SourceRows.of(model.model, tokenizer)
maker = find_rows(source, "last/front-shrunk")
written = []
for reduction in (0.0, 0.2):
    merged = merge_batch(tokenizer, ids, reduction=reduction)
    state = prefill(model, merged, maker.rows(merged.tokens, merged.parts))
    tokens = []
    for _ in range(8):
        tokens.append(state.logits.argmax(-1, keepdim=True))
        state = go_on(model, state, tokens[-1])
    written.append(torch.cat(tokens, dim=1).tolist())
    print(f"{merged.lengths[-1]:,} tokens, {len(merged.tokens)} of them new to the model")
for before, after in zip(*written, strict=True):
    print(repr(tokenizer.decode(before).decode()), repr(tokenizer.decode(after).decode()))

# %% [markdown]
# ## What it costs
#
# Two things are measured for every reduction. *Whole texts in the tokens of their batch*: bits
# per byte, the new tokens being foretold as well as read. It serves to compare ways to make
# rows; what a reader would have to be told of the new tokens is not counted. *Second halves
# after merged first halves*: the second half is cut as ever, so this is what a shortened prompt
# does to what follows: bits per byte again, how far the model's expectations move
# (Kullback-Leibler divergence, in bits per token), and how often the likeliest token stays the
# same.

# %%
plan = Plan(levels=[Level(share) for share in (0.05, 0.1, 0.2)], batch_size=16, limit=24_000)
by_last = evaluate(model, maker, {"code": texts}, plan)
by_mean = evaluate(model, find_rows(source, "mean"), {"code": texts}, plan)
show(by_last)
show(by_mean)

# %%
write_chart(chart_evaluation(by_last), folder / "evaluation.png")
chart_evaluation(by_last)

# %% [markdown]
# Prompts that are a seventh shorter cost next to nothing. The token right behind the prompt
# feels it most, and least if a new token is read as its last part (`last`), since it is the end
# of a word that says what may follow. Rows from a hypernetwork (`hypernet`,
# [notebook 09](09_hypernet.ipynb)) can be compared in the same way.
#
# ## Writing in new tokens
#
# New tokens can be written, too. An index holds the rows of the 4,000 most frequent words, and
# pairs of words, of the text that the model learned from, and proposes at every step those
# nearest to the model's state. (This needs faiss, the `nearest` extra.) The model has learned
# to say the first part of a word, not the whole, so new tokens seldom win by themselves;
# `boost` favours them, and the text drifts.

# %%
if find_spec("faiss"):
    from tokkit.dynamic.writing.choices import Options
    from tokkit.dynamic.writing.generate import Writer
    from tokkit.dynamic.writing.indexing import build_index
    from tokkit.dynamic.writing.vocabulary import frequent_tokens

    learned = [document.text for document in read_documents() if not document.is_held_out]
    file = folder / "learned.jsonl"
    file.write_text("\n".join(json.dumps({"text": each}) for each in learned), encoding="utf-8")
    frequent = frequent_tokens(tokenizer, open_corpus([file]), len(tokenizer) + 4000, words=2)
    print([token.decode() for token in frequent[:10]])
    writer = Writer(model, build_index(source, frequent, maker, folder / "index"))
    for boost in (0, 3, 4):
        options = Options(max_bytes=150, temperature=0, boost=boost)
        written = writer.write("    def __init__(self", options)
        print(f"\nboost {boost}: {len(written.tokens)} tokens, {written.new} of them new")
        print("│".join(token.decode(errors="replace") for token in written.tokens))
else:
    print("faiss is not installed")
