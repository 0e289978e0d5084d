"""observe.py LOG COMMAND...: runs a server for a client, and records its exit.

Clients start servers themselves, so this program runs between them. The server inherits the streams. LOG gets a line
`start PID`, a line for each signal of the client, and `exit PID CODE`, where a negative code is a signal.

Some clients kill the process that they started at their own exit. So that process only passes signals on, and a second
one in its own session starts the server and records its exit: the end of the input is what stops the server then.
"""

import os
import signal
import sys

log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
server = None
early = []


def note(kind, *rest):
    os.write(log, f"{' '.join(map(str, [kind, os.getpid(), *rest]))}\n".encode())


def wait_for(process):
    # The process is reaped only after signals are ignored, so a signal never reaches another process.
    os.waitid(os.P_PID, process, os.WEXITED | os.WNOWAIT)
    for number in signals:
        signal.signal(number, signal.SIG_IGN)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def pass_on(number, _frame):
    note("signal", signal.Signals(number).name)
    if server is None:
        early.append(number)
    else:
        os.kill(server, number)


# Signals wait until each of the two processes has its handlers.
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
observer = os.fork()
if observer:
    for number in signals:
        signal.signal(number, lambda number, _frame: os.kill(observer, number))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
    os._exit(wait_for(observer))

os.setsid()
for number in signals:
    signal.signal(number, pass_on)
signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)
note("start")
server = os.posix_spawn(sys.argv[2], sys.argv[2:], os.environ)
for number in early:
    os.kill(server, number)
code = wait_for(server)
note("exit", code)
os._exit(code if code >= 0 else 128 - code)
