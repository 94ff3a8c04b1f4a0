"""An encoder of texts: a transformer whose token vectors are pooled."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tokkit.transplant.context import Progress, silent
from tokkit.transplant.methods.encoder_folder import Recipe, pool
from tokkit.transplant.methods.vector_cache import VectorCache

_BATCH = 256
_TOKENS = 8192
"""How many texts, and how many tokens, the encoder gets at once."""

Vectors = NDArray[np.float32]


class Encoder:
    """A transformer whose token vectors are pooled into one vector per text.

    As TokenAdapt's code (arXiv 2505.09738) has it: no prompt before the text, and vectors are
    not scaled to one length. Texts of equally many tokens are run together, without padding;
    those with the same tokens, such as upper and lower case for an uncased encoder, once.

    Attributes:
        width: How many numbers a vector has.
    """

    def __init__(
        self, model: Any, tokenizer: Any, recipe: Recipe, progress: Progress = silent
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._recipe = recipe
        self._progress = progress
        self._limit = recipe.limit or _limit(model, tokenizer)
        self._cache: VectorCache | None = None
        self.width = int(self._run([(self._tokenize(["a"]) or [b""])[0]]).shape[1])

    def keep_in(self, folder: Path, name: str) -> None:
        """Keep vectors in a folder, and take those that are there.

        Args:
            folder: Made if there is none; if that fails, the vectors are not kept.
            name: Different for encoders that give different vectors.
        """
        self._cache = VectorCache(folder / f"{name}-{self.width}.vectors", self.width)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one vector per text, ``float32[n, width]``; zero for a text without tokens."""
        contents = self._tokenize(texts)
        distinct = sorted(set(contents), key=lambda content: (len(content), content))
        vectors = self._vectors(distinct)
        places = {content: place for place, content in enumerate(distinct)}
        return vectors[[places[content] for content in contents]]

    def _tokenize(self, texts: Sequence[str]) -> list[bytes]:
        """Return the token ids of each text as the bytes of an ``int32`` array."""
        if not texts:
            return []
        lowered = [text.lower() for text in texts] if self._recipe.lower else list(texts)
        ids = self._tokenizer(lowered, truncation=True, max_length=self._limit)["input_ids"]
        return [np.array(row, dtype="<i4").tobytes() for row in ids]

    def _vectors(self, contents: Sequence[bytes]) -> Vectors:
        """Return the vectors of sequences of ids, shortest first, from the cache or afresh."""
        vectors = np.zeros((len(contents), self.width), dtype=np.float32)
        known = np.array([not content for content in contents], dtype=bool)
        if self._cache is not None:
            found, vectors = self._cache.read(contents)
            known |= found
        missing = np.flatnonzero(~known).tolist()
        done = len(contents) - len(missing)
        for length, run in groupby(missing, lambda place: len(contents[place]) // 4):
            places = list(run)
            size = max(1, min(_BATCH, _TOKENS // length))
            for start in range(0, len(places), size):
                batch = places[start : start + size]
                vectors[batch] = self._run([contents[place] for place in batch])
                if self._cache is not None:
                    self._cache.add([contents[place] for place in batch], vectors[batch])
                done += len(batch)
                self._progress("encoding tokens", done, len(contents))
        return vectors

    def _run(self, contents: Sequence[bytes]) -> Vectors:
        """Encode sequences of ids of one length."""
        import torch

        rows = np.stack([np.frombuffer(content, dtype="<i4") for content in contents])
        ids = torch.tensor(rows.astype(np.int64), device=self._model.device)
        with torch.inference_mode():
            output = self._model(input_ids=ids, attention_mask=torch.ones_like(ids))
            states = output.last_hidden_state
            vectors = torch.cat([pool(states, mode) for mode in self._recipe.pooling], dim=1)
            for step in self._recipe.steps:
                vectors = step(vectors)
        found: Vectors = vectors.float().cpu().numpy()
        return found


def _limit(model: Any, tokenizer: Any) -> int:
    """Return the most tokens of a text: what the tokenizer says, if the model can take it."""
    places = getattr(model.config, "max_position_embeddings", None)
    limit = int(min(tokenizer.model_max_length, 1 << 30))
    return min(limit, places) if isinstance(places, int) and places > 0 else limit
