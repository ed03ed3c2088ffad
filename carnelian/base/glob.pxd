# Redis's glob patterns: * ? [a-z] [^a] \escape, over bytes.
cdef bint glob_match(const char *pattern, size_t n, const char *text, size_t m, bint ignore_case) noexcept nogil
cpdef bint matches(bytes pattern, bytes text)
