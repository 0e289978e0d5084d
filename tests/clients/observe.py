"""observe.py LOG COMMAND...: runs a server for a client, and records its exit.

Clients start servers themselves, so this program runs between them. The server inherits the streams. LOG gets a line
`start PID`, a line for each signal of the client, and `exit PID CODE`, where a negative code is a signal.
"""

import os
import signal
import sys

log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
server = None
early = []


def note(kind, *rest):
    os.write(log, f"{' '.join(map(str, [kind, os.getpid(), *rest]))}\n".encode())


def pass_on(number, _frame):
    note("signal", signal.Signals(number).name)
    if server is None:
        early.append(number)
    else:
        os.kill(server, number)


for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, pass_on)
note("start")
server = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
for number in early:
    os.kill(server, number)
# The process is reaped only after its exit is recorded, so a signal never reaches another process.
os.waitid(os.P_PID, server, os.WEXITED | os.WNOWAIT)
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
code = os.waitstatus_to_exitcode(os.waitpid(server, 0)[1])
note("exit", code)
os._exit(code if code >= 0 else 128 - code)
