"""What a model is told, word for word.

The prompts for counting are those of arXiv 2410.19730, which a comparison with its recorded
answers depends on; they are read from ``counting/prompts`` of the repository
juntaic7/Impact-of-Tokenization-in-the-Counting-Ability-of-Language-Models (c453e48).
"""

from collections.abc import Mapping
from typing import Literal, get_args

from tokkit.studies.counting.forms import FORMS, FormName
from tokkit.studies.counting.tasks import TaskName, overlaps_itself

StyleName = Literal["direct", "cot", "supervise"]
STYLES: tuple[StyleName, ...] = get_args(StyleName)

SYSTEM = "You are a helpful assistant."
"""The system message of arXiv 2410.19730."""

PUBLISHED_STYLES: Mapping[str, StyleName] = {"": "direct", "c": "cot", "s": "supervise"}
"""The styles by the suffix that the repository gives to files of answers."""

_STRING = "\n\nString: {sample}\n\nResponse:"
_DIRECTLY = "Directly output 'Result: ' followed by "
_NOT_BOLD = " Do not use bold font in the response."
_LETTERS = "with nothing between them"

PROMPTS: Mapping[tuple[TaskName, StyleName], str] = {
    ("count", "direct"): (
        "Count the number of appearances of '{substring}'s in the string below.{overlap} "
        f"{_DIRECTLY}the counted number.{_NOT_BOLD}{_STRING}"
    ),
    ("count", "cot"): (
        "Determine the number of appearances of '{substring}'s in the string below.{overlap} "
        f"Think step by step. {_DIRECTLY}the counted number.{_NOT_BOLD}{_STRING}"
    ),
    ("count", "supervise"): (
        "Task: Count the number of occurrences of the substring '{substring}' in the given "
        f"string step by step.{{overlap}}{_NOT_BOLD}\n\n"
        "Instructions:\n"
        "    - Iterate through the string and count each occurrence of the substring.\n"
        "    - Use a counter to keep track of how many times the substring appears.\n"
        "    - Output your step-by-step counting process.\n"
        "    - Conclude with: 'Result: ' followed by the number.\n"
        " \nString: {sample}\n\nResponse:"
    ),
    ("sort", "direct"): (
        "Put the characters of the string below in alphabetical order. "
        f"{_DIRECTLY}the sorted characters, {_LETTERS}.{_NOT_BOLD}{_STRING}"
    ),
    ("sort", "cot"): (
        "Put the characters of the string below in alphabetical order. Think step by step. "
        f"{_DIRECTLY}the sorted characters, {_LETTERS}.{_NOT_BOLD}{_STRING}"
    ),
    ("sort", "supervise"): (
        "Task: Put the characters of the given string in alphabetical order step by step."
        f"{_NOT_BOLD}\n\n"
        "Instructions:\n"
        "    - Go through the string and keep a counter for each different character.\n"
        "    - Output each step.\n"
        "    - Then write each character as often as its counter says, in alphabetical order.\n"
        f"    - Conclude with: 'Result: ' followed by the sorted characters, {_LETTERS}.\n"
        " \nString: {sample}\n\nResponse:"
    ),
    ("reverse", "direct"): (
        "Write the characters of the string below in reverse order. "
        f"{_DIRECTLY}the reversed characters, {_LETTERS}.{_NOT_BOLD}{_STRING}"
    ),
    ("reverse", "cot"): (
        "Write the characters of the string below in reverse order. Think step by step. "
        f"{_DIRECTLY}the reversed characters, {_LETTERS}.{_NOT_BOLD}{_STRING}"
    ),
    ("reverse", "supervise"): (
        "Task: Write the characters of the given string in reverse order step by step."
        f"{_NOT_BOLD}\n\n"
        "Instructions:\n"
        "    - Go through the string from its last character to its first one.\n"
        "    - Output each character as you come to it, and all of them so far.\n"
        f"    - Conclude with: 'Result: ' followed by the reversed characters, {_LETTERS}.\n"
        " \nString: {sample}\n\nResponse:"
    ),
}
"""What is said for each task in each style; those of `sort` and `reverse` are tokkit's own."""


def prompt_around(
    task: TaskName, style: StyleName, form: FormName, target: str
) -> tuple[str, str]:
    """Return what a prompt says before and after the string.

    Args:
        task: What is asked.
        style: How: at once, thinking, or thinking as told.
        form: How the string is written; a target of several letters is written as it stands
            in the string.
        target: What to count.
    """
    before, after = PROMPTS[task, style].split("{sample}")
    # Nothing published has such a target, and without a word its number would be open.
    overlap = " They may overlap." if overlaps_itself(target) else ""
    return before.format(substring=FORMS[form].write_part(target), overlap=overlap), after


def write_prompt(
    task: TaskName, style: StyleName, form: FormName, text: str, target: str = ""
) -> str:
    """Return the whole prompt about a string."""
    before, after = prompt_around(task, style, form, target)
    return f"{before}{FORMS[form].write(text)}{after}"
