"""Ports of servers on loopback."""

import socket
import time


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(port, server):
    """Waits until the process listens."""
    for _ in range(400):
        if server.poll() is not None:
            break
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.025)
    raise RuntimeError(f"the server does not listen on port {port}")
