"""Local language models of transformers as backends.

A chat is written with the chat template of the model's tokenizer. If there is none, or plain
text is wanted, it is written by `tokkit.studies.asking.rendering.plain_text`, with the token
that begins texts before it; the answer ends with its line where that function's lines do.

Answers do not depend on which requests are answered together, up to the rounding of sums: where
two tokens are as good as equally likely, another batch may choose the other one. In bfloat16
that happens; in float32 hardly ever.
"""

import time
import weakref
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from tokkit.errors import MissingExtraError
from tokkit.studies.asking.backends.hf_digest import content_digest, find_folder
from tokkit.studies.asking.rendering import ends_with_line, plain_text
from tokkit.studies.asking.request import (
    Answer,
    Choice,
    Decoding,
    Request,
    TokenLogprob,
)
from tokkit.tokenizer import Tokenizer

try:
    import torch  # noqa: F401
    import transformers
except ModuleNotFoundError as missing:
    raise MissingExtraError("torch", "torch") from missing

from tokkit.lm.chat_template import chat_template, fill
from tokkit.lm.hf_load import (
    context_of,
    load_model,
    load_tokenizer,
    start_and_ends,
)
from tokkit.lm.roles import named_specials
from tokkit.studies.asking.backends.hf_generate import (
    Brake,
    Continuation,
    Manner,
    continue_all,
)

# Its type differs between versions of transformers.
_CONFIG: Any = transformers.GenerationConfig


class HFBackend:
    """Answers with a causal language model; its weights are loaded when it is first asked.

    Attributes:
        model: The folder's name, the digest of its content, the dtype, how chats are written.
        batch_size: How many requests go through the model at once.
    """

    workers = 1
    keeps = True

    def __init__(
        self,
        path: str | Path,
        *,
        device: str = "auto",
        dtype: str = "auto",
        tokenizer: str | None = None,
        plain: bool = False,
        batch_size: int | None = None,
    ) -> None:
        """Find a model.

        Args:
            path: A folder, or a Hub id.
            device: Such as ``"cpu"`` or ``"cuda:1"``; ``"auto"``: CUDA where there is some.
            dtype: Such as ``"bfloat16"``; ``"auto"``: as the weights were saved.
            tokenizer: Where its tokenizer is; None: with the model.
            plain: Whether chats are written as plain text even if there is a chat template.
            batch_size: How many requests go through it at once; None: 64.

        Raises:
            ModelError: If there is no model or no tokenizer.
        """
        self._brake = Brake()
        weakref.finalize(self, self._brake.stop)  # which Python does before it ends, too
        self._folder = find_folder(str(path))
        self._files = str(self._folder if tokenizer is None else tokenizer)
        self._device, self._dtype = device, dtype
        self.batch_size = batch_size or 64
        self.tokenizer = load_tokenizer(self._files)
        self._template = None if plain else chat_template(self._files)
        manner = "plain" if self._template is None else "chat"
        others = "" if tokenizer is None else f", tokenizer {self.tokenizer.digest[:16]}"
        name = Path(path).resolve().name if Path(path).exists() else str(path)
        self.model = f"hf:{name}@{content_digest(self._folder)} ({dtype}, {manner}{others})"

    @cached_property
    def _loaded(self) -> "_Loaded":
        return _Loaded(self._folder, self._files, self.tokenizer, self._device, self._dtype)

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer requests; one that has no room in the model's context is not answered.

        Raises:
            ModelError: If the model cannot be loaded, or its chat template cannot write a chat.
            JobError: If there is too little memory for a single request.
        """
        answers: dict[int, Answer] = {}
        groups: dict[tuple[Decoding, tuple[str, ...], int], list[int]] = {}
        prompts = [self._loaded.ids(*self._written(request)) for request in requests]
        for number, (request, prompt) in enumerate(zip(requests, prompts, strict=True)):
            decoding, room = request.decoding, self._loaded.room(prompt)
            if room <= 0:
                answers[number] = Answer(error=self._loaded.refusal(prompt))
                continue
            most = min(room, decoding.max_tokens)
            groups.setdefault((decoding, self._stops(request), most), []).append(number)
        for (decoding, stop, most), members in groups.items():
            asked = [(requests[number], prompts[number]) for number in members]
            found = self._continue(asked, decoding, stop, most)
            answers.update(zip(members, found, strict=True))
        return [answers[number] for number in range(len(requests))]

    def _continue(
        self,
        asked: Sequence[tuple[Request, list[int]]],
        decoding: Decoding,
        stop: Sequence[str],
        most: int,
    ) -> list[Answer]:
        """Answer requests that are alike in everything but their texts."""
        manner = Manner(
            tokens=self.tokenizer.vocab.tokens,
            ends=self._loaded.ends,
            stop=[text.encode("utf-8", "replace") for text in stop],
            decoding=decoding,
            most=most,
        )
        begun = time.perf_counter()
        prompts = [prompt for _, prompt in asked]
        seeds = [_seed(request) for request, _ in asked]
        found = continue_all(self._loaded.model, prompts, seeds, manner, self._brake)
        seconds = (time.perf_counter() - begun) / len(asked)
        return [
            self._answer(each, len(prompt), seconds)
            for each, prompt in zip(found, prompts, strict=True)
        ]

    def _written(self, request: Request) -> tuple[str, bool]:
        """Return the text of a request, and whether a chat template wrote it."""
        if request.prompt is not None:
            return request.prompt, False
        if self._template is None:
            return plain_text(request.messages), False
        return fill(self._template, request.messages), True

    def _stops(self, request: Request) -> tuple[str, ...]:
        """Return the texts that end the answer to a request."""
        plain = request.prompt is None and self._template is None
        if plain and ends_with_line(request.messages):
            return (*request.decoding.stop, "\n")
        return request.decoding.stop

    def _answer(self, found: Continuation, prompt_tokens: int, seconds: float) -> Answer:
        steps = zip(found.ids, found.logprobs, found.top, strict=False)
        return Answer(
            text=found.text.decode("utf-8", "replace"),
            prompt_tokens=prompt_tokens,
            completion_tokens=len(found.ids),
            finish_reason="stop" if found.ended else "length",
            logprobs=tuple(
                TokenLogprob(
                    self._text(token),
                    logprob,
                    tuple(Choice(self._text(each), value) for each, value in top),
                )
                for token, logprob, top in steps
            ),
            seconds=seconds,
        )

    def _text(self, token: int) -> str:
        """Return how a token is shown."""
        if token >= len(self.tokenizer):
            return f"<{token}>"
        return self.tokenizer.decode([token], specials=True).decode("utf-8", "replace")


class _Loaded:
    """A model in memory, and what its files say about it."""

    def __init__(
        self, folder: Path, files: str, tokenizer: Tokenizer, device: str, dtype: str
    ) -> None:
        self.model = load_model(str(folder), device, dtype)
        self.start, self.ends = start_and_ends(
            self.model, tokenizer, named_specials(files), None, None
        )
        self._context = context_of(self.model.config.get_text_config())
        self._tokenizer = tokenizer
        # Penalties and the like that a model's author recommends would be silently heeded.
        self.model.generation_config = _CONFIG()

    def ids(self, text: str, templated: bool) -> list[int]:
        """Return the ids of a text; a chat template writes what begins it itself."""
        ids: list[int] = self._tokenizer.encode(text, parse_specials=templated).tolist()
        return ids if templated else [*self.start, *ids]

    def room(self, prompt: Sequence[int]) -> int:
        """Return for how many tokens there is room behind a prompt."""
        return 1 << 30 if self._context is None else self._context - len(prompt)

    def refusal(self, prompt: Sequence[int]) -> str:
        """Say why a prompt has no answer."""
        return (
            f"the prompt has {len(prompt)} tokens and the model a context of {self._context}: "
            "ask with fewer shots, or another model"
        )


def _seed(request: Request) -> int:
    """Return the seed of the draws for a request: of its content, whatever batch it is in."""
    return int(request.digest("")[:16], 16)
