"""Translating the settings of a model that hold token ids."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tokkit.transplant.settings.translation import Translation

LISTS = ("suppress_tokens", "begin_suppress_tokens")
"""Settings that are a list of ids."""
SEQUENCES = ("bad_words_ids", "force_words_ids", "sequence_bias", "forced_decoder_ids")
"""Settings that have stretches of ids, or ids with something else, in a list."""


@dataclass(frozen=True)
class SettingIds:
    """Translates settings, and remembers what it had to leave out.

    Attributes:
        translation: From the source's ids to the target's.
        file: What warnings call the file.
        warnings: What could not be translated, in words.
    """

    translation: Translation
    file: str
    warnings: list[str] = field(default_factory=list)

    def translate(self, name: str, old: Any) -> Any:
        """Return a setting with the target's ids, without those that it has none for."""
        if name in SEQUENCES:
            parts: Mapping[str, Callable[[str, Any], Iterator[Any]]] = {
                "sequence_bias": self._biases,
                "forced_decoder_ids": self._forced,
            }
            try:
                return list(parts.get(name, self._words)(name, old))
            except (TypeError, ValueError):  # it is not what transformers documents
                self._note(name, old, None)
                return []
        if isinstance(old, Mapping):
            pairs = ((key, self._token(name, each)) for key, each in old.items())
            return {key: each for key, each in pairs if each is not None}
        if isinstance(old, list | tuple):
            found = (self._token(name, each) for each in old)
            return list(dict.fromkeys(each for each in found if each is not None))
        return self._token(name, old)

    def ends(self, old: Sequence[Any]) -> list[int]:
        """Return what ends a text: the target's eos, then what the old ids are for it.

        If the old ids have what ends a turn, so have the new ones.
        """
        roles = self.translation.target_roles
        ends = [roles[role] for role in ("eos",) if role in roles]
        found = (self._token("eos_token_id", token) for token in old)
        ends += [token for token in found if token is not None]
        if self.translation.source_roles.get("end_of_turn", "none") in old:
            ends += [roles[role] for role in ("end_of_turn",) if role in roles]
        return list(dict.fromkeys(ends))

    def show(self, old: Any) -> str:
        """Write ids as the source tokenizer does."""
        ids = old if isinstance(old, list | tuple) else [old]
        source = self.translation.source
        if not all(type(each) is int and 0 <= each < len(source.vocab) for each in ids):
            return repr(old)
        text = source.decode(ids, specials=True).decode("utf-8", "backslashreplace")
        return f"{text!r} ({', '.join(map(str, ids))})"

    def _token(self, name: str, old: Any) -> int | None:
        """Translate one id."""
        found = self.translation.token(old) if type(old) is int else None
        self._note(name, old, found)
        return found

    def _stretch(self, name: str, old: Sequence[int]) -> list[int] | None:
        """Translate the ids of a word."""
        found = self.translation.sequence(old) if all(type(i) is int for i in old) else None
        self._note(name, old, found)
        return found

    def _note(self, name: str, old: Any, found: object) -> None:
        """Remember what was not found."""
        if found is None:
            self.warnings.append(
                f"{self.file}: {name} had {self.show(old)}, for which the target tokenizer has "
                "nothing; it was left out"
            )

    def _words(self, name: str, old: Any) -> Iterator[Any]:
        """Translate lists of ids, or lists of them (``force_words_ids``)."""
        for word in old:
            if word and isinstance(word[0], list | tuple):
                choices = [*self._words(name, word)]
                yield from [choices] if choices else []
            elif (found := self._stretch(name, word)) is not None:
                yield found

    def _biases(self, name: str, old: Any) -> Iterator[Any]:
        """Translate pairs of ids and a number: ``[[[5, 6], -2.0], ...]``."""
        for ids, bias in old:
            if (found := self._stretch(name, ids)) is not None:
                yield [found, bias]

    def _forced(self, name: str, old: Any) -> Iterator[Any]:
        """Translate pairs of a position and the id that has to be there."""
        for position, token in old:
            found = None if token is None else self._token(name, token)
            if found is not None:
                yield [position, found]
