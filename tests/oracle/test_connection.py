"""The words about the connection against the oracle."""
import re

import pytest

from tests.oracle.resp import Error, Status

# Redis 7.2's fields of CLIENT LIST, in order.
FIELDS = ("id addr laddr fd name age idle flags db sub psub ssub multi qbuf qbuf-free argv-mem multi-mem rbs rbp obl oll omem "
          "tot-mem events cmd user redir resp lib-name lib-ver").split()


def fields(line):
    """A line of CLIENT LIST as a dict."""
    return dict(part.split("=", 1) for part in bytes(line).decode().rstrip("\n").removeprefix("txt:").split(" "))


@pytest.fixture
def one(both):
    """carnelian's client number 1."""
    if both.carnelian is None:
        pytest.skip("without carnelian")
    return both.carnelian.client(1)


def test_ping_and_echo(both):
    both('''
        PING
        ping
        PING hello
        PING ""
        PING a b
        ECHO
        ECHO "a \\r\\n b"
        ECHO a b
        QUIT x
        1<
    ''')


def test_select(both):
    both('''
        SELECT
        SELECT 16
        SELECT -1
        SELECT x
        SELECT 9999999999
        SELECT 99999999999999999999
        SET k 0
        SELECT 15
        GET k
        SET k 15
        2: GET k
        SELECT 0
        GET k
        SELECT 0 1
    ''')


def test_hello(both):
    both('''
        ? HELLO
        ? HELLO 2
        ? HELLO 3
        HELLO x
        HELLO 1
        HELLO 4
        HELLO 9 FOO
        HELLO AUTH
        HELLO 3 AUTH
        HELLO 3 AUTH a
        HELLO 3 AUTH a b
        ? HELLO 3 AUTH default x
        HELLO 3 SETNAME
        HELLO 3 SETNAME "a b"
        HELLO 3 FOO
        HELLO 3 SETNAME a FOO
        ? HELLO 2 SETNAME me AUTH default ""
        CLIENT GETNAME
        ? HELLO 3 setname you
        CLIENT GETNAME
        LPOP missing 1
        ? HELLO 2
        LPOP missing 1
    ''')


def test_hello_answers(both, one):
    reply = one("HELLO", "2")
    answers = dict(zip(reply[::2], reply[1::2]))
    assert answers == {b"server": b"redis", b"version": b"7.4.2", b"proto": 2, b"id": one("CLIENT", "ID"),
                       b"mode": b"standalone", b"role": b"master", b"modules": []}


def test_auth_without_a_password(both):
    both('''
        AUTH
        AUTH x
        AUTH default x
        AUTH foo bar
        AUTH a b c
    ''')


def test_auth(both_with):
    both = both_with("--requirepass", "secret")
    both = type(both)(both.oracle, both.carnelian, 2)
    both('''
        PING
        GET x
        GET
        NOWORD
        CLIENT ID
        MULTI
        HELLO 3
        ? HELLO
        HELLO 3 AUTH default wrong
        HELLO 3 AUTH other secret
        AUTH wrong
        AUTH default wrong
        AUTH other secret
        AUTH a b c
        ECHO x
        AUTH secret
        PING
        AUTH wrong
        PING
        RESET
        PING
        AUTH default secret
        PING
        2: HELLO 3 AUTH default secret SETNAME "a b"
        ? 2: HELLO 3 AUTH default secret SETNAME me
        2: CLIENT GETNAME
        2: RESET
        2: PING
        3: QUIT
        3<
        AUTH secret
        CONFIG SET requirepass ""
        4: PING
        AUTH secret
        4: AUTH default anything
    ''')


def test_reset(both):
    both('''
        CLIENT SETNAME me
        SELECT 3
        SET k v
        WATCH k
        MULTI
        GET k
        RESET
        EXEC
        CLIENT GETNAME
        EXISTS k
        PING
        LPOP missing 1
        ? HELLO 3
        RESET
        LPOP missing 1
        ! "CLIENT REPLY OFF\\r\\nPING\\r\\nRESET\\r\\n"
        PING
        RESET x
    ''')


def test_names(both):
    both('''
        CLIENT GETNAME
        CLIENT SETNAME
        CLIENT SETNAME "a b"
        CLIENT SETNAME "a\\n"
        CLIENT SETNAME "\\xff"
        CLIENT SETNAME me-1
        CLIENT GETNAME
        CLIENT SETNAME ""
        CLIENT GETNAME
        CLIENT GETNAME x
        CLIENT ID x
        ? CLIENT ID
        = CLIENT SETINFO LIB-NAME redis-py -> +OK
        = CLIENT SETINFO lib-ver 5.0.1 -> +OK
        = CLIENT SETINFO lib-ver "" -> +OK
        = CLIENT SETINFO LIB-NAME "a b" -> -ERR LIB-NAME cannot contain spaces, newlines or special characters.
        = CLIENT SETINFO lib-ver "a\\n" -> -ERR lib-ver cannot contain spaces, newlines or special characters.
        = CLIENT SETINFO FOO x -> -ERR Unrecognized option 'FOO'
        = CLIENT SETINFO LIB-NAME -> -ERR wrong number of arguments for 'client|setinfo' command
    ''')


def test_client_errors(both):
    both('''
        CLIENT
        CLIENT FOO
        CLIENT LIST TYPE
        CLIENT LIST TYPE foo
        CLIENT LIST TYPE normal x
        CLIENT LIST ID
        CLIENT LIST ID x
        CLIENT LIST ID 1 x
        CLIENT LIST FOO
        CLIENT LIST FOO bar
        CLIENT LIST TYPE master
        CLIENT LIST TYPE replica
        CLIENT LIST TYPE slave
        CLIENT LIST TYPE pubsub
        CLIENT LIST ID 0 -5 99999999
        CLIENT KILL
        CLIENT KILL foo
        CLIENT KILL ID
        CLIENT KILL 1.2.3.4:5
        CLIENT KILL ID x
        CLIENT KILL ID 0
        CLIENT KILL ID -1
        CLIENT KILL ID 99999999
        CLIENT KILL ID 99999999 TYPE foo
        CLIENT KILL ID 99999999 TYPE
        CLIENT KILL TYPE foo
        CLIENT KILL TYPE pubsub
        CLIENT KILL TYPE master
        CLIENT KILL ADDR 1.2.3.4:5
        CLIENT KILL LADDR 1.2.3.4:5
        CLIENT KILL USER foo
        CLIENT KILL USER default SKIPME foo
        CLIENT KILL SKIPME foo
        CLIENT KILL FOO bar
        CLIENT KILL ID 99999999 SKIPME
        CLIENT KILL ID 99999999 SKIPME yes
        CLIENT NO-EVICT
        CLIENT NO-EVICT foo
        CLIENT NO-EVICT on
        CLIENT NO-EVICT OFF
        CLIENT NO-EVICT on x
        = CLIENT NO-TOUCH on -> +OK
        = CLIENT NO-TOUCH off -> +OK
        = CLIENT NO-TOUCH foo -> -ERR syntax error
        CLIENT REPLY
        CLIENT REPLY foo
        CLIENT REPLY ON
        CLIENT REPLY ON x
        CLIENT PAUSE
        CLIENT PAUSE x
        CLIENT PAUSE x foo
        CLIENT PAUSE -1
        CLIENT PAUSE 1 foo
        CLIENT PAUSE 1 ALL x
        CLIENT pause 1 ALL x
        CLIENT PAUSE 0
        CLIENT PAUSE 0 WRITE
        CLIENT UNPAUSE
        CLIENT UNPAUSE x
        CLIENT UNBLOCK
        CLIENT UNBLOCK x
        CLIENT UNBLOCK x foo
        CLIENT UNBLOCK 99999999
        CLIENT UNBLOCK 99999999 foo
        CLIENT UNBLOCK 99999999 ERROR
        CLIENT UNBLOCK 99999999 TIMEOUT
        CLIENT UNBLOCK 99999999 ERROR x
        CLIENT GETREDIR
        CLIENT GETREDIR x
        CLIENT INFO x
        ?? CLIENT HELP
        CLIENT HELP x
    ''')


def test_no_replies(both):
    both(r"""
        ! "CLIENT REPLY OFF\r\nPING\r\nNOWORD\r\nSET k v\r\nCLIENT REPLY ON\r\n"
        GET k
        ! "CLIENT REPLY SKIP\r\nPING\r\nECHO after\r\n"
        ! "CLIENT REPLY SKIP\r\nGET\r\nECHO after\r\n"
        ! "CLIENT REPLY OFF\r\nCLIENT REPLY SKIP\r\nPING\r\nCLIENT REPLY ON\r\n"
        ! "CLIENT REPLY OFF\r\nRESET\r\n"
        ECHO after
    """)


def test_messages_come_in_spite_of_no_replies(both):
    both(r"""
        ! "CLIENT REPLY OFF\r\nPING\r\nSUBSCRIBE a\r\n"
        2: PUBLISH a x
        1<
        PSUBSCRIBE b
        @3 ! "PING\r\nUNSUBSCRIBE\r\n"
        @2 UNSUBSCRIBE
        2: PUBLISH b x
        1<
        RESET
    """)


def test_no_touch(both, one):
    """OBJECT IDLETIME shows who has left a trace."""
    one("SET", "k", "v")
    one("DEBUG", "SLEEP", "1.1")
    one("CLIENT", "NO-TOUCH", "ON")
    one("GET", "k")
    assert one("OBJECT", "IDLETIME", "k") >= 1
    one("TOUCH", "k")
    assert one("OBJECT", "IDLETIME", "k") == 0


def test_monitors(both):
    both("""
        PING
        2: MONITOR
        PING
        ? 2<
        2: RESET
        PING
        2: PING
        2-
    """)


def test_kill(both):
    both('''
        $id: 2: CLIENT ID
        $own: CLIENT ID
        CLIENT KILL ID $id
        2<
        3: SUBSCRIBE a
        CLIENT KILL TYPE pubsub
        3<
        PUBLISH a x
        4: PING
        5: PING
        ? CLIENT KILL SKIPME yes
        4<
        5<
        PING
        CLIENT KILL ID $own SKIPME yes
        CLIENT KILL ID $own SKIPME no
        1<
        6: PING
        ? 6: CLIENT KILL TYPE normal SKIPME no
        6<
        7: PING
        ? 7: CLIENT KILL USER default TYPE normal SKIPME yes
        7: PING
    ''')


def test_kill_by_address(both):
    both('''
        PING
        2: PING
        3: PING
    ''')
    for side in both.sides:
        addresses = ["%s:%d" % side.client(n).socket.getsockname() for n in (1, 2, 3)]
        here = "%s:%d" % side.client(1).socket.getpeername()
        assert side.client(1)("CLIENT", "KILL", addresses[1]) == Status(b"OK")
        assert side.client(1)("CLIENT", "KILL", addresses[1]) == Error(b"ERR No such client")
        assert side.client(1)("CLIENT", "KILL", "ADDR", addresses[2], "LADDR", "1.2.3.4:5") == 0
        assert side.client(1)("CLIENT", "KILL", "ADDR", addresses[2], "LADDR", here) == 1
        assert side.client(1)("CLIENT", "KILL", addresses[0]) == Status(b"OK")
    both('''
        1<
        2<
        3<
    ''')


def test_a_killed_client_gets_nothing(both):
    both('''
        $id: 2: CLIENT ID
        2> BLPOP l 0
        CLIENT KILL ID $id
        2<
        RPUSH l a
        LRANGE l 0 -1
    ''')


def test_list(both, one):
    one("CLIENT", "SETNAME", "me")
    one("CLIENT", "SETINFO", "LIB-NAME", "lib")
    one("CLIENT", "SETINFO", "LIB-VER", "1.2")
    one("SELECT", "3")
    info = fields(one("CLIENT", "INFO"))
    assert list(info) == FIELDS
    assert info["addr"] == "%s:%d" % one.socket.getsockname()
    assert info["laddr"] == "%s:%d" % one.socket.getpeername()
    told = {name: info[name] for name in "name age idle flags db sub psub ssub multi cmd user redir resp lib-name lib-ver".split()}
    assert told == {"name": "me", "age": "0", "idle": "0", "flags": "N", "db": "3", "sub": "0", "psub": "0", "ssub": "0",
                    "multi": "-1", "cmd": "client|info", "user": "default", "redir": "-1", "resp": str(both.resp),
                    "lib-name": "lib", "lib-ver": "1.2"}
    assert int(info["fd"]) > 0 and info["events"] == "r"
    for number in ("qbuf", "qbuf-free", "argv-mem", "multi-mem", "rbs", "rbp", "obl", "oll", "omem"):
        assert int(info[number]) >= 0
    assert int(info["tot-mem"]) > 500
    assert int(info["id"]) == one("CLIENT", "ID")


def test_list_of_several(both, one):
    two, three, four = (both.carnelian.client(n) for n in (2, 3, 4))
    numbers = [client("CLIENT", "ID") for client in (one, two, three, four)]
    two("SUBSCRIBE", "a")
    two("PSUBSCRIBE", "b")
    two("SSUBSCRIBE", "c")
    three("SET", "k", "1")
    three("WATCH", "k")
    three("MULTI")
    three("GET", "k")
    four.send("BLPOP", "l", "0")
    one("CLIENT", "NO-EVICT", "ON")
    one("CLIENT", "NO-TOUCH", "ON")
    while True:
        listing = one("CLIENT", "LIST", "ID", *map(str, numbers))
        lines = [fields(line) for line in bytes(listing).decode().removeprefix("txt:").encode().splitlines()]
        if "b" in lines[3]["flags"]:
            break
    assert [int(line["id"]) for line in lines] == numbers
    assert [line["flags"] for line in lines] == ["eT", "P", "x", "b"]
    assert [line["sub"] + line["psub"] + line["ssub"] for line in lines] == ["000", "111", "000", "000"]
    assert [line["multi"] for line in lines] == ["-1", "-1", "1", "-1"]
    assert [line["cmd"] for line in lines] == ["client|list", "ssubscribe", "get", "blpop"]
    one("SET", "k", "2")
    assert "xd" in [fields(line)["flags"] for line in bytes(one("CLIENT", "LIST", "ID", str(numbers[2]))).splitlines()]
    def listed(*words):
        return [int(number) for number in re.findall(rb"id=(\d+) addr", bytes(one("CLIENT", "LIST", *words)))]
    assert set(numbers) <= set(listed()) and listed() == sorted(listed())
    assert listed("TYPE", "pubsub") == [numbers[1]]
    assert set(listed("type", "NORMAL")) & set(numbers) == {numbers[0], numbers[2], numbers[3]}
    assert listed("ID", str(numbers[2]), str(numbers[0])) == [numbers[2], numbers[0]]


def test_unblock(both):
    both('''
        $id: 2: CLIENT ID
        CLIENT UNBLOCK $id
        2> BLPOP l 0
        CLIENT UNBLOCK $id
        2<
        2> BLMOVE l m LEFT RIGHT 0
        CLIENT UNBLOCK $id timeout
        2<
        2> BLMPOP 0 1 l LEFT
        CLIENT UNBLOCK $id ERROR
        2<
        ! 2> "BRPOP l 0\\r\\nPING\\r\\nRPUSH other x\\r\\n"
        CLIENT UNBLOCK $id
        LRANGE other 0 -1
        2<
        2<
        2<
        RPUSH l x
        LRANGE l 0 -1
    ''')


def test_unblocking_within_a_transaction(both):
    both('''
        $id: 2: CLIENT ID
        ! 2> "BLPOP l 0\\r\\nRPUSH log 2\\r\\n"
        MULTI
        RPUSH log 1
        CLIENT UNBLOCK $id
        RPUSH log 3
        EXEC
        2<
        2<
        LRANGE log 0 -1
    ''')


def test_pause_of_writes(both):
    both('''
        SET k v
        CLIENT PAUSE 100000 WRITE
        GET k
        2> SET k w
        3> PUBLISH a x
        4> MULTI
        4<
        5> MULTI
        5<
        5> GET k
        5<
        5: EXEC
        4> INCR n
        4> EXEC
        GET k
        2-
        3-
        4-
        CLIENT UNPAUSE
        2<
        3<
        4<
        4<
        GET k
        GET n
    ''')


def test_pause_of_everything(both):
    both('''
        SET k v
        2: PING
        CLIENT PAUSE 50
        2: GET k
        PING
    ''')


def test_keys_do_not_expire_in_a_pause(both):
    both('''
        SET k v PX 30
        CLIENT PAUSE 10000 WRITE
        GET k
        DEBUG SLEEP 0.05
        GET k
        TTL missing
        CLIENT UNPAUSE
        EXISTS k
    ''')


def test_in_a_transaction(both):
    both('''
        MULTI
        AUTH default x
        ? CLIENT ID
        CLIENT SETNAME me
        CLIENT GETNAME
        SELECT 2
        ECHO x
        PING
        CLIENT FOO
        RESET
        PING
        MULTI
        PING
        QUIT
        1<
    ''')
