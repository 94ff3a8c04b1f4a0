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
# # The same model, trained from scratch under several tokenizations
#
# Large models add worse when the digits of a number are grouped from the left (arXiv
# 2402.14903). Is that the grouping, or what they happened to be trained on? Small decoders
# answer that: the same architecture, the same problems in the same order, and nothing that
# differs but where numbers are cut. This notebook trains very small ones for a few seconds, to
# show how it works; the study proper takes about half an hour of one processor. It needs torch,
# and no network.

# %%
from dataclasses import replace
from pathlib import Path
from tempfile import mkdtemp

import numpy as np
from rich.console import Console

from tokkit.lm.train_model import Architecture
from tokkit.report.charts import write_chart
from tokkit.report.scratch import draw_scratch
from tokkit.studies.scratch import PLANS, Grouping, run_study

show = Console(width=80).print

# %% [markdown]
# ## Three ways to write a sum
#
# Groups from the left cut an operand and the answer at the same places only if they have the
# same length. Where the answer is longer than both operands, a *length mismatch*, every group
# of it mixes digits of two groups of the operands.

# %%
for name in ("single", "l2r2", "r2l2"):
    grouping = Grouping.parse(name)
    widths = range(1, grouping.size + 1)
    tokens = [f"{number:0{width}d}" for width in widths for number in range(10**width)]
    rows = grouping.encode(np.array([999, 2345, 999 + 2345, 9876, 2345 + 9876]))
    a, b, match, c, mismatch = (" ".join(tokens[i] for i in row if i >= 0) for row in rows)
    print(f"{name:>6}:  {a} + {b} = {match}   {b} + {c} = {mismatch}")

# %% [markdown]
# ## A study of a few seconds
#
# One- and two-digit operands, a decoder of one block. Every step draws fresh problems; those in
# the exam are never trained on, in neither order of their operands.

# %%
folder = Path(mkdtemp()) / "study"
plan = replace(
    PLANS["addition"],
    architecture=Architecture(
        family="gpt2", hidden_size=64, layers=1, heads=4, context=32, tied=True
    ),
    sizes=(1, 2),
    held_out=200,
    seeds=1,
    steps=200,
    every=20,
    batch=64,
    rate=3e-3,
)
study = run_study(plan, folder, device="cpu")
show(study)

# %% [markdown]
# What is in the folder is not trained again, so a study that was killed goes on where it was,
# and one more seed trains only what is new.

# %%
done = {path: path.stat().st_mtime_ns for path in folder.glob("runs/*/run.json")}
study = run_study(replace(plan, seeds=2), folder, device="cpu")
assert all(path.stat().st_mtime_ns == time for path, time in done.items())
print(f"{len(done)} models were there, {len(study.records)} are now")

# %% [markdown]
# ## Frames and figures
#
# `frame()` has a line per model and point, `answers()` one per model and problem of the exam.

# %%
print(study.frame().groupby("tokenization")[["tokens", "accuracy"]].max().round(3))
print(study.answers().query("not right").head().to_string(index=False))

# %%
write_chart(draw_scratch(study), folder / "curves.svg")

# %% [markdown]
# ## The study proper
#
# ```console
# tokkit study scratch -o addition --figure addition.png
# ```
#
# trains a decoder of two blocks, 128 wide, on operands of two to four digits for 1,500 steps.
# `docs/log.md` has what it found: groups from the left are far behind, and furthest where
# lengths do not match.
