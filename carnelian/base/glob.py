# cython: language_level=3
"""Redis's glob patterns: `*`, `?`, `[a-z]`, `[^a]`, `\\` escapes the next byte; over bytes.

https://redis.io/docs/latest/commands/keys/. Everything but `*` matches exactly one byte, so when a match fails it is
enough to let the last `*` take one byte more: the time is bounded by the product of the lengths.
"""
import cython
from cython.cimports.cpython.bytes import PyBytes_AS_STRING, PyBytes_GET_SIZE


@cython.cfunc
@cython.inline
@cython.nogil
@cython.exceptval(check=False)
def lower(c: cython.uchar) -> cython.uchar:
    return c | 32 if 65 <= c <= 90 else c


def glob_match(pattern, n, text, m, ignore_case):
    p: cython.size_t = 0
    t: cython.size_t = 0
    star: cython.size_t = 0                 # where the pattern goes on after the last *
    star_text: cython.size_t = 0            # the text that this * has not taken
    starred: cython.bint = False
    next: cython.size_t                     # the pattern after the element at p
    matched: cython.bint
    negated: cython.bint
    c: cython.uchar
    first: cython.uchar
    last: cython.uchar
    if n == 1 and pattern[0] == b'*':
        return True
    if m == 0:
        return n == 0                       # Redis gives up on an empty text before it looks at a `**`
    while t < m:
        matched = False
        next = p
        if p < n:
            c = text[t]
            next = p + 1
            if pattern[p] == b'*':
                p += 1
                while p < n and pattern[p] == b'*':
                    p += 1
                if p == n:
                    return True
                starred = True
                star = p
                star_text = t
                continue
            elif pattern[p] == b'?':
                matched = True
            elif pattern[p] == b'[':
                negated = next < n and pattern[next] == b'^'
                if negated:
                    next += 1
                while next < n:             # a class that is not closed ends with the pattern
                    if pattern[next] == b'\\' and next + 1 < n:
                        next += 1
                        if cython.cast(cython.uchar, pattern[next]) == c:
                            matched = True
                    elif pattern[next] == b']':
                        break
                    elif next + 2 < n and pattern[next + 1] == b'-':
                        first = pattern[next]
                        last = pattern[next + 2]
                        if first > last:
                            first, last = last, first
                        if ignore_case:
                            if lower(first) <= lower(c) <= lower(last):
                                matched = True
                        elif first <= c <= last:
                            matched = True
                        next += 2
                    elif ignore_case:
                        if lower(pattern[next]) == lower(c):
                            matched = True
                    elif cython.cast(cython.uchar, pattern[next]) == c:
                        matched = True
                    next += 1
                next = next + 1 if next < n else n
                if negated:
                    matched = not matched
            else:
                if pattern[p] == b'\\' and next < n:
                    p += 1
                    next += 1
                if ignore_case:
                    matched = lower(pattern[p]) == lower(c)
                else:
                    matched = cython.cast(cython.uchar, pattern[p]) == c
        if matched:
            p = next
            t += 1
        elif starred:
            star_text += 1
            t = star_text
            p = star
        else:
            return False
    while p < n and pattern[p] == b'*':
        p += 1
    return p == n


def matches(pattern, text):
    """Whether the whole text matches the pattern."""
    return glob_match(PyBytes_AS_STRING(pattern), PyBytes_GET_SIZE(pattern),
                      PyBytes_AS_STRING(text), PyBytes_GET_SIZE(text), False)
