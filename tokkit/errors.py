"""What can go wrong, as one tree.

::

    TokkitError                  exit 1: the job failed
    ├── JobError                 exit 1: a worker died, the disk is full, nothing was learned
    │   └── CheckError           exit 1: a written file does not mean what was meant
    └── InputError               exit 2: the caller has to change something
        ├── UsageError           an option's value, or a combination of options
        ├── CorpusError          a corpus file, record or column
        ├── PatternError         a pre-tokenization pattern
        ├── VocabularyError      tokens or ids
        ├── FormatError          a tokenizer file that cannot be read, or is refused
        ├── ModelError           a language model that cannot be loaded or asked
        │   └── ImpossibleError  a text that has no probability under it
        └── MissingExtraError    an optional dependency that is not installed

Messages are one sentence naming the offending file, line or token, and the remedy.
Programming errors stay `ValueError` and `TypeError`.
"""


class TokkitError(Exception):
    """Something tokkit can explain in one line."""

    exit_code = 1


class JobError(TokkitError):
    """Work that was asked for correctly could not be finished."""


class CheckError(JobError):
    """A file that was written does not mean the same to the library that will read it."""


class InputError(TokkitError):
    """The input or the request has to change."""

    exit_code = 2


class UsageError(InputError):
    """An option has a value, or is combined, in a way that cannot work."""


class CorpusError(InputError):
    """A corpus file, record or column cannot be read."""


class PatternError(InputError):
    """A pre-tokenization pattern is unknown or malformed."""


class VocabularyError(InputError):
    """Tokens or ids do not form, or are not in, a vocabulary."""


class FormatError(InputError):
    """A tokenizer file cannot be read, or means something tokkit would not do exactly."""


class ModelError(InputError):
    """A language model cannot be loaded, or gives no probabilities for what it is asked."""


class ImpossibleError(ModelError):
    """A text has no probability at all: no token sequence in question spells it."""


class MissingExtraError(InputError):
    """An optional dependency is not installed."""

    def __init__(self, module: str, extra: str) -> None:
        install = f"pip install 'tokkit-toolkit[{extra}]'"
        super().__init__(f"this needs {module}, which is not installed: {install}")
