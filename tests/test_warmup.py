"""``tokkit warmup`` compiles every kernel, once."""

import json
import subprocess
import sys

import pytest
from numba import config
from tokkit_cli.app import app
from typer.testing import CliRunner

COMPILED = """
import json
from tokkit.warmup import all_kernels, compile_kernels
compile_kernels()
kernels = dict(all_kernels())
called = {name for kernel in kernels.values() for name in kernel.py_func.__code__.co_names}
print(json.dumps({
    name: len(kernel.signatures)
    for name, kernel in kernels.items()
    if kernel.__name__ not in called
}))
"""


@pytest.mark.skipif(config.DISABLE_JIT, reason="the compiler is off")
def test_every_kernel_that_python_calls_is_compiled_for_one_signature():
    done = subprocess.run(
        [sys.executable, "-c", COMPILED], check=True, capture_output=True, text=True
    )
    signatures = json.loads(done.stdout)
    assert signatures
    assert {name: count for name, count in signatures.items() if count != 1} == {}


def test_the_command_says_what_it_did():
    result = CliRunner().invoke(app, ["warmup", "--json", "-q"])
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert said["kernels"] > 0
    assert said["seconds"] >= 0
