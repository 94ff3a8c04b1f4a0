"""Pre-tokenization: scanners written by hand for the patterns everybody uses.

Two passes. `classify` gives every byte the class of its code point; the cutters then walk over
classes, so that runs need no decoding and ASCII no special case. A byte that is not part of a
well-formed UTF-8 sequence is a code point of its own, without any class. Each piece that comes
in is cut as if it were a text of its own.
"""

import numpy as np

from tokkit.kernels._jit import Bytes, Offsets, kernel
from tokkit.kernels.codes import (
    ANY_CASE,
    CASED,
    CONTINUATION,
    CONTRACTIONS,
    DIGIT,
    FROM_RIGHT,
    LETTER,
    LINES,
    LONG_S,
    LOWER,
    NEWLINE,
    NEWLINES,
    NUMBER,
    NUMBER_RULE,
    NUMBER_SHIFT,
    PREFIXED,
    RUNS,
    SLASHES,
    SPACE,
    SPACED_NUMBERS,
    TAIL,
    THOUSANDS,
    TRAILING,
    UPPER,
    WHOLE_RUN,
)

KNOWN = LETTER | NUMBER | SPACE
CASES = UPPER | LOWER
BLANK = 0x20
APOSTROPHE = 0x27
SLASH = 0x2F


@kernel
def _sequence_length(data: Bytes, position: int, end: int) -> int:
    """The length of the well-formed sequence of two to four bytes at `position`, or 0."""
    lead = data[position]
    if lead < 0xC2 or lead > 0xF4:
        return 0
    length = 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
    if position + length > end:
        return 0
    for offset in range(1, length):
        if data[position + offset] & 0xC0 != 0x80:
            return 0
    second = data[position + 1]
    if (lead == 0xE0 and second < 0xA0) or (lead == 0xED and second > 0x9F):
        return 0
    if (lead == 0xF0 and second < 0x90) or (lead == 0xF4 and second > 0x8F):
        return 0
    return length


@kernel
def classify(data: Bytes, ends: Offsets, table: Bytes, classes: Bytes) -> None:
    """Write the class of each byte's code point, from `table` (``uint8[0x110000]``)."""
    position = 0
    for piece in range(ends.size):
        end = ends[piece]
        while position < end:
            if data[position] < 0x80:
                classes[position] = table[data[position]]
                position += 1
                continue
            length = _sequence_length(data, position, end)
            if length == 0:
                classes[position] = 0
                position += 1
                continue
            code_point = np.int64(data[position]) & (0xFF >> (length + 1))
            for offset in range(1, length):
                code_point = (code_point << 6) | (np.int64(data[position + offset]) & 0x3F)
            classes[position] = table[code_point]
            for offset in range(1, length):
                classes[position + offset] = table[code_point] | CONTINUATION
            position += length


@kernel
def _run(classes: Bytes, position: int, end: int, mask: int) -> int:
    """Where the run of classes in `mask` that starts at `position` ends."""
    while position < end and classes[position] & mask:
        position += 1
    return position


@kernel
def _symbols(classes: Bytes, position: int, end: int) -> int:
    """Where the run of code points that are no letter, number or space ends."""
    while position < end and not classes[position] & KNOWN:
        position += 1
    return position


@kernel
def _step(classes: Bytes, position: int, end: int) -> int:
    """The end of the code point at `position`."""
    position += 1
    while position < end and classes[position] & CONTINUATION:
        position += 1
    return position


@kernel
def _back(classes: Bytes, position: int) -> int:
    """The start of the code point that ends at `position`."""
    position -= 1
    while classes[position] & CONTINUATION:
        position -= 1
    return position


@kernel
def _contraction(data: Bytes, position: int, end: int, code: int) -> int:
    """The end of ``'s 't 're 've 'm 'll 'd`` at `position`; `position` if there is none."""
    if position + 1 >= end or data[position] != APOSTROPHE:
        return position
    fold = 0x20 if code & ANY_CASE else 0
    first = data[position + 1] | fold
    if first == 0x73 or first == 0x64 or first == 0x6D or first == 0x74:
        return position + 2
    if position + 2 >= end:
        return position
    second = data[position + 2] | fold
    if (first == 0x6C and second == 0x6C) or (
        (first == 0x72 or first == 0x76) and second == 0x65
    ):
        return position + 3
    if code & LONG_S and data[position + 1] == 0xC5 and data[position + 2] == 0xBF:
        return position + 3
    return position


@kernel
def _cased_word(classes: Bytes, position: int, end: int) -> int:
    """The end of ``p?U*L+|p?U+L*`` at `position`; `position` if there is no such word.

    p is any code point but letters, numbers and newlines; U is `UPPER`, L is `LOWER`; marks and
    letters without case are both, which is what makes the pattern backtrack.
    """
    start = position
    first = classes[position]
    if not first & (LETTER | NUMBER | NEWLINE):
        start = _step(classes, position, end)
    upper = _run(classes, start, end, UPPER)
    lower = _run(classes, upper, end, LOWER)
    if lower > upper:
        return lower
    last = upper
    while last > start:
        before = _back(classes, last)
        if classes[before] & LOWER:
            return last
        last = before
    if start > position and first & CASES:
        return start  # the prefix is a mark: it is a word, and no longer a prefix
    return upper if upper > start else position


@kernel
def _space(classes: Bytes, position: int, end: int, code: int) -> int:
    """Where to cut the white space at `position`.

    After the last newline if there is one; else before the last code point, which goes with
    what follows; a run of one, and one at the end of the text, stay whole.
    """
    stop = _run(classes, position, end, SPACE)
    if stop == end and code & TAIL:
        return stop
    if code & LINES:
        after = stop
        while after > position and not classes[after - 1] & NEWLINE:
            after -= 1
        if after > position:
            return after
    if stop == end:
        return stop
    last = _back(classes, stop)
    return last if last > position else stop


@kernel
def _word(data: Bytes, classes: Bytes, position: int, end: int, code: int) -> int:
    """The end of the piece at `position`: no number, and no letter, nor one after a blank."""
    if code & CONTRACTIONS and not code & TRAILING:
        after = _contraction(data, position, end, code)
        if after > position:
            return after
    if code & CASED:
        after = _cased_word(classes, position, end)
        if after > position:
            return _contraction(data, after, end, code) if code & TRAILING else after
    elif code & PREFIXED and not classes[position] & NEWLINE:
        after = _step(classes, position, end)
        if after < end and classes[after] & LETTER:
            return _run(classes, after, end, LETTER)
    start = position + 1 if data[position] == BLANK else position
    after = _symbols(classes, start, end)
    if after > start:
        if code & (NEWLINES | SLASHES):
            while after < end and (
                classes[after] & NEWLINE or (code & SLASHES and data[after] == SLASH)
            ):
                after += 1
        return after
    return _space(classes, position, end, code)


@kernel
def _number_rule(code: int) -> int:
    """How `code` cuts numbers; negative if groups are counted from the right."""
    rule = (code & NUMBER_RULE) >> NUMBER_SHIFT
    return -rule if code & FROM_RIGHT else rule


@kernel
def _cut_numbers(
    classes: Bytes, position: int, stop: int, rule: int, cuts: Offsets, count: int
) -> int:
    """Cut the numbers from `position` to `stop` by `rule`; return the number of cuts so far."""
    if rule < 0 or rule == THOUSANDS:
        mask = NUMBER if rule < 0 else DIGIT
        group = -rule if rule < 0 else 3
        start = position
        while position < stop:
            remaining = 0
            run = position
            while run < stop and classes[run] & mask:
                if not classes[run] & CONTINUATION:
                    remaining += 1
                run += 1
            while position < run:
                if remaining % group == 0 and position > start:
                    cuts[count] = position
                    count += 1
                position = _step(classes, position, run)
                remaining -= 1
            if position < stop:
                position = _step(classes, position, stop)
    elif rule != WHOLE_RUN:
        size = 0
        while position < stop:
            if size == rule:
                cuts[count] = position
                count += 1
                size = 0
            position = _step(classes, position, stop)
            size += 1
    cuts[count] = stop
    return count + 1


@kernel
def cut_words(data: Bytes, ends: Offsets, classes: Bytes, code: int, cuts: Offsets) -> int:
    """Cut every piece into words, numbers, symbols and white space; return how many there are.

    Args:
        data: The pieces end to end.
        ends: Where each ends.
        classes: What `classify` wrote.
        code: Which pattern (see `tokkit.kernels.codes`), of family ``WORDS``.
        cuts: Written to: where each new piece ends; room for ``data.size`` of them.
    """
    rule = _number_rule(code)
    position = 0
    count = 0
    for piece in range(ends.size):
        end = ends[piece]
        while position < end:
            start = position
            if data[position] == BLANK and position + 1 < end:
                start = position + 1
            if classes[start] & LETTER:
                # The usual case, written out: calls would cost a third of the speed.
                if code & CASED:
                    upper = _run(classes, start, end, UPPER)
                    after = _run(classes, upper, end, LOWER)
                    position = after if after > upper else _cased_word(classes, position, end)
                    if code & TRAILING and position < end and data[position] == APOSTROPHE:
                        position = _contraction(data, position, end, code)
                else:
                    position = _run(classes, start, end, LETTER)
            elif classes[start] & NUMBER and (start == position or code & SPACED_NUMBERS):
                position = _run(classes, start, end, NUMBER)
                count = _cut_numbers(classes, start, position, rule, cuts, count)
                continue
            else:
                position = _word(data, classes, position, end, code)
            cuts[count] = position
            count += 1
    return count


@kernel
def _superword_match(data: Bytes, classes: Bytes, position: int, end: int, code: int) -> int:
    """The end of the symbols or blanks that break a superword at `position`, if they do."""
    start = position + 1 if data[position] == BLANK else position
    after = _symbols(classes, start, end)
    if after > start and _step(classes, start, end) < after:
        if code & (NEWLINES | SLASHES):
            while after < end and (
                classes[after] & NEWLINE or (code & SLASHES and data[after] == SLASH)
            ):
                after += 1
        return after
    after = position
    while after < end and data[after] == BLANK:
        after += 1
    if after > position and after < end and not classes[after] & SPACE:
        return after - 1
    return after


@kernel
def cut_superwords(data: Bytes, ends: Offsets, classes: Bytes, code: int, cuts: Offsets) -> int:
    """Cut at numbers, at two or more symbols and at blanks before white space.

    The rest, words with single blanks and symbols between them, stays together. Arguments and
    result as for `cut_words`.
    """
    rule = _number_rule(code)
    position = 0
    count = 0
    for piece in range(ends.size):
        end = ends[piece]
        start = position
        while position < end:
            numbers = _run(classes, position, end, NUMBER)
            after = numbers
            if numbers == position and not classes[position] & LETTER:
                after = _superword_match(data, classes, position, end, code)
            if after == position:
                position = _step(classes, position, end)
                continue
            if position > start:
                cuts[count] = position
                count += 1
            if numbers > position:
                count = _cut_numbers(classes, position, after, rule, cuts, count)
            else:
                cuts[count] = after
                count += 1
            start = position = after
        if end > start:
            cuts[count] = end
            count += 1
    return count


@kernel
def cut_numbers(ends: Offsets, classes: Bytes, code: int, cuts: Offsets) -> int:
    """Cut numbers only.

    With ``RUNS`` runs of numbers are set apart from the rest, and cut; without, pieces are cut
    where a rule for numbers says so. Arguments and result as for `cut_words`.
    """
    rule = _number_rule(code)
    position = 0
    count = 0
    for piece in range(ends.size):
        end = ends[piece]
        while position < end:
            after = end
            if code & RUNS:
                after = position
                number = classes[position] & NUMBER
                while after < end and classes[after] & NUMBER == number:
                    after += 1
                if not number:
                    cuts[count] = after
                    count += 1
                    position = after
                    continue
            count = _cut_numbers(classes, position, after, rule, cuts, count)
            position = after
    return count
