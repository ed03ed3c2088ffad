"""The append-only file read again: cut anywhere, damaged anywhere."""
import pytest

from carnelian.engine import Engine
from carnelian.persistence.loading import DamagedFile
from carnelian.persistence.persistence import Persistence, Settings

FIRST = b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n"
TRANSACTION = b"*1\r\n$5\r\nMULTI\r\n*2\r\n$4\r\nINCR\r\n$1\r\na\r\n*2\r\n$4\r\nINCR\r\n$1\r\nb\r\n*1\r\n$4\r\nEXEC\r\n"


def load(directory, **settings):
    engine = Engine(16)
    persistence = Persistence(engine, Settings(dir=str(directory), appendonly=True, save=[], **settings))
    persistence.load_whole()
    return engine


def write(directory, content):
    folder = directory / "appendonlydir"
    folder.mkdir(exist_ok=True)
    (folder / "appendonly.aof.manifest").write_text("file appendonly.aof.1.incr.aof seq 1 type i\n")
    file = folder / "appendonly.aof.1.incr.aof"
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("cut", range(1, len(TRANSACTION)))
def test_a_transaction_cut_anywhere_is_not_there_at_all(tmp_path, cut):
    file = write(tmp_path, FIRST + TRANSACTION[:cut])
    with pytest.raises(DamagedFile, match=f"{file}.*offset {len(FIRST)}"):
        load(tmp_path, **{"aof-load-truncated": False})
    assert file.read_bytes() == FIRST + TRANSACTION[:cut]
    assert load(tmp_path).key_count() == 1
    assert file.read_bytes() == FIRST


def test_a_whole_transaction(tmp_path):
    file = write(tmp_path, FIRST + TRANSACTION)
    assert load(tmp_path, **{"aof-load-truncated": False}).key_count() == 2
    assert file.read_bytes() == FIRST + TRANSACTION


def test_damage_in_the_middle(tmp_path):
    content = FIRST + b"nonsense\r\n" + TRANSACTION
    file = write(tmp_path, content)
    with pytest.raises(DamagedFile, match=str(file)):
        load(tmp_path)
    assert file.read_bytes() == content
