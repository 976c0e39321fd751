"""Two boxes that are started at the same moment on an external catalog that is empty: one makes the lake, the other opens it."""

import contextlib
import re

import psycopg

from box_process import Box
from plain_postgres import PlainPostgres

ROLE_PASSWORD = "of-the-cloud"


def test_one_makes_the_lake_and_the_other_opens_it(boathouse):
    with contextlib.ExitStack() as stack:
        postgres = PlainPostgres(max_connections="200")
        stack.callback(postgres.discard)
        postgres.start()
        postgres.execute(f"CREATE ROLE cloud LOGIN CREATEROLE CREATEDB PASSWORD '{ROLE_PASSWORD}'",
                         "CREATE DATABASE lakehouse OWNER cloud")
        settings = {"BOATHOUSE_CATALOG": f"postgresql://cloud:{ROLE_PASSWORD}@{postgres.host}:{postgres.port}/lakehouse",
                    "POSTGRES_USER": "cloud", "POSTGRES_PASSWORD": ROLE_PASSWORD}
        boxes = []
        for _ in range(2):
            boxes.append(Box(boathouse, settings=settings))
            stack.callback(boxes[-1].discard)
            boxes[-1].data_path = f"{boxes[0].root}/shared/"
        (boxes[0].root / "shared").mkdir()
        (boxes[0].root / "shared").chmod(0o777)
        for box in boxes:
            box.spawn()
        for box in boxes:
            box.wait_ready()
        begun = sorted(re.findall("DuckLake catalog (initialized|opened)", box.log()) for box in boxes)
        assert begun == [["initialized"], ["opened"]]

        def ask(box: Box, text: str) -> list[tuple]:
            with psycopg.connect(host=box.host, port=box.sql_port, user=box.user, password=box.password, dbname="lake",
                                 sslmode="require", autocommit=True) as door:
                answer = door.execute(text)
                return answer.fetchall() if answer.description else []

        for number, box in enumerate(boxes):
            ask(box, f"CREATE TABLE made_by_{number} AS SELECT {number} AS i")
        for box in boxes:
            assert ask(box, "SELECT a.i, b.i FROM made_by_0 a, made_by_1 b") == [(0, 1)]
