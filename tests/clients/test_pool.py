"""The page's pool under sixteen threads that insert and select at once: what was acknowledged is there exactly once."""

import json

import runners
from markdown_page import for_box

THREADS, ROUNDS = 16, 8

# Runs behind the page's block, whose `pool` it uses, and prints what was acknowledged.
WORKLOAD = f"""
import json, threading

with pool.writer() as cursor:
    cursor.execute("CREATE TABLE lake.pooled (thread INTEGER, number INTEGER, padding VARCHAR)")
acknowledged, errors = [], []

def work(thread):
    try:
        for number in range({ROUNDS}):
            rows = 50 if number % 4 == 3 else 1  # beyond the limit of inlining: a file of its own
            with pool.writer() as cursor:
                cursor.execute("INSERT INTO lake.pooled SELECT ?, ? * 1000 + i, repeat('x', 100) FROM range(?) r(i)",
                               [thread, number, rows])
            acknowledged.append([thread, number, rows])
            with pool.cursor() as cursor:
                seen = cursor.execute("SELECT count(*) FROM lake.pooled WHERE thread = ?", [thread]).fetchone()[0]
            expected = sum(entry[2] for entry in list(acknowledged) if entry[0] == thread)
            if seen != expected:
                errors.append(f"thread {{thread}} wrote {{expected}} rows and saw {{seen}}")
    except Exception as error:
        errors.append(repr(error))

threads = [threading.Thread(target=work, args=(number,)) for number in range({THREADS})]
for thread in threads: thread.start()
for thread in threads: thread.join()
with pool.cursor() as cursor:
    stored = cursor.execute("SELECT count(*), count(DISTINCT (thread, number)) FROM lake.pooled").fetchone()
print(json.dumps({{"acknowledged": sum(entry[2] for entry in acknowledged), "errors": errors, "stored": stored}}))
"""


def run_pool(block: str, box, home) -> dict:
    program = for_box(block, box) + WORKLOAD
    return json.loads(runners.python(program, home).splitlines()[-1])


def check(result: dict) -> None:
    assert result["errors"] == []
    assert result["acknowledged"] == THREADS * (ROUNDS // 4) * (3 + 50)
    assert result["stored"] == [result["acknowledged"]] * 2


def test_pool(lake, page, duckdb_home):
    check(run_pool(page.block("Threads and pools", "python"), lake, duckdb_home))


def test_pool_on_s3(lake_s3, page):
    check(run_pool(page.block("Threads and pools", "python"), lake_s3, lake_s3.client_home))
