# Runs Lua for one engine. docs/architecture.md says how it is used.

cimport cython
from libc.stdint cimport int64_t
from carnelian.engine.command_table cimport BoundCommand
from carnelian.engine.engine cimport Engine
from carnelian.keyspace.call cimport Call
from carnelian.keyspace.session cimport Session
from carnelian.scripting.bridge cimport Body, Bridge, Caller

cdef enum:                              # what a script declares, and what the word that runs it allows
    NO_WRITES = 1
    ALLOW_OOM = 2
    ALLOW_STALE = 4
    NO_CLUSTER = 8
    ALLOW_CROSS_SLOT = 16
    DECLARED = 32                       # by a shebang line; without one, what is allowed is decided word by word
    READ_ONLY = 64                      # run by EVAL_RO, EVALSHA_RO, FCALL_RO

@cython.final
cdef class Interpreter(Caller):
    cdef readonly Engine engine
    cdef readonly object lua            # lupa's LuaRuntime
    cdef readonly str kill_word         # SCRIPT or FUNCTION: which KILL ends what runs here
    cdef readonly Session session       # the client of the words that scripts call
    cdef Call call
    cdef object run_script, run_function, run_body, run_gathered, gather, more_of_result, adopt, bind, dump, encode_last   # of lua/running.lua
    cdef readonly object library        # of lua/library.lua, in the interpreter of functions
    cdef object memory_used
    cdef readonly Py_ssize_t most_memory
    cdef Bridge bridge                  # the way past lupa, or None
    # Of the run under way:
    cdef readonly Session caller
    cdef readonly bytes name            # as errors show it: the SHA1, or the function's name
    cdef readonly tuple words           # the request
    cdef readonly int flags
    cdef bint slow                      # it was logged that it takes long
    cdef readonly bint wrote            # a word that writes was called
    cdef public bytes killed            # the error that shall end the script, or None
    cdef readonly int64_t started       # steady nanoseconds
    cdef int slot                       # cluster mode: of the keys so far, -1: there were none
    cdef bint loading                   # the body of a library runs: no words are called
    cdef int targets                    # redis.set_repl: 1 AOF, 2 replicas
    cdef list effects                   # (database index, words, targets)
    cdef list pending                   # what more() still gives
    cdef Py_ssize_t pending_at

    cpdef object run_words(self, object function, Session session, tuple words, Py_ssize_t key_count, int flags, bytes name)
    cdef int begin(self, Session session, int flags, bytes name, tuple words) except -1
    cdef int end(self) except -1
    cdef Py_ssize_t used(self) except -1
    cdef tuple denied_by_cluster(self, BoundCommand command, tuple words)
    cdef object enter(self, function, Py_ssize_t key_count, tuple values, bint is_function)
    cdef object to_lua(self, object value)
    cdef int hand_on(self) except -1
