"""Chats as the text that a model without a chat template goes on with."""

from collections.abc import Sequence

from tokkit.studies.asking.request import Message

_LEADS_ON = ("=", ":", " ", "\t", "\n")
"""What questions end in that answers can stand right behind."""


def plain_text(messages: Sequence[Message]) -> str:
    r"""Write a chat as text that ends where the answer begins.

    What the system says comes first, and an empty line after it. Each question has a line, with
    its answer right behind it, or in the next line if the question ends in none of ``=``,
    ``:`` and white space.

    Example:
        >>> system = Message("system", "Be brief.")
        >>> shot = [Message("user", "1+2="), Message("assistant", "3")]
        >>> plain_text([system, *shot, Message("user", "4+5=")])
        'Be brief.\n\n1+2=3\n4+5='
    """
    return "".join(message.content + _after(message) for message in messages)


def _after(message: Message) -> str:
    """Return what parts a message from the next one."""
    if message.role == "user":
        return "" if message.content.endswith(_LEADS_ON) else "\n"
    return "\n\n" if message.role == "system" else "\n"


def ends_with_line(messages: Sequence[Message]) -> bool:
    """Tell whether the answer to a plain chat ends with its line.

    It does where every question and answer is in one line, as in few-shot arithmetic.
    """
    lines = (m.content + _after(m) for m in messages if m.role == "user")
    answers = (m.content for m in messages if m.role == "assistant")
    return not any("\n" in text for text in (*lines, *answers))
