"""The version of carnelian, and of Redis whose behaviour it gives."""

__version__ = "0.1.0"

# What INFO and HELLO answer: clients choose their features by it. All words of 7.4 are there, and redis-py keeps a client-side
# cache with servers from 7.4 on only.
REDIS_VERSION = "7.4.2"
