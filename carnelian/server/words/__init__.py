"""The words that speak of the server itself. Importing this declares them."""
from carnelian.server.words import cluster, configuration, debug, information, memory, modules, process, replication, watching

__all__ = ["cluster", "configuration", "debug", "information", "memory", "modules", "process", "replication", "watching"]
