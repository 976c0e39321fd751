"""Stands between clients and a server, carries their bytes, and cuts connections between a statement and its answer."""

import random
import selectors
import socket
import threading

from loopback import free_port

CHUNK_BYTES = 65536


class Cutter:
    """A TCP port of 127.0.0.1 that leads to another. While `cut_share` is above 0, that share of what clients send is the
    last that passes on its connection: the server gets it, the client never hears what became of it."""

    host = "127.0.0.1"

    def __init__(self, port: int, seed: int):
        self.port = free_port()
        self.cut_share = 0.0
        self.cuts = 0
        self._target = port
        self._random = random.Random(seed)
        self._listener = socket.create_server((self.host, self.port), backlog=256)
        self._done = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._done.set()
        self._listener.close()

    def _accept(self) -> None:
        while not self._done.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(client,), daemon=True).start()

    def _carry(self, client: socket.socket) -> None:
        with client:
            try:
                server = socket.create_connection((self.host, self._target))
            except OSError:
                return
            with server, selectors.DefaultSelector() as selector:
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                selector.register(client, selectors.EVENT_READ, server)
                selector.register(server, selectors.EVENT_READ, client)
                try:
                    while self._pass_on(selector, client):
                        pass
                except OSError:
                    return

    def _pass_on(self, selector: selectors.DefaultSelector, client: socket.socket) -> bool:
        for key, _ in selector.select():
            data = key.fileobj.recv(CHUNK_BYTES)
            if not data:
                return False
            key.data.sendall(data)
            if key.fileobj is client and self._random.random() < self.cut_share:
                self.cuts += 1
                return False
        return True
