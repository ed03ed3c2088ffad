"""A rate limit inside the server: a bucket of tokens that fills up by itself, and empties with every call.

    carnelian serve --functions token_bucket.py
    redis-cli FCALL take_token 1 bucket:alice 10 5            # a bucket of 10, 5 a second
    1) (integer) 1                                            # go on
    2) "9.0"                                                  # tokens that are left
    3) (integer) 0                                            # milliseconds until there is one again

From Python:

    allowed, left, wait = redis.Redis().fcall("take_token", 1, "bucket:alice", 10, 5)

The whole function is one step: two requests that come at the same moment can't both take the last token, and one round trip
does what would be three in a client.
"""
from carnelian.base.errors import ReplyError
from carnelian.scripting import function


def positive(name, text):
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < 1e12:
        raise ReplyError(f"ERR {name} must be a positive number")
    return number


def state(c, key, capacity, per_second):
    """Tokens in the bucket now. A bucket that nobody has used is full."""
    tokens, at = c.run("HMGET", key, "tokens", "at")
    if tokens is None:
        return capacity
    return min(capacity, float(tokens) + max(0, c.now - int(at)) * per_second / 1000)


@function("take_token", flags=["allow-oom"])
def take_token(c, keys, arguments):
    """Take tokens from a bucket: FCALL take_token 1 <bucket> <capacity> <tokens per second> [<how many>]."""
    if len(keys) != 1 or not 2 <= len(arguments) <= 3:
        raise ReplyError("ERR usage: take_token 1 bucket capacity tokens-per-second [how-many]")
    capacity, per_second = positive("capacity", arguments[0]), positive("tokens per second", arguments[1])
    wanted = positive("how many", arguments[2]) if len(arguments) > 2 else 1
    if wanted > capacity:
        raise ReplyError("ERR the bucket never holds so many tokens")
    tokens = state(c, keys[0], capacity, per_second)
    allowed = tokens >= wanted
    if allowed:
        tokens -= wanted
        c.run("HSET", keys[0], "tokens", tokens, "at", c.now)
        # Once it is full again there is nothing to be remembered.
        c.run("PEXPIRE", keys[0], int((capacity - tokens) / per_second * 1000) + 1)
    wait = 0 if tokens >= wanted else int((wanted - tokens) / per_second * 1000) + 1
    return [int(allowed), str(tokens), wait]


@function("tokens_left", flags=["no-writes"])
def tokens_left(c, keys, arguments):
    """Look into a bucket: FCALL_RO tokens_left 1 <bucket> <capacity> <tokens per second>."""
    return str(state(c, keys[0], positive("capacity", arguments[0]), positive("tokens per second", arguments[1])))
