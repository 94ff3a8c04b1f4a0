"""What was read, and what had to be left out."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from tokkit.errors import CorpusError

MODULUS = 1 << 128


@dataclass
class Tally:
    """What was read of a corpus; tallies of its parts add up to that of the whole.

    Attributes:
        documents: Documents read, each as often as its weight says.
        size: Their bytes.
        hashes: The sum of their BLAKE2b hashes, modulo 2^128: independent of their order.
        skipped: How many bad records and files were left out, by reason.
    """

    documents: int = 0
    size: int = 0
    hashes: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    def add_document(self, document: bytes) -> None:
        """Take note of a document."""
        self.documents += 1
        self.size += len(document)
        value = int.from_bytes(blake2b(document, digest_size=16).digest(), "little")
        self.hashes = (self.hashes + value) % MODULUS

    def add(self, other: "Tally") -> None:
        """Take note of everything another tally holds."""
        self.documents += other.documents
        self.size += other.size
        self.hashes = (self.hashes + other.hashes) % MODULUS
        self.skipped.update(other.skipped)

    def to_json(self) -> dict[str, Any]:
        """The tally as values that JSON can hold."""
        return {
            "documents": self.documents,
            "size": self.size,
            "hashes": self.digest,
            "skipped": dict(self.skipped),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Tally":
        """The tally that `to_json` turned into values."""
        hashes, skipped = int(values["hashes"], 16), Counter(values["skipped"])
        return cls(int(values["documents"]), int(values["size"]), hashes, skipped)

    @property
    def digest(self) -> str:
        """The content as 32 hexadecimal digits, however it was divided and ordered."""
        return f"{self.hashes:032x}"


@dataclass
class Problems:
    """Decides whether a bad record ends the job or is counted."""

    skip: bool
    tally: Tally

    def report(self, reason: str, message: str) -> None:
        """Count the problem under `reason`.

        Raises:
            CorpusError: With `message`, unless bad records are to be skipped.
        """
        if not self.skip:
            raise CorpusError(message)
        self.tally.skipped[reason] += 1

    def bad_record(self, error: "BadRecordError", place: Callable[[], str]) -> None:
        """Count a bad record, or raise it with its place, which is only then looked up."""
        if self.skip:
            self.tally.skipped[error.reason] += 1
        else:
            remedy = "correct it, or skip bad records (--on-error skip)"
            raise CorpusError(f"{place()}: {error}; {remedy}") from error


class BadRecordError(Exception):
    """A record cannot be used.

    Attributes:
        reason: What it is counted under.
    """

    def __init__(self, reason: str, details: str) -> None:
        super().__init__(details)
        self.reason = reason


def text_of(value: object, column: str = "") -> str:
    """The text in a field: a string, or bytes of UTF-8.

    Raises:
        BadRecordError: If it is none, or cannot be written as UTF-8.
    """
    try:
        if isinstance(value, bytes):
            return value.decode()
        if isinstance(value, str):
            value.encode()
            return value
    except UnicodeDecodeError as error:
        found = value[error.start] if isinstance(value, bytes) else 0
        raise BadRecordError(
            "invalid UTF-8", f"byte {error.start + 1} (0x{found:02x}) is not UTF-8"
        ) from error
    except UnicodeEncodeError as error:
        raise BadRecordError(
            "invalid UTF-8", f"character {error.start + 1} is half of a surrogate pair"
        ) from error
    raise BadRecordError(
        "not a string", f"column {column!r} holds {type(value).__name__}, not text"
    )
