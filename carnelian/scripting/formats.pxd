# MessagePack and JSON for Lua. See formats.py.

from libc.stdint cimport int64_t, uint32_t, uint64_t, uint8_t

ctypedef void lua_State

cdef struct Input:                      # a text being read
    lua_State *state
    const uint8_t *text
    size_t at, size

cdef struct Output:                     # a text being written
    uint8_t *text
    size_t size

cdef int msgpack_unpack(lua_State *state) noexcept nogil
cdef int msgpack_pack(lua_State *state) noexcept nogil
cdef int json_encode(lua_State *state) noexcept nogil
cdef int json_decode(lua_State *state) noexcept nogil

cdef bint unpack_value(Input *source, int depth) noexcept nogil
cdef bint pack_value(lua_State *state, int index, int level) noexcept nogil
cdef bint pack_number(double number) noexcept nogil
cdef bint pack_table(lua_State *state, int index, int level) noexcept nogil
cdef bint encode_value(lua_State *state, int index, int depth) noexcept nogil
cdef bint encode_number(double number) noexcept nogil
cdef bint encode_string(const uint8_t *text, size_t size) noexcept nogil
cdef bint encode_table(lua_State *state, int index, int depth) noexcept nogil
cdef bint decode_value(Input *source, int depth) noexcept nogil
cdef bint decode_string(Input *source) noexcept nogil
cdef bint decode_number(Input *source) noexcept nogil
cdef uint8_t skip_space(Input *source) noexcept nogil
cdef uint64_t big_endian(const uint8_t *text, size_t width) noexcept nogil
cdef bint put(const void *text, size_t size) noexcept nogil
cdef bint put_byte(uint8_t code) noexcept nogil
cdef bint put_big_endian(uint8_t mark, uint64_t number, int width) noexcept nogil
