"""Saying with the ids of one tokenizer what was said with those of another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from tokkit.byte_spelling import spell, usual_ids
from tokkit.tokenizer import Tokenizer
from tokkit.transplant.settings.roles import Roles, match_roles, match_texts


@dataclass(frozen=True)
class Translation:
    """From the ids of a model's tokenizer to those of the one it is moved onto.

    Attributes:
        source: The tokenizer of the model.
        target: The tokenizer it is moved onto.
        source_roles: See `find_roles`.
        target_roles: See `find_roles`.
    """

    source: Tokenizer
    target: Tokenizer
    source_roles: Roles
    target_roles: Roles

    def token(self, source_id: int) -> int | None:
        """Return the target token that stands for the same, None if there is none.

        Special tokens correspond by what they are for, then by how they are written; others
        by their bytes alone.
        """
        tokens = self.source.vocab.tokens
        if not 0 <= source_id < len(tokens):
            return None
        if source_id in self._specials:
            return self._specials[source_id]
        return self._by_bytes.get(tokens[source_id])

    def sequence(self, source_ids: Sequence[int]) -> list[int] | None:
        """Return the target tokens of a stretch of text, which may be more or fewer.

        None if a special token has no counterpart, or the bytes cannot be spelled.
        """
        tokens = self.source.vocab.tokens
        if not all(0 <= token < len(tokens) for token in source_ids):
            return None
        found: list[int] = []
        for is_text, run in groupby(source_ids, lambda token: bool(tokens[token])):
            ids = list(run)
            if is_text:
                spelled = spell(self.target, [b"".join(tokens[token] for token in ids)])[1]
                if not spelled.size:
                    return None
                found += spelled.tolist()
                continue
            for token in map(self.token, ids):
                if token is None:
                    return None
                found.append(token)
        return found

    @cached_property
    def _specials(self) -> Mapping[int, int]:
        same = match_texts(self.target, self.source)
        return {**same, **match_roles(self.target_roles, self.source_roles)}

    @cached_property
    def _by_bytes(self) -> Mapping[bytes, int]:
        return usual_ids(self.target)
