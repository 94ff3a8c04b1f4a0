"""llama.cpp's tokenizers as its source describes them, slowly and without its files' reader.

`rwkv` is written from src/llama-vocab.cpp (llm_tokenizer_rwkv_session), for tests. `Library` is
llama.cpp itself, if TOKKIT_LLAMA_LIBRARY names a shared library that exports llama.h.
"""

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path


def rwkv_unescape(text: bytes) -> bytes:
    """A state machine over characters: backslash, then t, n, r, xHH or the character itself."""
    output = bytearray()
    position = 0
    while position < len(text):
        character = text[position]
        position += 1
        if character != ord("\\"):
            output.append(character)
            continue
        character = text[position]
        position += 1
        if character == ord("x"):
            digits = text[position : position + 2].decode()
            if len(digits) < 2 or not set(digits) <= set("0123456789abcdef"):
                raise ValueError("an escape is not finished")
            output.append(int(digits, 16))
            position += 2
        else:
            output.append({ord("t"): 9, ord("n"): 10, ord("r"): 13}.get(character, character))
    return bytes(output)


def rwkv(texts: Sequence[bytes], data: bytes) -> list[int]:
    """At each position the longest of all tokens, special ones too."""
    tokens = {rwkv_unescape(text): token_id for token_id, text in enumerate(texts)}
    longest = max(map(len, tokens))
    ids = []
    position = 0
    while position < len(data):
        for length in range(min(longest, len(data) - position), 0, -1):
            token_id = tokens.get(data[position : position + length])
            if token_id is not None:
                ids.append(token_id)
                position += length
                break
    return ids


class _Parameters(ctypes.Structure):
    """llama_model_params, larger than it is in any version: it is passed in memory."""

    _fields_ = (("content", ctypes.c_uint8 * 256),)


class Library:
    """llama.cpp itself, through its C interface."""

    _VOCAB_ONLY = 72
    """Where ``vocab_only`` is in llama_model_params (llama.cpp b11549, 64 bits)."""

    def __init__(self, path: Path) -> None:
        self._library = library = ctypes.CDLL(os.environ["TOKKIT_LLAMA_LIBRARY"])
        library.llama_model_default_params.restype = _Parameters
        library.llama_model_load_from_file.restype = ctypes.c_void_p
        library.llama_model_load_from_file.argtypes = [ctypes.c_char_p, _Parameters]
        library.llama_model_get_vocab.restype = ctypes.c_void_p
        library.llama_model_get_vocab.argtypes = [ctypes.c_void_p]
        library.llama_tokenize.argtypes = [
            *(ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int32),
            *(ctypes.POINTER(ctypes.c_int32), ctypes.c_int32, ctypes.c_bool, ctypes.c_bool),
        ]
        parameters = library.llama_model_default_params()
        parameters.content[self._VOCAB_ONLY] = 1
        model = library.llama_model_load_from_file(str(path).encode(), parameters)
        if not model:
            raise ValueError(f"llama.cpp does not load {path}")
        self._vocab = library.llama_model_get_vocab(model)

    def encode(self, text: str, parse_specials: bool) -> list[int]:
        """llama_tokenize without added specials."""
        data = text.encode()
        room = len(data) + 16
        ids = (ctypes.c_int32 * room)()
        count = self._library.llama_tokenize(
            self._vocab, data, len(data), ids, room, False, parse_specials
        )
        return list(ids[:count])
