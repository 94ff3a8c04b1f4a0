"""Threefry, and what JAX makes of it."""

import numpy as np
import pytest

from tokkit.studies.numbers.threefry import randint, seed_key, split, threefry2x32


def words(*values):
    return np.array(values, dtype=np.uint32)


@pytest.mark.parametrize(
    ("key", "counter", "expected"),
    [
        ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
        ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0x1CB996FC, 0xBB002BE7)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xC4923A9C, 0x483DF7A0)),
    ],
)
def test_the_known_answers_of_random123(key, counter, expected):
    first, second = words(*counter)
    assert tuple(map(int, threefry2x32(words(*key), first, second))) == expected


def test_blocks_do_not_depend_on_what_is_beside_them():
    counters = np.arange(6, dtype=np.uint32).reshape(2, 3)
    keys = np.arange(12, dtype=np.uint32).reshape(2, 3, 2)
    together = threefry2x32(keys, counters, counters + np.uint32(7))
    for place in np.ndindex(2, 3):
        alone = threefry2x32(keys[place], counters[place], counters[place] + np.uint32(7))
        assert [int(each[place]) for each in together] == [int(each) for each in alone]


@pytest.mark.parametrize("count", [1, 2, 3, 8, 9])
def test_a_key_is_split_as_the_definition_says(count):
    key = seed_key(5)
    flat = [
        threefry2x32(key, *words(block, count + block))[half]
        for half in (0, 1)
        for block in range(count)
    ]
    assert split(key, count).ravel().tolist() == [int(word) for word in flat]


def test_single_keys_of_a_million_are_made_without_the_others():
    indices = [0, 1, 499_999, 500_000, 999_999]
    few = split(seed_key(0), 1_000_000, indices)
    assert few.tolist() == split(seed_key(0), 1_000_000)[indices].tolist()


def test_a_seed_of_more_than_32_bits_fills_both_words():
    assert seed_key(2**32 + 7).tolist() == [1, 7]


def test_the_first_operands_of_the_published_problems():
    halves = split(split(seed_key(0), 1_000_000, [0, 1, 2]), 2)
    first = randint(halves[:, 0], 10**6, 10**7)
    second = randint(halves[:, 1], np.array([10**6, 10**7, 10**8]), [10**7, 10**8, 10**9])
    assert first.tolist() == [2307350, 7778640, 9482500]
    assert second.tolist() == [6058422, 14016227, 964332763]


def test_integers_are_uniform_in_their_range():
    keys = split(seed_key(3), 60_000)
    drawn = randint(keys, 10, 16)
    counts = np.bincount(drawn, minlength=16)[10:]
    assert drawn.min() == 10
    assert drawn.max() == 15
    # Five times the standard deviation of a count of 60,000 draws with probability 1/6.
    assert np.abs(counts - 10_000).max() < 5 * np.sqrt(60_000 * 5 / 36)
