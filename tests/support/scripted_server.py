"""A server without a protocol: what it does with each connection is written in the test."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def scripted(*turns: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server that treats each connection as the next turn says; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(5)

        def serve() -> None:
            for turn in turns:
                peer, _ = listener.accept()
                with peer:
                    turn(peer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        thread.join(5)
        assert not thread.is_alive()


def says(*pieces: bytes) -> Callable[[socket.socket], None]:
    def turn(peer: socket.socket) -> None:
        peer.recv(1024)
        for piece in pieces:
            peer.sendall(piece)

    return turn
