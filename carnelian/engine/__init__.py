"""The embeddable core: command table, dispatch, transactions."""

from carnelian.engine.engine import Engine
