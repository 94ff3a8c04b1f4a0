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
# # A hypernetwork for any vocabulary
#
# [Notebook 02](02_transplant.ipynb) moves a model onto another vocabulary by mixing the rows of
# new tokens by a fixed rule. A *hypernetwork* learns how rows are made (ZeTT, arXiv
# 2405.07883): it reads the rows of the pieces that spell a token, and is trained on
# vocabularies that are drawn anew at every step, beside the model, which stays as it is. Here a
# very small one is trained for less than a minute, and compared with the rule that it begins
# with. It needs torch and no network; the model ships with tokkit and was trained on the
# standard library of Python 3.11.

# %%
import json
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import altair as alt
import numpy as np
from transformers.utils.logging import disable_progress_bar

import tokkit
from tokkit.corpus import open_corpus
from tokkit.demo.text import read_documents
from tokkit.hypernet.config import PRESETS, Config, Preset
from tokkit.hypernet.hypernet import Hypernet
from tokkit.hypernet.source import SourceRows
from tokkit.hypernet.train import train_hypernet
from tokkit.learn import ALGORITHMS
from tokkit.learn import options as learning
from tokkit.patterns import find_pattern
from tokkit.resources import resource
from tokkit.transplant import Options, transplant
from tokkit.transplant.running.evaluate import evaluate

disable_progress_bar()
folder = Path(mkdtemp(prefix="tokkit-"))
model = resource("demo-model")
learned, held_out = [], {"code": [], "docstrings": []}
for document in read_documents():
    if not document.is_held_out:
        learned.append(document.text)
    elif document.kind in held_out:
        held_out[document.kind].append(document.text.encode())
text = folder / "learned.jsonl"
text.write_text("\n".join(json.dumps({"text": each}) for each in learned), encoding="utf-8")
print(f"{len(learned):,} documents to learn from, {sum(map(len, held_out.values()))} held out")

# %% [markdown]
# ## A vocabulary to move onto, and what the rule makes of it
#
# 6,000 tokens of byte-pair encoding, the model's own are 4,096. The default rule reads a new
# token as its last piece, and predicts it as its first ones, drawn towards the mean row.

# %%
options = learning.Options(
    vocab_size=6000, pattern=find_pattern("cl100k"), specials=("<|endoftext|>",)
)
target, _ = ALGORITHMS["bpe"](open_corpus([text]), options, learning.Job())
tokkit.save(target, folder / "bpe")


def move(name, **how):
    """Move the model onto the vocabulary, and compare it with what it was."""
    plan = transplant(model, folder / "bpe", folder / name, Options(**how)).prepared.plan
    found = evaluate(model, folder / name, held_out, plan.known.tolist(), limit=20_000)
    return plan, found


plan, by_rule = move("rule")
print(plan.counts("input"))
print(f"bits per byte, after by before: {by_rule.ratio}")

# %% [markdown]
# ## Training
#
# The smallest preset, `tiny`, is for an hour on two cores. Here it is cut down further: one
# block of attention, half as wide as the model, and 80 steps of 8 short texts. Vocabularies are
# sampled from the text that the model itself was trained on; the network never sees the one
# above. On the command line this is `tokkit transplant train-hypernet`.

# %%
recipe = replace(
    PRESETS["tiny"].recipe,
    steps=80,
    vocab_size=2048,
    block=65_536,
    queue=4,
    batch=8,
    length=64,
    lexical_tokens=128,
    rate=3e-3,
    judge_every=20,
)
preset = Preset(Config(layers=1, width=96), recipe)
trained = train_hypernet(model, open_corpus([text]), folder / "hypernet", preset, device="cpu")
print(f"{trained.account['parameters']:,} parameters")

# %% [markdown]
# The learning curve: text that is held out from training, cut with four sampled vocabularies
# that no step has. At step 0 the network *is* the rule: what it adds is zero.

# %%
curve = alt.Data(values=trained.account["curve"])
axis = alt.Y("bits_per_byte:Q", title="held-out bits per byte", scale=alt.Scale(zero=False))
chart = alt.Chart(curve).mark_line(point=True).encode(x=alt.X("step:Q"), y=axis)
chart.properties(width=420, height=200, title="What training makes of the rule")

# %% [markdown]
# ## Moving with it
#
# Tokens that both vocabularies have keep their rows; the network predicts all others.

# %%
plan, by_network = move(
    "network", method_in="zett", method_out="zett", hypernet=folder / "hypernet"
)
print(plan.counts("input"))
for name, found in {"rule": by_rule, "network": by_network}.items():
    print(f"{name:>8}: after by before {found.ratio}")

# %% [markdown]
# These intervals are wide, because documents differ in what a move costs. The two moved models
# are better compared with each other, document by document: below 1 the network is ahead.

# %%
known = plan.known.tolist()
paired = evaluate(folder / "rule", folder / "network", held_out, known, limit=20_000)
columns = ["slice", "bytes", "bits_per_byte_before", "bits_per_byte_after", "ratio"]
print(f"network by rule: {paired.ratio}")
paired.frame()[columns].round(3)

# %% [markdown]
# So even this little training gains something on a vocabulary that the network has never seen,
# most where there are new tokens. It is not much: a percent or so of what text costs, where the
# move itself costs a third, and on docstrings there is nothing to see. A small model on text of
# one kind says little of others; [docs/hypernet.md](../docs/hypernet.md) has what real training
# gives.
#
# ## What it predicts for tokens that the model has
#
# Asked about a token of the model, the network reads one piece, which is the token. It is held
# near the model's row by a loss of its own, and should move little.

# %%
hypernet = Hypernet.load(folder / "hypernet")
source = hypernet.source
tokens = [token for token in source.tokenizer.vocab.tokens if token]
ids = [source.ids[token] for token in tokens]
predicted = hypernet.predict(tokens)


def cosines(one, other):
    """The cosines of rows with rows."""
    sizes = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    return (one * other).sum(1) / sizes


for side in ("input", "output"):
    own = getattr(source, side).float().numpy()
    near = cosines(getattr(predicted, side), own[ids])
    low = int(near.argmin())
    print(f"{side:>6}: mean {near.mean():.3f}, least {near[low]:.3f} of {tokens[low]!r}")
    assert near.mean() > 0.9

# %% [markdown]
# ## What it predicts for new ones
#
# The tokens of the model whose rows are most like the predicted ones, once the mean row, which
# all have in common, is taken off; and how far a prediction is from what the rule says, as a
# share of the length of the rule's row.

# %%
rows = {name: SourceRows.read(folder / name) for name in ("rule", "network")}
new = [token for token in target.vocab.tokens if token and token not in source.ids]
words = [token for token in new if token[:1] == b" " and token[1:].isalpha()]
for token in words[:: len(words) // 5][:5]:
    pieces = [source.tokenizer.vocab.tokens[piece] for piece in source.tokenizer.encode(token)]
    print(f"{token.decode()!r} = {' + '.join(repr(piece.decode()) for piece in pieces)}")
    row = target.vocab.ids[token]
    for side in ("input", "output"):
        own = getattr(source, side).float().numpy()[ids]
        old, made = (getattr(each, side)[row].float().numpy() for each in rows.values())
        near = cosines(own - own.mean(0), (made - own.mean(0))[None])
        best = [
            f"{tokens[place].decode(errors='replace')!r} {near[place]:.2f}"
            for place in np.argsort(-near)[:3]
        ]
        apart = np.linalg.norm(made - old) / np.linalg.norm(old)
        print(f"{side:>10}: {apart:3.0%} from the rule; like {', '.join(best)}")

# %% [markdown]
# For reading, a new token stays what its last piece is, and comes a little nearer to others.
# For writing it is mostly nearest to its first piece, as it is by the rule, and more was added:
# here it has to compete with the piece itself.
#
# Any bytes can be asked for, without a tokenizer that has them. The rows of a token depend on
# nothing but its bytes; those asked for before are remembered.

# %%
made = hypernet.predict([b" hypernetwork", "größer".encode()])
print(made.input.shape, made.output.shape)
