"""Batches: files with requests to upload, and the files of results that come back.

A folder is asked, and goes on with each run: the first one writes ``requests.jsonl`` into it,
which the user uploads; results that are put into the folder, whatever they are called, answer
the next one. What failed or expired is written into another file to be asked again; what is
under way is not asked twice.
"""

import json
import logging
import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokkit.errors import UsageError
from tokkit.studies.asking.backends.openai_bodies import write_body
from tokkit.studies.asking.backends.result_lines import BadLines, read_objects, read_results
from tokkit.studies.asking.request import Answer, Request

_NAME = "requests"
_NEW_LIMIT = re.compile(r"o\d|gpt-[5-9]")
"""Models of OpenAI that want the number of tokens under its newer name."""
_WAITING = "its batch has no result yet"
_AGAIN = "{}; written into another file to be asked again"
_log = logging.getLogger("tokkit")


class BatchBackend:
    """Answers with the results in a folder, and writes there what has none.

    A request is called by its digest, in the files of both providers.

    Attributes:
        model: The provider and the name of the model.
    """

    batch_size = 1 << 30
    workers = 1
    keeps = True

    def __init__(self, provider: str, folder: str | Path, model: str | None) -> None:
        """Choose whose batches they are, and where the files lie.

        Args:
            provider: ``"openai"`` or ``"anthropic"``.
            folder: Where; it is made if need be.
            model: The name of the model.

        Raises:
            UsageError: If there is no such provider, no model, or the folder is a file.
        """
        if provider not in PROVIDERS:
            raise UsageError(f"no batches of {provider!r}: there are {' and '.join(PROVIDERS)}")
        if not model:
            raise UsageError(f"a batch of {provider} needs the name of a model (--model)")
        self._folder = Path(folder)
        if self._folder.is_file():
            raise UsageError(f"{folder} is a file: name the folder where batches lie")
        self._provider, self._name = PROVIDERS[provider], model
        self.model = f"batch:{provider}:{model}"

    @classmethod
    def parse(cls, spec: str, model: str | None) -> "BatchBackend":
        """Read ``PROVIDER:FOLDER``, what follows ``batch:``."""
        provider, colon, folder = spec.partition(":")
        if not colon or not folder:
            raise UsageError(
                f"batch:{spec}: write batch:openai:FOLDER or batch:anthropic:FOLDER"
            )
        return cls(provider, folder, model)

    def answer(self, requests: Sequence[Request]) -> list[Answer]:
        """Answer requests that have a result, and see to it that the others are asked.

        The logger ``tokkit`` says what to upload, and which lines cannot be read.

        Raises:
            UsageError: If the provider's batches cannot ask such a request.
        """
        digests = {request.digest(self.model): request for request in requests}
        bad = BadLines()
        answers, failures = self._results(bad)
        asked = self._asked(bad)
        bad.log()
        missing = [digest for digest in digests if digest not in answers]
        new = [digest for digest in missing if asked[digest] <= len(failures[digest])]
        written = self._write({digest: digests[digest] for digest in new})
        self._tell(written, len(new), len(missing) - len(new))
        said = {
            digest: _AGAIN.format(failures[digest][-1]) for digest in new if failures[digest]
        }
        names = [request.digest(self.model) for request in requests]
        return [answers.get(name) or Answer(error=said.get(name, _WAITING)) for name in names]

    def _files(self, *, requests: bool) -> list[Path]:
        """Return the files with requests, or the others, in the order of their names."""
        found = sorted(self._folder.glob("*.jsonl"))
        return [path for path in found if path.name.startswith(_NAME) == requests]

    def _results(self, bad: BadLines) -> tuple[dict[str, Answer], dict[str, list[str]]]:
        """Return all answers by the digest of the request, and why others failed each time."""
        answers: dict[str, Answer] = {}
        failures: dict[str, list[str]] = defaultdict(list)
        for path in self._files(requests=False):
            for digest, answer in read_results(path, bad):
                if answer.error is None:
                    answers.setdefault(digest, answer)
                else:
                    failures[digest].append(answer.error)
                    _log.debug("%s: %s failed: %s", path, digest, answer.error)
        return answers, failures

    def _asked(self, bad: BadLines) -> Counter[str]:
        """Return how often each request was written before."""
        files = self._files(requests=True)
        return Counter(
            str(content.get("custom_id"))
            for path in files
            for _, content in read_objects(path, bad)
        )

    def _write(self, requests: Mapping[str, Request]) -> list[Path]:
        """Write requests into as many new files as the provider wants; name the files."""
        kinds: dict[str, list[bytes]] = {}
        for digest, request in requests.items():
            kind, content = self._provider.write(digest, request, self._name)
            kinds.setdefault(kind, []).append(json.dumps(content).encode() + b"\n")
        parts = [part for lines in kinds.values() for part in _split(lines, self._provider)]
        self._folder.mkdir(parents=True, exist_ok=True)
        written = []
        for part in parts:
            path = self._free_name()
            partial = path.with_suffix(".partial")
            partial.write_bytes(b"".join(part))
            os.replace(partial, path)
            written.append(path)
        return written

    def _free_name(self) -> Path:
        """Return a name for another file with requests."""
        taken = len(self._files(requests=True))
        return self._folder / (f"{_NAME}-{taken + 1}.jsonl" if taken else f"{_NAME}.jsonl")

    def _tell(self, written: Sequence[Path], new: int, waiting: int) -> None:
        """Say what to do next."""
        then = f"put the results into {self._folder}, then run the same again"
        if waiting:
            _log.warning("%d requests written earlier have no result yet: %s", waiting, then)
        if written:
            names = ", ".join(map(str, written))
            how = self._provider.upload
            _log.warning("wrote %d requests into %s: %s; %s", new, names, how, then)


@dataclass(frozen=True)
class Provider:
    """Who takes batches.

    Attributes:
        write: Gives what kind of file a request goes into, and its line there, from its
            digest, itself and the model's name.
        requests: The most requests of a file.
        size: The most bytes of one.
        upload: How to send a file.
    """

    write: Callable[[str, Request, str], tuple[str, dict[str, Any]]]
    requests: int
    size: int
    upload: str


def _split(lines: Sequence[bytes], provider: Provider) -> list[list[bytes]]:
    """Share lines out among files that are small enough."""
    parts: list[list[bytes]] = []
    size = 0
    for line in lines:
        size += len(line)
        if not parts or len(parts[-1]) == provider.requests or size > provider.size:
            parts.append([])
            size = len(line)
        parts[-1].append(line)
    return parts


def _write_openai(digest: str, request: Request, model: str) -> tuple[str, dict[str, Any]]:
    """Write a request; all of a file go to one endpoint."""
    limit = "max_completion_tokens" if _NEW_LIMIT.match(model) else "max_tokens"
    url = "/v1/chat/completions" if request.messages else "/v1/completions"
    body = write_body(request, model, limit)
    return url, {"custom_id": digest, "method": "POST", "url": url, "body": body}


def _write_anthropic(digest: str, request: Request, model: str) -> tuple[str, dict[str, Any]]:
    """Write a request without seed and log probabilities, which Anthropic does not have."""
    if not request.messages:
        raise UsageError(f"{request.key}: Anthropic answers chats only, not prompts")
    decoding = request.decoding
    params: dict[str, Any] = {"model": model, "max_tokens": decoding.max_tokens}
    params["temperature"] = decoding.temperature
    system = [each.content for each in request.messages if each.role == "system"]
    if system:
        params["system"] = "\n\n".join(system)
    params["messages"] = [m._asdict() for m in request.messages if m.role != "system"]
    if stops := [text for text in decoding.stop if text.strip()]:  # others are refused
        params["stop_sequences"] = stops
    return "messages", {"custom_id": digest, "params": params}


PROVIDERS: Mapping[str, Provider] = {
    "openai": Provider(
        _write_openai,
        50_000,
        200_000_000,
        "upload each file as a batch for the endpoint its lines name",
    ),
    "anthropic": Provider(
        _write_anthropic,
        100_000,
        256_000_000,
        "send its lines as the `requests` of a message batch",
    ),
}
"""Whose batches can be written; the limits are those of their documentation."""
