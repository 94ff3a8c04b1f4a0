"""Numba kernels: arrays in, arrays out; no I/O, no Python objects.

Layouts used throughout:

* text is ``uint8[n]``, UTF-8 unless a kernel says that any bytes will do;
* a list of byte strings is *flat*: ``data: uint8[n]`` and ``ends: int64[k]``, string ``i``
  being ``data[ends[i - 1]:ends[i]]`` with ``ends[-1]`` read as 0 for the first;
* token ids are ``int32``, counts and offsets ``int64``.

Kernels that call each other share a file: a cached caller does not notice an edited callee
in another file.
"""
