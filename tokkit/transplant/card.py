"""The model card: a README.md that says what was done to a model."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import tokkit

_LINES = re.compile(
    r"^(license|license_name|license_link|language):[^\n]*(\n[ -]+[^\n]*)*", re.M
)


@dataclass(frozen=True)
class CardFacts:
    """What a card says.

    Attributes:
        base_model: Name or path of the model that was moved.
        target: Name or path of the tokenizer it was moved onto.
        method_in: How new input rows were made.
        method_out: How new output rows were made.
        rows: Rows of the embedding matrix.
        counts: Tokens by origin, such as ``{"copied": 26599}``.
        tied: Whether the output matrix is the input matrix.
        warnings: What a user should know.
        measures: Further lines of the table, such as bits per byte, by name.
        loader: A line of Python that loads the tokenizer.
        front: Lines of the base model's card that still hold; see `kept_lines`.
        predictor: ``name`` and ``digest`` of the hypernetwork that predicted rows, if one did.
    """

    base_model: str
    target: str
    method_in: str
    method_out: str
    rows: int
    counts: Mapping[str, int]
    tied: bool
    warnings: Sequence[str] = ()
    measures: Mapping[str, str] = field(default_factory=dict)
    loader: str = "tokenizer = AutoTokenizer.from_pretrained(folder)"
    front: str = ""
    predictor: Mapping[str, str] | None = None


def model_card(facts: CardFacts) -> str:
    """Write the card, with YAML in front as the Hub reads it."""
    base, target = _name(facts.base_model), _name(facts.target)
    total = sum(facts.counts.values())
    counts = "".join(
        f"| {_cell(origin)} | {count:,} | {count / total:.1%} |\n"
        for origin, count in facts.counts.items()
        if count
    )
    method = f"`{facts.method_in}`"
    if facts.method_in != facts.method_out:
        method = f"`{facts.method_in}` for the input, `{facts.method_out}` for the output"
    head = "shared with the input embedding" if facts.tied else "a matrix of its own"
    return f"""---
base_model: {json.dumps(base, ensure_ascii=False)}
base_model_relation: finetune
library_name: transformers
tags:
- tokkit
- tokenizer-transplant
{facts.front}---

# {base} with the tokenizer of {target}

The model `{base}` was moved onto the tokenizer `{target}` with tokkit {tokkit.__version__}.
Only its embeddings are new: every other weight is the base model's, byte for byte.

* Tokens whose bytes both tokenizers have keep their rows.
* Rows of other tokens are made from those of the base model by {method}. They were not trained
  unless it says so below: they are guesses, good enough to begin with.
{_predictor(facts.predictor)}* The output head is {head}. There are {facts.rows:,} rows.

| origin of the rows | tokens | share |
|---|---:|---:|
{counts}{_measures(facts.measures)}{_warnings(facts.warnings)}
## Loading

```python
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast

folder = "."
model = AutoModelForCausalLM.from_pretrained(folder)
{facts.loader}
```

`transplant.json` holds how it was made: settings, the hash of every tensor, and where the row
of each token comes from.
"""


def _predictor(said: Mapping[str, str] | None) -> str:
    if said is None:
        return ""
    name = _cell(_name(said["name"]))
    return f"* The hypernetwork of `zett` is `{name}` (digest {said['digest']}).\n"


def _measures(measures: Mapping[str, str]) -> str:
    if not measures:
        return ""
    lines = "".join(f"| {_cell(name)} | {_cell(text)} |\n" for name, text in measures.items())
    return f"\n| measured | |\n|---|---|\n{lines}"


def _warnings(warnings: Sequence[str]) -> str:
    if not warnings:
        return ""
    lines = "".join(f"* {' '.join(text.split())}\n" for text in warnings)
    return f"\n## Mind\n\n{lines}"


def _name(path: str) -> str:
    """Return a Hub id as it is, and the last part of a path."""
    is_id = path.count("/") <= 1 and not path.startswith((".", "/", "~"))
    return path if is_id and not Path(path).exists() else Path(path).resolve().name


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def kept_lines(folder: str | Path) -> str:
    """Return licence and language from the front of a model's card; empty if it has none."""
    try:
        text = (Path(folder) / "README.md").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""
    front = text.replace("\r\n", "\n").split("---\n", 2)
    if len(front) < 3 or front[0].strip():
        return ""
    return "".join(f"{found[0]}\n" for found in _LINES.finditer(front[1]))
