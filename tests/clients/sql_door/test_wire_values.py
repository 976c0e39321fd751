"""Every value as PostgreSQL writes it: the SQL door's bytes against the catalog's own, in both formats.

The box's catalog is a real PostgreSQL, so each literal is asked of both doors and the raw bytes are compared. Random
values come from a seed that a failure prints; set BOATHOUSE_TEST_SEED to run it again.
"""

import os
import random
import struct
import uuid
from datetime import date, timedelta

import psycopg
import pytest

SEED = int(os.environ.get("BOATHOUSE_TEST_SEED", random.randrange(2**32)))
VALUES_A_TYPE = 150


@pytest.fixture(scope="module")
def doors(box):
    arguments = {"host": box.host, "user": box.user, "password": box.password}
    with (psycopg.connect(**arguments, port=box.sql_port, dbname="lake", autocommit=True) as lake,
          psycopg.connect(**arguments, port=box.catalog_port, dbname=box.database, autocommit=True) as postgres):
        yield lake, postgres


def raw(connection, literals: list[str], type_name: str, binary: bool) -> tuple[int, list[bytes | None]]:
    """The type number and the bytes of `literals` cast to a type."""
    columns = ", ".join(f"{literal}::{type_name}" for literal in literals)
    result = connection.pgconn.exec_params(f"SELECT {columns}".encode(), [], result_format=int(binary))
    assert result.status == psycopg.pq.ExecStatus.TUPLES_OK, result.error_message.decode()
    return result.ftype(0), [result.get_value(0, column) for column in range(result.nfields)]


def quoted(values) -> list[str]:
    return ["'" + str(value).replace("'", "''") + "'" for value in values]


def integers(rng, bits):
    edges = [0, 1, -1, 2 ** (bits - 1) - 1, -(2 ** (bits - 1))]
    return edges + [rng.randrange(-(2 ** (bits - 1)), 2 ** (bits - 1)) >> rng.randrange(bits) for _ in range(VALUES_A_TYPE)]


def floats(rng, code):
    size = struct.calcsize(code)
    values = [0.0, -0.0, 1.0, 0.1, 1e15, 1e14, 123456.0, 1234567.0, 1e-5, 1e-4, 100000.0, 1000000.0]
    if code == "d":  # the shortest decimal lies at the midpoint to a neighbour, or hardly beside it
        values += [1e23, 9.3715844311053e+16, 3.0371226639322e+17, 7.291538409778012e+50, -3.362314549508826e+192,
                   3.24687718532801e+235, 2.449730588979489e+292]
    for _ in range(VALUES_A_TYPE):
        value = struct.unpack(code, rng.randbytes(size))[0]
        if value == value and abs(value) != float("inf"):
            values.append(value)
        values.append(struct.unpack(code, struct.pack(code, round(rng.uniform(-1e6, 1e6), rng.randrange(6))))[0])
    return [*(repr(value) for value in values), "NaN", "Infinity", "-Infinity"]


def decimals(rng, precision, scale):
    values = ["0", "-0.1" if scale else "-1"]
    for _ in range(VALUES_A_TYPE):
        digits = rng.randrange(10 ** rng.randrange(1, precision + 1))
        text = f"{digits:0{scale + 1}d}"
        values.append(("-" if rng.random() < 0.5 else "") + (f"{text[:-scale]}.{text[-scale:]}" if scale else text))
    return values


def dates(rng):
    values = [date(1, 1, 1), date(9999, 12, 31), date(2000, 1, 1), date(1970, 1, 1), date(2024, 2, 29)]
    values += [date(1, 1, 1) + timedelta(days=rng.randrange(3652058)) for _ in range(VALUES_A_TYPE)]
    return values


def clock(rng):
    micros = rng.choice([0, rng.randrange(1000000), rng.randrange(1000) * 1000])
    text = f"{rng.randrange(24):02d}:{rng.randrange(60):02d}:{rng.randrange(60):02d}"
    return text + (f".{micros:06d}" if micros else "")


def intervals(rng):
    values = ["0", "1 year", "-1 month 2 days", "1 year -3 days 04:05:06.5", "-00:00:01", "1 day -00:00:00.000001", "400:00:00"]
    for _ in range(VALUES_A_TYPE):
        parts = [f"{rng.randrange(-40, 40)} months", f"{rng.randrange(-400, 400)} days",
                 f"{rng.randrange(-10**12, 10**12)} microseconds"]
        values.append(" ".join(rng.sample(parts, rng.randrange(1, 4))))
    return values


def texts(rng):
    alphabet = "aZ09 \t\n\"'\\{},;$ßé漢🦆"
    return ["", *("".join(rng.choices(alphabet, k=rng.randrange(1, 40))) for _ in range(VALUES_A_TYPE))]


# PostgreSQL's name of the type, DuckDB's if it differs, literals.
CASES = [
    ("bool", None, lambda rng: ["true", "false"]),
    ("int2", None, lambda rng: integers(rng, 16)),
    ("int4", None, lambda rng: integers(rng, 32)),
    ("int8", None, lambda rng: integers(rng, 64)),
    ("float4", None, lambda rng: floats(rng, "f")),
    ("float8", None, lambda rng: floats(rng, "d")),
    ("numeric(4,1)", None, lambda rng: decimals(rng, 4, 1)),
    ("numeric(9,0)", None, lambda rng: decimals(rng, 9, 0)),
    ("numeric(18,5)", None, lambda rng: decimals(rng, 18, 5)),
    ("numeric(38,10)", None, lambda rng: decimals(rng, 38, 10)),
    ("numeric(38,37)", None, lambda rng: decimals(rng, 38, 37)),
    ("text", None, texts),
    ("date", None, lambda rng: [*dates(rng), "infinity", "-infinity"]),
    ("time", None, lambda rng: ["00:00:00", "23:59:59.999999", *(clock(rng) for _ in range(VALUES_A_TYPE))]),
    ("timestamp", None, lambda rng: ["infinity", "-infinity", *(f"{day} {clock(rng)}" for day in dates(rng))]),
    ("timestamptz", None, lambda rng: ["infinity", "-infinity", *(f"{day} {clock(rng)}+00" for day in dates(rng)[2:])]),
    ("interval", None, intervals),
    ("uuid", None, lambda rng: [uuid.UUID(bytes=rng.randbytes(16)) for _ in range(VALUES_A_TYPE)]),
]


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize(("type_name", "duckdb_name", "make"), CASES, ids=[case[0] for case in CASES])
def test_scalars(doors, type_name, duckdb_name, make, binary):
    lake, postgres = doors
    literals = quoted(make(random.Random(f"{SEED}-{type_name}")))
    theirs = raw(postgres, literals, type_name, binary)
    ours = raw(lake, literals, duckdb_name or type_name, binary)
    assert ours[0] == theirs[0], f"type number of {type_name}"
    differences = [(literal, mine, right) for literal, mine, right in zip(literals, ours[1], theirs[1], strict=True)
                   if mine != right]
    assert not differences, f"seed {SEED}: {differences[:5]}"


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"])
def test_instants_in_a_zone(doors, zone, binary):
    rng = random.Random(f"{SEED}-{zone}")
    literals = quoted(f"{day} {clock(rng)}+00" for day in dates(rng) if day.year > 1)
    answers = []
    for door in doors:
        door.execute(f"SET TIME ZONE '{zone}'")
        answers.append(raw(door, literals, "timestamptz", binary))
        door.execute("RESET TIME ZONE")
    assert answers[0] == answers[1], f"seed {SEED}"


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
@pytest.mark.parametrize(("array", "type_name"), [
    ("ARRAY[1, 2, NULL]", "int4[]"),
    ("ARRAY[1.5, -2.25]", "float8[]"),
    ("ARRAY['a b', '', NULL, 'NULL', 'x,y', '{', '\"', 'back\\slash', 'plain']", "text[]"),
    ("ARRAY[ARRAY[1, 2], ARRAY[3, 4]]", "int8[]"),
    ("ARRAY[1.10, 2.25]", "numeric(6,2)[]"),
    ("ARRAY['2024-02-29', '1999-12-31']", "date[]"),
    ("ARRAY[true, false]", "bool[]"),
])
def test_arrays(doors, array, type_name, binary):
    lake, postgres = doors
    nested = array.count("ARRAY[") > 1
    ours = raw(lake, [array.replace("ARRAY[", "[")], type_name + ("[]" if nested else ""), binary)
    assert ours == raw(postgres, [array], type_name, binary)


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_bytes(doors, binary):
    lake, postgres = doors
    rng = random.Random(f"{SEED}-bytea")
    values = [b"", b"\x00\xff\\'", *(rng.randbytes(rng.randrange(40)) for _ in range(VALUES_A_TYPE))]
    ours = raw(lake, [f"from_hex('{value.hex()}')" for value in values], "blob", binary)
    assert ours == raw(postgres, [f"decode('{value.hex()}', 'hex')" for value in values], "bytea", binary), f"seed {SEED}"


@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
def test_bits(doors, binary):
    lake, postgres = doors
    literals = quoted(["0", "1", "10101", "111111110", "0000000011111111"])
    assert raw(lake, literals, "bit", binary) == raw(postgres, literals, "varbit", binary)


def test_what_postgresql_does_not_have(doors):
    lake, _ = doors
    row = lake.execute("""
        SELECT 255::utinyint, 18446744073709551615::ubigint, 170141183460469231731687303715884105727::hugeint,
               {'a': 1, 'b': [true, NULL], 'c': 'x"y'}, MAP {'k': 1.5}, 'b'::ENUM ('a', 'b'), '2024-01-01 00:00:00.123456789'::timestamp_ns,
               '{"x": 1}'::json
    """).fetchone()
    assert [str(value) for value in row[:3]] == ["255", "18446744073709551615", "170141183460469231731687303715884105727"]
    assert row[3] == {"a": 1, "b": [True, None], "c": 'x"y'}
    assert row[4] == {"k": 1.5}
    assert row[5] == "b"
    assert row[6].microsecond == 123456
    assert row[7] == {"x": 1}
