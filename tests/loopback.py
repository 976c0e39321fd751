"""Free TCP ports on the loopback interface, for servers that a test starts.

Ports are drawn from below the kernel's ephemeral range, so that no outgoing connection takes one between a server's
stop and its restart, and never handed out twice by one process. The processes of one run (pytest-xdist, eight at most)
have ports of their own.
"""

import os
import random
import socket

_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_RANGE = range(15000, 32000)[_WORKER::8]  # below /proc/sys/net/ipv4/ip_local_port_range's usual 32768
_given: set[int] = set()


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on. Raises RuntimeError when none is found in 1,000 draws."""
    for _ in range(1000):
        port = random.choice(_RANGE)
        if port in _given:
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port
    raise RuntimeError("no free TCP port on 127.0.0.1")
