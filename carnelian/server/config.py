"""The configuration: redis.conf's syntax and names, CONFIG GET, SET and REWRITE, and who follows a change.

https://redis.io/docs/latest/operate/oss_and_stack/management/config/
"""
import os

from carnelian.base.errors import ReplyError
from carnelian.base.glob import matches
from carnelian.server.config_file import ConfigError, Directive, read_arguments, read_file, rewritten
from carnelian.server.config_names import PARAMETERS

__all__ = ["Config", "ConfigError"]

# Directives of redis.conf that are no parameters, and the missing feature that each belongs to.
MISSING = {"loadmodule": "modules", "sentinel": "Sentinel"}


def decoded(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")


def refusal(feature: str) -> str:
    return f"this version of carnelian has no {feature}"


class Config:
    """The parameters' values: `config["maxmemory"]` is an int, `config["bind"]` a list of str, and so on (config_names).

    Who depends on a parameter says `config.on_change("maxmemory", hook)`: the hook gets the value at once, and again after
    each change. A hook that raises ValueError or OSError refuses the change; then all of that CONFIG SET is undone.
    """

    def __init__(self):
        self.parameters = {parameter.name: parameter for parameter in PARAMETERS}
        self.names = dict(self.parameters)              # the older names, too
        self.names.update((parameter.alias, parameter) for parameter in PARAMETERS if parameter.alias)
        self.defaults = {parameter.name: parameter.default for parameter in PARAMETERS}
        self.defaults["dir"] = os.getcwd()
        self.values = dict(self.defaults)
        self.file = None                                # absolute path of the file it was read from
        self.renamed = []                               # (old name, new name or "", directive) of rename-command
        self.users = {}                                 # name -> directive of `user`; rules of access control
        self.user_lines = list                          # gives what CONFIG REWRITE writes of them: "name rules" each
        self.hooks = {}
        self.saves_read = False

    def __getitem__(self, name: str):
        return self.values[self.names[name].name]

    def text(self, name: str) -> str:
        """A value as CONFIG GET shows it."""
        return self.names[name].kind.text(self[name])

    # --- at the start ----------------------------------------------------------------------------------------------

    def load(self, file=None, arguments=()) -> None:
        """Reads a file, then options as on a command line (`["--port", "7777", "--save", ""]`). ConfigError."""
        if file is not None:
            self.file = os.path.abspath(file)
            for directive in read_file(file):
                self.apply(directive)
        for directive in read_arguments(arguments):
            self.apply(directive)

    def apply(self, directive: Directive) -> None:
        """One directive of a file or a command line."""
        name, words = directive.name, directive.words
        try:
            if name == "rename-command":
                if len(words) != 2:
                    raise ValueError("Bad directive or wrong number of arguments")
                self.renamed.append((words[0].lower(), words[1].lower(), directive))
                return
            if name == "user":
                if not words:
                    raise ValueError("Bad directive or wrong number of arguments")
                if words[0] in self.users:
                    raise ValueError(f"Error in user declaration '{words[0]}': Duplicate user found. A user can only be defined "
                                     "once in config files")
                self.users[words[0]] = directive
                return
            if name in MISSING:
                raise ValueError(refusal(MISSING[name]))
            parameter = self.names.get(name)
            if parameter is None:
                raise ValueError("Bad directive or wrong number of arguments")
            value = parameter.kind.read(words, self.values[parameter.name])
            if parameter.name == "save" and value and self.saves_read:
                value = self.values["save"] + value
            self.saves_read = self.saves_read or parameter.name == "save"
            self.check_feature(parameter, value)
        except ValueError as error:
            raise ConfigError(str(error), directive) from None
        self.values[parameter.name] = value

    def check_feature(self, parameter, value) -> None:
        if parameter.is_missing(value):
            raise ValueError(refusal(parameter.needs))

    def on_change(self, name: str, hook) -> None:
        self.hooks.setdefault(self.names[name].name, []).append(hook)
        hook(self[name])

    # --- CONFIG ----------------------------------------------------------------------------------------------------

    def get(self, patterns) -> dict:
        """CONFIG GET: {name: text} as bytes. A pattern without special characters is a name in any case."""
        found = {}
        for pattern in patterns:
            if any(character in b"*?[" for character in pattern):
                for name in self.names:
                    if matches(pattern.lower(), name.encode()):
                        found.setdefault(name.encode(), name)
            elif decoded(pattern).lower() in self.names:
                found.setdefault(pattern, decoded(pattern).lower())
        return {shown: self.text(name).encode("utf-8", "surrogateescape") for shown, name in found.items()}

    def set(self, words, allow_protected=False) -> None:
        """CONFIG SET name value [name value ...]: all or none. ReplyError with Redis's texts."""
        if len(words) % 2:
            raise ReplyError("ERR syntax error")
        pairs = [(decoded(name), decoded(value)) for name, value in zip(words[::2], words[1::2])]
        parameters = {}
        for name, _ in pairs:
            parameter = self.names.get(name.lower())
            if parameter is None:
                raise ReplyError(f"ERR Unknown option or number of arguments for CONFIG SET - '{name}'")
            if parameter.fixed:
                raise failed(name, "can't set immutable config")
            if parameter.protected and not allow_protected:
                raise failed(name, "can't set protected config")
            if name.lower() in parameters:
                raise failed(name, "duplicate parameter")
            parameters[name.lower()] = parameter
        changes = {}                                    # parameter's name -> (name given, value)
        for (name, parameter), (_, text) in zip(parameters.items(), pairs):
            try:
                value = parameter.kind.read([text], self.values[parameter.name])
                self.check_feature(parameter, value)
            except ValueError as error:
                raise failed(name, str(error)) from None
            changes[parameter.name] = (name, value)
        self.change({name: change for name, change in changes.items() if change[1] != self.values[name]})

    def change(self, changes: dict) -> None:
        """Puts {parameter's name: (name given, value)} into force."""
        before = {name: self.values[name] for name in changes}
        told = []
        self.values.update((name, value) for name, (_, value) in changes.items())
        for name, (given, value) in changes.items():
            for hook in self.hooks.get(name, ()):
                told.append((name, hook))
                try:
                    hook(value)
                except (ValueError, OSError) as error:
                    self.values.update(before)
                    for changed, undone in reversed(told):
                        undone(before[changed])
                    raise failed(given, str(error)) from None

    def rewrite(self) -> None:
        """CONFIG REWRITE: the file says what is in force, its comments and its order stay. ReplyError."""
        if self.file is None:
            raise ReplyError("ERR The server is running without a config file")
        lines = [(parameter.name, parameter.kind.lines(self.values[parameter.name], self.defaults[parameter.name]),
                  self.values[parameter.name] == self.defaults[parameter.name]) for parameter in PARAMETERS]
        try:
            rewritten(self.file, [*lines, ("user", self.user_lines(), False)], {parameter.alias: parameter.name for parameter in PARAMETERS if parameter.alias})
        except OSError as error:
            raise ReplyError(f"ERR Rewriting config file: {error.strerror}") from None


def failed(name: str, reason: str) -> ReplyError:
    return ReplyError(f"ERR CONFIG SET failed (possibly related to argument '{name}') - {reason}")
