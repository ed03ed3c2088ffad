"""The text of a path, read into steps.

    path        = "$" { step }
    step        = [ "." | ".." ] ( name | "*" | brackets )          (a name and * need their dots)
    brackets    = "[" ( "*" | part { "," part } | "?" condition ) "]"
    part        = string | integer | [ integer ] ":" [ integer ] [ ":" [ integer ] ]
    condition   = conjunction { "||" conjunction }
    conjunction = factor { "&&" factor }
    factor      = "!" factor | "(" condition ")" | term [ operator term ]
    operator    = "==" | "!=" | "<" | "<=" | ">" | ">=" | "=~"
    term        = string | number | "true" | "false" | "null" | ( "@" | "$" ) { step }

A name is a run of characters that mean nothing else. Strings stand in single or double quotes, with JSON's escapes.
"""
import re

NAME = re.compile(r"""[^\s.\[\]()'"*,?!&|<>=]+""")
SPACE = re.compile(r"\s*")
INTEGER = re.compile(r"-?[0-9]{1,18}(?![0-9])")
NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
OPERATOR = re.compile(r"==|!=|<=|>=|=~|<|>")
WORD = re.compile(r"(true|false|null)(?![^\s)&|=!<>\]])")
QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", re.DOTALL)
ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
ESCAPED_QUOTE = re.compile(r"\\(['\"])")
SURROGATE = re.compile("[\ud800-\udfff]")
ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
LITERALS = {"true": True, "false": False, "null": None}
DEEPEST = 64                            # levels of parentheses, negations and paths inside filters


class PathFault(ValueError):
    """The text is no path. `str(error)` says where and what was expected."""


def parse_path(text: str, make) -> list:
    """The steps of a path that begins with `$`. `make` makes the steps and conditions: see json_path.Maker. PathFault."""
    parser = Parser(text, make)
    steps = parser.steps(1)
    if parser.at < len(text):
        parser.fail("a path step")
    return steps


def unquoted(quoted: str) -> str:
    """What a string in quotes spells. Of surrogates only pairs mean something."""
    text = ESCAPE.sub(_character, quoted[1:-1])
    if text.isascii() or not SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _character(match) -> str:
    what = match[1]
    if len(what) == 5:
        return chr(int(what[1:], 16))
    return ESCAPES.get(what, what)


class Parser:
    def __init__(self, text: str, make):
        self.text = text
        self.make = make
        self.at = 0
        self.level = 0

    def fail(self, expected: str):
        raise PathFault(f"Error occurred on position {self.at + 1}, expected {expected}")

    def space(self) -> None:
        self.at = SPACE.match(self.text, self.at).end()

    def accept(self, token: str) -> bool:
        if self.text.startswith(token, self.at):
            self.at += len(token)
            return True
        return False

    def take(self, pattern):
        match = pattern.match(self.text, self.at)
        if match is not None:
            self.at = match.end()
        return match

    def deeper(self) -> None:
        self.level += 1
        if self.level > DEEPEST:
            self.fail("fewer levels of nesting")

    # --- steps -------------------------------------------------------------------------------------------------------

    def steps(self, start: int) -> list:
        self.at = start
        found = []
        while True:
            descends = self.accept("..")
            dotted = descends or self.accept(".")
            if self.accept("["):
                found.append(self.brackets(descends))
            elif not dotted:
                return found
            elif self.accept("*"):
                found.append(self.make.every(descends))
            else:
                name = self.take(NAME)
                if name is None:
                    self.fail("a name, * or [")
                found.append(self.make.name(name[0], descends))

    def brackets(self, descends: bool):
        self.space()
        if self.accept("?"):
            self.space()
            step = self.make.filter(self.condition(), descends)
        elif self.accept("*"):
            step = self.make.every(descends)
        else:
            parts = [self.part(descends)]
            self.space()
            while self.accept(","):
                self.space()
                parts.append(self.part(False))
                self.space()
            step = parts[0] if len(parts) == 1 else self.make.union(parts, descends)
        self.space()
        if not self.accept("]"):
            self.fail("]")
        return step

    def part(self, descends: bool):
        quoted = self.take(QUOTED)
        if quoted is not None:
            return self.make.name(unquoted(quoted[0]), descends)
        start = self.integer()
        self.space()
        if not self.accept(":"):
            if start is None:
                self.fail("a string in quotes, a number, a slice, * or a filter")
            return self.make.index(start, descends)
        self.space()
        stop = self.integer()
        stride = None
        self.space()
        if self.accept(":"):
            self.space()
            stride = self.integer()
            if stride is not None and stride < 1:
                self.fail("a positive step")
        return self.make.slice(start, stop, 1 if stride is None else stride, descends)

    def integer(self):
        match = self.take(INTEGER)
        return int(match[0]) if match is not None else None

    # --- filters -----------------------------------------------------------------------------------------------------

    def condition(self):
        found = self.conjunction()
        while True:
            self.space()
            if not self.accept("||"):
                return found
            found = self.make.either(found, self.conjunction())

    def conjunction(self):
        found = self.factor()
        while True:
            self.space()
            if not self.accept("&&"):
                return found
            found = self.make.both(found, self.factor())

    def factor(self):
        self.space()
        if self.accept("!"):
            self.deeper()
            found = self.make.negated(self.factor())
            self.level -= 1
            return found
        if self.accept("("):
            self.deeper()
            found = self.condition()
            self.space()
            if not self.accept(")"):
                self.fail(")")
            self.level -= 1
            return found
        first = self.term()
        self.space()
        operator = self.take(OPERATOR)
        if operator is None:
            return self.make.exists(first)
        self.space()
        if operator[0] == "=~":
            quoted = self.take(QUOTED)
            if quoted is not None:                      # its backslashes belong to the expression
                return self.make.matches(first, ESCAPED_QUOTE.sub(r"\1", quoted[0][1:-1]), None)
            return self.make.matches(first, None, self.term())
        return self.make.compared(first, operator[0], self.term())

    def term(self):
        if self.accept("@") or self.accept("$"):
            from_root = self.text[self.at - 1] == "$"
            self.deeper()
            steps = self.steps(self.at)
            self.level -= 1
            return self.make.path(steps, from_root)
        quoted = self.take(QUOTED)
        if quoted is not None:
            return self.make.literal(unquoted(quoted[0]))
        word = self.take(WORD)
        if word is not None:
            return self.make.literal(LITERALS[word[0]])
        number = self.take(NUMBER)
        if number is None:
            self.fail("@, $, a string, a number, true, false or null")
        return self.make.literal(float(number[0]) if number[1] or number[2] or len(number[0]) > 19 else int(number[0]))
