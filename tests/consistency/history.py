"""What writers sent and were told, and whether the answers that readers got fit to it.

A writer is one thread that numbers its rows 0, 1, 2 …, never twice, and goes on after a failure. A Statement is rows that
are written together or not at all. Four things can be wrong, and each is told in words, with its writer:

- lost: a row that was acknowledged is not there
- twice: a row is there more than once
- torn: some rows of a statement are there and some are not
- stale: an answer lacks rows that were acknowledged before its question was sent, or invented: it has rows nobody had sent
"""

import threading
from dataclasses import dataclass, field

COMPLAINTS_KEPT = 50


@dataclass
class Statement:
    first: int
    count: int
    acknowledged: bool = False


@dataclass
class Writer:
    statements: list[Statement] = field(default_factory=list)
    sent: int = 0  # numbers below this one have been sent
    acknowledged: int = 0  # rows
    newest: int = -1  # the highest number that was acknowledged


@dataclass(frozen=True)
class Floor:
    """What an answer must hold at least."""
    newest: int
    rows: int


class History:
    """Any thread may call; a writer's own functions its own thread alone."""

    def __init__(self, writers: int):
        self.writers = [Writer() for _ in range(writers)]
        self.complaints: list[str] = []
        self.answers = 0
        self._lock = threading.Lock()

    # ------------------------------------------------------------- writing

    def send(self, writer: int, rows: int) -> Statement:
        """To be called before the statement goes out."""
        its = self.writers[writer]
        statement = Statement(its.sent, rows)
        its.statements.append(statement)
        its.sent += rows
        return statement

    def acknowledge(self, writer: int, statement: Statement) -> None:
        """To be called as soon as the server's answer is here."""
        its = self.writers[writer]
        statement.acknowledged = True
        with self._lock:
            its.acknowledged += statement.count
            its.newest = statement.first + statement.count - 1

    def acknowledged(self) -> int:
        """Statements of all writers."""
        return sum(statement.acknowledged for its in self.writers for statement in list(its.statements))

    # ------------------------------------------------------------- reading

    def floors(self) -> list[Floor]:
        """To be called before a question is sent; for judge()."""
        with self._lock:
            return [Floor(its.newest, its.acknowledged) for its in self.writers]

    def judge(self, reader: str, floors: list[Floor], answer: list[tuple[int, int, int, int]]) -> None:
        """`answer`: for each writer with rows its number, its highest number, its rows, its different numbers."""
        self.answers += 1
        there = {writer: (newest, rows, different) for writer, newest, rows, different in answer}
        for writer, floor in enumerate(floors):
            newest, rows, different = there.get(writer, (-1, 0, 0))
            if newest < floor.newest or different < floor.rows:
                self._complain(f"stale: {reader} was told {different} rows up to {newest} of writer {writer}, who had "
                               f"{floor.rows} rows up to {floor.newest} acknowledged before")
            if rows != different:
                self._complain(f"twice: {reader} was told {rows} rows of writer {writer}, {different} of them different")
            if newest >= self.writers[writer].sent:
                self._complain(f"invented: {reader} was told number {newest} of writer {writer}, who has sent "
                               f"{self.writers[writer].sent}")

    def judge_end(self, rows: list[tuple[int, int]]) -> None:
        """`rows`: (writer, number) of every row, once nobody writes any more."""
        there: list[dict[int, int]] = [{} for _ in self.writers]
        for writer, number in rows:
            there[writer][number] = there[writer].get(number, 0) + 1
        for writer, its in enumerate(self.writers):
            for number, count in there[writer].items():
                if count > 1:
                    self._complain(f"twice: number {number} of writer {writer} is there {count} times")
                if number >= its.sent:
                    self._complain(f"invented: nobody sent number {number} of writer {writer}")
            for statement in its.statements:
                numbers = range(statement.first, statement.first + statement.count)
                found = sum(number in there[writer] for number in numbers)
                if statement.acknowledged and found < statement.count:
                    self._complain(f"lost: {statement.count - found} of the acknowledged rows {numbers} of writer {writer}")
                elif 0 < found < statement.count:
                    self._complain(f"torn: {found} of the rows {numbers} of writer {writer} are there")

    def _complain(self, text: str) -> None:
        with self._lock:
            if len(self.complaints) < COMPLAINTS_KEPT:
                self.complaints.append(text)
