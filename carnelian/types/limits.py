# cython: language_level=3
"""The limits of the compact encodings, as redis.conf names them (dashes become underscores)."""

hash_max_listpack_entries = 512
hash_max_listpack_value = 64
set_max_intset_entries = 512
set_max_listpack_entries = 128
set_max_listpack_value = 64
zset_max_listpack_entries = 128
zset_max_listpack_value = 64
list_max_listpack_size = -2             # -1 to -5: 4, 8, 16, 32, 64 KiB a node; positive: elements a node
list_compress_depth = 0                 # accepted and shown; nodes are not compressed
stream_node_max_bytes = 4096
stream_node_max_entries = 100
hll_sparse_max_bytes = 3000             # of a HyperLogLog's sparse form, its header included


def configure(name: str, value: int) -> None:
    """Sets one limit. ValueError for an unknown name."""
    global hash_max_listpack_entries, hash_max_listpack_value
    global set_max_intset_entries, set_max_listpack_entries, set_max_listpack_value
    global zset_max_listpack_entries, zset_max_listpack_value
    global list_max_listpack_size, list_compress_depth, stream_node_max_bytes, stream_node_max_entries
    global hll_sparse_max_bytes
    if name == "hash-max-listpack-entries":
        hash_max_listpack_entries = value
    elif name == "hash-max-listpack-value":
        hash_max_listpack_value = value
    elif name == "set-max-intset-entries":
        set_max_intset_entries = value
    elif name == "set-max-listpack-entries":
        set_max_listpack_entries = value
    elif name == "set-max-listpack-value":
        set_max_listpack_value = value
    elif name == "zset-max-listpack-entries":
        zset_max_listpack_entries = value
    elif name == "zset-max-listpack-value":
        zset_max_listpack_value = value
    elif name == "list-max-listpack-size":
        list_max_listpack_size = value
    elif name == "list-compress-depth":
        list_compress_depth = value
    elif name == "stream-node-max-bytes":
        stream_node_max_bytes = value
    elif name == "stream-node-max-entries":
        stream_node_max_entries = value
    elif name == "hll-sparse-max-bytes":
        hll_sparse_max_bytes = value
    else:
        raise ValueError(f"no such limit: {name}")
