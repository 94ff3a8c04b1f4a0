"""The chunk kernel against slicing strings."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import chunks as reference
from tokkit.kernels.chunks import cut_chunks
from tokkit.vocab import flatten

ranges = st.lists(
    st.tuples(st.integers(1, 6), st.integers(0, 4), st.integers(1, 9)), min_size=1, max_size=4
).map(lambda rows: [(least, least + more, weight) for least, more, weight in rows])


@given(
    st.lists(st.tuples(st.text(), st.integers(1, 2**31 - 250), st.integers(1, 2**31 - 250))),
    ranges,
)
def test_chunks_are_slices_of_characters(texts, ranges):
    data, ends = flatten([text.encode() for text, _, _ in texts])
    seeds = np.array([seeds for _, *seeds in texts], dtype=np.int64).reshape(-1, 2)
    lengths = np.array([(least, most - least + 1, weight) for least, most, weight in ranges])
    lengths[:, 2] = np.cumsum(lengths[:, 2])
    cuts = np.empty(data.size, dtype=np.int64)
    count = cut_chunks(data, ends, seeds.copy(), lengths, cuts)
    expected = [
        chunk.encode() for text, *state in texts for chunk in reference.cut(text, state, ranges)
    ]
    assert cuts[:count].tolist() == np.cumsum([len(chunk) for chunk in expected]).tolist()


def test_malformed_bytes_stay_with_what_is_before():
    data = np.frombuffer(b"ab\x80\x80c", dtype=np.uint8)
    lengths = np.array([[1, 1, 1]], dtype=np.int64)
    cuts = np.empty(5, dtype=np.int64)
    count = cut_chunks(data, np.array([5]), np.array([[1, 2]]), lengths, cuts)
    assert cuts[:count].tolist() == [1, 4, 5]
