"""Whether some text gives a token, against every short text there is."""

import itertools

import pytest

from tests.byteprobs.families import FAMILIES
from tokkit.canonical.build import build_grammar
from tokkit.canonical.product import Product
from tokkit.canonical.uses import find_use

MOST_TEXTS = 1500


def texts_over(alphabet):
    """All texts over an alphabet, the shortest first, up to a number."""
    texts = itertools.chain.from_iterable(
        map("".join, itertools.product(alphabet, repeat=length)) for length in range(1, 9)
    )
    return list(itertools.islice(texts, MOST_TEXTS))


@pytest.mark.parametrize("name", [*list(FAMILIES)[::3], "unreachable", "nfc"])
def test_what_is_used_has_a_text_and_what_is_impossible_has_none(name, tmp_path):
    family = FAMILIES[name](tmp_path, 3)
    grammar = build_grammar(family.tokenizer, family.tokens)
    alphabet = f"{family.alphabet}{family.more}"
    met = {token for ids in family.encode(texts_over(alphabet)) for token in ids}
    own = set(f"{alphabet} ".encode())
    for token, data in enumerate(family.tokens):
        if not data or not own.issuperset(data):
            continue
        use = find_use(grammar, token)
        if use.impossible:
            assert grammar.exact
            assert token not in met, (data, use)
        if use.sequence:
            assert token in use.sequence
            spelled = b"".join(family.tokens[each] for each in use.sequence)
            # Not every text has something put before it.
            texts = [spelled.decode(), spelled.removeprefix(family.lead).decode()]
            assert use.sequence in map(tuple, family.encode(texts))
        if token in met and isinstance(grammar, Product) and grammar.exact:
            assert use.sequence, data
