"""Reading and re-ranking in kernels against strings, lists and dictionaries."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.reference.lib import Model, Settings, Xorshift
from tokkit.kernels import lib, lib_order


@pytest.fixture(autouse=True, scope="module")
def _silence_overflow():
    """Hashing overflows on purpose, which NumPy says where kernels run uncompiled."""
    with np.errstate(over="ignore"):
        yield


class Arrays:
    """The kernels' state, with room for everything these tests do."""

    def __init__(self, lines, units, seed, room=1 << 12):
        self.characters = sorted({character for line in lines for character in line})
        self.text = self.symbols("".join(lines))
        self.ends = np.cumsum([len(line) for line in lines])
        self.table = np.full(4 * room, -1, np.int64)
        self.nodes = np.zeros(lib.FIELDS * room, np.int64)
        self.nodes[lib.PLACE] = -1
        self.order, self.probation = np.zeros(room, np.int64), np.zeros(room, np.int64)
        self.counts = np.array([1, 0, 0])
        self.state = np.array([seed], np.uint64)
        for unit in units:
            lib.add_unit(self.table, self.nodes, self.order, self.counts, self.symbols(unit))

    def symbols(self, text):
        return np.array([self.characters.index(character) for character in text], np.int32)

    def epoch(self, chosen):
        drawn = np.empty(chosen.document_size, np.int64)
        lib.draw_lines(self.state, self.ends.size, drawn)
        trie = self.table, self.nodes, self.order
        limits = chosen.alpha, chosen.max_length, chosen.unknown_length
        rewards, _ = lib.read_document(
            *trie, self.counts, self.state, self.text, self.ends, drawn, *limits
        )
        rates = chosen.omega, chosen.delta, chosen.life
        lib_order.update_order(*trie, self.probation, self.counts, rewards, *rates)

    def spell(self, node):
        spelled = ""
        while node:
            spelled = self.characters[self.nodes[lib.FIELDS * node + lib.SYMBOL]] + spelled
            node = self.nodes[lib.FIELDS * node + lib.PARENT]
        return spelled

    @property
    def lexicon(self):
        return [self.spell(node) for node in self.order[: self.counts[lib.UNITS]]]

    @property
    def on_probation(self):
        nodes = self.probation[: self.counts[lib.TRIED]]
        lives = self.nodes[lib.FIELDS * nodes + lib.LIFE]
        return {self.spell(node): life for node, life in zip(nodes, lives, strict=True) if life}


def compare(lines, chosen, units, seed, epochs):
    model = Model(chosen, Xorshift(seed), list(units))
    arrays = Arrays(lines, units, seed)
    for _ in range(epochs):
        arrays.epoch(chosen)
        model.epoch(lines)
        assert arrays.lexicon == model.lexicon
    assert arrays.on_probation == model.probation
    return arrays


some_settings = st.builds(
    Settings,
    alpha=st.sampled_from([0.1, 0.25, 1.0]),
    omega=st.sampled_from([1e-4, 0.01, 0.2, 1.0]),
    life=st.integers(1, 10),
    delta=st.sampled_from([0.0, 0.05, 0.2, 0.4, 0.9]),
    max_length=st.integers(1, 12),
    unknown_length=st.integers(1, 7),
    document_size=st.integers(1, 20),
)
words = st.lists(st.text("abcde", min_size=1, max_size=5), min_size=1, max_size=12)


@settings(max_examples=25)
@given(words, some_settings, st.data())
def test_kernels_keep_the_same_lexicon_as_the_reference(vocabulary, chosen, data):
    rng = data.draw(st.randoms(use_true_random=False))
    separator = data.draw(st.sampled_from(["", " "]))
    lines = [separator.join(rng.choices(vocabulary, k=rng.randint(1, 8))) for _ in range(15)]
    letters = sorted(set("".join(lines)))
    known = letters[: data.draw(st.integers(0, len(letters)))]
    compare(lines, chosen, known, data.draw(st.integers(1, 2**64 - 1)), epochs=6)


def test_a_lexicon_of_many_blocks_is_the_same():
    """Several hundred units on several blocks."""
    rng = random.Random(0)
    vocabulary = ["".join(rng.choices("abcdefghij", k=rng.randint(1, 6))) for _ in range(400)]
    lines = ["".join(rng.choices(vocabulary, k=12)) for _ in range(300)]
    chosen = Settings(alpha=1.0, delta=0.4, document_size=60, omega=0.001)
    arrays = compare(lines, chosen, sorted(set("".join(lines))), seed=1, epochs=12)
    assert len(arrays.lexicon) > 4 * lib_order.BLOCK_FILL


def test_single_characters_are_never_forgotten():
    chosen = Settings(omega=1.0, life=1, delta=0.9, document_size=5)
    arrays = compare(["abcabd", "bcad", "e"], chosen, "abcde", seed=5, epochs=40)
    assert set("abcde") <= set(arrays.lexicon)


def test_a_table_filled_from_nodes_finds_the_same_units():
    arrays = compare(["abcabd", "bcadab"], Settings(document_size=4), "abcd", 7, epochs=10)
    table = np.full(arrays.table.size * 2, -1, np.int64)
    lib.fill_table(table, arrays.nodes, int(arrays.counts[lib.NODES]))
    arrays.table, before = table, arrays.lexicon
    for node, unit in zip(arrays.order, before, strict=False):
        place, slot = arrays.nodes[lib.FIELDS * node + lib.PLACE], 0
        parent, code = np.int64(0), np.uint64(0)
        for symbol in arrays.symbols(unit):
            code = np.uint64(lib.extend(code, symbol))
            slot = lib.find_slot(table, code, parent << 21 | symbol)
            parent = table[2 * slot + 1] >> 1
        assert (parent, table[2 * slot + 1] & 1, before[place]) == (node, 1, unit)
