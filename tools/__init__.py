"""Programs for the project itself; nothing of carnelian needs them."""
