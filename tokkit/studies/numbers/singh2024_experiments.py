"""The experiments of arXiv 2402.14903: who was asked what, and how.

They are those of the scripts of its repository (aadityasingh/TokenizationCounts); where these
differ from the published tables, the tables count.
"""

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from itertools import product
from pathlib import PurePath

from tokkit.errors import UsageError
from tokkit.studies.numbers.conditions import SYSTEM_PROMPT, Condition

_ANSWERS = "You do not say any other words."
_MATH = "You are MathGPT, an expert at solving math problems."
_ANSWER_ONLY = (
    f"{_MATH} When given a math problem, you respond only with the answer. {_ANSWERS}"
)
_REPEAT = (
    f"{_MATH} When given a math problem, you respond only by repeating the problem statement "
    f"and appending the answer. {_ANSWERS}"
)

Format = tuple[str, str, str]
"""The formats of query, repetition (empty: none) and answer."""


def _alike(*names: str) -> tuple[Format, ...]:
    return tuple((name, "", name) for name in names)


_GRID = tuple(product((7, 8, 9), repeat=2))
_TRIPLES = (
    *((7, 7, 7), (7, 7, 8), (8, 7, 8), (7, 8, 8), (8, 7, 9), (7, 8, 9), (8, 8, 8), (8, 8, 9)),
    *((9, 7, 9), (7, 9, 9), (9, 8, 9), (8, 9, 9), (9, 9, 9)),
)
_DELIMITERS = tuple(
    f"{name}_{side}" for name in ("dec", "hashtag", "dollar", "foo") for side in ("r2l", "l2r")
)
_CROSSED: tuple[Format, ...] = (("nosep", "", "comma_r2l"), ("comma_r2l", "", "nosep"))
_TRIPLETS: tuple[Format, ...] = (
    ("nosep", "comma_r2l", "nosep"),
    ("comma_r2l", "nosep", "comma_r2l"),
    ("nosep", "comma_r2l", "comma_r2l"),
    ("comma_r2l", "nosep", "nosep"),
    ("comma_r2l", "comma_r2l", "comma_r2l"),
    ("nosep", "nosep", "nosep"),
    *_alike("comma_r2l", "nosep"),
)


@dataclass(frozen=True)
class Experiment:
    """One published table.

    Attributes:
        file: What it is called.
        models: Who was asked.
        formats: Query, repetition and answer of each condition.
        system_prompts: What the models were told to be.
        shots: How many examples came first.
        spaces: How many spaces stood in problems without separators.
        lengths: Digits of the operands, and of the answer where that was chosen too; the
            problems take turns.
        problems: How many there were.
        max_tokens: The most tokens an answer could have, which its longest answers show.
        flipped: Whether operands were exchanged.
    """

    file: str
    models: tuple[str, ...]
    formats: tuple[Format, ...]
    _: KW_ONLY
    system_prompts: tuple[str, ...] = (SYSTEM_PROMPT,)
    shots: tuple[int, ...] = (1, 2, 4, 8)
    spaces: tuple[int, ...] = (0,)
    lengths: tuple[tuple[int, ...], ...] = _GRID
    problems: int = 90
    max_tokens: int = 20
    flipped: bool = False

    def conditions(self) -> Iterator[Condition]:
        """Yield its conditions in the order of its rows."""
        for model, system, names in product(self.models, self.system_prompts, self.formats):
            spaces = self.spaces if names[0] == "nosep" else (0,)
            for space, shots in product(spaces, self.shots):
                yield Condition(
                    query=names[0],
                    repeat=names[1],
                    answer=names[2],
                    spaces=space,
                    trailing_spaces=space,
                    shots=shots,
                    system_prompt=system,
                    model=model,
                    max_tokens=self.max_tokens,
                    flipped=self.flipped,
                )


def _comma_effects(file: str, model: str, shots: tuple[int, ...]) -> Experiment:
    return Experiment(
        file,
        (model,),
        _alike("nosep", "comma_r2l", "comma_l2r", "space_r2l", "space_l2r"),
        system_prompts=(_ANSWER_ONLY, SYSTEM_PROMPT),
        shots=shots,
        spaces=(0, 1, 2),
        max_tokens=10,
    )


def _answer_lengths(file: str, *models: str) -> Experiment:
    formats = _alike("nosep", "comma_r2l")
    count = 100 * len(_TRIPLES)
    return Experiment(
        file, models, formats, shots=(8,), lengths=_TRIPLES, problems=count, flipped=True
    )


def _new_triplets(file: str, *models: str) -> Experiment:
    return Experiment(file, models, _TRIPLETS + _CROSSED)


_GPT35, _GPT4 = "gpt-3.5-turbo", "gpt-4"
EXPERIMENTS: dict[str, Experiment] = {
    "comma-effects": _comma_effects(
        "20230407_gpt35_comma_effects.csv", f"{_GPT35}-0301", (1, 2, 4, 8, 16)
    ),
    "comma-effects-gpt4": _comma_effects(
        "20230502_gpt4_comma_effects.csv", f"{_GPT4}-0314", (1, 2, 4, 8)
    ),
    "other-delimiters": Experiment(
        "20230518_gpt_other_delimiters.csv",
        (f"{_GPT35}-0301",),
        _alike(*_DELIMITERS),
        max_tokens=10,
    ),
    "comma-effects-io": Experiment(
        "20230519_gpt_comma_effects_io.csv",
        (f"{_GPT35}-0301",),
        (
            ("nosep", "", "comma_r2l"),
            ("comma_r2l", "", "nosep"),
            ("comma_r2l", "", "space_r2l"),
        ),
    ),
    "repeat-style-triplets": Experiment(
        "20230524_gpt_comma_effects_repeat_style_triplets.csv",
        (f"{_GPT35}-0301",),
        _TRIPLETS,
        system_prompts=(SYSTEM_PROMPT, f"{_MATH} {_ANSWERS}", _REPEAT),
    ),
    "answer-lengths": _answer_lengths(
        "20240125_gpt35_0301_answer_length_effects.csv", f"{_GPT35}-0301"
    ),
    "answer-lengths-gpt4-1106": _answer_lengths(
        "20240125_gpt4_turbo_answer_length_effects_new_models.csv", f"{_GPT4}-1106-preview"
    ),
    "answer-lengths-0613": _answer_lengths(
        "20240125_gpt_answer_length_effects_new_models.csv", f"{_GPT35}-0613", f"{_GPT4}-0613"
    ),
    "repeat-style-triplets-0613": _new_triplets(
        "20240125_run_gpt_comma_effects_repeat_style_triplets_new_models.csv",
        *(f"{_GPT35}-0613", f"{_GPT4}-0613"),
    ),
    "repeat-style-triplets-1106": _new_triplets(
        "20240129_run_gpt1106_comma_effects_repeat_style_triplets_new_models.csv",
        *(f"{_GPT35}-1106", f"{_GPT4}-1106-preview"),
    ),
    "answer-lengths-1106": _answer_lengths(
        "20240130_gpt35_1106_answer_length_effects_new_models.csv", f"{_GPT35}-1106"
    ),
}
"""The published tables, the oldest first; the last five are those without public content."""


def find_experiment(name: str) -> Experiment:
    """Return an experiment by its name, or by that of its table.

    Raises:
        UsageError: If there is none.
    """
    if name in EXPERIMENTS:
        return EXPERIMENTS[name]
    for experiment in EXPERIMENTS.values():
        if PurePath(experiment.file).stem == PurePath(name).name.removesuffix(".csv"):
            return experiment
    raise UsageError(f"no experiment {name!r}: there are {', '.join(EXPERIMENTS)}")
