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
# # Counting letters that tokens hide
#
# How many `s` are there in `reesstrsse`? A model does not read these letters but tokens such as
# `ree` and `ss`, and how well it counts depends on how the string is written (arXiv
# 2410.19730). This notebook makes such a study: strings whose tokens hold just as many letters
# as one wants, the same strings written in several ways, and statistics that say which
# differences are real. It asks simulated models, whose errors are known; needs no network, and
# a few seconds. For a model of your own it is one command:
#
#     tokkit study counting run --backend hf:my-model -o counting

# %%
from pathlib import Path
from tempfile import mkdtemp

import tokkit
from tokkit.report import write_chart
from tokkit.report.counting import draw_counting
from tokkit.resources import resource
from tokkit.studies.asking import Answer, AnswerCache, ask
from tokkit.studies.asking.backends.sim import SimulatedBackend
from tokkit.studies.counting import (
    FORMS,
    ZHANG2024,
    Plan,
    add_answers,
    draw_samples,
    make_rows,
    requests_of,
    score,
)

tokenizer = tokkit.load(resource("demo-model"))


def cut(text):
    """The tokens of a text."""
    return [tokenizer.vocab.tokens[token].decode() for token in tokenizer.encode(text)]


for name, form in FORMS.items():
    print(f"{name:8}", cut(" " + form.write("reess")))

# %% [markdown]
# ## Strings that are cut as one wants
#
# `letters_per_token` asks for strings of which, written raw, *each* token holds so many
# letters. What a string is cut into depends on what stands around it, so it is tried inside
# the whole prompt. Not all letters will do: any two of `a` and `b` are a token in most
# tokenizers, so no string of these has tokens of one letter. Then it is said so.

# %%
plan = Plan(
    letters="rest",
    lengths=(12, 24),
    letters_per_token=(1, 2, 3),
    number=60,
    targets=("s",),
    forms=("raw", "comma", "list", "space"),
)
samples = draw_samples(plan, tokenizer)
for sample in samples[::60]:
    print(sample.per_token, "letters per token:", "|".join(cut(" " + sample.text)).strip())

try:
    draw_samples(Plan(letters="ab", letters_per_token=(1,)), tokenizer)
except tokkit.errors.UsageError as error:
    print(error)

# %% [markdown]
# ## What is asked
#
# One row per request: each string in each form. The prompts are those of the published study,
# word for word.

# %%
rows = make_rows(plan, samples, tokenizer)
print(len(rows), "requests")
print(requests_of(rows)[0].messages[-1].content)
rows[["sample", "letters_per_token", "input_format", "sample_tokens", "truth"]].iloc[::199]

# %% [markdown]
# ## A model that sees which letters a token has, but not how many
#
# A backend is whatever answers requests. This one reads the prompt as tokens, and counts those
# that have an `s` at all: what the letters of a token are it knows, that there are two of them
# it does not.


# %%
class SeesTokens:
    """Counts the tokens that have the letter."""

    model, batch_size, workers, keeps = "sees tokens", 100, 1, False

    def answer(self, requests):
        return [self._count(request.messages[-1].content) for request in requests]

    def _count(self, prompt):
        string = prompt.rpartition("String:")[2].rpartition("\n\nResponse:")[0]
        return Answer(text=f"Result: {sum('s' in token for token in cut(string))}")


model = SeesTokens()
asked = ask(requests_of(rows), model, cache=AnswerCache(None))
scores = score(add_answers(rows, asked.answers, model.model))
scores.cells[["letters_per_token", "input_format", "n", "k", "accuracy", "under", "over"]]

# %% [markdown]
# As it should be: with one letter per token nothing is hidden, and nothing is where letters
# stand apart. With two or three letters in a token it counts too few in more than half of the
# strings, with two even more often than with three, as `ss` is one of few tokens that fit. Each
# string was asked in all forms, so the forms are compared string by string, by exact McNemar
# tests; stars are for what Holm's correction leaves of all pairs together. (Strings of other
# numbers of letters per token are other strings: there are their intervals, and no such test.)

# %%
shown = ["letters_per_token", "first", "second", "only_first", "only_second", "p_holm", "stars"]
pairs = scores.comparisons
assert set(pairs[pairs["stars"] != ""]["first"]) == {"raw"}
pairs[shown]

# %%
folder = Path(mkdtemp(prefix="tokkit-"))
write_chart(draw_counting(scores), folder / "counting.png")
draw_counting(scores)

# %% [markdown]
# ## Do the statistics say what is true?
#
# `sim:undercounter:0.3` counts too few of 30 % of all strings, however they are written. Its
# accuracy is 70 %, and no form is better than another. Over 30 seeds, the interval should hold
# the truth about 19 times in 20, and hardly anything be starred.

# %%
small = Plan(number=40, forms=("raw", "list"), targets=("a",))
held = starred = 0
for seed in range(30):
    problems = make_rows(small, draw_samples(small.change(seed=seed)))
    simulated = SimulatedBackend("undercounter", 0.3, seed=seed)
    replies = ask(requests_of(problems), simulated, cache=AnswerCache(None)).answers
    found = score(add_answers(problems, replies, simulated.model))
    cell = found.cells.iloc[0]
    held += cell["accuracy_low"] <= 0.7 <= cell["accuracy_high"]
    starred += (found.comparisons["stars"] != "").sum()
print(f"the interval held the truth in {held} of 30 studies; {starred} false stars")

# %% [markdown]
# ## The published study
#
# The preset draws the strings of arXiv 2410.19730: here the first of those of `a` and `b` with
# 10 to 20 letters. With the files of its repository, its recorded answers are scored again:
#
#     tokkit study counting score count_res_a_*_s.jsonl \
#         --strings count_dataset_10_20_ab.jsonl

# %%
[sample.text for sample in draw_samples(ZHANG2024)[:3]]
