import gc

import pytest


@pytest.fixture(autouse=True)
def nothing_left():
    """What earlier tests left in reference cycles is freed before a test counts memory, not while it does."""
    gc.collect()
