"""The frame of an RDB file around the values: its opcodes, and the version that its content needs.

https://rdb.fnordig.de/file_format.html describes the format up to version 7; the later opcodes are those of Redis 5 to 7.
A file is `REDIS` and four digits, auxiliary fields, functions, then for each database its entries, and an end with the
CRC-64 of all before it.
"""
MAGIC = b"REDIS"

FUNCTION = 245                  # a library of functions: its code
MODULE_AUX = 247                # data of a module beside its keys
IDLE = 248                      # of the next key: seconds
FREQUENCY = 249                 # of the next key: the LFU counter, a byte
AUX = 250                       # a name and a text
SIZES = 251                     # of the database: keys, and keys with an expiry
EXPIRY_MILLISECONDS = 252       # of the next key: 8 bytes, little endian
EXPIRY_SECONDS = 253            # 4 bytes
DATABASE = 254                  # what follows is in this database
END = 255

# The highest version that is read; what is written is in types/serial_types.py.
NEWEST_VERSION = 12
