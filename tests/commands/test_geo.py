"""What geo words hand on to the AOF and to replicas."""
import pytest

from carnelian.engine import Engine
from carnelian.keyspace import Session


@pytest.fixture
def run():
    """Runs a request of an engine's one client: what was propagated."""
    engine = Engine()
    session = Session(engine.store.databases[0])
    engine.attach(session)
    propagated = []
    engine.store.sinks.append(lambda index, words: propagated.append(b" ".join(words)))

    def run(request):
        propagated.clear()
        engine.begin_batch()
        engine.run_words(session, tuple(request.encode().split()))
        engine.end_batch()
        return list(propagated)

    return run


@pytest.mark.parametrize("request_, propagated", [
    ("GEOADD g 13.361389 38.115556 Palermo", []),
    ("GEOADD g nx CH 15.087269 37.502669 Catania", [b"ZADD g nx CH 3479447370796909 Catania"]),
    ("GEOADD g XX 1 1 new", []),
    ("GEOSEARCH g FROMMEMBER Palermo BYRADIUS 1 km", []),
    ("GEOSEARCHSTORE d g FROMMEMBER Palermo BYRADIUS 1 km", [b"GEOSEARCHSTORE d g FROMMEMBER Palermo BYRADIUS 1 km"]),
    ("GEOSEARCHSTORE d g FROMLONLAT 0 0 BYRADIUS 1 km", []),
    ("GEOSEARCHSTORE g g FROMLONLAT 0 0 BYRADIUS 1 km", [b"GEOSEARCHSTORE g g FROMLONLAT 0 0 BYRADIUS 1 km"]),
    ("GEORADIUS g 15 37 200 km", []),
    ("GEORADIUS g 15 37 200 km STORE d", [b"GEORADIUS g 15 37 200 km STORE d"]),
    ("GEORADIUSBYMEMBER g Palermo 200 km STOREDIST d", [b"GEORADIUSBYMEMBER g Palermo 200 km STOREDIST d"]),
])
def test_propagation(run, request_, propagated):
    run("GEOADD g 13.361389 38.115556 Palermo")
    assert run(request_) == propagated
