"""How many tokens prompts are to several models, and what they cost."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tokkit.analysis.prompts import Prompt, read_prompts
from tokkit.chats import chat_overhead, is_published
from tokkit.corpus.corpus import open_corpus
from tokkit.errors import CorpusError
from tokkit.prices import Price
from tokkit.tokenizer import Tokenizer

if TYPE_CHECKING:
    import pandas as pd

_BATCH = 256

DEFINITIONS: Mapping[str, str] = {
    "content_tokens": "of the texts, each encoded alone; special tokens in them are text",
    "overhead_tokens": "what the server puts around the messages of chats",
    "overhead": "published: by the rule of the maker for this model; template: what the chat "
    "template of the tokenizer writes; usual: by the rule for gpt-4, a guess",
    "prompt_tokens": "content and overhead together",
    "dollars": "of the prompts, and of so many answer tokens as were asked for; null: no table "
    "has the price",
}


@dataclass(frozen=True)
class Counted:
    """What the prompts of one file are made of, by prompt.

    Attributes:
        messages: Messages, ``int64[prompts]``; 0 where a prompt is no chat.
        names: Names of speakers, ``int64[prompts]``.
        uncounted: Parts that are no text, in all prompts.
        content: Tokens of the contents, ``int64[prompts]``, by tokenizer.
        name_tokens: Tokens of the names, ``int64[prompts]``, by tokenizer.
        written: Tokens of the prompts as chat templates write them, special tokens included,
            ``int64[prompts]``, by tokenizer that has a template.
    """

    messages: NDArray[np.int64]
    names: NDArray[np.int64]
    uncounted: int
    content: Mapping[str, NDArray[np.int64]]
    name_tokens: Mapping[str, NDArray[np.int64]]
    written: Mapping[str, NDArray[np.int64]]

    def rule(self, tokenizer: str, model: str) -> str:
        """Return which rule holds: ``"published"``, ``"template"`` or ``"usual"``."""
        if is_published(model):
            return "published"
        return "template" if tokenizer in self.written else "usual"

    def overhead(self, tokenizer: str, model: str) -> NDArray[np.int64]:
        """Return the tokens of each prompt that are not those of its contents."""
        if self.rule(tokenizer, model) == "template":
            return self.written[tokenizer] - self.content[tokenizer]
        rule = chat_overhead(model)
        around = self.messages * rule.message + (self.messages > 0) * rule.request
        tokens: NDArray[np.int64] = around + self.names * rule.name
        return tokens + self.name_tokens[tokenizer]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What prompts cost.

    Attributes:
        files: What each file has, by its name.
        models: The name of each model, its price (None: unknown), and its tokenizers.
        answer_tokens: How many tokens each answer is taken to have.
        batch: Whether prompts are sent as a batch, which may be cheaper.
    """

    files: Mapping[str, Counted]
    models: Sequence[tuple[str, Price | None, Sequence[str]]]
    answer_tokens: int = 0
    batch: bool = False

    @cached_property
    def by_file(self) -> "pd.DataFrame":
        """One row per model, tokenizer and file."""
        import pandas as pd

        return pd.DataFrame(
            {"file": file, **self._row([counted], model, price, name)}
            for model, price, names in self.models
            for name in names
            for file, counted in self.files.items()
        )

    @cached_property
    def totals(self) -> "pd.DataFrame":
        """One row per model and tokenizer, all files together."""
        import pandas as pd

        return pd.DataFrame(
            self._row(list(self.files.values()), model, price, name)
            for model, price, names in self.models
            for name in names
        )

    @property
    def frames(self) -> "dict[str, pd.DataFrame]":
        """The tables by name."""
        return {"files": self.by_file, "totals": self.totals}

    def _row(
        self, files: Sequence[Counted], model: str, price: Price | None, name: str
    ) -> dict[str, Any]:
        content = np.concatenate([each.content[name] for each in files])
        overhead = np.concatenate([each.overhead(name, model) for each in files])
        tokens, answers = int((content + overhead).sum()), self.answer_tokens * len(content)
        dollars = None
        if price is not None:
            dollars = price.cost(tokens, answers, batch=self.batch)
        return {
            "model": model or None,
            "tokenizer": name,
            "prompts": len(content),
            "messages": sum(int(each.messages.sum()) for each in files),
            "content_tokens": int(content.sum()),
            "overhead_tokens": int(overhead.sum()),
            "overhead": files[0].rule(name, model),
            "prompt_tokens": tokens,
            "longest_prompt": int((content + overhead).max(initial=0)),
            "answer_tokens": answers,
            "uncounted_parts": sum(each.uncounted for each in files),
            "dollars": dollars,
        }

    def as_json(self) -> dict[str, Any]:
        """Everything, as JSON."""
        from tokkit.analysis.parity_frames import records

        return {
            "files": records(self.by_file),
            "totals": records(self.totals),
            "prices": [_price(model, price) for model, price, _ in self.models if model],
            "batch": self.batch,
            "definitions": dict(DEFINITIONS),
        }

    def __rich__(self) -> Any:
        from rich.console import Group

        from tokkit.analysis.cost_showing import cost_parts

        return Group(*cost_parts(self))


def _price(model: str, price: Price | None) -> dict[str, Any]:
    if price is None:
        return {"model": model, "known": False}
    read = None if price.read is None else price.read.isoformat()
    rates = {"input": price.input, "output": price.output, "batch": price.batch}
    return {"model": model, "known": True, **rates, "read": read}


def cost(
    tokenizers: Mapping[str, Tokenizer],
    paths: Sequence[str],
    *,
    models: Sequence[tuple[str, Price | None, Sequence[str]]] = (),
    templates: Mapping[str, Any] | None = None,
    text_column: str = "text",
    lines: bool = False,
    answer_tokens: int = 0,
    batch: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> Cost:
    """Count the tokens of prompts, and what they cost.

    Args:
        tokenizers: By what they are called.
        paths: Files with prompts, globs and folders of such, or ``-``; see `read_prompts`.
        models: Names, prices (None: unknown), and the tokenizers each is used with; if empty,
            tokens are counted and nothing is priced.
        templates: Chat templates, by tokenizer that has one; see
            `tokkit.lm.chat_template.chat_template`. They write the chats of models of which no
            rule is published.
        text_column: The field of a record with the text.
        lines: Whether each line of a text file is a prompt.
        answer_tokens: How many tokens each answer is taken to have.
        batch: Whether prompts are sent as a batch.
        progress: Told ``("counting tokens", prompts so far, 0)``.

    Raises:
        CorpusError: If there is no prompt, or one cannot be read.
        ModelError: If a chat template refuses a chat.
    """
    files: dict[str, Counted] = {}
    done = 0
    corpus = open_corpus(list(paths))  # while it lives, so does what came through a pipe
    for source in corpus.sources:
        prompts = read_prompts(source, text_column=text_column, lines=lines)
        counted = _count(tokenizers, templates or {}, prompts)
        files[source.name] = counted
        done += len(counted.messages)
        if progress:
            progress("counting tokens", done, 0)
    if not done:
        raise CorpusError("there is no prompt in these files")
    given = models or [("", None, list(tokenizers))]
    return Cost(files=files, models=given, answer_tokens=answer_tokens, batch=batch)


def _count(
    tokenizers: Mapping[str, Tokenizer], templates: Mapping[str, Any], prompts: Iterable[Prompt]
) -> Counted:
    """Count the tokens of the prompts of a file, some at once."""
    rest, shapes = iter(prompts), []
    content: dict[str, list[int]] = {name: [] for name in tokenizers}
    names: dict[str, list[int]] = {name: [] for name in tokenizers}
    written: dict[str, list[int]] = {name: [] for name in templates}
    while some := list(islice(rest, _BATCH)):
        shapes += [(len(each.roles), len(each.names), each.uncounted) for each in some]
        for name, tokenizer in tokenizers.items():
            content[name] += _tokens(tokenizer, [prompt.contents for prompt in some])
            names[name] += _tokens(tokenizer, [prompt.names for prompt in some])
        for name, template in templates.items():
            written[name] += _written(tokenizers[name], template, some)
    table = np.array(shapes, dtype=np.int64).reshape(-1, 3)
    counts = (
        {name: np.array(each, dtype=np.int64) for name, each in found.items()}
        for found in (content, names, written)
    )
    return Counted(table[:, 0], table[:, 1], int(table[:, 2].sum()), *counts)


def _written(tokenizer: Tokenizer, template: Any, prompts: Sequence[Prompt]) -> list[int]:
    """Return how many tokens prompts have, chats as a template writes them."""
    from tokkit.lm.chat_template import fill

    sizes = []
    for prompt in prompts:
        texts = [text.decode() for text in prompt.contents]
        if prompt.roles:
            chat = fill(template, list(zip(prompt.roles, texts, strict=True)))
            sizes.append(len(tokenizer.encode(chat, parse_specials=True)))
        else:
            sizes += _tokens(tokenizer, [prompt.contents])
    return sizes


def _tokens(tokenizer: Tokenizer, texts: Sequence[Sequence[bytes]]) -> list[int]:
    """Return how many tokens the texts of each group have together."""
    flat = [text for group in texts for text in group]
    ids = iter(tokenizer.encode_batch(flat, parse_specials=False))
    return [sum(len(next(ids)) for _ in group) for group in texts]
