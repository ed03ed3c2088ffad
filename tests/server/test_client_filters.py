"""The filters of CLIENT LIST and CLIENT KILL, those of newer versions among them (Valkey 9's documentation)."""
import pytest

from tests.oracle.resp import Error


def numbers(client, *words):
    """The ids of the clients that CLIENT LIST shows."""
    reply = client("CLIENT", "LIST", *words)
    assert type(reply) is bytes, reply
    return {int(line.split()[0].removeprefix(b"id=")) for line in reply.splitlines()}


@pytest.fixture
def three(carnelian):
    """Three clients, and their ids. Number 2 listens to a channel, number 3 has a name, a library, and database 3."""
    clients = [carnelian.client(number) for number in (1, 2, 3)]
    clients[1]("SUBSCRIBE", "news")
    clients[2]("CLIENT", "SETNAME", "worker")
    clients[2]("CLIENT", "SETINFO", "LIB-NAME", "lib")
    clients[2]("CLIENT", "SETINFO", "LIB-VER", "1.0")
    clients[2]("CLIENT", "CAPA", "redirect", "unheard-of")
    clients[2]("SELECT", "3")
    clients[2]("CLIENT", "TRACKING", "ON", "BCAST")
    ids = [clients[0]("CLIENT", "ID"), None, clients[2]("CLIENT", "ID")]
    ids[1] = next(iter(numbers(clients[0], "TYPE", "pubsub")))
    return clients, ids


@pytest.mark.parametrize("words, found", [
    ("TYPE normal", (0, 2)), ("TYPE pubsub", (1,)), ("NOT-TYPE pubsub", (0, 2)), ("NAME worker", (2,)), ("NOT-NAME worker", (0, 1)),
    ("NAME nobody", ()), ("LIB-NAME lib", (2,)), ("LIB-VER 1.0 LIB-NAME lib", (2,)), ("LIB-VER 2", ()), ("NOT-LIB-NAME lib", (0, 1)),
    ("NOT-LIB-VER 1.0", (0, 1)), ("DB 3", (2,)), ("DB 0", (0, 1)), ("NOT-DB 0", (2,)), ("CAPA r", (2,)), ("NOT-CAPA r", (0, 1)),
    ("FLAGS P", (1,)), ("FLAGS tB", (2,)), ("FLAGS tP", ()), ("NOT-FLAGS t", (0, 1)), ("FLAGS N", (0,)), ("SKIPME yes", (1, 2)),
    ("SKIPME no", (0, 1, 2)), ("USER default", (0, 1, 2)), ("NOT-USER default", ()), ("IP 127.0.0.1", (0, 1, 2)),
    ("NOT-IP 127.0.0.1", ()), ("IP 10.0.0.1", ()), ("MAXAGE 0", (0, 1, 2)), ("MAXAGE 1000", ()), ("IDLE 0", (0, 1, 2)),
    ("IDLE 1000", ()), ("TYPE normal NAME worker DB 3", (2,)), ("TYPE pubsub NAME worker", ()), ("NAME nobody NAME worker", (2,))])
def test_list(three, words, found):
    clients, ids = three
    assert numbers(clients[0], *words.split()) & set(ids) == {ids[number] for number in found}


def test_numbers_and_addresses(three):
    clients, ids = three
    ask = clients[0]
    assert numbers(ask, "ID", *ids[1:]) == set(ids[1:])
    assert numbers(ask, "ID", *ids, "TYPE", "pubsub") == {ids[1]}
    assert not numbers(ask, "NOT-ID", *ids[1:]) & set(ids[1:])
    assert numbers(ask, "ADDR", ask.local_address.decode()) == {ids[0]}
    assert ids[0] not in numbers(ask, "NOT-ADDR", ask.local_address.decode())
    line = ask("CLIENT", "INFO").split()
    local = next(field for field in line if field.startswith(b"laddr=")).removeprefix(b"laddr=")
    assert set(ids) <= numbers(ask, "LADDR", local)
    assert not numbers(ask, "NOT-LADDR", local) & set(ids)


@pytest.mark.parametrize("words, text", [
    ("FLAGS q", "ERR Unknown flags found in the provided filter: q"), ("MAXAGE x", "ERR value is not an integer or out of range"),
    ("MAXAGE -1", "ERR value is out of range, must be positive"), ("NAME", "ERR syntax error"), ("NOT-SKIPME yes", "ERR syntax error"),
    ("NOT-MAXAGE 1", "ERR syntax error"), ("USER nobody", "ERR No such user 'nobody'"), ("ID 1 x", "ERR Invalid client ID"),
    ("TYPE foo", "ERR Unknown client type 'foo'"), ("SKIPME maybe", "ERR syntax error"), ("ID", "ERR syntax error")])
def test_errors(three, words, text):
    assert three[0][0]("CLIENT", "LIST", *words.split()) == Error(text.encode())


@pytest.mark.parametrize("words, killed", [
    ("NAME worker", (2,)), ("NOT-NAME worker TYPE pubsub", (1,)), ("DB 3 FLAGS t", (2,)), ("ID {0} {1} {2} IDLE 0", (1, 2)),
    ("ID {2} MAXAGE 1000", ()), ("ID {1} {2} LIB-NAME lib", (2,))])
def test_kill(three, words, killed):
    clients, ids = three
    ask = clients[0]
    assert ask("CLIENT", "KILL", *words.format(*ids).split()) == len(killed)
    left = numbers(ask)
    assert [number in left for number in ids] == [number not in killed for number in range(3)]
