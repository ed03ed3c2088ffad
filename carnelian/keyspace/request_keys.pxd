# Where the keys of a request stand.

# The keys (bytes) of a request that has the form of the command; of shard channels, which are routed as keys are, the names.
# Empty where the words can't be read: the body refuses those.
cdef list keys_of(object command, tuple words)
