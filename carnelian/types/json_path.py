# cython: language_level=3
"""Walking along paths: which values of a document they lead to, and where those stand.

The semantics are RedisJSON's: `..` looks at a value before it looks below it, and takes the children of each in their order;
a filter goes over the elements of an array and the values of an object; values of different types are different, and
neither is less. https://redis.io/docs/latest/develop/data-types/json/path/

The libraries for JSONPath do not serve here: those of PyPI follow RFC 9535 or Gössner's article (other names, other filters,
other orders), know nothing of the older dialect, take some 100 microseconds for what takes one, and none bounds the work.
Regular expressions are a library's: RE2 looks at each character once, as the one of RedisJSON does, and the syntax is the
same.

A path can be written that visits every value again and again (`$..*..*..*`): one evaluation may look at no more values than
some multiple of what the document has.
"""
import cython
from cython.cimports.cpython.dict import PyDict_CheckExact
from cython.cimports.cpython.list import PyList_CheckExact, PyList_GET_SIZE
from cython.cimports.carnelian.types.json_document import JsonDocument, Location, is_same
from cython.cimports.libc.stdint import int64_t

from carnelian.types.json_path_text import PathFault, parse_path
from carnelian.types.json_regex import compiled

LEAST_ALLOWANCE = cython.declare(int64_t, 200000)   # values that any evaluation may look at
FACTOR = cython.declare(int64_t, 16)                # and per value of the document
KEPT_PATHS = cython.declare(cython.Py_ssize_t, 1024)
LONGEST_KEPT = cython.declare(cython.Py_ssize_t, 256)

MISSING = cython.declare(object, object())


class TooMuchWork(ValueError):
    """A path that looks at too many values."""


@cython.final
@cython.cclass
class Step:
    """One step of a path: see json_path.pxd."""

    def __init__(self, kind: cython.int, descends: cython.bint = False, name: str | None = None, index: cython.Py_ssize_t = 0,
                 start=None, stop=None, stride: cython.Py_ssize_t = 1, parts: list | None = None, condition: Condition | None = None):
        self.kind = kind
        self.descends = descends
        self.name = name
        self.index = index
        self.has_start = start is not None
        self.start = start or 0
        self.has_stop = stop is not None
        self.stop = stop or 0
        self.stride = stride
        self.parts = parts
        self.condition = condition


@cython.final
@cython.cclass
class Term:
    def __init__(self, literal=None, steps: list | None = None, from_root: cython.bint = False, pattern=None):
        self.literal = literal
        self.steps = steps
        self.from_root = from_root
        self.pattern = pattern


@cython.final
@cython.cclass
class Condition:
    def __init__(self, kind: cython.int, left: Condition | None = None, right: Condition | None = None, first: Term | None = None,
                 second: Term | None = None, comparison: cython.int = 0):
        self.kind = kind
        self.left = left
        self.right = right
        self.first = first
        self.second = second
        self.comparison = comparison


class Maker:
    """What the parser builds a path of: it knows nothing of the classes here."""

    COMPARISONS = {"==": EQUAL, "!=": DIFFERENT, "<": LESS, "<=": LESS_OR_EQUAL, ">": GREATER, ">=": GREATER_OR_EQUAL}

    @staticmethod
    def name(text, descends):
        return Step(NAME, descends, name=text)

    @staticmethod
    def index(number, descends):
        return Step(INDEX, descends, index=number)

    @staticmethod
    def every(descends):
        return Step(EVERY, descends)

    @staticmethod
    def slice(start, stop, stride, descends):
        return Step(SLICE, descends, start=start, stop=stop, stride=stride)

    @staticmethod
    def union(parts, descends):
        return Step(UNION, descends, parts=parts)

    @staticmethod
    def filter(condition, descends):
        return Step(FILTER, descends, condition=condition)

    @staticmethod
    def literal(value):
        return Term(literal=value)

    @staticmethod
    def path(steps, from_root):
        return Term(steps=steps, from_root=from_root)

    @staticmethod
    def either(left, right):
        return Condition(EITHER, left, right)

    @staticmethod
    def both(left, right):
        return Condition(BOTH, left, right)

    @staticmethod
    def negated(condition):
        return Condition(NOT, condition)

    @staticmethod
    def exists(term):
        return Condition(EXISTS, first=term)

    @staticmethod
    def compared(first, operator, second):
        return Condition(COMPARED, first=first, second=second, comparison=Maker.COMPARISONS[operator])

    @staticmethod
    def matches(first, expression, second):
        """`expression`: the text of a literal, as it stands in the path; None where the right side is a path."""
        if expression is not None:
            second = Term(literal=expression, pattern=compiled(expression))
        return Condition(MATCHES, first=first, second=second)


@cython.final
@cython.cclass
class JsonPath:
    """A compiled path. `values` and `locations` take the tree of a document beside the document, which a small one has
    only for a while."""

    def __init__(self, text: str):
        self.text = text
        self.legacy = not text.startswith("$")
        if not self.legacy:
            self.full = text
        elif text == ".":
            self.full = "$"
        else:
            self.full = ("$" if text.startswith(".") else "$.") + text
        self.steps = parse_path(self.full, Maker)

    @property
    def is_root(self) -> bool:
        return not self.steps

    @property
    def is_static(self) -> bool:
        """Whether it is made of keys and indexes alone, so that it says where a value would have to be."""
        step: Step
        for step in self.steps:
            if step.descends or step.kind > INDEX:
                return False
        return True

    @property
    def last_key(self):
        """The key or index of the last step of a static path."""
        step: Step = self.steps[-1]
        return step.name if step.kind == NAME else step.index

    def parents(self, document: JsonDocument, root) -> list:
        """The locations that all steps but the last lead to."""
        walk: Walk = Walk(document, root, True)
        walk.go(self.steps[:-1], 0, root, Location(None, None, None, root))
        return walk.found

    def values(self, document, root):
        """The values, in the order in which they are found. TooMuchWork."""
        walk: Walk
        step: Step
        if len(self.steps) == 0:
            return [root]
        if len(self.steps) == 1:
            step = self.steps[0]
            if step.kind == NAME and not step.descends:
                value = cython.cast(dict, root).get(step.name, MISSING) if PyDict_CheckExact(root) else MISSING
                return [] if value is MISSING else [value]
        walk = Walk(document, root, False)
        walk.go(self.steps, 0, root, None)
        return walk.found

    def locations(self, document, root):
        """The same as Location objects, which are good until the document is changed."""
        walk: Walk = Walk(document, root, True)
        walk.go(self.steps, 0, root, Location(None, None, None, root))
        return walk.found


@cython.final
@cython.cclass
class Walk:
    def __cinit__(self, document: JsonDocument, root, locating: cython.bint):
        self.root = root
        self.found = []
        self.locating = locating
        self.allowance = LEAST_ALLOWANCE + FACTOR * document.nodes

    def spend(self, n):
        self.allowance -= n
        if self.allowance < 0:
            raise TooMuchWork()
        return 0

    def go(self, steps, at, value, place):
        """Takes the step `at` and those behind it, from a value."""
        step: Step
        self.spend(1)
        if at == PyList_GET_SIZE(steps):
            self.found.append(place if self.locating else value)
            return 0
        step = cython.cast(Step, steps[at])
        if step.kind == UNION:
            self.unite(steps, at, step, value, place)
        else:
            self.select(steps, at, step, value, place)
        if step.descends:
            self.descend(steps, at, step, value, place)
        return 0

    def child(self, steps, at, container, key, value, place):
        return self.go(steps, at + 1, value, Location(place, container, key, value) if self.locating else None)

    def descend(self, steps, at, step, value, place):
        """The same step from every value below, each container before what is in it."""
        i: cython.Py_ssize_t
        if PyDict_CheckExact(value):
            for key, item in cython.cast(dict, value).items():
                self.go(steps, at, item, Location(place, value, key, item) if self.locating else None)
        elif PyList_CheckExact(value):
            for i, item in enumerate(cython.cast(list, value)):
                self.go(steps, at, item, Location(place, value, i, item) if self.locating else None)
        return 0

    def unite(self, steps, at, step, value, place):
        for part in step.parts:
            self.select(steps, at, part, value, place)
        return 0

    def select(self, steps, at, step, value, place):
        """The children that a step chooses."""
        i: cython.Py_ssize_t
        n: cython.Py_ssize_t
        stop: cython.Py_ssize_t
        if step.kind == NAME:
            if PyDict_CheckExact(value):
                item = cython.cast(dict, value).get(step.name, MISSING)
                if item is not MISSING:
                    self.child(steps, at, value, step.name, item, place)
            return 0
        if PyDict_CheckExact(value):
            if step.kind == EVERY:
                for key, item in cython.cast(dict, value).items():
                    self.child(steps, at, value, key, item, place)
            elif step.kind == FILTER:
                for key, item in cython.cast(dict, value).items():
                    if self.holds(step.condition, item):
                        self.child(steps, at, value, key, item, place)
            return 0
        if not PyList_CheckExact(value):
            return 0
        n = PyList_GET_SIZE(value)
        if step.kind == INDEX:
            i = step.index if step.index >= 0 else n + step.index
            if 0 <= i < n:
                self.child(steps, at, value, i, cython.cast(list, value)[i], place)
        elif step.kind == SLICE:
            i = 0
            stop = n
            if step.has_start:
                i = step.start if step.start >= 0 else max(0, n + step.start)
            if step.has_stop:
                stop = min(n, step.stop) if step.stop >= 0 else n + step.stop
            while i < stop:
                self.child(steps, at, value, i, cython.cast(list, value)[i], place)
                i += step.stride
        elif step.kind == EVERY:
            for i in range(n):
                self.child(steps, at, value, i, cython.cast(list, value)[i], place)
        else:
            for i in range(n):
                item = cython.cast(list, value)[i]
                if self.holds(step.condition, item):
                    self.child(steps, at, value, i, item, place)
        return 0

    # --- filters -----------------------------------------------------------------------------------------------------

    def holds(self, condition, value):
        self.spend(1)
        if condition.kind == EITHER:
            return self.holds(condition.left, value) or self.holds(condition.right, value)
        if condition.kind == BOTH:
            return self.holds(condition.left, value) and self.holds(condition.right, value)
        if condition.kind == NOT:
            return not self.holds(condition.left, value)
        lefts: list = self.operands(condition.first, value)
        if condition.kind == EXISTS:
            if condition.first.steps is not None:
                return len(lefts) > 0
            return condition.first.literal is not None and condition.first.literal is not False
        rights: list = self.operands(condition.second, value)
        if not lefts or not rights:
            return condition.kind == COMPARED and condition.comparison == DIFFERENT and len(lefts) != len(rights)
        self.spend(cython.cast(int64_t, len(lefts)) * len(rights))
        for left in lefts:
            for right in rights:
                if condition.kind == MATCHES:
                    if type(left) is str and type(right) is str:
                        pattern = condition.second.pattern if condition.second.steps is None else compiled(right)
                        if pattern is not None and pattern.search(left) is not None:
                            return True
                elif compare(condition.comparison, left, right):
                    return True
        return False

    def operands(self, term, value):
        """The values of one side: of a path, all that it leads to."""
        found: list = self.found
        locating: cython.bint = self.locating
        if term.steps is None:
            return [term.literal]
        if not term.steps:
            return [self.root if term.from_root else value]
        self.found = []
        self.locating = False
        try:
            self.go(term.steps, 0, self.root if term.from_root else value, None)
            return self.found
        finally:
            self.found = found
            self.locating = locating


@cython.cfunc
@cython.exceptval(-1)
def compare(comparison: cython.int, left, right) -> cython.bint:
    if comparison == EQUAL:
        return is_same(left, right, False)
    if comparison == DIFFERENT:
        return not is_same(left, right, False)
    kind: object = type(left)
    if kind is not type(right):
        if kind not in (int, float) or type(right) not in (int, float):
            return False
    elif kind not in (int, float, str, bool):
        return False
    if comparison == LESS:
        return left < right
    if comparison == LESS_OR_EQUAL:
        return left <= right
    if comparison == GREATER:
        return left > right
    return left >= right


paths = cython.declare(dict, {})


def path_of(text):
    """The path that a text spells; those used last are kept. PathFault, UnicodeDecodeError."""
    path: JsonPath = paths.get(text)
    if path is None:
        path = JsonPath(text.decode())
        if len(text) <= LONGEST_KEPT:
            if len(paths) >= KEPT_PATHS:                # the oldest goes
                del paths[next(iter(paths))]
            paths[text] = path
    return path


__all__ = ["JsonPath", "PathFault", "TooMuchWork", "path_of"]
