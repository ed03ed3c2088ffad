"""The version of carnelian, and of Redis whose behaviour it gives."""

__version__ = "0.1.0"

# What INFO and HELLO answer: clients choose their features by it.
REDIS_VERSION = "7.2.4"
