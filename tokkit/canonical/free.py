"""The grammar in which every token may follow every other."""

from collections.abc import Sequence

import numpy as np

from tokkit.canonical.protocols import NEVER, Flags
from tokkit.kernels._jit import frozen

WITHOUT_LEAD = 1
"""The state before the first token of a text that does not begin with the lead."""


class Free:
    """Allows any sequence of tokens that carry text, as a `Grammar`.

    Where decoding takes a space, the *lead*, off the front of a text, the same text is spelled
    with it and without it: the state `WITHOUT_LEAD` begins the second kind.
    """

    method = ""
    exact = True
    start = 0

    def __init__(self, tokens: Sequence[bytes], lead: bytes = b"") -> None:
        carries = [bool(token) for token in tokens]
        bare = [bool(token) and not (lead and token.startswith(lead)) for token in tokens]
        self._flags = [frozen(np.array(flags, dtype=np.uint8)) for flags in (carries, bare)]

    def step(self, state: int, token: int) -> int:
        """Return the state after a token; `NEVER` for one that is not allowed."""
        return self.start if self._flags[state][token] else NEVER

    def allowed(self, state: int) -> Flags:
        """Return which tokens carry text, and begin as they should."""
        return self._flags[state]

    def can_end(self, state: int) -> bool:
        """Tell whether a text may end; the empty one is counted in the other state."""
        return state == self.start
