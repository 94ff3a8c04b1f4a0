"""Cut text into chunks of random lengths."""

from tokkit.kernels._jit import Bytes, Counts, Offsets, kernel

# Two multiplicative generators whose difference is the random number (L'Ecuyer, CACM 31(6),
# 1988): all products fit into 63 bits, compiled or not. Period 2.3e18.
FIRST_MODULUS, FIRST_FACTOR = 2147483563, 40014
SECOND_MODULUS, SECOND_FACTOR = 2147483399, 40692

CONTINUATION = 0x80  # the two highest bits of a UTF-8 continuation byte


@kernel
def _draw(state: Counts, most: int) -> int:
    """Return a random integer from 0 up to `most`, which is small, excluded."""
    state[0] = state[0] * FIRST_FACTOR % FIRST_MODULUS
    state[1] = state[1] * SECOND_FACTOR % SECOND_MODULUS
    return int((state[0] - state[1]) % (FIRST_MODULUS - 1) * most // (FIRST_MODULUS - 1))


@kernel
def cut_chunks(
    data: Bytes, ends: Offsets, seeds: Counts, lengths: Counts, cuts: Offsets
) -> int:
    """Write where the chunks of each text end; return how many there are.

    Args:
        data: Texts, UTF-8; malformed bytes count as continuing the character before.
        ends: Where each ends.
        seeds: ``int64[len(ends), 2]``, positive and below the moduli: a state for each text.
        lengths: ``int64[k, 3]``: least length and number of lengths of a range, in characters,
            and the sum of the weights up to and with it; weights are integers.
        cuts: Room for a cut after every byte.
    """
    written = start = 0
    for text in range(ends.size):
        state = seeds[text]
        end = ends[text]
        while start < end:
            ticket = _draw(state, lengths[lengths.shape[0] - 1, 2])
            choice = 0
            while lengths[choice, 2] <= ticket:
                choice += 1
            left = lengths[choice, 0] + _draw(state, lengths[choice, 1])
            start += 1
            while start < end and (left > 1 or data[start] & 0xC0 == CONTINUATION):
                left -= data[start] & 0xC0 != CONTINUATION
                start += 1
            cuts[written] = start
            written += 1
    return written
