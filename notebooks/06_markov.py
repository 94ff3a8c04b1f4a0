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
# # What tokens add, where it can be computed
#
# How good a language model of English could be nobody knows. Of a Markov chain it is known
# exactly: its *entropy rate* is the least loss that any model can reach. This notebook draws
# text from such a chain, cuts it into tokens in several ways, and compares what is lost per
# *character* (arXiv 2404.08335). It needs no network; its last part needs torch.

# %%
from importlib.util import find_spec
from pathlib import Path
from tempfile import mkdtemp

from rich.console import Console

from tokkit.report import write_chart
from tokkit.report.markov import curves_chart, losses_chart
from tokkit.studies.markov import (
    Dictionaries,
    Plan,
    Transformer,
    random_source,
    read_source,
    study,
    switching,
)
from tokkit.studies.markov.dictionaries import MEANINGS, NAMES

show = Console(width=80).print

# %% [markdown]
# ## A source that single characters cannot see through
#
# In a *switching* source of order 2 a character depends on the one *two places* back only:
# after 0 there comes 1 with probability $p$, after 1 there comes 0 with probability $q$. To
# whoever sees single characters, or the last one only, these are coins. Whoever looks two back
# loses much less.

# %%
source = switching(order=2, p=0.8, q=0.8)
for number, row in enumerate(source.matrix):
    print(f"after {source.write(number)}: 0 with {row[0]:.1f}, 1 with {row[1]:.1f}")
for seen in range(4):
    print(f"seeing {seen} before, a model loses at least {source.bound(seen):.4f} nats")

# %% [markdown]
# A text of it, and what a model that knows the source loses on that very text:

# %%
text = source.draw(200_000, seed=0)
print("".join(map(str, text[:72])))
print(f"{source.loss(text):.4f} nats per character, in the long run {source.entropy_rate:.4f}")

# %% [markdown]
# ## Four dictionaries
#
# All are learned from the text, without any cutting into words. Sizes count the two letters.

# %%
dictionaries = Dictionaries(text, source.letters, 16)
for name in NAMES:
    dictionary = dictionaries.get(name, 16)
    tokens = " ".join(token.decode() for token in dictionary.tokens[2:])
    print(f"{name}: {MEANINGS[name]}\n    {tokens}")

# %% [markdown]
# Tokens know what characters do not: the first that byte-pair encoding makes are stretches of
# what is likely, `0011` repeated.
#
# ## Single tokens are nearly enough
#
# The simplest model there is gives every token its frequency and looks at nothing before it.
# On characters it is blind. On a few dozen tokens it is nearly perfect, although it still looks
# at nothing before: what it has to know is *inside* the tokens. The dictionary must not be too
# small, though: with four tokens it is worse than characters.

# %%
result = study(source, Plan(sizes=(4, 8, 16, 64, 256), training=300_000, held_out=100_000))
show(result)

# %%
losses = result.mean_losses("unigram")
assert losses["characters", 2].value > 0.69
assert losses["bpe", 4].value > source.bound(0)
assert source.entropy_rate - 0.005 < losses["bpe", 256].value < 0.54
result.frame().pivot(index="size", columns="dictionary", values="unigram").round(4)

# %% [markdown]
# `8 cover` says how many characters eight tokens in a row have: in 99 % of all places at least
# the first number, in half of them the second. A model of eight tokens sees that far back, and
# an average would hide the places where it sees less (arXiv 2605.13485).
#
# The last column is what theory promises of a dictionary like that of Lempel, Ziv and Welch:
# $H / (1 - \varepsilon)$ with $\varepsilon = \log(1/\delta) / (0.99 \log d)$, $H$ being the
# entropy rate, $\delta$ the least probability in the chain, $d$ the number of tokens (arXiv
# 2404.08335). It is about large dictionaries and long texts, and far from tight: here it is not
# below the loss of single characters before there are about 350 tokens.

# %%
folder = Path(mkdtemp())
write_chart(losses_chart(result), folder / "losses.png")
losses_chart(result)

# %% [markdown]
# ## Other sources
#
# A source whose rows are random, with three symbols, and one from a file: a row per context, in
# the order `00 01 10 11`, a column per symbol.

# %%
(folder / "chain.csv").write_text("0.9,0.1\n0.5,0.5\n0.5,0.5\n0.1,0.9\n")
small = Plan(dictionaries=("characters", "bpe"), sizes=(64,), training=100_000, held_out=50_000)
for other in (random_source(order=2, size=3, seed=0), read_source(folder / "chain.csv")):
    found = study(other, small)
    single = {name: loss.value for (name, _), loss in found.mean_losses("unigram").items()}
    print(
        f"order {other.order}, {other.size} symbols: characters {single['characters']:.3f}, "
        f"tokens {single['bpe']:.3f}, entropy rate {other.entropy_rate:.3f}"
    )

# %% [markdown]
# ## A transformer, with tokens and without
#
# A transformer *could* look two characters back. One layer, one head and a width of 16 are
# enough for it, and still it starts as if it saw coins, and takes long to see more; with 20
# tokens it is near the entropy rate after 100 steps. That is *much slower*, not *hopeless*: in
# 1,000 steps this small model finds the way on characters too (`tokkit study markov
# --train-steps 1000`, a few minutes). A step on tokens is on more characters, so the second
# panel compares at equal characters.

# %%
trained = None
if find_spec("torch"):
    steps = Transformer(steps=100)
    plan = Plan(
        dictionaries=("bpe",), sizes=(20,), training=300_000, held_out=70_000, transformer=steps
    )
    trained = study(source, plan)
    for name in ("characters", "bpe"):
        curve = trained.mean_curve(name)
        print(name, {step: round(curve[step].value, 4) for step in (0, 10, 25, 50, 100)})
    characters, losses = trained.at_equal_characters()
    print(f"after {characters:,} characters:", {k: round(v, 4) for k, v in losses.items()})
    assert trained.mean_curve("characters")[100].value > 0.68
    assert trained.mean_curve("bpe")[100].value < 0.53
else:
    print("no torch here")

# %%
curves_chart(trained) if trained else None
