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
# # What a tokenizer does to a text, a language and a bill
#
# Two tokenizers of about the same size: the one of the small model that ships with tokkit, and
# one that is learned here, from English prose about code. Which one is better, and for whom?
# Everything runs on what tokkit ships; there is no network.

# %%
from pathlib import Path
from tempfile import mkdtemp

from rich.console import Console

import tokkit
from tokkit.analysis import Parallel, analyze, audit, compare, parity, read_labelled, view
from tokkit.corpus import open_corpus
from tokkit.demo.text import read_documents
from tokkit.learn import ALGORITHMS
from tokkit.learn.options import Job, Options
from tokkit.patterns import find_pattern
from tokkit.report.page import CutText, read_folder, render_page
from tokkit.resources import resource
from tokkit.results import Provenance, write_study

folder = Path(mkdtemp(prefix="tokkit-"))
show = Console(width=80).print

# %%
docstrings = [document for document in read_documents() if document.kind == "docstrings"]
learned = [document.text for document in docstrings if not document.is_held_out]
held_out = [document.text.encode() for document in docstrings if document.is_held_out]
(folder / "docstrings.txt").write_text("\n\n".join(learned), encoding="utf-8")
options = Options(vocab_size=4096, pattern=find_pattern("cl100k"))
own, _ = ALGORITHMS["bpe"](open_corpus([folder / "docstrings.txt"]), options, Job())
tokenizers = {"shipped": tokkit.load(resource("demo-model")), "own": own}
print({name: len(each.vocab) for name, each in tokenizers.items()})

# %% [markdown]
# ## A text, token by token

# %%
show(view("Return 1234567 items, naïvely: не так".encode(), tokenizers))

# %% [markdown]
# ## Texts of many languages
#
# Intervals are of 95 %, documents drawn anew. What the table calls *by observed* and *by
# vocab.* is the same entropy, divided by two things that published figures divide by.

# %%
sample = [str(resource("sample.jsonl"))]
found = analyze(tokenizers, read_labelled(sample, ["script"]), fields=["script"])
show(found)

# %% [markdown]
# Everything is in tidy frames. Both tokenizers read the same documents, so their difference is
# paired, and its interval is narrower than those of the two figures suggest.

# %%
figures = ["bytes_per_token", "fertility", "fragment_rate"]
overall = found.differences.query("group_by == 'all' and metric in @figures")
print(overall[["metric", "difference", "low", "high"]].round(3).to_string(index=False))

# %%
efficiency = found.results.query("group_by == 'all' and metric.str.startswith('renyi_2.5')")
print(efficiency.pivot_table("value", "metric", "tokenizer").round(4).to_string())

# %% [markdown]
# ## Side by side, on text of the kind that one was learned from
#
# The docstrings here were held out from the vocabulary that is learned above.

# %%
both = compare(*tokenizers.values(), held_out, names=tuple(tokenizers))
show(both)

# %% [markdown]
# ## Can text give every token?
#
# The audit has a text for each token, or a proof that there is none: bytes that no UTF-8 has.
# It also encodes and decodes every Unicode character.

# %%
audited = audit(own, name="own")
show(audited)

# %%
status = audited.frame()["status"]
assert not (status == "unknown").any()
print(status.value_counts().to_string())

# %% [markdown]
# ## The same text in other languages
#
# Four sentences, translated. A premium of 3 means three times the price, a third of the context
# window, and three times the wait. Four sentences are few, and the intervals say so.

# %%
texts = {
    "en": [
        "The train to the coast leaves at seven.",
        "She wrote a letter to her grandmother.",
        "Water boils faster in the mountains.",
        "Nobody knew who had left the door open.",
    ],
    "de": [
        "Der Zug zur Küste fährt um sieben.",
        "Sie schrieb ihrer Großmutter einen Brief.",
        "In den Bergen kocht Wasser schneller.",
        "Niemand wusste, wer die Tür offen gelassen hatte.",
    ],
    "fr": [
        "Le train pour la côte part à sept heures.",
        "Elle a écrit une lettre à sa grand-mère.",
        "L'eau bout plus vite à la montagne.",
        "Personne ne savait qui avait laissé la porte ouverte.",
    ],
    "ru": [
        "Поезд к побережью отходит в семь.",
        "Она написала письмо своей бабушке.",
        "В горах вода закипает быстрее.",
        "Никто не знал, кто оставил дверь открытой.",
    ],
    "ja": [
        "海岸行きの列車は七時に出る。",
        "彼女は祖母に手紙を書いた。",
        "山では水が早く沸く。",
        "誰がドアを開けたままにしたのか、誰も知らなかった。",
    ],
}
parallel = Parallel({name: [each.encode() for each in own] for name, own in texts.items()})
premiums = parity(tokenizers, parallel)
show(premiums)

# %%
columns = [
    "tokenizer",
    "language",
    "premium",
    "premium_mean_of_ratios",
    "pivot_words_per_window",
]
print(premiums.languages[columns].round(2).to_string(index=False))

# %% [markdown]
# ## One page
#
# What commands write with `-o DIR` becomes one page that loads nothing. Tokens are hostile
# input: the script below is text on it.

# %%
(folder / "audited").mkdir()
origin = Provenance(study="audit", tokenizers={"own": own.digest})
write_study(folder / "audited", audited.frame(), origin, audited.as_json())
hostile = CutText("hostile", view(b"<script>alert(1)</script>", tokenizers))
page = render_page([read_folder(folder / "audited")], [hostile])
assert "<script>alert" not in page
(folder / "report.html").write_text(page, encoding="utf-8")

# %% [markdown]
# ## The same on the command line
#
# ```console
# tokkit analyze shipped=demo-model own=my-tokenizer --group-by script -o analyzed
# tokkit compare demo-model my-tokenizer --corpus held-out.jsonl -o compared
# tokkit audit my-tokenizer -o audited
# tokkit parity demo-model my-tokenizer --parallel texts.jsonl -o parity
# tokkit report analyzed compared audited parity -o report.html -t my-tokenizer
# ```
#
# `docs/analysis.md` defines every figure.
