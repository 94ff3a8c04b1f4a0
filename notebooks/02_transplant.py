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
# token it can read, the head one for each token it can write. This notebook moves a small model
# onto a vocabulary that it has never seen, without training: rows of tokens that both
# vocabularies have are copied, the others are composed. It runs offline in less than a minute;
# the model ships with tokkit, and was trained on the standard library of Python.

# %%
import json
from pathlib import Path
from tempfile import mkdtemp

from transformers import AutoModelForCausalLM, AutoTokenizer

from tokkit import load
from tokkit.corpus import open_corpus
from tokkit.demo.text import read_documents
from tokkit.learn.options import Job, Options
from tokkit.learn.training import choose_pattern, train
from tokkit.resources import resource
from tokkit.transplant import METHODS, Plan, prepare, transplant
from tokkit.transplant import Options as Request
from tokkit.transplant.running.evaluate import evaluate

folder = Path(mkdtemp())
model = resource("demo-model")
source = load(model)
print(len(source.vocab), "tokens;", source.encode("import json").tolist())

# %% [markdown]
# ## A vocabulary to move onto
#
# Superwords: tokens that go across spaces. Nothing the model knows looks like them.

# %%
learned, held_out = folder / "learned.jsonl", []
with learned.open("w", encoding="utf-8") as file:
    for document in read_documents():
        if document.is_held_out:
            held_out.append(document)
        else:
            file.write(json.dumps({"text": document.text}) + "\n")

pattern = choose_pattern(None, "keep", "superbpe", None)
options = Options(vocab_size=6000, pattern=pattern, specials=("<|endoftext|>",))
train("superbpe", open_corpus([learned]), options, Job(), folder / "superbpe")
target = load(folder / "superbpe")
text = "    return self.name if self is not None else None"
print([target.vocab.tokens[i].decode() for i in target.encode(text)])

# %% [markdown]
# ## What corresponds to what
#
# Tokens correspond by their bytes. The plan says for each row of the new matrices which rows of
# the old ones are added up, and why; it knows nothing of weights.

# %%
prepared = prepare(model, folder / "superbpe")
prepared.as_json()["plan"]

# %%
plan = prepared.plan
token = plan.find(" is not")
plan.explain(token)

# %%
plan.frame().query("input_origin == 'composed'").sample(6, random_state=0)

# %% [markdown]
# The row for reading is the last piece, the one for writing leans on the first: after ` is not`
# has been read, ` not` says most about what comes; to be written, it has to be what begins with
# ` is`. `--method-in` and `--method-out` choose otherwise.

# %%
{name: recipe.formula for name, recipe in METHODS.items() if not recipe.needs}

# %% [markdown]
# ## Moving, and what it costs
#
# Bits per byte of text that neither the model nor the vocabulary has seen, before and after.
# The ratio is above 1: what is lost is what the new rows do not know. A baseline of random rows
# shows how much composing them is worth.

# %%
documents = {kind: [] for kind in ("code", "docstrings")}
for document in held_out:
    if document.kind in documents:
        documents[document.kind].append(document.text.encode())


def measure(name, **request):
    """Move the model as asked, and return bits per byte."""
    report = transplant(model, folder / "superbpe", folder / name, Request(**request))
    known = report.prepared.plan.known.tolist()
    return evaluate(model, folder / name, documents, known, limit=20_000)


found = {
    "random": measure("random", method_in="random", method_out="random"),
    "mean": measure("mean", method_in="mean", method_out="mean"),
    "default": measure("default"),
    "calibrated": measure("calibrated", calibrate=[str(learned)]),
}
for name, each in found.items():
    low, high = each.ratio.low, each.ratio.high
    print(f"{name:>10}  {each.ratio.value:.3f}  [{low:.3f}, {high:.3f}]")

# %%
found["calibrated"].frame()

# %% [markdown]
# ## What was written
#
# A folder that transformers loads, with an account of every row.

# %%
sorted(path.name for path in (folder / "calibrated").iterdir())

# %%
tokenizer = AutoTokenizer.from_pretrained(folder / "calibrated")
moved = AutoModelForCausalLM.from_pretrained(folder / "calibrated")
ids = tokenizer("    def __init__(self", return_tensors="pt").input_ids
print(tokenizer.decode(moved.generate(ids, max_new_tokens=12, do_sample=False)[0]))

# %%
Plan.load(folder / "calibrated").counts("output")
