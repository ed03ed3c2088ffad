"""carnelian: an in-memory data-structure store, compatible with Redis."""

from .version import __version__

__all__ = ["__version__"]
