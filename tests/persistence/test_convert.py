"""`carnelian convert`: every way there and back gives the same data."""
import json
import os
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from carnelian.cli import app
from carnelian.persistence import convert, json_lines
from carnelian.persistence.loading import DamagedFile
from carnelian.types import serial
from carnelian.types.hash import Hash
from carnelian.types.list import List
from carnelian.types.set import Set
from carnelian.types.sorted_set import SortedSet
from tests.oracle import servers
from tests.oracle.resp import Client
from tests.payloads import BODIES, NEWER_BODIES
from tests.persistence.files import digest, document, dumps, everything, write_bodies, write_rdb

LIBRARY = b"#!lua name=tools\nredis.register_function('answer', function() return 42 end)"


def run(*arguments, input=None):
    return CliRunner().invoke(app, ["convert", *map(str, arguments)], input=input)


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    return write_rdb(tmp_path_factory.mktemp("source") / "all.rdb", everything(), functions=[LIBRARY])


@pytest.mark.parametrize("target", ["b.rdb", "b.aof", "directory/", "b.jsonl"])
def test_there_and_back(source, tmp_path, target):
    there, back = f"{tmp_path}/{target}", f"{tmp_path}/back.rdb"
    content = convert.convert(source, there)
    assert content.functions == [LIBRARY] and content.keys == len(everything())
    assert digest(there) == digest(source)
    assert convert.convert(there, back).functions == [LIBRARY]
    assert digest(back) == digest(source)
    assert {key: expiry for key, (_, expiry) in dumps(back).items()} == {key: expiry for key, (_, expiry) in dumps(source).items()}


def test_json_lines_are_exact(source, tmp_path):
    convert.convert(source, f"{tmp_path}/a.jsonl")
    convert.convert(f"{tmp_path}/a.jsonl", f"{tmp_path}/b.aof")
    convert.convert(f"{tmp_path}/b.aof", f"{tmp_path}/c.jsonl")

    def lines(name):
        found = []
        for line in (tmp_path / name).read_text(encoding="utf-8").splitlines():
            line = json.loads(line)
            if line.get("type") == "set":
                line["value"].sort(key=str)
            elif line.get("type") == "hash":
                line["value"] = sorted(line["value"].items() if isinstance(line["value"], dict) else line["value"], key=str)
            found.append(json.dumps(line, sort_keys=True))
        return sorted(found)

    assert lines("a.jsonl") == lines("c.jsonl")


def test_old_types(tmp_path):
    source = write_bodies(tmp_path / "old.rdb", {**BODIES, **NEWER_BODIES})
    for target in ("a.rdb", "a.aof", "a.jsonl"):
        convert.convert(source, f"{tmp_path}/{target}")
        assert digest(tmp_path / target) == digest(source)


@pytest.mark.parametrize("version", [9, 10, 11, 12])
def test_rdb_versions(tmp_path, version):
    source = write_rdb(tmp_path / "a.rdb", everything(fields_expire=False))
    convert.convert(source, f"{tmp_path}/b.rdb", rdb_version=version)
    assert (tmp_path / "b.rdb").read_bytes()[:9] == b"REDIS%04d" % version
    assert digest(tmp_path / "b.rdb") == digest(source)
    convert.convert(f"{tmp_path}/b.rdb", f"{tmp_path}/c.rdb")
    assert (tmp_path / "c.rdb").read_bytes()[:9] == b"REDIS0010"
    assert digest(tmp_path / "c.rdb") == digest(source)


def test_versions_that_do_not_hold_the_content(source, tmp_path):
    with pytest.raises(convert.Refused, match=r"version 11 can't hold the data: fields of the hash b'key:\d+' expire"):
        convert.convert(source, f"{tmp_path}/b.rdb", rdb_version=11)
    functions = write_rdb(tmp_path / "f.rdb", [], functions=[LIBRARY])
    with pytest.raises(convert.Refused, match="version 9 can't hold the data: there are functions"):
        convert.convert(functions, f"{tmp_path}/b.rdb", rdb_version=9)
    for version in (8, 13):
        with pytest.raises(convert.Refused, match="RDB versions 9 to 12 can be written"):
            convert.convert(source, f"{tmp_path}/b.rdb", rdb_version=version)
    convert.convert(source, f"{tmp_path}/b.rdb")
    assert (tmp_path / "b.rdb").read_bytes()[:9] == b"REDIS0012"


def test_nothing_is_replaced_unasked(source, tmp_path):
    (tmp_path / "b.rdb").write_bytes(b"precious")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "letter").write_bytes(b"precious")
    done = run(source, tmp_path / "b.rdb")
    assert done.exit_code == 2 and "is there already (--force replaces it)" in done.output
    assert run(source, tmp_path / "files").exit_code == 2
    done = run(source, tmp_path / "files", "--force")
    assert done.exit_code == 2 and "is no append-only directory" in done.output
    assert run(source, tmp_path / "files", "--to", "rdb", "--force").exit_code == 2
    assert (tmp_path / "b.rdb").read_bytes() == (tmp_path / "files" / "letter").read_bytes() == b"precious"
    assert run(source, tmp_path / "b.rdb", "--force").exit_code == 0
    for options in ((), ("--force",)):
        assert run(source, tmp_path / "od", "--to", "aof", *options).exit_code == 0
    assert digest(tmp_path / "b.rdb") == digest(tmp_path / "od") == digest(source)
    assert sorted(os.listdir(tmp_path)) == ["b.rdb", "files", "od"]


def test_a_failure_leaves_nothing(tmp_path, source, monkeypatch):
    (tmp_path / "b.aof").write_bytes(b"old")
    monkeypatch.setattr(convert, "requests_of", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    done = run(source, tmp_path / "b.aof", "--force")
    assert done.exit_code == 2 and "No space left on device" in done.output
    assert os.listdir(tmp_path) == ["b.aof"] and (tmp_path / "b.aof").read_bytes() == b"old"


def test_damaged_sources(source, tmp_path):
    data = bytearray(open(source, "rb").read())
    (tmp_path / "a.rdb").write_bytes(data[:-30])
    done = run(tmp_path / "a.rdb", tmp_path / "b.rdb")
    assert done.exit_code == 1 and "is damaged at offset" in done.output
    (tmp_path / "a.aof").write_bytes(b"*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPI")
    with pytest.raises(DamagedFile, match="damaged at offset 14: the file ends within a request"):
        convert.convert(f"{tmp_path}/a.aof", f"{tmp_path}/b.rdb")
    assert (tmp_path / "a.aof").stat().st_size == 24
    (tmp_path / "x").write_bytes(b"hello")
    for name in ("x", "nothing"):
        assert run(tmp_path / name, tmp_path / "b.rdb").exit_code == 2
    assert sorted(os.listdir(tmp_path)) == ["a.aof", "a.rdb", "x"]


def test_requests_that_fail(tmp_path, caplog):
    """They have changed nothing when they were written, either; a server says so and goes on."""
    (tmp_path / "a.aof").write_bytes(convert.request(b"SET", b"a", b"x") + convert.request(b"INCR", b"a") + convert.request(b"SET", b"b", b"1"))
    assert convert.convert(f"{tmp_path}/a.aof", f"{tmp_path}/b.rdb").keys == 2
    assert "was answered with an error: ERR value is not an integer" in caplog.text
    (tmp_path / "a.aof").write_bytes(convert.request(b"NOSUCH"))
    with pytest.raises(DamagedFile, match="unknown command"):
        convert.convert(f"{tmp_path}/a.aof", f"{tmp_path}/c.rdb")


def test_standard_input_and_output(tmp_path):
    done = run("-", "-", input='{"key":"a","type":"list","value":["x",{"base64":"/w=="}]}\n\n{"db":2,"key":"b","type":"string","value":"ä"}\n')
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0] == '{"db":0,"key":"a","type":"list","value":["x",{"base64":"/w=="}]}'
    done = run("-", tmp_path / "a.rdb", input='{"key":"a","type":"string","value":"1"}\n{"key":"a","type":"string","value":"1"}\n')
    assert done.exit_code == 2 and "the key b'a' is there twice" in done.output and not os.listdir(tmp_path)


@pytest.mark.parametrize("line, text", [
    ("{", "no JSON"), ("[]", "an object is expected"), ("{}", "key, type and value are expected"),
    ('{"key":"a","type":"string","value":5}', "a text or"), ('{"key":"a","type":"string","value":{"base64":"*"}}', "base64"),
    ('{"key":"a","type":"thing","value":"5"}', "is no type"), ('{"key":"a","type":"list","value":[]}', "without elements"),
    ('{"key":"a","type":"set","value":["a","a"]}', "twice"), ('{"key":"a","type":"zset","value":[["a",NaN]]}', "NaN"),
    ('{"key":"a","type":"zset","value":[["a",1],["a",2]]}', "twice"), ('{"key":"a","type":"zset","value":[["a","1"]]}', "a score"),
    ('{"key":"a","type":"zset","value":[["a",1' + "0" * 400 + ']]}', "too large"),
    ('{"key":"a","type":"hash","value":{"a":"b","a":"c"}}', "twice"), ('{"key":"a","type":"hash","value":[["a","b",0]]}', "time"),
    ('{"key":"a","type":"string","value":"","expires_at":-1}', "expires_at"), ('{"db":5000,"key":"a","type":"string","value":""}', "db"),
    ('{"key":"a","type":"string","value":"","ttl":1}', "there is no ttl"), ('{"key":"a","type":"string","value":"\\ud800"}', "surrogate"),
    ('{"key":"a","type":"stream","value":{"entries":[["2-0",["a","b"]],["1-0",["a","b"]]]}}', "rise"),
    ('{"key":"a","type":"stream","value":{"entries":[["2-0",["a"]]]}}', "pairs"),
    ('{"key":"a","type":"stream","value":{"entries":[["2-0",["a","b"]]],"last_id":"1-0"}}', "below"),
    ('{"key":"a","type":"stream","value":{"groups":[{"name":"g","last_id":"0-0","pending":[["1-0","c",1,1]]}]}}', "consumer"),
    ('{"key":"a","type":"json","value":' + "[" * 100000 + "]" * 100000 + "}", "no JSON"),
    ('{"key":"a","type":"json","value":1e400}', "no document"),
])
def test_bad_lines(tmp_path, line, text):
    (tmp_path / "a.jsonl").write_text('{"key":"first","type":"string","value":""}\n' + line + "\n")
    with pytest.raises(convert.Refused, match="line 2: .*" + text):
        convert.convert(f"{tmp_path}/a.jsonl", f"{tmp_path}/b.rdb")
    assert os.listdir(tmp_path) == ["a.jsonl"]


words = st.binary(max_size=12) | st.text(max_size=5).map(str.encode) | st.integers(-1000, 1000).map(lambda n: b"%d" % n)


@given(st.lists(words, min_size=1, max_size=20))
def test_list_and_set_lines(elements):
    for structure, add in ((List(), List.push_right), (Set(), Set.insert)):
        for element in elements:
            add(structure, element)
        assert round_trip(structure) == serial.dump(structure)


@given(st.dictionaries(words, st.tuples(words, st.none() | st.integers(1, 1 << 46)), min_size=1, max_size=20))
def test_hash_lines(fields):
    structure = Hash()
    for field, (value, time) in fields.items():
        structure.set(field, value)
        if time is not None:
            structure.schedule(field, time)
    assert round_trip(structure) == serial.dump(structure)


@given(st.dictionaries(words, st.floats(allow_nan=False), min_size=1, max_size=20))
def test_sorted_set_lines(members):
    structure = SortedSet()
    for member, score in members.items():
        structure.put(member, score)
    assert round_trip(structure) == serial.dump(structure)


numbers = st.integers(-2**63, 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)


@given(st.recursive(st.none() | st.booleans() | numbers | st.text(max_size=5),
                    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)))
def test_document_lines(value):
    structure = document(json.dumps(value).encode())
    assert round_trip(structure) == serial.dump(structure)


def round_trip(value):
    db, key, again, expiry = json_lines.read_line(json_lines.line_of(3, b"k\xff", value, 77))
    assert (db, key, expiry) == (3, b"k\xff", 77)
    return serial.dump(again)


# ---- with Redis

def redis_digest(*arguments, directory, files):
    """DEBUG DIGEST of a redis-server that loads the files."""
    server = servers.oracle()
    try:
        server.process.terminate()
        server.process.wait(10)
        for name in files:
            place = shutil.copytree if os.path.isdir(directory / name) else shutil.copy
            place(directory / name, server.directory / name)
        server.arguments += arguments
        server.start()
        client = Client(server.address)
        answer = client("DEBUG", "DIGEST")
        client.close()
        return answer.decode() if isinstance(answer, bytes) else str(answer)
    finally:
        server.stop()


@pytest.mark.skipif(not servers.have_oracle(), reason="redis-server is not installed")
@pytest.mark.parametrize("form", ["dump.rdb", "old.rdb", "appendonlydir", "appendonly.aof"])
def test_redis_loads_it(tmp_path, form):
    entries = [entry for entry in everything(fields_expire=False, documents=False) if entry[3] != 1]
    source = write_rdb(tmp_path / "source.rdb", entries, functions=[] if form == "old.rdb" else [LIBRARY])
    name = "dump.rdb" if form == "old.rdb" else form
    convert.convert(source, f"{tmp_path}/{name}", to_format="aof" if "append" in name else "rdb", rdb_version=9 if form == "old.rdb" else None)
    options = ["--appendonly", "yes"] if "append" in name else ["--dbfilename", "dump.rdb"]
    if form == "appendonly.aof":
        assert checked("redis-check-aof", tmp_path / name)
    elif form != "appendonlydir":
        assert checked("redis-check-rdb", tmp_path / name)
    else:
        assert checked("redis-check-aof", tmp_path / name / "appendonly.aof.manifest")
    assert redis_digest(*options, directory=tmp_path, files=[name]) == f"{digest(source):040x}"


def checked(program, path):
    if shutil.which(program) is None:
        return True
    done = subprocess.run([program, str(path)], capture_output=True, text=True, timeout=20)
    return done.returncode == 0 or pytest.fail(done.stdout + done.stderr)


@pytest.mark.skipif(not servers.have_oracle(), reason="redis-server is not installed")
def test_what_redis_has_written(tmp_path):
    with servers.oracle("--appendonly", "yes", "--aof-timestamp-enabled", "yes") as server:
        client = Client(server.address)
        client("FUNCTION", "LOAD", LIBRARY)
        for db, key, value, expiry in everything(fields_expire=False, documents=False):
            client("SELECT", db)
            assert client("RESTORE", key, expiry if expiry and expiry != 1 else 0, serial.dump(value), "ABSTTL") == b"OK"
        client("XREADGROUP", "GROUP", "none", "c", "STREAMS", "s", ">")
        client("SAVE")
        client("SELECT", 4)
        client("INCR", "n")
        client("MULTI")
        client("SADD", "s", "a", "1")
        client("EXEC")
        before = client("DEBUG", "DIGEST").decode()
        client("SAVE")
        client.close()
        for name in ("dump.rdb", "appendonlydir"):
            for target in ("a.jsonl", "a.aof", "a.rdb"):
                content = convert.convert(str(server.directory / name), f"{tmp_path}/{target}", force=True)
                assert content.functions == [LIBRARY]
                assert f"{digest(tmp_path / target):040x}" == before
