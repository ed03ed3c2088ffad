# cython: language_level=3
"""The keys of a request, for those who look at requests from outside: client-side caching, cluster mode."""
import cython

from carnelian.keyspace import key_access

# Key positions by the name of the command: (first, last, step), None where the words have to be looked at each time.
places = cython.declare(dict, {})


def keys_of(command, words):
    place: tuple
    first: cython.Py_ssize_t
    last: cython.Py_ssize_t
    step: cython.Py_ssize_t
    name: str = command.name
    if name not in places:
        usage = command.declaration.usage
        places[name] = None if usage.movable else usage.legacy
    place = places[name]
    if place is None:
        try:
            return [words[at] for at, _ in key_access.keys_of(command.declaration, words)]
        except ValueError:
            return []
    first, last, step = place
    if first == 0:
        return []
    if last < 0:
        last += len(words)
    return list(words[first:last + 1:step])
