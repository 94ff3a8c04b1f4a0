"""Running programs that a model wrote, with limits.

A program runs in a Python process of its own, isolated from the environment and from packages
of the user (``-I``), without input, in an empty temporary folder, with limits on memory,
processor time, file sizes, open files and new processes, and is killed with its whole process
group when its time is over.

This contains accidents, not attacks: the network and files that the user may read or write
stay within reach, a process that leaves its group outlives the limit, and the superuser is
exempt from the limit on processes. Run what you do not trust in a container or on a machine of
its own.
"""

import math
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tokkit.errors import UsageError

Verdict = Literal["passed", "failed", "timed out", "killed"]

_LAUNCHER = """
import os, resource, sys
path, word, *limits = sys.argv[1:]
report = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
for limit in limits:
    name, value = limit.split("=")
    if hasattr(resource, name):
        resource.setrlimit(getattr(resource, name), (int(value), int(value)))
sys.argv = [path]
try:
    with open(path, encoding="utf-8") as file:
        program = file.read()
    exec(compile(program, "program.py", "exec"), {"__name__": "__main__"})
except BaseException as error:
    said = f"{type(error).__name__}: {error}"[:300]
    os.write(report, said.encode("utf-8", "replace"))
    os._exit(1)
os.write(report, word.encode())
os._exit(0)
"""


@dataclass(frozen=True)
class Limits:
    """What a program may use.

    Attributes:
        seconds: Of time, and, rounded up, of processor time.
        memory: Bytes of address space.
        file_size: Bytes of any file it writes.
    """

    seconds: float = 10.0
    memory: int = 1 << 30
    file_size: int = 1 << 20

    def __post_init__(self) -> None:
        if not (0 < self.seconds < math.inf and self.memory > 0 and self.file_size >= 0):
            raise UsageError("limits of time and memory have to be above 0")

    def arguments(self) -> list[str]:
        """Return them as `setrlimit` names them; no process or thread may be started."""
        return [
            f"RLIMIT_AS={self.memory}",
            f"RLIMIT_CPU={math.ceil(self.seconds) + 1}",
            f"RLIMIT_FSIZE={self.file_size}",
            "RLIMIT_CORE=0",
            "RLIMIT_NOFILE=64",
            "RLIMIT_NPROC=0",
        ]


@dataclass(frozen=True)
class Outcome:
    """What became of a program.

    Attributes:
        verdict: ``passed`` if it ran to its end.
        detail: The exception, or what ended it.
    """

    verdict: Verdict
    detail: str = ""

    @property
    def passed(self) -> bool:
        """Whether it ran to its end without an exception."""
        return self.verdict == "passed"


def run_program(program: str, limits: Limits | None = None) -> Outcome:
    """Run a Python program and tell how it ended.

    It has passed only if its last line was reached: to leave early, with whatever exit status,
    is to fail.

    Args:
        program: Its source.
        limits: What it may use; None: the usual.

    Raises:
        UsageError: If this system has no such limits.
    """
    if os.name != "posix":
        raise UsageError("programs are run with limits that only POSIX systems have")
    limits = limits or Limits()
    word = secrets.token_hex(16)
    with tempfile.TemporaryDirectory(prefix="tokkit-run-") as folder:
        path, inside = Path(folder, "program.py"), Path(folder, "empty")
        inside.mkdir()
        path.write_text(program, encoding="utf-8", errors="replace")
        command = [sys.executable, "-I", "-B", "-c", _LAUNCHER, str(path), word]
        return _watch([*command, *limits.arguments()], inside, limits.seconds, word)


def _watch(command: list[str], folder: Path, seconds: float, word: str) -> Outcome:
    """Run a command in a group of its own and kill what is left of it afterwards."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env={name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ},
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return Outcome("timed out", f"after {seconds:g} s")
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    return _judge(process.returncode, said.decode("utf-8", "replace"), word)


def _judge(status: int, said: str, word: str) -> Outcome:
    if said == word and status == 0:
        return Outcome("passed")
    if status == -signal.SIGXCPU:
        return Outcome("timed out", "its processor time is used up")
    if status < 0:
        return Outcome("killed", f"by signal {signal.Signals(-status).name}")
    return Outcome("failed", said or f"left early with status {status}")
