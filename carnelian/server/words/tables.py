# cython: language_level=3
"""How a hash table is filled: DEBUG HTSTATS."""
import cython
from cython.cimports.carnelian.keyspace.database import Database
from cython.cimports.carnelian.types.hash import Hash, expires, expiring_at
from cython.cimports.carnelian.types.members import ENCODING, TABLE, Members
from cython.cimports.carnelian.types.set import Set
from cython.cimports.carnelian.types.sorted_set import SortedSet
from cython.cimports.carnelian.types.table import Bucket, Table


@cython.cfunc
def members_table(word: cython.size_t) -> Table:
    if word & ENCODING != TABLE:
        return None
    return cython.cast(Table, cython.cast(cython.pointer(Members), word & ~cython.cast(cython.size_t, ENCODING)).table)


def table_at(value) -> Table:
    """The hash table of a structure, or None if it has none."""
    if isinstance(value, Hash):
        if expires(cython.cast(Hash, value)):
            members: cython.pointer(Members) = expiring_at(cython.cast(Hash, value).word).members
            return None if members == cython.NULL else cython.cast(Table, members.table)
        return members_table(cython.cast(Hash, value).word)
    if isinstance(value, Set):
        return members_table(cython.cast(Set, value).word)
    if isinstance(value, SortedSet) and not cython.cast(SortedSet, value).is_small():
        return cython.cast(Table, cython.cast(SortedSet, value).large().table)
    return None


def database_table(database: Database) -> Table:
    return database.table


def describe(table: Table) -> str:
    """Redis's form, but that a "chain" is a bucket of up to seven entries and what overflows from it."""
    parts: list = []
    t: cython.int
    i: cython.size_t
    j: cython.int
    size: cython.size_t
    count: cython.size_t
    used: cython.size_t
    bucket: cython.pointer(Bucket)
    for t in range(2):
        if table.buckets[t] == cython.NULL:
            continue
        if table.count[t] == 0:
            parts.append(f"Hash table {t} stats ({'rehashing target' if t else 'main hash table'}):\n"
                         "No stats available for empty dictionaries\n")
            continue
        size = cython.cast(cython.size_t, 1) << table.exponent[t]
        lengths: dict = {}
        used = 0
        for i in range(size):
            count = 0
            bucket = cython.address(table.buckets[t][i])
            while True:
                count += bucket.filled & 127
                if not bucket.filled & 128:
                    break
                bucket = cython.cast(cython.pointer(Bucket), bucket.slots[6])
            used += count > 0
            lengths[count] = lengths.get(count, 0) + 1
        average = table.count[t] / max(used, 1)
        text = (f"Hash table {t} stats ({'rehashing target' if t else 'main hash table'}):\n table size: {size}\n"
                f" number of elements: {table.count[t]}\n different slots: {used}\n max chain length: {max(lengths)}\n"
                f" avg chain length (counted): {average:.2f}\n avg chain length (computed): {average:.2f}\n"
                " Chain length distribution:\n")
        for j in sorted(lengths):
            text += f"   {j}: {lengths[j]} ({lengths[j] * 100 / size:.2f}%)\n"
        parts.append(text)
    if not parts:
        parts.append("Hash table 0 stats (main hash table):\nNo stats available for empty dictionaries\n")
    return "".join(parts)
