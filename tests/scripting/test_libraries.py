"""cjson, cmsgpack, struct and bit: what they answer in redis-server's scripts, errors included, and round trips."""
import json
import struct

import pytest
from hypothesis import given, strategies as st
from lupa import lua51

from carnelian.scripting.libraries import bit, cjson, cmsgpack, struct as lua_struct
from tests.oracle.harness import sequence

# One script a line. The settings of cjson that a script changes hold for those after it, on both servers.
CJSON = r"""
cjson.x=1
return rawset(cjson,'x',1)
setmetatable(cjson,{})
local c=cjson.new() c.x=1 return c.x
return cjson.new()==cjson
return tostring(cjson.null)
return type(cjson.null)
return cjson.encode()
return cjson.encode(1,2)
local e=cjson.encode return e()
return pcall(cjson.encode)
return ({pcall(cjson.encode)})[2]
return cjson.encode(cjson.encode)
return cjson.encode({[1.5]=1})
return cjson.encode({[true]=1})
return cjson.encode({[1]=1,[11]=2})
return cjson.encode({[1]=1,[100]=2})
return cjson.encode({[10]=2})
return cjson.encode(0/0)
return cjson.encode({1/0})
return cjson.encode("a/b\"\\\1\127\8\9\10\12\13\255\0")
return cjson.encode({1,2.5,1e100,1e14,123456789012345,0.1,-0,1e-5, 100000000000000})
return cjson.encode({{},{a={}}})
local t={} t.t=t return cjson.encode(t)
return cjson.encode_max_depth(0)
return cjson.encode_max_depth('a')
return cjson.encode_max_depth(1,2)
return {cjson.encode_sparse_array(true,3,4)}
return {cjson.encode_sparse_array(false,2,10)}
return {cjson.encode_sparse_array(1)}
return {cjson.encode_sparse_array("x")}
return {cjson.encode_sparse_array("off")}
return {cjson.encode_invalid_numbers()}
return {cjson.encode_invalid_numbers("null"),cjson.encode({0/0,1/0})}
return {tostring(cjson.encode_invalid_numbers("on")),cjson.encode({0/0,1/0,-1/0})}
return {tostring(cjson.encode_invalid_numbers(false))}
return {cjson.encode_number_precision(3),cjson.encode(math.pi)}
return {cjson.encode_number_precision(15)}
return {cjson.encode_number_precision(14)}
return {tostring(cjson.encode_keep_buffer(false)), tostring(cjson.encode_keep_buffer())}
return cjson.encode_keep_buffer("on")
return tostring(cjson.decode_invalid_numbers())
return cjson.decode()
return cjson.decode('')
return cjson.decode('[1')
return cjson.decode('[1 2')
return cjson.decode('{"a"')
return cjson.decode('{"a" 1')
return cjson.decode('{"a":')
return cjson.decode('{"a":1')
return cjson.decode('{a:1')
return cjson.decode('[1]x')
return cjson.decode('[1] 5')
return cjson.decode('"abc')
return cjson.decode('"abc\\q"')
return cjson.decode('"abc\\u12"')
return cjson.decode('"abc\\udc00"')
return cjson.decode('"abc\\ud800\\u0041"')
return cjson.decode('"abc\\ud83d\\ude00\\u00e9\\u20ac\\u0000x"')
return cjson.decode('"a\0b"')
return cjson.decode('[1]\0 x')
return cjson.decode('[]\0')
return cjson.decode('\0[]')
return cjson.decode('[1,]')
return cjson.decode('[tru]')
return cjson.decode('[truex]')
return cjson.decode('[-]')
return cjson.decode('[0x1F]')
return tostring(cjson.decode('[inf]')[1])
return tostring(cjson.decode('[-Infinity]')[1])
return tostring(cjson.decode('[nan]')[1])
return tostring(cjson.decode('[-NaN]')[1])
return tostring(cjson.decode('[+5]')[1])
return tostring(cjson.decode('[.5]')[1])
return tostring(cjson.decode('[-.5]')[1])
return tostring(cjson.decode('[5.e3]')[1])
return tostring(cjson.decode('[5e]')[1])
return tostring(cjson.decode('[1e400]')[1])
return tostring(cjson.decode('[01]')[1])
return tostring(cjson.decode('[0x]')[1])
return tostring(cjson.decode('[0x1.8p1]')[1])
return tostring(cjson.decode('[1_]')[1])
return tostring(cjson.decode('5'))
return tostring(cjson.decode(5))
return tostring(cjson.decode({}))
return tostring(cjson.decode('null'))
return tostring(cjson.decode('nul'))
return {tostring(cjson.decode_max_depth(2)), cjson.decode('[[[1]]]')}
return {tostring(cjson.decode_max_depth(1000))}
return cjson.decode(string.rep('[',1001))
return {tostring(cjson.encode_max_depth(2)), cjson.encode({{{1}}})}
return {tostring(cjson.encode_max_depth(1000))}
return cjson.decode('{"a":1,"a":2}').a
return {tostring(cjson.decode_invalid_numbers(false)), cjson.decode('[0x1F]')}
return {tostring(cjson.decode_invalid_numbers(false)), cjson.decode('[01]')}
return {tostring(cjson.decode_invalid_numbers(false)), cjson.decode('[nan]')}
return {tostring(cjson.decode_invalid_numbers(false)), cjson.decode('[-inf]')}
return {tostring(cjson.decode_invalid_numbers(true))}
"""

CMSGPACK = r"""
return cmsgpack.pack()
return cmsgpack.pack(1,2,"a",nil,true,false)
return cmsgpack.pack({})
return cmsgpack.pack({1,2,nil,4})
return cmsgpack.pack({[0]=1})
return cmsgpack.pack({[1.5]=1})
return cmsgpack.pack({a=1})
return cmsgpack.pack(1.5,0.1,1/0,-1/0,0/0,-(0/0),-0,2^53,2^63,-2^63,2^64,1e300,1e-45,1e-300)
return cmsgpack.pack(127,128,255,256,65535,65536,2^32-1,2^32,-1,-32,-33,-128,-129,-32768,-32769,-2^31,-2^31-1)
local t={} local r=t for i=1,20 do t[1]={} t=t[1] end return cmsgpack.pack(r)
return cmsgpack.unpack()
return cmsgpack.unpack(1)
return cmsgpack.unpack({})
return {cmsgpack.unpack("")}
return {cmsgpack.unpack("\1\2\3")}
return cmsgpack.unpack("\193")
return cmsgpack.unpack("\199\1\1\1")
return cmsgpack.unpack("\161")
return cmsgpack.unpack("\145")
return cmsgpack.unpack("\204")
return cmsgpack.unpack("\129\192\1")
return cmsgpack.unpack("\129\203\127\248\0\0\0\0\0\0\1")
return cmsgpack.unpack("\196\2ab")
return {cmsgpack.unpack_one("\1\2\3")}
return {cmsgpack.unpack_one("\1\2\3",1)}
return {cmsgpack.unpack_one("\1\2\3",2)}
return {cmsgpack.unpack_one("\1\2\3",3)}
return {cmsgpack.unpack_one("\1\2\3",4)}
return {cmsgpack.unpack_one("\1\2\3",-1)}
return {cmsgpack.unpack_one("\1\2\3","x")}
return {cmsgpack.unpack_one("\1\2\3",1,2,3)}
return {cmsgpack.unpack_one()}
return {cmsgpack.unpack_one("\192\192")}
return {cmsgpack.unpack_limit("\1\2\3",2)}
return {cmsgpack.unpack_limit("\1\2\3",0)}
return {cmsgpack.unpack_limit("\1\2\3",2,1)}
return {cmsgpack.unpack_limit("\1\2\3",-2,1)}
return {cmsgpack.unpack_limit("\1\2\3")}
return {cmsgpack.unpack_limit("\1\2\3",5)}
return {cmsgpack.unpack_limit(nil,5)}
return {cmsgpack.unpack_limit(nil)}
return {cmsgpack.unpack_one({},"x")}
return select('#', cmsgpack.unpack(string.rep("\1",9000)))
return select('#', cmsgpack.unpack(string.rep("\1",7900)))
return tostring(cmsgpack.unpack("\207\255\255\255\255\255\255\255\255"))
return tostring(cmsgpack.unpack("\211\255\255\255\255\255\255\255\255"))
return tostring(cmsgpack.unpack("\202\127\192\0\0"))
return tostring(cmsgpack.unpack("\202\255\192\0\0"))
return select(2,pcall(cmsgpack.unpack,"\161"))
return select(2,pcall(cmsgpack.unpack))
return cmsgpack.unpack(string.rep("\145",5000).."\1")
local x = cmsgpack.unpack(string.rep("\145",3000).."\1") return 1
"""

STRUCT = r"""
return struct.pack()
return struct.pack("i")
return struct.pack("i","x")
return struct.pack("i","5")
return struct.pack("q",1)
return struct.pack("$",1)
return struct.pack("i33",1)
return struct.pack("i99999999999",1)
return struct.pack("i0",1)
return struct.pack("!3i",1)
return struct.pack("!16bi",1,2)
return struct.pack("!bhild",1,2,3,4,5)
return struct.pack(">!bhild",1,2,3,4,5)
return struct.pack("!4bdbi16",1,2,3,4)
return struct.pack("c3","ab")
return struct.pack("c3",5)
return struct.pack("c3","abcdef")
return struct.pack("c0","abcdef")
return struct.pack("sx s","abc","d")
return struct.pack("c3s","abc",{})
return struct.pack("bBhHlLTiI",-1,255,-2,65535,-3,2^64-2,5,-4,2^32-1)
return struct.pack(">bBhHlLTiI",-1,255,-2,65535,-3,2^64-2,5,-4,2^32-1)
return struct.pack("i16>i16i3i9",-5,-5,-5,-5)
return struct.pack("fd>fd",1.5,0.1,0.1,-1e300)
return struct.pack("l",1.9)
return struct.pack("l",-1.9)
return struct.pack("ll",1e30,-1e30)
return struct.pack("l",0/0)
return struct.pack("f",1e300)
return struct.pack("i",1,2,3)
return {struct.unpack("")}
return {struct.unpack()}
return {struct.unpack("i")}
return {struct.unpack("i","abc")}
return {struct.unpack("i","abcd")}
return {struct.unpack("i","abcd",2)}
return {struct.unpack("b","abcd",4)}
return {struct.unpack("b","abcd",5)}
return {struct.unpack("b","abcd",0)}
return {struct.unpack("b","abcd",-5)}
return {struct.unpack("","abcd",50)}
return {struct.unpack("b","abcd","x")}
return {struct.unpack("bc0","\3abcd")}
return {struct.unpack("bc0","\5abcd")}
return {struct.unpack("c0","\5abcd")}
return {struct.unpack("sc0","ab\0abcd")}
return {struct.unpack("sc0","2\0abcd")}
return {struct.unpack("s","abcd")}
return {struct.unpack("ss","ab\0cd\0")}
return {struct.unpack("bxb","abcd")}
return {struct.unpack("!b i","a\0\0\0\1\0\0\0")}
return {struct.unpack("i9","\1\0\0\0\0\0\0\0\255")}
return {struct.unpack("i9","\255\0\0\0\0\0\0\0\255")}
return {struct.unpack("i9","\1\0\0\0\0\0\0\128\255")}
return {struct.unpack("i16","\255\255\255\255\255\255\255\255\0\0\0\0\0\0\0\0")}
return {struct.unpack("i12","\1\0\0\0\1\0\0\0\0\0\0\0")}
return {struct.unpack("i3","\255\255\255")}
return {struct.unpack(">I3","\255\255\254")}
return {tostring(struct.unpack("L","\255\255\255\255\255\255\255\255"))}
return {tostring(struct.unpack("l","\255\255\255\255\255\255\255\255"))}
return {tostring(struct.unpack("f","\0\0\192\63"))}
return {tostring(struct.unpack(">d","\63\240\0\0\0\0\0\0"))}
return {struct.unpack("z","abcd")}
return {struct.unpack("!3","abcd")}
return {struct.unpack("c-1","abcd")}
return {struct.unpack("c2c3","abcd")}
return {struct.unpack("i0","abcd")}
return {struct.unpack("bc0","\200abcd")}
return {struct.unpack("bc0","\255abcd")}
return struct.size("i")
return struct.size("!bi")
return struct.size("s")
return struct.size("c0")
return struct.size("c5xi")
return struct.size("zz")
return struct.size("?")
return struct.size()
return struct.size("<>! bhilfdTBHIL")
return struct.size("i33")
return struct.size("c")
return struct.size("c2147483647c2147483647")
return struct.size("c99999999999")
"""

BIT = r"""
return bit.tobit()
return bit.tobit("x")
return {bit.tobit(2^32),bit.tobit(2^31),bit.tobit(-1),bit.tobit(1.5),bit.tobit(2.5),bit.tobit(-1.5),bit.tobit(2^51),bit.tobit(2^53+12),bit.tobit(1e30),bit.tobit(-1e30),bit.tobit(1/0),bit.tobit(0/0),bit.tobit(2^63+2^40),bit.tobit(0xffffffff)}
return {bit.tohex(1),bit.tohex(-1),bit.tohex(255,4),bit.tohex(255,-4),bit.tohex(1,0),bit.tohex(1,100),bit.tohex(0xdeadbeef,-100)}
return bit.tohex(1,"x")
return bit.tohex(1,nil)
return bit.tohex()
return {bit.bnot(0),bit.bnot(0xffffffff),bit.bnot(12345),bit.bnot("5")}
return {bit.band(0x12345678,0xff),bit.band(-1,-2),bit.band(5),bit.band(7,6,4),bit.bor(1,2,4,8),bit.bor(0x80000000,1),bit.bxor(0xa5a5f0f0,0xaa55ff00),bit.bxor(1,1,1)}
return bit.band()
return bit.band(1,{})
return bit.bor(1,2,nil)
return {bit.lshift(1,0),bit.lshift(1,8),bit.lshift(1,40),bit.lshift(0x87654321,12),bit.lshift(1,31),bit.lshift(1,-1)}
return {bit.rshift(256,8),bit.rshift(-256,24),bit.rshift(0x87654321,12),bit.rshift(1,32),bit.arshift(256,8),bit.arshift(-256,8),bit.arshift(0x87654321,12),bit.arshift(-1,31)}
return {bit.rol(0x12345678,12),bit.ror(0x12345678,12),bit.rol(1,31),bit.ror(1,1),bit.ror(1,0),bit.rol(1,32),bit.rol(1,33)}
return {bit.bswap(0x12345678),bit.bswap(0x78563412),bit.bswap(-2)}
return bit.lshift(1)
return bit.lshift()
"""


@pytest.mark.parametrize("scripts", [CJSON, CMSGPACK, STRUCT, BIT], ids=["cjson", "cmsgpack", "struct", "bit"])
def test_as_in_redis(both, scripts):
    sequence(both, [["EVAL", script, 0] for script in scripts.strip().split("\n")])


def test_what_there_is(both):
    names = "local names = {} for name in pairs(%s) do names[#names + 1] = name end table.sort(names) return names"
    sequence(both, [["EVAL", names % library, 0] for library in ("cmsgpack", "struct", "bit")])


TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
NUMBER = st.integers(-2**53, 2**53) | st.floats(allow_nan=False, allow_infinity=False)
VALUE = st.recursive(TEXT | NUMBER | st.booleans() | st.none(),
                     lambda inner: st.lists(inner, min_size=1, max_size=5) | st.dictionaries(TEXT, inner, max_size=5), max_leaves=20)
# Redis's Lua has another order of keys.
ORDERED = st.recursive(TEXT | NUMBER | st.booleans() | st.none(),
                       lambda inner: st.lists(inner, min_size=1, max_size=5) | st.dictionaries(TEXT, inner, max_size=1), max_leaves=20)


@given(values=st.lists(ORDERED, min_size=1, max_size=10))
def test_json_as_in_redis(both, values):
    texts = [json.dumps(value, ensure_ascii=False).encode() for value in values]
    sequence(both, [["EVAL", script, 0, text] for text in texts for script in (
        "return cjson.encode(cjson.decode(ARGV[1]))", "return cmsgpack.pack(cjson.decode(ARGV[1]))",
        "return cjson.encode({cmsgpack.unpack(cmsgpack.pack(cjson.decode(ARGV[1])))})")])


@given(texts=st.lists(st.text('{}[],:"\\\u0000 \n0123456789.eE+-xaAbfinultrs/', max_size=12), min_size=1, max_size=20))
def test_damaged_json_as_in_redis(both, texts):
    sequence(both, [["EVAL", "return tostring(cjson.encode(cjson.decode(ARGV[1])))", 0, text.encode()] for text in texts])


@given(data=st.lists(st.binary(min_size=1, max_size=12), min_size=1, max_size=20))
def test_bytes_as_in_redis(both, data):
    """Whatever the bytes are: as messages, and as numbers of every kind."""
    sequence(both, [["EVAL", script, 0, item] for item in data for script in (
        "local ok, value = pcall(cmsgpack.unpack, ARGV[1]) return {tostring(ok), ok and cmsgpack.pack(value) or value}",
        "local text = ARGV[1] .. '\\1\\2\\3\\4\\5\\6\\7\\8' local values = {struct.unpack('>bHi3<dIfL', text .. text .. text)} "
        "for i, value in ipairs(values) do values[i] = string.format('%.17g', value) end return values",
        "local number = struct.unpack('d', ARGV[1] .. '\\0\\0\\0\\0\\0\\0\\0\\0') if number ~= number then return 0 end return {bit.tobit(number), bit.bnot(number), "
        "bit.bxor(number, 12345), bit.rol(number, 7), bit.arshift(number, 3), cmsgpack.pack(number), struct.pack('dfhl', number, "
        "number, number, number)}")])


@pytest.fixture(scope="module")
def lua():
    runtime = lua51.LuaRuntime(encoding=None, unpack_returned_tuples=True, register_eval=False, register_builtins=False)
    for library in (bit, cjson, cmsgpack, lua_struct):
        library.install(runtime)
    return runtime.globals()


@given(value=VALUE)
def test_json_round_trip(lua, value):
    text = json.dumps(value).encode()
    again = json.loads(lua.cjson.encode(lua.cjson.decode(text)))
    assert close(again, value)


def close(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(close(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(close, one, other))
    if isinstance(one, (int, float)) and not isinstance(one, bool):
        return one == pytest.approx(other, rel=1e-13, abs=1e-320)
    return one == other


@given(number=st.floats() | st.integers(-2**63, 2**63 - 1).map(float))
def test_doubles(lua, number):
    """Every double comes through struct and cmsgpack bit by bit, but for what a NaN carries."""
    assert number != number or lua.struct.pack(b">d", number) == struct.pack(">d", number)
    again = lua.cmsgpack.unpack(lua.cmsgpack.pack(number))
    if number != number:
        assert again != again
    else:
        assert again == number
    back, _ = lua.struct.unpack(b">d", struct.pack(">d", number))
    assert struct.pack(">d", back) == struct.pack(">d", number) or number != number


@given(number=st.floats(width=32))
def test_single_precision(lua, number):
    assert number != number or lua.struct.pack(b"<f", number) == struct.pack("<f", number)
    back, _ = lua.struct.unpack(b"<f", struct.pack("<f", number))
    assert back == number or number != number


@given(number=st.integers(-2**53, 2**53))
def test_integers(lua, number):
    assert lua.struct.pack(b">l", number) == struct.pack(">q", number)
    assert lua.cmsgpack.unpack(lua.cmsgpack.pack(number)) == number


@given(a=st.integers(-2**31, 2**32 - 1), b=st.integers(-2**31, 2**32 - 1), n=st.integers(0, 40))
def test_bits(lua, a, b, n):
    def signed(number):
        number &= 0xFFFFFFFF
        return number - 2**32 if number >= 2**31 else number

    assert lua.bit.band(a, b) == signed(a & b)
    assert lua.bit.bor(a, b) == signed(a | b)
    assert lua.bit.bxor(a, b) == signed(a ^ b)
    assert lua.bit.lshift(a, n) == signed(a << n % 32)
    assert lua.bit.rshift(a, n) == signed((a & 0xFFFFFFFF) >> n % 32)
    assert lua.bit.arshift(a, n) == signed(a) >> n % 32


def test_empty_arrays_kept(lua):
    """cjson.decode_array_with_array_mt (Redis 8.4)."""
    assert lua.cjson.encode(lua.cjson.decode(b'{"a":[]}')) == b'{"a":{}}'
    assert lua.cjson.decode_array_with_array_mt() is False
    assert lua.cjson.decode_array_with_array_mt(True) is True
    assert lua.cjson.encode(lua.cjson.decode(b'{"a":[]}')) == b'{"a":[]}'
    assert lua.cjson.encode(lua.cjson.decode(b'[[],[1]]')) == b'[[],[1]]'
    assert lua.cjson.decode_array_with_array_mt(False) is False
