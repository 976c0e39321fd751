"""Every file of tests/sql/files, on a local data path, on S3 and on an encrypted lake. logic_test.py has the format.

The folders that are PostgreSQL's as much as ours run on PostgreSQL too: what they expect is what PostgreSQL answers,
but for the records that `skipif postgres` marks.
"""

from pathlib import Path

import logic_test
import pytest

FILES = Path(__file__).parent / "files"
BOXES = {"local": "box", "s3": "box_s3", "encrypted": "box_encrypted"}
SHARED_FOLDERS = ("dialect", "functions", "queries", "types")

PATHS = sorted(FILES.rglob("*.test"))


def name(path: Path) -> str:
    return path.relative_to(FILES).with_suffix("").as_posix()


def run_file(path: Path, conninfo: str, configuration: str, completing: bool) -> None:
    session = logic_test.Session(conninfo, "t_" + name(path).replace("/", "_"))
    got, complaints = {}, []
    try:
        for record in logic_test.read(path):
            if not record.runs_in(configuration):
                continue
            result = session.run(record)
            wrong = logic_test.complaint(record, result, session.notices)
            if wrong and completing and record.kind == "query" and result.nfields:
                got[record.line] = logic_test.rows(record, result)
            elif wrong:
                complaints.append(f"{path}:{record.line}: {record.sql}\n{wrong}")
    finally:
        session.close()
    if got:
        path.write_text(logic_test.completed(path, got))
    assert not complaints, "\n\n".join(complaints)


@pytest.mark.parametrize("path", PATHS, ids=name)
@pytest.mark.parametrize("configuration", BOXES)
def test_file(configuration, path, request):
    box = request.getfixturevalue(BOXES[configuration])
    conninfo = (f"host={box.host} port={box.sql_port} dbname=lake user={box.user} password={box.password} "
                "connect_timeout=60")
    run_file(path, conninfo, configuration, request.config.getoption("--complete"))


@pytest.mark.parametrize("path", [path for path in PATHS if name(path).split("/")[0] in SHARED_FOLDERS], ids=name)
def test_file_on_postgres(path, postgres):
    run_file(path, postgres, "postgres", completing=False)
