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
# # A model on another tokenizer
#
# A language model is bound to its tokenizer by two matrices: the embedding has a row for each
# token that it can read, the head a row for each token that it can write. This notebook moves a
# small model onto a vocabulary that it has never seen, without training: rows of tokens that
# both vocabularies have are copied, the others are composed from rows that are there. It needs
# torch, no network, and less than a minute. The model ships with tokkit; it was trained on the
# standard library of Python 3.11.

# %%
import json
from pathlib import Path
from tempfile import mkdtemp

from transformers import AutoModelForCausalLM, AutoTokenizer
from transformers.utils.logging import disable_progress_bar

import tokkit
from tokkit.corpus import open_corpus
from tokkit.demo.text import read_documents
from tokkit.learn import ALGORITHMS
from tokkit.learn import options as learning
from tokkit.patterns import find_pattern
from tokkit.resources import resource
from tokkit.transplant import METHODS, Options, Plan, prepare, transplant
from tokkit.transplant.running.evaluate import evaluate

disable_progress_bar()
folder = Path(mkdtemp(prefix="tokkit-"))
model = resource("demo-model")
source = tokkit.load(model)


def cut(tokenizer, text):
    """The tokens of a text, as text."""
    return [tokenizer.vocab.tokens[token].decode() for token in tokenizer.encode(text)]


line = "        return self.name if self is not None else None"
print(len(source), cut(source, line))

# %% [markdown]
# ## A vocabulary to move onto
#
# Byte-pair encoding that goes on across spaces ([notebook 01](01_train_vocab.ipynb)), so that
# whole phrases are tokens. It is learned from what the model was trained on; the documents that
# both have never seen are for measuring.

# %%
learned, held_out = [], {"code": [], "docstrings": []}
for document in read_documents():
    if not document.is_held_out:
        learned.append(document.text)
    elif document.kind in held_out:
        held_out[document.kind].append(document.text.encode())

text = folder / "learned.jsonl"
text.write_text("\n".join(json.dumps({"text": each}) for each in learned), encoding="utf-8")
options = learning.Options(
    vocab_size=6000, pattern=find_pattern("superbpe"), specials=("<|endoftext|>",)
)
target, _ = ALGORITHMS["superbpe"](open_corpus([text]), options, learning.Job())
tokkit.save(target, folder / "superbpe")
print(len(target), cut(target, line))

# %% [markdown]
# ## What corresponds to what
#
# Tokens correspond by their bytes, special tokens by what they are for. From that a *plan* is
# made: for each row of the new matrices, which rows of the old ones are added up, and why. It
# knows nothing of weights, so one plan serves all models with this tokenizer.

# %%
prepared = prepare(model, folder / "superbpe")
plan = prepared.plan
for side in ("input", "output"):
    print(side, plan.counts(side))
print(*prepared.warnings, sep="\n")

# %% [markdown]
# This is how the token ` is not` comes about:

# %%
explained = plan.explain(plan.find(" is not"))
for side in ("input", "output"):
    parts = [(part["token"], round(part["weight"], 2)) for part in explained[side]["parts"]]
    print(f"{side:>6}: {parts}")

# %% [markdown]
# The row for reading is that of the last piece: what has just been read says most about what
# comes next. The row for writing leans on the first piece, since the model has to expect ` is`
# where it is to write ` is not`; and the more pieces there are, the less they say of the whole,
# so of two only half is taken, and the rest is the mean of all rows. These are the methods
# `last` and `front-shrunk`, the default. There are others, some of which need more than the
# model:

# %%
for name, recipe in METHODS.items():
    print(f"{name:>12}  {recipe.formula}")

# %% [markdown]
# ## What it costs
#
# Bits per byte, on the same bytes before and after. A ratio of 1 would mean that nothing was
# lost; random rows for new tokens show how much there is to lose. In brackets are 95 %
# intervals from resampling the documents.


# %%
def measure(name, **options):
    """Move the model as asked, and compare it with what it was."""
    report = transplant(model, folder / "superbpe", folder / name, Options(**options))
    known = report.prepared.plan.known.tolist()
    return evaluate(model, folder / name, held_out, known, limit=20_000)


found = {
    "random": measure("random", method_in="random", method_out="random"),
    "mean": measure("mean", method_in="mean", method_out="mean"),
    "default": measure("default"),
    "calibrated": measure("calibrated", calibrate=[str(text)]),
}
for name, evaluation in found.items():
    print(f"{name:>10}  {evaluation.ratio}")

# %% [markdown]
# `calibrate` runs the moved model on some text and shifts the new rows of the head, so that new
# tokens are expected as often as they come; nothing is trained. Most of what remains is lost in
# stretches with new tokens. The others lose something too: they come after new tokens, and
# compete with them.

# %%
columns = ["slice", "bytes", "bits_per_byte_before", "bits_per_byte_after", "ratio"]
found["calibrated"].frame()[columns].round(3)

# %% [markdown]
# ## What was written
#
# A folder that transformers loads, with an account of what was done.

# %%
print(*sorted(path.name for path in (folder / "calibrated").iterdir()), sep="\n")

# %%
tokenizer = AutoTokenizer.from_pretrained(folder / "calibrated")
moved = AutoModelForCausalLM.from_pretrained(folder / "calibrated")
prompt = tokenizer("    def __init__(self", return_tensors="pt")
written = moved.generate(**prompt, max_new_tokens=4, do_sample=False)[0]
print([tokenizer.decode(token) for token in written.tolist()])

# %% [markdown]
# The plan lies there too. A new token, how many rows it was composed from for reading, and how
# many for writing:

# %%
frame = Plan.load(folder / "calibrated").frame()
composed = frame[frame["output_origin"] == "composed"]
composed.sample(8, random_state=0)[["token", "input_parts", "output_parts"]]
