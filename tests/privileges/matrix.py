"""The cells of the privilege matrix: what is asked, in which way, with which privileges, and what PostgreSQL says.

A cell is one statement of one role after one set of grants. The same grants are made in a plain PostgreSQL with the same
tables, and the same statement, or the one that means the same there, is run: whether it is allowed is PostgreSQL's word,
not ours. A statement that PostgreSQL lacks (an older version of a table, the changes between two) names the one whose
privileges it needs.
"""

from dataclasses import dataclass

# What is granted, as the text of GRANT, and on which path it comes to the role. "v" is a view of id and a of t.
TO_ROLE = "to the role"
ROUNDS = [
    ((), TO_ROLE),
    (("SELECT ON t",), TO_ROLE),
    (("SELECT ON t",), "to a group"),
    (("SELECT ON t", "INSERT ON t"), "to a group of a group"),
    (("SELECT ON t", "UPDATE ON t"), "to PUBLIC"),
    (("ALL ON t",), "to a group that is not inherited"),
    (("ALL ON t",), TO_ROLE),
    (("INSERT ON t",), TO_ROLE),
    (("UPDATE ON t",), TO_ROLE),
    (("DELETE ON t",), TO_ROLE),
    (("TRUNCATE ON t",), TO_ROLE),
    (("SELECT ON t", "DELETE ON t"), TO_ROLE),
    (("SELECT (id) ON t",), "to a group"),
    (("SELECT (id, a) ON t",), TO_ROLE),
    (("SELECT (id) ON t", "UPDATE (a) ON t"), TO_ROLE),
    (("INSERT (id, a) ON t", "SELECT (id) ON t"), "to PUBLIC"),
    (("SELECT (id, a) ON t", "INSERT ON t", "UPDATE (a) ON t", "SELECT ON u"), TO_ROLE),
    (("SELECT ON v",), TO_ROLE),
    (("SELECT (id) ON v",), "to a group"),
    (("SELECT ON vv", "INSERT ON t"), TO_ROLE),
    (("SELECT ON t", "SELECT ON v", "SELECT ON u", "UPDATE ON t", "INSERT ON t", "DELETE ON t"), "to a group"),
]

# The columns that a statement reads of t or v.
READS = {"id": "id", "a": "a", "id, a": "id, a", "secret": "secret", "star": "*", "count": "count(*)"}


@dataclass(frozen=True)
class Way:
    """How to reach a table: SQL for the lake and for PostgreSQL, {c} is what is read."""

    name: str
    lake: str
    postgres: str = ""
    reads: tuple = tuple(READS)

    @property
    def there(self) -> str:
        return self.postgres or self.lake


SUBSET = ("id", "a", "id, a", "secret", "star")
NO_STAR = ("id", "a", "secret")
WAYS = [
    Way("direct", "SELECT {c} FROM t"),
    Way("qualified", "SELECT {c} FROM public.t"),
    Way("where", "SELECT {c} FROM t WHERE a = 1", reads=("id", "count")),
    Way("order", "SELECT id FROM t ORDER BY {c}", reads=NO_STAR),
    Way("view", "SELECT {c} FROM v", reads=("id", "a", "id, a", "star", "count")),
    Way("view of a view", "SELECT {c} FROM vv", reads=("id", "a", "star")),
    Way("view with table", "SELECT v.id FROM v JOIN t USING (id) WHERE t.{c} IS NOT NULL", reads=NO_STAR),
    Way("macro", "SELECT {c} FROM m()", "SELECT {c} FROM (SELECT * FROM t) AS m", SUBSET),
    Way("common table", "WITH x AS (SELECT {c} FROM t) SELECT * FROM x", reads=SUBSET),
    Way("subquery", "SELECT * FROM (SELECT {c} FROM t) AS x", reads=SUBSET),
    Way("scalar subquery", "SELECT (SELECT max({c}) FROM t)", reads=NO_STAR),
    Way("correlated", "SELECT u.id FROM u WHERE EXISTS (SELECT 1 FROM t WHERE t.{c} = u.id)", reads=NO_STAR),
    Way("union", "SELECT {c} FROM t UNION ALL SELECT 1", reads=NO_STAR),
    Way("CTAS", "CREATE TEMP TABLE made AS SELECT {c} FROM t", reads=SUBSET),
    Way("COPY out", "COPY (SELECT {c} FROM t) TO STDOUT", reads=SUBSET),
    Way("COPY table", "COPY t TO STDOUT", reads=("star",)),
    Way("prepared", "PREPARE p AS SELECT {c} FROM t; EXECUTE p", reads=SUBSET),
    Way("cursor", "BEGIN; DECLARE k CURSOR FOR SELECT {c} FROM t; FETCH 1 FROM k; COMMIT", reads=SUBSET),
    Way("explain", "EXPLAIN SELECT {c} FROM t", reads=SUBSET),
    Way("time travel", "SELECT {c} FROM t AT (VERSION => {version})", "SELECT {c} FROM t", ("id", "star")),
    Way("changes", "SELECT count(*) FROM ducklake_table_changes('lake', 'main', 't', {version}, {version})",
        "SELECT * FROM t", ("star",)),
    Way("changes by macro", "SELECT count(*) FROM lake.table_changes('t', {version}, {version})", "SELECT * FROM t",
        ("star",)),
    Way("insertions", "SELECT {c} FROM ducklake_table_insertions('lake', 'main', 't', {version}, {version})",
        "SELECT {c} FROM t", ("id", "star")),
    Way("files", "SELECT count(*) FROM ducklake_list_files('lake', 't')", "SELECT * FROM t", ("star",)),
    Way("insert", "INSERT INTO t VALUES (9, 9, 9)", reads=("star",)),
    Way("insert columns", "INSERT INTO t (id, a) VALUES (9, 9)", reads=("star",)),
    Way("insert one column", "INSERT INTO t (secret) VALUES (9)", reads=("star",)),
    Way("insert returning", "INSERT INTO t (id, a) VALUES (9, 9) RETURNING id", reads=("star",)),
    Way("insert from itself", "INSERT INTO t (id) SELECT {c} FROM t WHERE false", reads=NO_STAR),
    Way("insert from a view", "INSERT INTO t (id) SELECT {c} FROM v WHERE false", reads=("id", "a")),
    Way("update", "UPDATE t SET a = 1", reads=("star",)),
    Way("update where", "UPDATE t SET a = 1 WHERE {c} = 5", reads=NO_STAR),
    Way("update another column", "UPDATE t SET secret = 1", reads=("star",)),
    Way("update from itself", "UPDATE t SET a = {c}", reads=NO_STAR),
    Way("update returning", "UPDATE t SET a = 1 RETURNING {c}", reads=("id", "secret")),
    Way("delete", "DELETE FROM t", reads=("star",)),
    Way("delete where", "DELETE FROM t WHERE {c} = 5", reads=NO_STAR),
    Way("truncate", "TRUNCATE t", reads=("star",)),
    Way("merge", "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN UPDATE SET a = u.id "
                 "WHEN NOT MATCHED THEN INSERT (id, a) VALUES (u.id, u.id)", reads=("star",)),
    Way("merge delete", "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE", reads=("star",)),
]


@dataclass(frozen=True)
class Cell:
    way: Way
    read: str

    def lake(self, version: int) -> list[str]:
        return self.way.lake.format(c=READS[self.read], version=version).split("; ")

    def postgres(self) -> list[str]:
        return self.way.there.format(c=READS[self.read]).split("; ")

    def __str__(self) -> str:
        return f"{self.way.name} of {self.read}"


CELLS = [Cell(way, read) for way in WAYS for read in way.reads]
