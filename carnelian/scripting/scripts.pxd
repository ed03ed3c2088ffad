# The scripts of EVAL.

cimport cython
from libc.stdint cimport int64_t
from carnelian.keyspace.call cimport Call
from carnelian.scripting.interpreter cimport Interpreter

@cython.final
cdef class Script:
    cdef readonly bytes source
    cdef readonly bytes sha             # in hex
    cdef readonly int flags             # the Interpreter's
    cdef readonly object function       # of Lua
    cdef public bint loaded             # by SCRIPT LOAD: it stays

@cython.final
cdef class ScriptCache:
    cdef readonly Interpreter interpreter
    cdef readonly dict by_source        # what EVAL gives -> Script
    cdef readonly dict by_sha           # what EVALSHA gives -> Script
    cdef readonly dict evaluated        # those not loaded, by SHA1, oldest first
    cdef public int64_t evicted         # how many of those had to go

    cpdef Script load(self, bytes source, bint loaded=*)

cdef object evaluate(ScriptCache cache, Call c, bytes source, bytes count, bint read_only)
cdef object evaluate_sha(ScriptCache cache, Call c, bytes sha, bytes count, bint read_only)
