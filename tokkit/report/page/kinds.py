"""How each kind of study is introduced on a page."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Dots:
    """Which chart shows the main results: one dot for each row, with its interval.

    Attributes:
        value: The column that is drawn; ``_low`` and ``_high`` behind it are its interval, or,
            of a column ``value``, ``low`` and ``high``.
        labels: Columns that name a line together; those that are the same everywhere do not.
        series: The column that gives a colour, if there is one.
        title: What the axis says.
        table: The table, by name.
        only: A column and what it has in the rows that are drawn; empty: all of them are.
    """

    value: str
    labels: tuple[str, ...]
    title: str
    series: str = ""
    table: str = "results"
    only: tuple[str, str] | tuple[()] = ()


@dataclass(frozen=True)
class Crossed:
    """Which table is made of the main one, for a look at it: measures by tokenizers.

    Attributes:
        rows: The column that has a row each.
        columns: The column that has a column each.
        value: The column that is in the cells.
        only: A column, and what it has in the rows that are taken.
        said: A column that is added: what a row means.
    """

    rows: str
    columns: str
    value: str
    only: tuple[str, str]
    said: str


@dataclass(frozen=True)
class Kind:
    """How studies of one kind are introduced.

    Attributes:
        title: What such a study is called.
        about: What its figures are, in a sentence.
        first: The findings that come first, by name.
        dots: The charts that may be drawn of its tables; those whose columns are there are.
        crossed: A table that is made of the main one.
        ordinary: What columns of a long table have in rows that nobody looks for.
    """

    title: str
    about: str
    first: tuple[str, ...] = ()
    dots: tuple[Dots, ...] = ()
    crossed: Crossed | None = None
    ordinary: Mapping[str, frozenset[str]] = field(default_factory=dict)


ANY_KIND = Kind("Study", "Figures, tables and pictures of its folder.")

KINDS: Mapping[str, Kind] = {
    "analyze": Kind(
        "Analysis of tokenizers",
        "What the same texts become: fewer tokens, or more bytes in each, are cheaper.",
        first=("documents", "bytes", "distinct_words"),
        dots=tuple(
            Dots("value", ("group",), title, "tokenizer", only=("metric", metric))
            for metric, title in (
                ("bytes_per_token", "bytes per token"),
                ("fertility", "tokens per word"),
            )
        ),
        crossed=Crossed("metric", "tokenizer", "value", ("group_by", "all"), "definition"),
    ),
    "audit": Kind(
        "Audit of a vocabulary",
        "Which tokens a text can give: reachable ones with a text that gives them, unreachable "
        "ones with the cause. Special tokens that plain text can give are a security finding.",
        first=("tokenizer", "size", "reachable", "unreachable", "unknown"),
        ordinary={
            "status": frozenset({"reachable", ""}),
            "cause": frozenset({""}),
            "kinds": frozenset({""}),
        },
    ),
    "compare": Kind(
        "Comparison of two tokenizers",
        "Tokens are compared as bytes; a ratio is tokens of the second by tokens of the first.",
        first=("documents", "bytes", "token_ratio", "boundary_f1_micro", "exact_match"),
    ),
    "cost": Kind(
        "Cost of prompts",
        "Tokens of each prompt, with what is put around the messages of a chat, and dollars.",
        dots=(Dots("prompt_tokens", ("model",), "prompt tokens", "tokenizer", "totals"),),
    ),
    "counting": Kind(
        "Counting letters",
        "How often a model counts right, by how tokens hide the letters.",
        dots=(
            Dots(
                "accuracy",
                ("task", "letters", "lengths", "target", "prompt_style", "input_format"),
                "share of right answers",
                "model",
                "cells",
            ),
        ),
    ),
    "dynamic": Kind(
        "Tokens of a batch's own",
        "How much shorter batches of texts get with every merge.",
        first=("documents", "bytes"),
    ),
    "dynamic evaluation": Kind(
        "What tokens of a batch's own cost a model",
        "Bits per byte of the same texts with fewer, merged tokens, by those without merging.",
        dots=(
            Dots(
                "ratio",
                ("group", "asked_reduction", "asked_merges"),
                "bits per byte, by those before merging",
            ),
        ),
    ),
    "markov": Kind(
        "Markov sources", "What a small model learns of a source whose entropy is known."
    ),
    "numbers": Kind("Answers to number problems", "What was asked, and what came back."),
    "numbers-score": Kind(
        "Scores of number problems",
        "How many answers are right, and which errors there are.",
        dots=(
            Dots(
                "accuracy",
                ("operation", "problem_format", "repeat_format", "answer_format", "num_shots"),
                "share of right answers",
                "model",
                "cells",
            ),
        ),
    ),
    "parity": Kind(
        "Parity of languages",
        "What the same texts cost in different languages; a premium is tokens of a language "
        "by tokens of the pivot.",
        first=("pivot", "documents", "layout_definition", "window"),
        dots=(Dots("premium", ("language",), "tokens by tokens of the pivot", "tokenizer"),),
    ),
    "scratch": Kind("Models from scratch", "Small models that differ in their tokens only."),
    "training": Kind(
        "A vocabulary that was learned",
        "How it came about, and how many bytes of what it was learned from a token has.",
        first=("algorithm", "bytes", "tokens", "bytes_per_token"),
    ),
    "transplant": Kind(
        "A model on another tokenizer",
        "Where the rows of its new tokens come from, and what was found on the way.",
        first=("tokenizer", "warnings"),
    ),
}
