"""The numbers of the RDB format: https://rdb.fnordig.de/file_format.html describes it up to version 7.

The later types are those of Redis 7: listpacks instead of ziplists, and streams.
"""

# The first byte of a value.
STRING = 0
LIST = 1
SET = 2
SORTED_SET_TEXT = 3             # scores as decimal text
HASH = 4
SORTED_SET = 5                  # scores as 8 bytes
MODULE = 7                      # of a module: its ID, then parts as below
HASH_ZIPMAP = 9
LIST_ZIPLIST = 10
SET_INTSET = 11
SORTED_SET_ZIPLIST = 12
HASH_ZIPLIST = 13
QUICKLIST = 14                  # nodes are ziplists
STREAM = 15
HASH_LISTPACK = 16
SORTED_SET_LISTPACK = 17
QUICKLIST_2 = 18                # nodes are listpacks or single elements
STREAM_2 = 19                   # with counters of entries
SET_LISTPACK = 20
STREAM_3 = 21                   # with the active time of consumers
EXPIRING_HASH_DRAFT = 22        # fields with their times, as release candidates of 7.4 wrote them
EXPIRING_LISTPACK_DRAFT = 23
EXPIRING_HASH = 24              # the soonest time comes first
EXPIRING_LISTPACK = 25

# Before a node of QUICKLIST_2.
PLAIN = 1
PACKED = 2

# Parts of a module's value: each a length-encoded opcode and what it says; END_OF_PARTS alone.
END_OF_PARTS = 0
SIGNED_PART = 1                 # a length-encoded number
UNSIGNED_PART = 2
FLOAT_PART = 3                  # 4 bytes
DOUBLE_PART = 4                 # 8 bytes
STRING_PART = 5

MODULE_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def module_id(name: str, version: int) -> int:
    """A module's ID: nine characters of 6 bits, then 10 bits with the version of its encoding."""
    number = 0
    for character in name:
        number = number << 6 | MODULE_ALPHABET.index(character)
    return number << 10 | version


JSON = module_id("ReJSON-RL", 3)        # one part: the text of the document

VERSION = 10                    # what is written: Redis 7.0 and Valkey read it
EXPIRING_VERSION = 12           # what is written where fields of a hash expire: since Redis 7.4
NEWEST_VERSION = 12             # what is read
