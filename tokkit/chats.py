"""What the tokens of a chat are beside those of its contents.

Servers put tokens of their own around messages. For models of OpenAI they are known exactly:
each message has a few, its role is one more, a name is counted apart, and the answer is begun
by three (cookbook.openai.com, "How to count tokens with tiktoken"). The numbers for
gpt-3.5-turbo-0301 and gpt-4-0314 equal the ``prompt_tokens`` of all 26,540 recorded answers of
arXiv 2402.14903 that are public.
"""

from collections.abc import Mapping
from typing import NamedTuple


class ChatOverhead(NamedTuple):
    """The tokens of a chat that are not those of its contents.

    Attributes:
        message: Of each message, its role included.
        request: Of the whole request.
        name: Of each name of a speaker, beside its own tokens; less than none where a name
            stands for the role.
    """

    message: int
    request: int
    name: int = 1


OVERHEADS: Mapping[str, ChatOverhead] = {"gpt-3.5-turbo-0301": ChatOverhead(5, 3, -1)}
"""Models whose chats are written in another way."""
USUAL_OVERHEAD = ChatOverhead(4, 3, 1)
"""Of gpt-4-0314 and all that came after it; a guess for models of others."""


def chat_overhead(model: str) -> ChatOverhead:
    """Return what is put around the messages of chats with a model."""
    return OVERHEADS.get(model, USUAL_OVERHEAD)


def is_published(model: str) -> bool:
    """Tell whether a rule for this model is published; for others the usual one is a guess."""
    return model == "gpt-4" or model.startswith(("gpt-3.5-turbo", "gpt-4-", "gpt-4o"))
