import pytest

from tests.dynamic.test_merging import small
from tokkit.dynamic import draw_curve, merge_batch
from tokkit.dynamic.curves import draw_curves
from tokkit.errors import CorpusError

DOCUMENTS = [b"xyxyxyzz", b"xyzz", b"qq", b"", b"zzzz xy xy"]


def test_a_curve_adds_up_batches_of_which_some_end_sooner():
    tokenizer = small()
    curve = draw_curve(tokenizer, DOCUMENTS, batch_size=2)
    batches = [DOCUMENTS[:2], DOCUMENTS[2:4], DOCUMENTS[4:]]
    lengths = [merge_batch(tokenizer, tokenizer.encode_batch(each)).lengths for each in batches]
    for merges in range(curve.lengths.size):
        assert curve.lengths[merges] == sum(each[: merges + 1][-1] for each in lengths)
    assert curve.lengths.size == max(map(len, lengths))
    assert (curve.documents, curve.batches, curve.n_bytes) == (5, 3, 24)


def test_merges_for_a_reduction_are_the_fewest():
    curve = draw_curve(small(), DOCUMENTS, batch_size=5)
    frame = curve.frame()
    for share in (0.1, 0.3, 0.5):
        merges = curve.merges_for(share)
        assert frame["reduction"][merges] >= share > frame["reduction"][merges - 1]
    assert curve.merges_for(0.99) is None
    assert curve.as_json()["merges_for_reduction"]["0.1"] == curve.merges_for(0.1)


def test_no_tokens_are_an_error():
    with pytest.raises(CorpusError, match="nothing to merge"):
        draw_curve(small(), [b""])


def test_groups_have_a_curve_each_and_one_together():
    groups = {"a": DOCUMENTS[:2], "b": DOCUMENTS[2:]}
    told = []
    found = draw_curves(small(), groups, batch_size=2, progress=lambda *each: told.append(each))
    one, two = (draw_curve(small(), texts, batch_size=2) for texts in groups.values())
    assert found.groups["a"].lengths.tolist() == one.lengths.tolist()
    both = found.groups["all"]
    assert (both.documents, both.batches, both.n_bytes) == (5, 3, 24)
    for merges in range(both.lengths.size):
        ends = [each.lengths[: merges + 1][-1] for each in (one, two)]
        assert both.lengths[merges] == sum(ends)
    assert told == [("merging", 2, 5), ("merging", 4, 5), ("merging", 5, 5)]
    assert list(draw_curves(small(), {"a": DOCUMENTS}).groups) == ["a"]
    assert len(found.frame()) == sum(each.lengths.size for each in found.groups.values())
