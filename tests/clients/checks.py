"""Shared code of the Python programs: the task of the runner, and the lines that the runner reads."""

import asyncio
import inspect
import json
import os
import sys
import traceback

TASK = json.loads(sys.argv[-1])
MODE = TASK["mode"]
MODERN = MODE != "legacy"
REVISION = "2026-07-28" if MODERN else "2025-11-25"
# Both Python clients name the pinned revision itself.
CLIENT_MODE = REVISION if MODE == "modern" else MODE


async def check(name, test):
    """Makes one check, and ends the program if it fails."""
    try:
        result = test()
        if inspect.isawaitable(result):
            await asyncio.wait_for(result, 30)
    except Exception:
        print(f"wrong {name}: {traceback.format_exc()}", flush=True)
        # The client's own clean-up may wait for ever after an error of this program.
        os._exit(1)
    print(f"ok {name}", flush=True)


def skip(name, reason):
    print(f"skipped {name}: {reason}", flush=True)


def equal(actual, expected):
    if actual != expected:
        raise AssertionError(f"{actual!r}, expected {expected!r}")


def holds(condition, what):
    if not condition:
        raise AssertionError(f"{what!r}")


async def refused(awaitable, code, error):
    """Checks that the request is rejected with this code."""
    try:
        answer = await awaitable
    except error as refusal:
        equal(refusal.error.code, code)
        return refusal
    raise AssertionError(f"it was not refused: {answer!r}")


async def eventually(ask, expected):
    """Repeats a request until the response is the expected one."""
    for _ in range(100):
        answer = await ask()
        if answer == expected:
            return
        await asyncio.sleep(0.05)
    equal(answer, expected)
