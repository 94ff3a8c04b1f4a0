"""A trained hypernetwork: rows for any tokens, given as bytes.

Its folder holds ``hypernet.safetensors``, the weights, and ``hypernet.json``: the shape, the
model it was trained for, and how it was trained. The model's own rows are not in there: they
are read from the model, or from a fine-tune of it.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from tokkit import __version__
from tokkit.errors import ModelError
from tokkit.hypernet.config import Config
from tokkit.hypernet.network import Network, Readable
from tokkit.hypernet.pieces import Speller
from tokkit.hypernet.running import predict
from tokkit.hypernet.source import SourceRows
from tokkit.lm.device import find_device
from tokkit.weights.tensors import read_file, write_file

WEIGHTS = "hypernet.safetensors"
ACCOUNT = "hypernet.json"
Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Predicted:
    """Rows of tokens.

    Attributes:
        input: Input rows, ``float32[n, hidden]``.
        output: Output rows, ``float32[n, hidden]``; the same array for a tied model.
        bias: What is added to the logits, ``float32[n]``; None: the model has no such thing.
    """

    input: Floats
    output: Floats
    bias: Floats | None


class Hypernet:
    """A hypernetwork and the model that it predicts rows for.

    Attributes:
        network: The network.
        source: The model's rows.
        account: What ``hypernet.json`` says besides the shape.
        digest: A hash of shape and weights, in hexadecimal.
        speller: What cuts tokens into pieces; it counts those that were too long.

    Example:
        >>> hypernet = Hypernet.load("hypernet")
        >>> hypernet.predict([b" transplantation", "größer".encode()]).input.shape
        (2, 192)
    """

    def __init__(
        self,
        network: Network,
        source: SourceRows,
        *,
        device: torch.device | str = "cpu",
        cache: int = 5_000,
        account: Mapping[str, Any] | None = None,
    ) -> None:
        self.network = network.to(device).eval()
        self.source = source
        self.account = dict(account or {})
        self.digest = _digest(network)
        self.speller = Speller(source, network.config.surface)
        self._readable = Readable(source, device)
        self._most = cache
        self._cache: OrderedDict[bytes, list[Floats]] = OrderedDict()

    @classmethod
    def load(
        cls,
        folder: str | Path,
        source: SourceRows | None = None,
        *,
        device: str = "cpu",
        cache: int = 5_000,
    ) -> Self:
        """Read what `save` wrote.

        Args:
            folder: Where it is.
            source: The rows of the model it was trained for, or of a fine-tune of that with
                the same tokenizer; None: of the model that ``hypernet.json`` names.
            device: Where to run it, such as ``"cpu"`` or ``"cuda:1"``; ``"auto"``: CUDA where
                there is some.
            cache: How many tokens' rows are kept for the next time; 0: none.

        Raises:
            ModelError: If there is no hypernetwork, or it was trained for another width or
                tokenizer.
        """
        place = Path(folder)
        told = _read_account(place)
        source = source if source is not None else SourceRows.read(told["model"])
        _check(place, told, source)
        network = Network(Config(**told["config"]), source)
        weights, _ = read_file(place / WEIGHTS)
        try:
            network.load_state_dict({k: torch.from_numpy(v) for k, v in weights.items()})
        except RuntimeError as error:
            raise ModelError(f"{place}: the weights are not of this hypernetwork") from error
        found = cls(network, source, device=find_device(device), cache=cache, account=told)
        if found.digest != told.get("digest"):
            raise ModelError(f"{place}: {WEIGHTS} and {ACCOUNT} are not of one hypernetwork")
        return found

    @property
    def tied(self) -> bool:
        """Whether the model's head is its input embedding."""
        return self.source.tied

    def predict(self, tokens: Sequence[bytes]) -> Predicted:
        """Predict the rows of tokens; those of one depend on its bytes alone.

        Args:
            tokens: The bytes of each; they need not be UTF-8, nor distinct.
        """
        wanted = list(dict.fromkeys(tokens))
        new = [token for token in wanted if token not in self._cache]
        made = predict(self.network, self._readable, self.speller.pieces(new))
        found = {token: [part[row] for part in made] for row, token in enumerate(new)}
        for token in wanted:
            if token in self._cache:
                self._cache.move_to_end(token)
                found[token] = self._cache[token]
        self._keep({token: found[token] for token in new})
        columns = self.network.columns
        rows = [
            np.array([found[token][k] for token in tokens], np.float32).reshape(-1, width)
            for k, width in enumerate(columns)
        ]
        return self._split(rows)

    def _keep(self, found: Mapping[bytes, list[Floats]]) -> None:
        """Remember the rows of the tokens asked for last."""
        for token, rows in found.items():
            if self._most:
                self._cache[token] = [row.copy() for row in rows]
        while len(self._cache) > self._most:
            self._cache.popitem(last=False)

    def _split(self, rows: list[Floats]) -> Predicted:
        """Take the bias off the last matrix."""
        hidden = self.source.hidden
        bias = None if self.source.bias is None else rows[-1][:, hidden].copy()
        sides = [np.ascontiguousarray(part[:, :hidden]) for part in rows]
        return Predicted(sides[0], sides[-1], bias)

    def save(self, folder: Path, account: Mapping[str, Any]) -> None:
        """Write weights and shape into a folder that is there.

        Args:
            folder: Where.
            account: What else to say; ``model`` has to name the model.
        """
        weights = {
            name: value.cpu().numpy() for name, value in self.network.state_dict().items()
        }
        write_file(folder / WEIGHTS, weights)
        told = {
            "tokkit": __version__,
            "config": asdict(self.network.config),
            "digest": self.digest,
            "hidden": self.source.hidden,
            "tied": self.source.tied,
            "bias": self.source.bias is not None,
            "tokenizer": self.source.tokenizer.digest,
            **account,
        }
        content = json.dumps(told, indent=1, ensure_ascii=False)
        (folder / ACCOUNT).write_text(content + "\n", encoding="utf-8")


def _digest(network: Network) -> str:
    """Hash the shape and the weights of a network."""
    state = hashlib.blake2b(json.dumps(asdict(network.config)).encode(), digest_size=16)
    for name, value in sorted(network.state_dict().items()):
        state.update(name.encode() + value.cpu().numpy().tobytes())
    return state.hexdigest()


def _read_account(folder: Path) -> dict[str, Any]:
    """Read ``hypernet.json``."""
    try:
        told = json.loads((folder / ACCOUNT).read_bytes())
        Config(**told["config"])
    except (FileNotFoundError, NotADirectoryError):
        raise ModelError(
            f"{folder}: no {ACCOUNT} there: give a folder of tokkit transplant train-hypernet"
        ) from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ModelError(f"{folder / ACCOUNT}: is damaged ({error})") from error
    found: dict[str, Any] = told
    return found


def _check(folder: Path, told: Mapping[str, Any], source: SourceRows) -> None:
    """Refuse rows of a model that the hypernetwork was not trained for."""
    own = {
        "hidden": (source.hidden, "embeddings of another width"),
        "tied": (
            source.tied,
            "a head tied to its input" if not source.tied else "an untied head",
        ),
        "bias": (
            source.bias is not None,
            "an output bias" if source.bias is None else "no output bias",
        ),
        "tokenizer": (source.tokenizer.digest, "another tokenizer"),
    }
    for key, (value, what) in own.items():
        if told.get(key) != value:
            raise ModelError(
                f"{folder}: was trained for a model with {what}: give the one it was trained "
                f"for ({told.get('model')}), or a fine-tune of it"
            )
