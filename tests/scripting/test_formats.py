"""cmsgpack and cjson in C (scripting/formats.py) against the same libraries in Lua, which tests/scripting/test_libraries.py knows."""
import random

import pytest

import carnelian.scripting.interpreter as interpreter
import carnelian.scripting.words        # declares the words
from tests.scripting.engines import Caller

# What reads a text, and shows what it has read; and its error, or the text made of it.
READ = """
local by_address = false        -- tables as keys: they come in no certain order
local function show(value, depth)
    if type(value) ~= 'table' then
        return type(value) == 'number' and string.format('%.17g', value) or type(value) .. tostring(value)
    end
    local out = {}
    for key, item in pairs(value) do
        if type(key) == 'table' then by_address = true end
        out[#out + 1] = show(key, depth + 1) .. '=' .. show(item, depth + 1)
    end
    if by_address then table.sort(out) end
    return '{' .. table.concat(out, ',') .. '}' .. #value
end
local out = {}
local function tell(ok, ...)
    out[#out + 1] = tostring(ok) .. select('#', ...)
    for i = 1, select('#', ...) do out[#out + 1] = show((select(i, ...)), 0) end
    return ok, ...
end
local ok, value = tell(pcall(READER, ARGV[1]))
if ok and not by_address then tell(pcall(cmsgpack.pack, value)) tell(pcall(cjson.encode, value)) end
return out"""

PACKED = [
    b"", b"\xc0", b"\xc1", b"\xc2\xc3", b"\x7f", b"\xe0", b"\xff", b"\xcc", b"\xcc\xff", b"\xcd\x01\x02", b"\xce\xff\xff\xff\xff",
    b"\xcf" + b"\xff" * 8, b"\xcf\x00" + b"\xff" * 7, b"\xd0\x80", b"\xd1\x80\x00", b"\xd2\x80\x00\x00\x01", b"\xd3\x80" + b"\0" * 7,
    b"\xd3" + b"\xff" * 8, b"\xca\x3f\x80\0\0", b"\xca\x7f\xc0\0\0", b"\xca\xff\x80\0\0", b"\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a",
    b"\xcb\x7f\xf8" + b"\0" * 6, b"\xcb\x80" + b"\0" * 7, b"\xa3abc", b"\xa3ab", b"\xd9\x05hello", b"\xda\0\x05hello",
    b"\xdb\0\0\0\x05hello", b"\xdb\xff\xff\xff\xffhello", b"\xdd\xff\xff\xff\xff\x01", b"\xdf\xff\xff\xff\xff\x01\x02", b"\xdc\xff\xff",
    b"\x93\x01\xc0\x03", b"\x93\x01\x02", b"\x82\xa1a\x01\xa1a\x02", b"\x81\xc0\x01", b"\x81\xca\x7f\xc0\0\0\x01", b"\x81\x90\x01",
    b"\x83\x01\xa1a\x02\xa1b\x05\xa1c", b"\x82\x01\x01\x14\x02", b"\x81\xff\x01", b"\x80", b"\x90", b"\xc4\x01a", b"\xde\0\x01\x01\x02",
    b"\x91" * 15 + b"\x01", b"\x91" * 40 + b"\x01", b"\x91" * 60 + b"\x01", b"\x81\x01" * 60 + b"\x01", b"\x91" * 60000,
    b"\xdc\x40\x00" + b"\x93\x01\x02\x03" * 0x4000, b"\xdd\x00\x02\x00\x00" + b"\x01" * 0x20000, b"\xda\xff\xf0" + b"x" * 0xFFF0,
]
TEXTS = [
    b"", b" ", b"1", b"-0", b"0", b"00", b"01", b"-", b"-1", b"1.5", b"1.", b".5", b"1e5", b"1E+5", b"1e", b"1e400", b"0x10", b"-0x1",
    b"123456789012345", b"1234567890123456", b"123456789012345678901234567890", b"-99999999999999", b"100000000000000", b"1e-7",
    b"nan", b"inf", b"-Infinity", b"+1", b"true", b"tru", b"trueish", b"false", b"null", b"nul", b"\"\"", b"\"a", b"\"\\", b"\"a\\n\\t\\/\\\"\\\\\"",
    b"\"\\b\\f\\r\"", b"\"\\u0041\"", b"\"\\ud83d\\ude00\"", b"\"\\ud83d\"", b"\"\\x\"", b"\"a\0b\"", b"\"\x01\x1f\x7f\xff\"", b"[]", b"{}", b"[ ]", b"{ }",
    b"[1,2,3]", b"[1,]", b"[,1]", b"[1 2]", b"{\"a\":1}", b"{\"a\":1,}", b"{\"a\" : [ 1 , {\"b\" : null} ] } ", b"{a:1}", b"{\"a\" 1}",
    b"{\"a\":1,\"a\":2}", b"{\"1\":1,\"2\":2}", b"{\"1.5\":true,\"\\n\":false}", b"[null,null,1]", b"[null]", b"[[],{},[[]]]", b"1 2", b"1\0", b"\0", b"a\0",
    b"[" * 49 + b"]" * 49, b"[" * 60 + b"]" * 60, b"[" * 60000, b"{\"a\":" * 60 + b"1" + b"}" * 60, b"[" + b"1," * 30000 + b"1]",
    b"[" + b"1," * 40000 + b"1]", b"\"" + b"\\n" * 30000 + b"\"", b"\"" + b"\x01" * 20000 + b"\"", b"{\"x\":\"" + b"y" * 300 + b"\"}",
]
VALUES = """
local shared = {}
for i = 1, 300 do shared[i] = {} end
local deep = 1
for i = 1, 14 do deep = {deep, deep} end
local nested = 1
for i = 1, 70 do nested = {nested} end
local holder = {}
holder.self = holder
local values = {nil, 1, -1, 127, 128, 255, 256, 65535, 65536, 2^32 - 1, 2^32, 2^53, 2^63, -2^63, -32, -33, -128, -129, -32768, -32769, -2^31,
    -2^31 - 1, 0.1, 1.5, 1/3, 1e14, 1e14 - 1, -1e14, 123456.789e3, -0.0, 1e300, 1/0, -1/0, true, false, '', 'a/b"c\\\\d\\1\\127', ('x'):rep(31), ('x'):rep(32),
    ('x'):rep(256), ('x'):rep(65536), ('x'):rep(70000), {}, {1, nil, 3}, {[1] = 1, [2] = 2, [4] = 4}, {[100] = 1}, {[1.5] = 1}, {[0] = 1}, {[-1] = 1},
    {a = 1, 2, 3}, {[true] = 1}, {[{}] = 1}, {[2^31] = 1}, {print}, print, cjson.null, {cjson.null, a = cjson.null}, shared, nested, {ok = {a = {b = {}}}},
    setmetatable({}, {__index = {1, 2}}), setmetatable({1}, {__is_cjson_array = true}), setmetatable({}, {__is_cjson_array = true}), cjson, redis, holder}
local out = {}
for i = 1, 80 do
    for _, call in ipairs({cmsgpack.pack, cjson.encode}) do
        local ok, text = pcall(call, values[i])
        out[#out + 1] = tostring(ok) .. (ok and text or tostring(text))
    end
end
out[#out + 1] = tostring(pcall(cjson.encode, deep) and 1)
return out"""


@pytest.fixture(scope="module")
def both():
    """`run` of an engine whose libraries have the functions in C, and of one whose have not."""
    quick, slow = Caller(), Caller()
    quick.run("return 1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(interpreter, "quick_functions", lambda bridge, runtime: None)
        slow.run("return 1")
    return quick.run, slow.run


def same(both, script, *arguments):
    quick, slow = (run(script, *arguments) for run in both)
    assert quick == slow, (script, arguments)


def test_packed_values(both):
    for text in PACKED:
        same(both, READ.replace("READER", "cmsgpack.unpack"), text)


def test_json(both):
    for text in TEXTS:
        same(both, READ.replace("READER", "cjson.decode"), text)


def test_values(both):
    same(both, VALUES)


def test_damaged(both):
    """Whatever is changed in a text, and at each place that it ends."""
    random.seed(7)
    packed = b"\x86\xa1a\x93\x01\xcd\x01\x00\xca\x3f\xc0\0\0\xa1b\x81\xa1c\xc0\xa1d\xc2\x05\xd9\x03xyz\xa1e\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a\xa1f\xd1\xff\0"
    text = b'{"name": "A\\"nn\\n", "seen": -41, "tags": ["a", [], {}], "x": {"y": 1.5e3, "z": null}, "t": true, "f": false}'
    for reader, whole in ("cmsgpack.unpack", packed), ("cjson.decode", text):
        script = READ.replace("READER", reader)
        for end in range(len(whole) + 1):
            same(both, script, whole[:end])
        for _ in range(300):
            damaged = bytearray(whole)
            for _ in range(random.randint(1, 3)):
                damaged[random.randrange(len(damaged))] = random.choice(whole + bytes([random.randrange(256)]))
            same(both, script, bytes(damaged))


def test_settings(both):
    """What is set holds at once, for new instances as well."""
    same(both, """
        local other = cjson.new()
        other.encode_number_precision(3) other.encode_sparse_array(true) other.decode_max_depth(2)
        local ok, problem = pcall(other.decode, '[[[1]]]')
        return {other.encode(1.23456), other.encode({[50] = 1}), tostring(ok), problem, cjson.encode(1.23456), cjson.encode(cjson.decode('[[[1]]]'))}""")
