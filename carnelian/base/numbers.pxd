# Numbers as Redis reads and writes them.

from libc.stdint cimport int64_t, uint64_t

cdef extern from "Python.h":
    void *PyMem_Malloc(size_t n)
    void PyMem_Free(void *p)
    void *PyErr_Occurred()
    void PyErr_Clear()
    char *PyOS_double_to_string(double value, char format, int precision, int flags, int *type) noexcept
    double PyOS_string_to_double(const char *text, char **end, void *overflow) noexcept

# The canonical signed 64-bit integer that the bytes spell, if they do (no plus sign, no leading zero, no space).
cdef bint text_to_integer(const char *data, size_t n, int64_t *number) noexcept nogil
# Digits of number to out (room for 20 and a sign); how many.
cdef size_t integer_to_text(int64_t number, char *out) noexcept nogil
# A double in Redis 7.2's shortest form ("inf", "-inf", "nan", "3", "0.1", "1e+20", "1.5e-7"); room for 32 bytes.
cdef size_t double_to_text(double number, char *out) noexcept
# What a score or an increment may be: C's strtod over the whole text, no surrounding space, "inf" in any case, no nan.
cdef bint text_to_double(const char *data, size_t n, double *number) noexcept

cpdef object parse_integer(bytes text)              # a signed 64-bit integer, or raises NotInteger
cpdef double parse_float(bytes text) except? -1     # raises NotFloat
cpdef bytes format_double(double number)
# INCRBYFLOAT's arithmetic and form: long double, 17 digits after the point, trailing zeros trimmed. Raises NotFloat where
# a text is none, and ReplyError("ERR increment would produce NaN or Infinity").
cpdef bytes add_long_double(bytes number, bytes increment)
# 1: a finite long double, 2: an infinite one (HINCRBYFLOAT refuses those first). Raises NotFloat.
cpdef int long_double_kind(bytes text) except -1
