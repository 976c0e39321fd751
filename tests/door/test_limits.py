"""Time limits, admission, cancel, clients that vanish, the door's end: nothing here depends on how fast the machine is.

SLOW runs far longer than any test; what ends it is what the test is about.
"""

import select
import socket
import struct
import time

import psutil
import psycopg
import pytest
from wire import SYNC, TERMINATE, Wire, bind, copy_data, execute, fields, parse, query, row, startup_packet

SLOW = "SELECT count(*) FROM range(1000000000000) AS a(i) WHERE i % 7 = 3"
# Streams without end: the server is stopped by its client's silence.
ENDLESS = "SELECT i, repeat('x', 1000) FROM range(1000000000) AS a(i)"


def wait_until(condition, what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def ends_with(messages) -> tuple[str, str, str]:
    """Severity, SQLSTATE and message of the last error."""
    error = [fields(body) for kind, body in messages if kind == "E"][-1]
    return error["S"], error["C"], error["M"]


# ----------------------------------------------------------------------------------------------------- time limits

STATEMENT_TIMEOUT = ("ERROR", "57014", "canceling statement due to statement timeout")


def lives_on(door: Wire) -> bool:
    """Whether the session answers: its limit is so short that it may hit any statement of a machine that stands still."""
    def answers() -> bool:
        messages = door.run("SELECT 1")
        if messages[0][0] == "E":
            assert ends_with(messages) == STATEMENT_TIMEOUT
            return False
        return [row(body) for kind, body in messages if kind == "D"] == [["1"]]

    wait_until(answers, "the session answers nothing")
    return True


@pytest.mark.parametrize("how", ["SET", "startup", "role"])
def test_statement_timeout(box, wire, how):
    if how == "startup":
        door = wire(options="-c statement_timeout=200ms")
    elif how == "SET":
        door = wire()
        door.run("SET statement_timeout = 200")
    else:
        with psycopg.connect(box.dsn, autocommit=True) as catalog:
            catalog.execute("CREATE ROLE door_limited LOGIN PASSWORD 'limited-one' IN ROLE lake_admin;"
                            "ALTER ROLE door_limited SET statement_timeout = '200ms'")
            door = Wire(box).log_in("door_limited", "limited-one")
            catalog.execute("DROP ROLE door_limited")
    assert ends_with(door.run(SLOW)) == STATEMENT_TIMEOUT
    assert lives_on(door)


def test_statement_timeout_in_the_extended_protocol(door):
    door.run("SET statement_timeout = 200")
    door.send(parse(SLOW), bind(), execute(), SYNC)
    assert ends_with(door.until("Z")) == STATEMENT_TIMEOUT
    door.run("BEGIN")
    door.send(parse(SLOW), bind(), execute(), SYNC)
    messages = door.until("Z")
    assert ends_with(messages) == STATEMENT_TIMEOUT and messages[-1] == ("Z", b"E")


def test_statement_timeout_of_a_copy_whose_rows_do_not_come(door, table):
    door.run("SET statement_timeout = 200")
    door.send(query(f"COPY {table} FROM STDIN"))
    assert ends_with(door.until("Z")) == STATEMENT_TIMEOUT
    assert lives_on(door)


def test_statement_timeout_of_a_client_that_does_not_read(door):
    door.run("SET statement_timeout = '1s'")
    door.send(query(ENDLESS))
    time.sleep(2)
    assert ends_with(door.until("Z")) == STATEMENT_TIMEOUT


def test_each_statement_of_a_script_has_its_own_time(door):
    """Ten statements that each take a part of the limit: only a clock that starts once could end them."""
    door.run("SET statement_timeout = '20s'")
    part = "SELECT count(*) FROM range(20000000) AS a(i) WHERE i % 7 = 3"
    assert door.rows(";".join([part] * 3)) == [["2857143"]] * 3


def test_a_timeout_does_not_hit_the_next_statement(door):
    door.run("SET statement_timeout = '3s'")
    assert door.rows("SELECT 1") == [["1"]]
    time.sleep(3.5)
    assert door.rows("SELECT 2") == [["2"]]


@pytest.mark.parametrize(("setting", "before", "sqlstate"), [
    ("idle_in_transaction_session_timeout", "BEGIN", "25P03"),
    ("idle_in_transaction_session_timeout", "BEGIN; SELECT nothing", "25P03"),
    ("idle_session_timeout", "SELECT 1", "57P05"),
])
def test_idle_timeouts_end_the_session(door, setting, before, sqlstate):
    door.send(query(f"SET {setting} = 300"), query(before))  # together: nobody is idle in between
    for _ in range(2):
        door.until("Z")
    (kind, body), = door.until_closed()
    assert (kind, fields(body)["S"], fields(body)["C"]) == ("E", "FATAL", sqlstate)


def test_idle_timeouts_leave_others_alone(door):
    door.run("SET idle_in_transaction_session_timeout = 200")
    time.sleep(0.6)
    assert door.rows("SELECT 1") == [["1"]]
    door.run("SET idle_session_timeout = 200; SET idle_in_transaction_session_timeout = 0; BEGIN")
    time.sleep(0.6)
    assert door.rows("SELECT 1") == [["1"]]


# ---------------------------------------------------------------------------------------------------- admission


@pytest.fixture
def small_box(new_box):
    """One statement runs, one waits; four connections."""
    return new_box(settings={"BOATHOUSE_SQL_RUNNING_MAX": "1", "BOATHOUSE_SQL_WAITING_MAX": "1",
                             "BOATHOUSE_SQL_CONNECTIONS_MAX": "4"})


def is_pending(wire: Wire) -> bool:
    """Whether the server has not answered the last statement yet."""
    return not select.select([wire.socket], [], [], 0.3)[0]


def cancel_until_it_hits(wire: Wire) -> None:
    """A CancelRequest that comes before its statement does has no effect, as in PostgreSQL: so it is repeated."""
    def hit() -> bool:
        wire.cancel()
        return not is_pending(wire)

    wait_until(hit, "no cancel took effect")
    assert ends_with(wire.until("Z")) == ("ERROR", "57014", "canceling statement due to user request")


def fill(running: Wire, waiting: Wire) -> None:
    """One of the two runs SLOW and the other waits: a statement that was refused meanwhile is sent again."""
    for wire in (running, waiting):
        wire.send(query(SLOW))

    def both_are_pending() -> bool:
        for wire in (running, waiting):
            if not is_pending(wire):
                assert ends_with(wire.until("Z"))[1] == "53400"
                wire.send(query(SLOW))
        return is_pending(running) and is_pending(waiting)

    wait_until(both_are_pending, "the queue is not full")


def test_statements_beyond_the_queue_are_refused_and_queued_ones_can_be_cancelled(small_box):
    with Wire(small_box) as one, Wire(small_box) as two, Wire(small_box) as third:
        for wire in (one, two, third):
            wire.log_in()
        fill(one, two)
        assert ends_with(third.run("SELECT 1"))[:2] == ("ERROR", "53400")
        third.send(parse("SELECT 1"), bind(), execute(), SYNC)
        messages = third.until("Z")
        assert [kind for kind, _ in messages] == ["E", "Z"] and ends_with(messages)[1] == "53400"
        # Whichever of the two waits, its end makes room in the queue and not on the only thread.
        cancel_until_it_hits(two)
        cancel_until_it_hits(one)
        for wire in (one, two, third):
            assert wire.rows("SELECT 3") == [["3"]]


def test_a_queued_statement_times_out_and_its_client_may_vanish(small_box):
    with Wire(small_box) as running, Wire(small_box) as waiting, Wire(small_box) as other:
        running.log_in().send(query(SLOW))
        waiting.log_in(options="-c statement_timeout=1s")

        def times_out() -> bool:
            messages = waiting.run("SELECT 1")
            return messages[0][0] == "E" and ends_with(messages) == STATEMENT_TIMEOUT

        wait_until(times_out, "the statement never had to wait")
        waiting.send(query("SELECT 1"), TERMINATE)
        waiting.socket.close()
        other.log_in()  # log-ins do not wait behind statements
        cancel_until_it_hits(running)
        assert other.rows("SELECT 1") == [["1"]]


def test_a_statement_that_came_with_the_log_in_times_out_in_the_queue(small_box):
    with Wire(small_box) as one, Wire(small_box) as two, Wire(small_box) as three:
        for wire in (one, two):
            wire.log_in()
        fill(one, two)
        cancel_until_it_hits(two)  # whichever of them it was: the other has the thread, and one may wait
        three.log_in(then=query("SELECT 1"), options="-c statement_timeout=1s")
        assert ends_with(three.until("Z")) == STATEMENT_TIMEOUT
        cancel_until_it_hits(one)


def test_a_statement_in_a_transaction_is_let_in(small_box):
    with Wire(small_box) as one, Wire(small_box) as two, Wire(small_box) as three:
        for wire in (one, two):
            wire.log_in()
        three.log_in().run("BEGIN")
        fill(one, two)
        three.send(query("COMMIT"))
        cancel_until_it_hits(one)
        cancel_until_it_hits(two)
        assert [kind for kind, _ in three.until("Z")] == ["C", "Z"]


def test_connections_beyond_the_limit_are_refused_before_they_log_in(small_box):
    wires = [Wire(small_box).log_in() for _ in range(4)]
    with Wire(small_box) as fifth:
        fifth.send(startup_packet({"user": "admin", "database": "lake"}))
        (_kind, body), = fifth.until_closed()
        assert (fields(body)["S"], fields(body)["C"]) == ("FATAL", "53300")
    wires.pop().socket.close()

    def has_room() -> bool:
        with Wire(small_box) as wire:
            try:
                return wire.log_in().rows("SELECT 1") == [["1"]]
            except PermissionError:
                return False

    wait_until(has_room, "a place that was given back stays taken")
    for wire in wires:
        wire.socket.close()


def test_failed_log_ins_are_slowed(box, wire):
    """The third verdict comes after the second, whatever the order of the proofs."""
    box.expect("log-in of \"door_nobody\" .* refused")
    for _ in range(3):
        with Wire(box) as guess, pytest.raises(PermissionError) as refusal:
            guess.log_in("door_nobody", "wrong")
        assert refusal.value.args[0]["C"] == "28P01"
    assert wire().rows("SELECT 1") == [["1"]]


# ------------------------------------------------------------------------------------------ cancel and vanishing


def test_cancel(door):
    door.send(query(SLOW))
    cancel_until_it_hits(door)
    assert door.rows("SELECT 1") == [["1"]]


def test_cancel_of_an_idle_session_and_with_a_wrong_key(door):
    door.cancel()
    assert door.rows("SELECT 1") == [["1"]]
    process, secret = door.key
    door.key = (process, secret ^ 1)
    door.send(query("SELECT count(*) FROM range(100000000) AS a(i) WHERE i % 7 = 3"))
    door.cancel()
    assert [kind for kind, _ in door.until("Z")] == ["T", "D", "C", "Z"]


def test_cancel_of_a_copy_whose_rows_do_not_come(door, table):
    door.send(query(f"COPY {table} FROM STDIN"))
    assert door.read()[0] == "G"
    door.send(copy_data(b"1\ta\n"))
    cancel_until_it_hits(door)
    assert door.rows(f"SELECT count(*) FROM {table}") == [["0"]]


@pytest.mark.parametrize("statement", [SLOW, ENDLESS, f"BEGIN; DECLARE c CURSOR FOR {ENDLESS}; FETCH 1 FROM c; {SLOW}"],
                         ids=["computing", "streaming", "in a transaction with a cursor"])
@pytest.mark.parametrize("way", ["FIN", "RST"])
def test_a_client_that_vanishes_frees_its_thread(new_box, statement, way):
    """With one thread for statements, the next one runs only if the vanished client's is free again."""
    box = new_box(settings={"BOATHOUSE_SQL_RUNNING_MAX": "1"})
    with Wire(box) as other:
        other.log_in()
        for _ in range(3):
            vanishing = Wire(box).log_in()
            vanishing.send(query(statement))
            if way == "RST":
                vanishing.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            vanishing.socket.close()
            assert other.rows("SELECT 1") == [["1"]]


def test_a_slow_reader_costs_its_buffers(new_box):
    box = new_box(settings={"BOATHOUSE_SQL_RUNNING_MAX": "1"})
    with Wire(box) as slow, Wire(box) as other:
        slow.log_in().send(query(ENDLESS))
        engine = box.child("boathouse-engine")
        other.log_in()
        assert other.rows("SELECT 1") == [["1"]]  # the only thread is free, although the result has not been read
        before = engine.memory_info().rss
        for _ in range(50):
            assert other.rows("SELECT 1") == [["1"]]
        assert engine.memory_info().rss - before < 200 << 20


def test_pipelining_far_ahead_is_bounded(door):
    """Statements that a client sends without reading: what does not fit the inbox stays in its socket."""
    door.send(query(SLOW))
    door.socket.settimeout(2)
    sent = 0
    try:
        while sent < 200 << 20:
            sent += door.socket.send(query("SELECT " + "1" * 10) * 1000)
    except TimeoutError:
        pass
    assert sent < 64 << 20


# ------------------------------------------------------------------------------------------------------- the end


def test_the_end_of_idle_busy_and_endless_sessions(new_box):
    box = new_box(settings={"BOATHOUSE_SHUTDOWN_GRACE_SECONDS": "3"})
    with Wire(box) as idle, Wire(box) as in_block, Wire(box) as busy, Wire(box) as endless:
        idle.log_in()
        in_block.log_in().run("BEGIN")
        busy.log_in().send(query("SELECT count(*) FROM range(300000000) AS a(i) WHERE i % 7 = 3"))
        endless.log_in().send(query(SLOW))
        engine = psutil.Process(box.child("boathouse-engine").pid)
        wait_until(lambda: engine.cpu_times().user > 0.3, "nothing runs")
        box.process.terminate()
        for session in (idle, in_block):
            (_kind, body), = session.until_closed()
            assert (fields(body)["S"], fields(body)["C"]) == ("FATAL", "57P01")
        assert ends_with(endless.until_closed())[:2] == ("FATAL", "57P01")
        assert ends_with(busy.until_closed())[:2] == ("FATAL", "57P01")
    assert box.stop() == 0
