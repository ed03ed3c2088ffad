"""The count of SRANDMEMBER, HRANDFIELD and ZRANDMEMBER."""
from carnelian.base.errors import ReplyError
from carnelian.base.numbers import parse_integer

LONGEST = 2**63 - 1
MOST_DRAWN = 2**24          # elements in one reply. Redis builds a reply of any size, until its memory is gone


def random_count(text: bytes) -> int:
    """Positive: up to so many different elements. Negative: that many, each drawn from all. NotInteger, or out of range."""
    count = parse_integer(text)
    if count < -LONGEST:
        raise ReplyError(f"ERR value is out of range, value must between {-LONGEST} and {LONGEST}")
    if count < -MOST_DRAWN:
        raise ReplyError("ERR value is out of range")
    return count
