"""Leftmost longest match, said as simply as possible."""


def longest_match(tokens: dict[bytes, int], piece: bytes, unknown_id: int = -1) -> list[int]:
    """Look up ever shorter beginnings of what is left."""
    ids = []
    longest = max(map(len, tokens), default=1)
    while piece:
        length = min(len(piece), longest)
        while length > 1 and piece[:length] not in tokens:
            length -= 1
        ids.append(tokens.get(piece[:length], unknown_id))
        piece = piece[length:]
    return ids
