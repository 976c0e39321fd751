"""A box's life: from an empty directory to ready, from a stopped one to ready, and what it keeps in memory at rest.

Ready is what /readyz says: a query on the lake has succeeded. Memory is the proportional set size (PSS) of the whole process
tree, so that pages which PostgreSQL's processes share count once.

    bench/lifecycle.py [--rounds 5] [--rest-seconds 10]
"""

import argparse
import statistics
import time

import psutil
import setting
from box_process import Box


def proportional_megabytes(process: psutil.Process) -> float:
    return process.memory_full_info().pss / 2**20


def memory(box: Box) -> dict[str, float]:
    """Megabytes by executable: the supervisor, PostgreSQL with all its processes, the engine."""
    sums: dict[str, float] = {}
    for process in [psutil.Process(box.pid), *box.children()]:
        name = "postgres" if process.name().startswith("postgres") else process.name()
        sums[name] = sums.get(name, 0) + proportional_megabytes(process)
    return sums


def timed_start(box: Box) -> float:
    begin = time.monotonic()
    box.start()
    return time.monotonic() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rest-seconds", type=float, default=10)
    arguments = parser.parse_args()
    cold, warm, stop = [], [], []
    for number in range(arguments.rounds):
        box = Box(setting.boathouse())
        try:
            cold.append(timed_start(box))
            begin = time.monotonic()
            box.stop()
            stop.append(time.monotonic() - begin)
            warm.append(timed_start(box))
            if number == arguments.rounds - 1:
                time.sleep(arguments.rest_seconds)
                at_rest = memory(box)
        finally:
            box.discard()
    print("                              median      least       most")
    for name, seconds in (("empty directory to ready", cold), ("stopped to ready", warm), ("SIGTERM to stopped", stop)):
        print(f"{name:25}  {statistics.median(seconds):7.2f} s  {min(seconds):7.2f} s  {max(seconds):7.2f} s")
    for name, megabytes in at_rest.items():
        print(f"memory at rest, {name:18}  {megabytes:7.1f} MB")
    print(f"memory at rest, whole box           {sum(at_rest.values()):7.1f} MB")


if __name__ == "__main__":
    main()
