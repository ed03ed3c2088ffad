# The crossings between Lua and Python that scripts are made of. See bridge.py.

cimport cython

ctypedef void lua_State

# Lua's functions by their types; the manual has them by name.
ctypedef int (*lua_CFunction)(lua_State *) noexcept nogil
ctypedef int (*of_state)(lua_State *) noexcept nogil
ctypedef int (*of_index)(lua_State *, int) noexcept nogil
ctypedef int (*of_two)(lua_State *, int, int) noexcept nogil
ctypedef int (*of_three)(lua_State *, int, int, int) noexcept nogil
ctypedef void (*at_index)(lua_State *, int) noexcept nogil
ctypedef void (*at_two)(lua_State *, int, int) noexcept nogil
ctypedef void (*push_nothing)(lua_State *) noexcept nogil
ctypedef void (*push_number)(lua_State *, double) noexcept nogil
ctypedef void (*push_string)(lua_State *, const char *, size_t) noexcept nogil
ctypedef void (*push_pointer)(lua_State *, void *) noexcept nogil
ctypedef void (*push_function)(lua_State *, lua_CFunction, int) noexcept nogil
ctypedef void (*set_field)(lua_State *, int, const char *) noexcept nogil
ctypedef const char *(*get_string)(lua_State *, int, size_t *) noexcept nogil
ctypedef double (*get_number)(lua_State *, int) noexcept nogil
ctypedef void *(*get_pointer)(lua_State *, int) noexcept nogil

cdef struct Lua:
    of_state gettop
    of_index type, toboolean, checkstack, ref, next, getmetatable
    of_two gc, rawequal
    of_three pcall
    at_index settop, pushboolean, rawset, pushvalue, insert
    at_two call, createtable, rawgeti, rawseti, unref
    push_nothing pushnil
    push_number pushnumber
    push_string pushlstring
    push_pointer pushlightuserdata
    push_function pushcclosure
    set_field setfield
    get_string tolstring
    get_number tonumber
    get_pointer touserdata

cdef Lua lua                            # filled in by open_bridge

cdef class Caller:                      # what redis.call of a script ends in
    cdef object execute(self, tuple words)

@cython.final
cdef class Bridge:
    cdef lua_State *state
    cdef void *runtime                  # lupa's LuaRuntime
    cdef readonly object call_finished_by   # a Lua function that makes redis.call, see call_from_lua
    cdef object keep_in_lua
    cdef int run_script, run_function   # references in Lua's registry
    cdef Py_ssize_t used(self) noexcept
    cdef object run(self, Body body, tuple values, Py_ssize_t key_count, bint is_function)

@cython.final
cdef class Body:                        # a Lua function that is run without lupa
    cdef void *bridge
    cdef int reference                  # in Lua's registry

cdef int closed_from_lua(lua_State *state) noexcept nogil
cdef int call_from_lua(lua_State *state) noexcept nogil
cdef int execute_from_lua(lua_State *state) noexcept with gil
cdef int keep_from_lua(lua_State *state) noexcept with gil
