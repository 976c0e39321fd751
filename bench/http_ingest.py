"""Rows over HTTP: NDJSON from clients that keep their connection.

Each client sends the same bytes again and again and reads the answer; all rows that were acknowledged must be there at the
end, otherwise the run is an error. Clients are threads of two processes, which share the machine with the box: with two
cores, about a third of the time is theirs.

    bench/http_ingest.py [--clients 1,16] [--rows 100,1000] [--seconds 5]
"""

import argparse
import base64
import json
import multiprocessing
import socket
import threading
import time

import psycopg
import setting

import box_process

PROCESSES = 2
TABLE = "CREATE TABLE events (id bigint, kind text, value double, at timestamp)"


def body_of(rows: int) -> bytes:
    return b"".join(json.dumps({"id": i, "kind": f"kind {i % 7}", "value": i / 8, "at": "2026-01-02 03:04:05"}).encode() +
                    b"\n" for i in range(rows))


def send(address, request: bytes, deadline: float) -> int:
    """Requests answered 200 until the deadline."""
    answered = 0
    with socket.create_connection(address) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while time.monotonic() < deadline:
            connection.sendall(request)
            answer = connection.recv(65536)
            while b"\r\n\r\n" not in answer or not answer.endswith(b"\n"):
                answer += connection.recv(65536)
            if not answer.startswith(b"HTTP/1.1 200 "):
                raise SystemExit(answer.decode())
            answered += 1
    return answered


def clients_of_process(address, request, deadline, count, totals) -> None:
    def client():
        totals.put(send(address, request, deadline))

    threads = [threading.Thread(target=client) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def run(box, clients: int, rows: int, seconds: float) -> tuple[int, float]:
    """Requests that were answered, and the seconds they took."""
    body = body_of(rows)
    credentials = base64.b64encode(f"{box.user}:{box.password}".encode()).decode()
    request = (f"POST /v1/tables/public.events/rows HTTP/1.1\r\nHost: box\r\nAuthorization: Basic {credentials}\r\n"
               f"Content-Type: application/x-ndjson\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body
    totals = multiprocessing.Queue()
    begin = time.monotonic()
    shares = [clients // PROCESSES + (1 if i < clients % PROCESSES else 0) for i in range(PROCESSES)]
    processes = [multiprocessing.Process(target=clients_of_process, args=((box.host, box.http_port), request,
                                                                          begin + seconds, share, totals))
                 for share in shares if share]
    for process in processes:
        process.start()
    answered = sum(totals.get() for _ in range(clients))
    for process in processes:
        process.join()
    return answered, time.monotonic() - begin


def main() -> None:
    def numbers(text: str) -> list[int]:
        return [int(part) for part in text.split(",")]

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=numbers, default=[1, 16])
    parser.add_argument("--rows", type=numbers, default=[100, 1000])
    parser.add_argument("--seconds", type=float, default=5)
    options = parser.parse_args()
    rows_of_table = []
    with box_process.running(setting.boathouse()) as box:
        dsn = f"host={box.host} port={box.sql_port} user={box.user} password={box.password} dbname=lake"
        for clients in options.clients:
            for rows in options.rows:
                with psycopg.connect(dsn, autocommit=True) as owner:
                    owner.execute(TABLE)
                    answered, took = run(box, clients, rows, options.seconds)
                    stored, = owner.execute("SELECT count(*) FROM events").fetchone()
                    owner.execute("DROP TABLE events")
                if stored != answered * rows:
                    raise SystemExit(f"{answered * rows} rows were acknowledged, {stored} are in the table")
                rows_of_table.append([str(clients), str(rows), f"{stored / took:,.0f}", f"{answered / took:,.0f}"])
    setting.table("Rows over HTTP, NDJSON", ["clients", "rows a request", "rows/s", "requests/s"], rows_of_table)


if __name__ == "__main__":
    main()
