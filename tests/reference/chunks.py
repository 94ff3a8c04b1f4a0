"""Chunks of random lengths, with the random numbers spelled out."""


def draw(state, most):
    """The next number below `most`: two multiplicative generators, subtracted."""
    state[0] = state[0] * 40014 % 2147483563
    state[1] = state[1] * 40692 % 2147483399
    return (state[0] - state[1]) % 2147483562 * most // 2147483562


def cut(text, state, ranges):
    """Cut a string; `ranges` holds (least, most, weight), weights being integers."""
    state = list(state)
    chunks = []
    while text:
        ticket = draw(state, sum(weight for _, _, weight in ranges))
        choice = 0
        while ticket >= ranges[choice][2]:
            ticket -= ranges[choice][2]
            choice += 1
        least, most, _ = ranges[choice]
        length = least + draw(state, most - least + 1)
        chunks.append(text[:length])
        text = text[length:]
    return chunks
