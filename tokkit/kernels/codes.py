"""Numbers that scanners and their callers agree on; importing them does not load Numba.

A scanner is chosen by one integer, a *code*: a family, a rule for numbers and flags, added up.
"""

# Classes of a code point, as bits of one byte; its continuation bytes have CONTINUATION too.
LETTER = 1
NUMBER = 2
SPACE = 4
NEWLINE = 8
UPPER = 16
LOWER = 32
DIGIT = 64
CONTINUATION = 128

# Families: which kernel cuts.
FAMILY = 7
WORDS = 0
SUPERWORDS = 1
NUMBERS = 2

# How a run of numbers is cut: 0 not at all, 1 to 29 into groups of so many, from the left or,
# with FROM_RIGHT, from the right.
NUMBER_SHIFT = 3
NUMBER_RULE = 31 << NUMBER_SHIFT
WHOLE_RUN = 0
THOUSANDS = 30  # before each digit that has a multiple of three digits from itself to the last

# Flags.
CONTRACTIONS = 1 << 8  # 's 't 're 've 'm 'll 'd are pieces
ANY_CASE = 1 << 9  # ... in either case
TRAILING = 1 << 10  # ... at the end of a word instead of in front
PREFIXED = 1 << 11  # a word may begin with any one code point but a number or newline
CASED = 1 << 12  # ... and is cut where lower case turns into upper case
MARKS = 1 << 13  # combining marks are letters
SPACED_NUMBERS = 1 << 14  # numbers may begin with a space
NEWLINES = 1 << 15  # symbols take the newlines that follow
SLASHES = 1 << 16  # symbols take the newlines and slashes that follow
LINES = 1 << 17  # white space is cut after its last newline
TAIL = 1 << 18  # ... but not at the end of the text
NUMERIC = 1 << 19  # numbers are what the engine's standard library calls numeric
RUNS = 1 << 20  # runs of numbers are pieces of their own
LONG_S = 1 << 21  # U+017F is an s of either case
FROM_RIGHT = 1 << 22  # groups of numbers are counted from the end of the run
