# When a small collection leaves its packed form: the settings of redis.conf, in effect for the whole process.
from libc.stdint cimport int64_t

cdef int64_t hash_max_listpack_entries, hash_max_listpack_value
cdef int64_t set_max_intset_entries, set_max_listpack_entries, set_max_listpack_value
cdef int64_t zset_max_listpack_entries, zset_max_listpack_value
cdef int64_t list_max_listpack_size, list_compress_depth
cdef int64_t stream_node_max_bytes, stream_node_max_entries
cdef int64_t hll_sparse_max_bytes
