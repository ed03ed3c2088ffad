# LZF: the compression of strings in the RDB format.

# Compresses n bytes into `out`, which has room for `most`: how many it took, 0 if that is not enough.
cdef size_t compress(const unsigned char *data, size_t n, unsigned char *out, size_t most) noexcept nogil
