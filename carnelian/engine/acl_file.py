"""Users in a file: one `user NAME RULES` a line. https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/"""
import logging

from carnelian.base.files import replace
from carnelian.engine.acl_rules import RuleError, User, gathered, has_spaces

log = logging.getLogger("carnelian")

AROUND = b" \t\r\n"


def line_of(user: User, exact: bool = True) -> bytes:
    """The user's line in a file, or in ACL LIST, which is not always exact."""
    return b"user " + user.name + b" " + user.rule_line(exact)


def write(path: str, users) -> None:
    """The file holds these users and nothing else; it is replaced in one step. OSError."""
    replace(path, b"".join([line_of(user) + b"\n" for user in users]))


def read(path: str, every_channel: bool = False) -> dict:
    """{name: User} of a file. ValueError with all that is wrong in it, line by line.

    `every_channel` is what acl-pubsub-default gives to new users.
    """
    try:
        with open(path, "rb") as source:
            content = source.read()
    except OSError as error:
        raise ValueError(f"Error loading ACLs, opening file '{path}': {error.strerror}") from None
    users = {}
    faults = []
    for number, line in enumerate(content.split(b"\n"), 1):
        words = line.strip(AROUND).split(b" ")
        if words == [b""]:
            continue
        if words[0] != b"user" or len(words) < 2:
            faults.append(f"{path}:{number} should start with user keyword followed by the username. ")
        elif has_spaces(words[1]):
            faults.append(f"{path}:{number}: username '{shown(words[1])}' contains invalid characters. ")
        elif words[1] in users:
            faults.append(f"WARNING: Duplicate user '{shown(words[1])}' found on line {number}. ")
        else:
            users[words[1]] = User(words[1], every_channel)
            faults += [f"{path}:{number}: {fault}. " for fault in faults_in(users[words[1]], words[2:], every_channel)]
    if faults:
        raise ValueError("".join(faults) + "WARNING: ACL errors detected, no change to the previously active ACL rules was performed")
    return users


def faults_in(user: User, words, every_channel: bool) -> list:
    """Applies the rules of a line. What is not there is told for each rule, of other faults the first."""
    try:
        rules = gathered(words)
    except RuleError:
        return ["Unmatched parenthesis in selector definition"]
    faults = []
    has_other = False
    for rule in rules:
        rule = rule.strip(AROUND)
        try:
            user.apply(rule, every_channel)
        except RuleError as error:
            if error.is_unknown:
                faults.append(f"Error in applying operation '{shown(rule)}': {error}")
            elif not has_other:
                faults.append(str(error))
                has_other = True
    return faults


def shown(word: bytes) -> str:
    return word.decode("utf-8", "surrogateescape")
