"""docs/compatibility.md says what the command table says: `make docs` writes it."""
from tools import compatibility


def test_the_page_is_what_the_command_table_gives():
    assert compatibility.PAGE.read_text() == compatibility.page(), "run `make docs`"


def test_every_command_is_there_or_has_a_reason():
    words = compatibility.declared()
    assert [row.name for row in compatibility.listed() if row.name not in words and not compatibility.reason(row.name)] == []


def test_every_word_of_ours_is_listed():
    """A word that Redis or Valkey has belongs into tools/commands.tsv, one of our own begins with our name."""
    names = {row.name for row in compatibility.listed()}
    assert [name for name in compatibility.declared() if name not in names and not name.startswith("carnelian")] == []


def test_groups_and_releases_are_those_of_redis():
    words = compatibility.declared()
    for row in compatibility.listed():
        if row.name in words:
            word = words[row.name]
            assert (word.group.replace("-", "_"), word.since) == (row.group, row.since), row.name


def test_the_notes_are_about_commands_that_are_there():
    assert set(compatibility.NOTES) <= set(compatibility.declared())
