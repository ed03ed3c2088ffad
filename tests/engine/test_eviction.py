"""maxmemory: which keys go under each policy, and what is refused when none may."""
import pytest

from carnelian.engine import Engine
from carnelian.keyspace import Session


class Client:
    def __init__(self):
        self.engine = Engine(2)
        self.store = self.engine.store
        self.session = Session(self.store.databases[0])
        self.engine.attach(self.session)
        self.now = 1_700_000_000_000
        self.at(0)

    def at(self, seconds):
        """Moves the clock."""
        self.store.now = self.now + seconds * 1000
        for database in self.store.databases:
            database.now = self.store.now
            if self.store.is_frequency:
                database.clock = ((self.store.now // 60000) & 0xFFFF) << 8
            else:
                database.clock = (self.store.now // 1000) & 0xFFFFFF
            database.frequency = self.store.is_frequency

    def __call__(self, *words):
        self.engine.run_words(self.session, tuple(w if isinstance(w, bytes) else str(w).encode() for w in words))
        return self.session.writer.take()

    def limit(self, policy, room=0):
        self.engine.eviction_policy = policy
        self.engine.eviction_samples = 10
        self.engine.maxmemory = self.store.memory() + room

    def names(self):
        return {int(key[1:]) for key in self.store.databases[0].keys(b"*")}


@pytest.fixture
def client():
    return Client()


def fill(client, count=1000, size=200, expiring=False):
    for i in range(count):
        client("SET", f"k{i}", "x" * size, *(("PX", 10_000_000 + i * 1000) if expiring else ()))


def test_noeviction_refuses_writes_and_reads_go_on(client):
    fill(client)
    client.limit("noeviction", -1)
    assert client("SET", "new", "x") == b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"
    assert client("GET", "k1") == b"$200\r\n" + b"x" * 200 + b"\r\n"
    assert client("DEL", "k1") == b":1\r\n"
    assert client("MULTI") == b"+OK\r\n"
    client.limit("noeviction", -1)
    assert client("SET", "new", "x").startswith(b"-OOM")
    assert client("EXEC").startswith(b"-EXECABORT")


@pytest.mark.parametrize("policy", ["allkeys-lru", "allkeys-lfu", "allkeys-random"])
def test_allkeys_stay_under_the_limit(client, policy):
    client.store.is_frequency = policy.endswith("lfu")
    client.at(0)
    fill(client)
    client.limit(policy)
    for i in range(1000, 3000):
        assert client("SET", f"k{i}", "x" * 200) == b"+OK\r\n"
        assert client.store.memory() <= client.engine.maxmemory + 2000
    assert 500 < len(client.names()) < 1100
    assert client.store.evicted > 1000
    client.store.databases[0]._check()


@pytest.mark.parametrize("policy", ["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl"])
def test_volatile_takes_only_keys_with_an_expiry(client, policy):
    client.store.is_frequency = policy.endswith("lfu")
    client.at(0)
    fill(client, 500)
    for i in range(500, 1000):
        client("SET", f"k{i}", "x" * 200, "EX", 1000 + i)
    client.limit(policy)
    for i in range(1000, 1200):
        assert client("SET", f"k{i}", "x" * 200) == b"+OK\r\n"
    names = client.names()
    assert set(range(500)) <= names and set(range(1000, 1200)) <= names
    refused = [i for i in range(5000, 6000) if client("SET", f"k{i}", "x" * 200) != b"+OK\r\n"]
    assert refused == list(range(refused[0], 6000))
    assert set(range(500)) <= client.names()
    assert not client.names() & set(range(500, 1000))       # it refuses only when none of them is left


def test_lru_takes_the_ones_not_used_for_long(client):
    fill(client)
    client.at(100)
    for i in range(0, 1000, 2):
        client("GET", f"k{i}")
    client.at(200)
    client.limit("allkeys-lru")
    for i in range(1000, 1300):
        client("SET", f"k{i}", "x" * 200)
    names = client.names()
    lost_used = sum(i not in names for i in range(0, 1000, 2))
    lost_unused = sum(i not in names for i in range(1, 1000, 2))
    assert lost_unused > 200 and lost_used < lost_unused / 10


def test_lfu_keeps_the_ones_used_often(client):
    client.store.is_frequency = True
    client.at(0)
    fill(client)
    for _ in range(100):
        for i in range(0, 100):
            client("GET", f"k{i}")
    client.limit("allkeys-lfu")
    for i in range(1000, 1300):
        client("SET", f"k{i}", "x" * 200)
    assert sum(i in client.names() for i in range(100)) > 95


def test_ttl_takes_those_that_would_go_first(client):
    fill(client, expiring=True)
    client.limit("volatile-ttl")
    for i in range(1000, 1200):
        client("SET", f"k{i}", "x" * 200)
    lost = [i for i in range(1000) if i not in client.names()]
    assert len(lost) > 100 and sum(lost) / len(lost) < 300


def test_a_watched_key_that_is_evicted_breaks_the_transaction(client):
    fill(client, 10)
    other = Session(client.store.databases[0])
    for i in range(10):
        client.store.watch(other, b"k%d" % i)
    client.limit("allkeys-random", -100)
    client("GET", "k0")
    assert client.store.evicted and other.flags
