"""What is asked of a string: how often a text is in it, its letters sorted, or in reverse."""

from typing import Literal, get_args

TaskName = Literal["count", "sort", "reverse"]
TASKS: tuple[TaskName, ...] = get_args(TaskName)


def solve(task: TaskName, text: str, target: str = "") -> int | str:
    """Return the right answer.

    Args:
        task: What is asked.
        text: Of which string.
        target: What to count; the other tasks have none.

    Returns:
        A number of appearances, or a string.
    """
    if task == "count":
        return count_places(text, target)
    return "".join(sorted(text)) if task == "sort" else text[::-1]


def count_places(text: str, target: str) -> int:
    """Count the places where a text begins; they may overlap.

    Example: ``"aa"`` is in two places of ``"aaa"``.
    """
    return sum(text.startswith(target, place) for place in range(len(text)))


def overlaps_itself(target: str) -> bool:
    """Tell whether two appearances can share letters: ``"aba"`` can, ``"ab"`` cannot."""
    return any(target.startswith(target[place:]) for place in range(1, len(target)))
