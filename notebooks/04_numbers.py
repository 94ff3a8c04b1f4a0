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
# # Numbers: where they are cut, and what it does to sums
#
# Whether the digits of a number are grouped from the left or from the right moves a model's
# arithmetic by tens of points (arXiv 2402.14903). This notebook looks at how a tokenizer cuts
# numbers, designs a study, has it answered by *simulated* models whose errors are known, and
# checks that the scores say just that: no more, no less. It needs no network and no torch.

# %%
import json
import os
from pathlib import Path

from rich.console import Console

import tokkit
from tokkit.report.number_audit import chart_audit
from tokkit.report.numbers import chart_accuracy, chart_errors
from tokkit.resources import resource
from tokkit.stats import needed_pairs
from tokkit.studies.asking import AnswerCache, BackendOptions, ask, open_backend
from tokkit.studies.numbers import (
    Design,
    Drawing,
    Lengths,
    add_answers,
    audit_numbers,
    generate,
    generate_published,
    requests_of,
    score,
    score_files,
)
from tokkit.studies.numbers.scoring.showing_errors import show_errors

show = Console(width=80, highlight=False).print

# %% [markdown]
# ## How numbers are cut
#
# The tokenizer that comes with tokkit learned its digits from text, as GPT-2's did: how a
# number is cut depends on which numbers were frequent.

# %%
tokenizer = tokkit.load(resource("demo-model"))
audit = audit_numbers({"demo": tokenizer}, widths=9, samples=100)
chart_audit(audit)

# %% [markdown]
# ## Ninety problems of a published study
#
# `generate_published` draws the very problems of arXiv 2402.14903. Each is asked under every
# condition, so that conditions can be compared problem by problem.

# %%
published = generate_published(["comma-effects"]).frame
eight = published[(published["num_shots"] == 8) & (published["num_spaces"] == 0)]
rows = eight[eight["system_prompt"] == "You are a helpful assistant."]
rows[["num1", "num2", "problem_msg", "answer_number_format"]].iloc[[0, 90, 180, 270, 360]]

# %% [markdown]
# ## Models whose errors are known
#
# A simulated model answers through the same runner as a real one. This one gets everything
# right, but where groups are counted from the left the first digit of the second group is wrong
# in 60 % of the problems: the error that the study found in GPT-3.5.


# %%
def answered(frame, spec, seed=0):
    """The rows with the answers of a simulated model."""
    backend = open_backend(spec, options=BackendOptions(seed=seed))
    answers = ask(requests_of(frame), backend, cache=AnswerCache(None)).answers
    return add_answers(frame, answers, None)


from_left = rows["answer_number_format"].str.endswith("l2r")
both = rows.copy()
both.loc[from_left, "response"] = answered(rows[from_left], "sim:left-aligned:0.6")["response"]
both.loc[~from_left, "response"] = answered(rows[~from_left], "sim:perfect")["response"]
scores = score(both)
show(scores)

# %% [markdown]
# The intervals hold the rates that were put in, the differences between the directions have
# stars, and those within a direction have none. *Which* digit is wrong is found as well:

# %%
chart_accuracy(scores)

# %%
chart_errors(scores)

# %%
for cell in scores.as_json()["cells"]:
    rate = 0.4 if cell["problem_format"].endswith("l2r") else 1.0
    assert cell["accuracy_low"] <= rate <= cell["accuracy_high"]
wrong = scores.rows[~scores.rows["answer_match"]]
assert (wrong["only_wrong_digit_num"] == 4).all()
assert set(scores.comparisons[scores.comparisons["stars"] != ""]["difference"].abs() > 0.3) == {
    True
}
show(show_errors(score(both[from_left])))

# %% [markdown]
# ## A difference that is not there
#
# A model that is off by one in 15 % of the problems of *each* format, drawn apart: with ten
# comparisons, some difference often looks large. After Holm's correction none has a star. `±`
# says what this many problems could have shown at all, and `needed_pairs` how many it takes.

# %%
null = rows.copy()
for number, (_, part) in enumerate(rows.groupby("answer_number_format", sort=False)):
    null.loc[part.index, "response"] = answered(part, "sim:off-by-one:0.15", number)["response"]
null_scores = score(null)
pairs = null_scores.comparisons[["first", "second", "only_first", "only_second", "p_value"]]
assert set(null_scores.comparisons["stars"]) == {""}
print(f"5 points, 20 % discordant: {needed_pairs(0.05, 0.2)} problems")
print(f"20 points, 30 % discordant: {needed_pairs(0.2, 0.3)} problems")
pairs.sort_values("p_value").head(4)

# %% [markdown]
# ## Prompts that are not what they say
#
# In one condition of the study the separator `foo` was reversed by accident: the models were
# shown `oof`, answered with it, and no answer was valid. Such prompts are found, listed apart,
# and are in no pooled cell and no comparison.

# %%
delimiters = generate_published(["other-delimiters"]).frame
foo = delimiters[delimiters["answer_number_format"].isin(["foo_r2l", "foo_l2r"])]
foo = answered(foo[foo["num_shots"] == 1], "sim:perfect")
is_reversed = foo["answer_number_format"] == "foo_r2l"
foo.loc[is_reversed, "response"] = foo.loc[is_reversed, "response"].str.replace("foo", "oof")
show(score(foo))

# %% [markdown]
# ## A study of one's own
#
# Subtraction, with answers shorter than both operands, and groups of two digits.

# %%
own = generate(
    Design(
        drawings=(Drawing(operation="-", lengths=(Lengths(5, 5), Lengths(6, 4))),),
        problems=40,
        formats=("nosep", "comma_l2r", "comma_r2l"),
        chunk_sizes=(2,),
        shots=(2,),
    )
).frame
own_scores = score(answered(own, "sim:off-by-one:0.3"), tokenizer=tokenizer)
print(json.dumps(own.iloc[40][["problem_msg", "shots"]].to_dict()))
own_scores.cells[["problem_format", "n", "valid", "k", "accuracy_low", "accuracy_high"]]

# %% [markdown]
# ## Real answers, where there are some
#
# With `TOKKIT_SHARED_DATA` naming a folder that has the published tables, the same of what
# GPT-3.5 said:

# %%
folder = Path(os.environ.get("TOKKIT_SHARED_DATA", "nowhere")) / "eval" / "tokenization_counts"
if folder.is_dir():
    real = score_files(folder / "20230518_gpt_other_delimiters.csv", pool=["num_shots"])
    print(real.pooled[["problem_format", "n", "valid", "k", "accuracy"]].to_string(index=False))
else:
    print("no tables here")
