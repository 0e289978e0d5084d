"""Lets an application call the tools of `values.rs` for a scripted model.

The `mcp add` of the application adds the server. The working directory is its home, and it can reach only loopback.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from checks import TASK, equal
from model import Call, GenerateContent, Messages, Model, Responses
from servers import free_port, wait_for

HERE = Path(__file__).resolve().parent
HOME = Path.cwd()
PATIENCE = {"add": 25, "run": 75}  # seconds
PROMPT = "Call the tools."


@dataclass
class Application:
    """An application, with its configuration for the model and the server."""

    api: type
    revision: str  # in which it speaks to our servers
    environment: Callable[[str], dict]  # for the address of the model
    files: Callable[[str], dict]  # in its home, for the address of the model
    add: dict[str, list]  # the arguments that add a server, for each transport
    run: list[str]  # the arguments that run it without a person
    around: str  # a pattern of what it puts around each result


APPLICATIONS = {
    "claude-code": Application(
        api=Messages,
        revision="2026-07-28",
        environment=lambda model: {
            "ANTHROPIC_BASE_URL": model,
            "ANTHROPIC_API_KEY": "none",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            "DISABLE_ERROR_REPORTING": "1",
            "DISABLE_TELEMETRY": "1",
        },
        files=lambda model: {},
        add={
            "stdio": ["mcp", "add", "--transport", "stdio", "values", "--", "{command}"],
            "http": ["mcp", "add", "--transport", "http", "values", "{url}"],
        },
        run=["-p", PROMPT, "--allowedTools", "mcp__values"],
        around="",
    ),
    "codex": Application(
        api=Responses,
        revision="2025-06-18",
        environment=lambda model: {"CODEX_HOME": str(HOME / ".codex")},
        files=lambda model: {
            ".codex/config.toml": f"""\
model = "scripted"
model_provider = "loopback"
check_for_update_on_startup = false
[analytics]
enabled = false
[features]
apps = false
plugins = false
[model_providers.loopback]
name = "loopback"
base_url = "{model}/v1"
wire_api = "responses"
"""
        },
        add={
            "stdio": ["mcp", "add", "values", "--", "{command}"],
            "http": ["mcp", "add", "values", "--url", "{url}"],
        },
        # Otherwise the first request to the model may precede the list of tools.
        run=["-c", "mcp_servers.values.required=true", "exec", "--skip-git-repo-check", PROMPT],
        around=r"^Wall time: .*\nOutput:\n",
    ),
    "gemini-cli": Application(
        api=GenerateContent,
        revision="2025-06-18",
        environment=lambda model: {
            "GOOGLE_GEMINI_BASE_URL": model,
            "GEMINI_API_KEY": "none",
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
        },
        files=lambda model: {
            ".gemini/settings.json": json.dumps({
                "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
                "privacy": {"usageStatisticsEnabled": False},
                "security": {"auth": {"selectedType": "gemini-api-key"}},
            })
        },
        add={
            "stdio": ["mcp", "add", "-s", "user", "values", "{command}"],
            "http": ["mcp", "add", "-s", "user", "-t", "http", "values", "{url}"],
        },
        # With a named model, no other model is asked to select one.
        run=["-m", "gemini-2.5-flash", "--approval-mode", "yolo", "-p", PROMPT],
        around=r"^<untrusted_context>\n|\n</untrusted_context>$",
    ),
}


class Server:
    """The server on HTTP, which can be restarted on its port."""

    def __init__(self):
        self.port = free_port()
        self.start()

    def start(self):
        self.process = subprocess.Popen([TASK["server"], "--http", f"127.0.0.1:{self.port}"], stdin=subprocess.DEVNULL,
                                        stdout=sys.stderr)
        wait_for(self.port, self.process)

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(timeout=20)

    def restart(self):
        equal(self.stop(), 0)
        self.start()

    def crash(self):
        equal(self.stop(signal.SIGKILL), -signal.SIGKILL)
        self.start()


def script(server):
    """Returns the calls that the model makes, by the names of their checks."""
    calls = {
        "number": Call("add", {"a": 20, "b": 22}),
        "bool": Call("is_even", {"number": 3}),
        "text": Call("greet", {"name": "Ada"}),
        "number as text": Call("echo", {"text": "7"}),
        "optional number": Call("find", {"text": "abc", "letter": "c"}),
        "nothing": Call("find", {"text": "abc", "letter": "d"}),
        "list": Call("reverse", {"words": ["one", "two", "three"]}),
        "tuple": Call("swap", {"pair": ["Ada", 36]}),
        "tagged enum": Call("tip", {"payment": {"kind": "cash", "cents": 900}}),
        "refused types": Call("book_table", {"guests": "many", "from": "20:00:00", "until": "22:00:00"}),
        # No schema expresses which texts are times, so these reach the server in every application.
        "refused values": Call("book_table", {"guests": 2, "from": "25:61", "until": "late"}),
        "refused tag": Call("tip", {"payment": {"kind": "crd", "number": "4242"}}),
        "link": Call("manual", {}),
        "image": Call("draw", {}),
        "revision": Call("connection", {}),
    }
    if server:
        calls["restart"] = Call("connection", {}, before=server.restart)
        calls["crash"] = Call("connection", {}, before=server.crash)
    return calls


def run(arguments, environment, patience):
    """Runs the application to its end. Returns its exit code and its output."""
    process = subprocess.Popen([*TASK["command"], *arguments], cwd=HOME, env=environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                               start_new_session=True)
    try:
        output, _ = process.communicate(timeout=patience)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return f"no end within {patience} s", process.communicate()[0]


def check(name, function, *arguments):
    try:
        function(*arguments)
        print(f"ok {name}", flush=True)
    except Exception as error:  # One that is wrong must not hide the others.
        print(f"wrong {name}: {error!r}", flush=True)


def contains(text, *parts):
    for part in parts:
        assert part in text, f"{part!r} is not in {text!r}"


def value(text):
    """Returns the value of a result, without the object that revisions before 2026-07-28 require around it."""
    found = json.loads(text)
    return found["result"] if isinstance(found, dict) and found.keys() == {"result"} else found


def check_tools(model, names):
    def listed():
        equal(set(model.tools), names)
        arguments = model.tools["book_table"].schema["properties"].keys()
        equal(arguments - {"wait_for_previous"}, {"guests", "from", "until"})

    check("instructions", lambda: contains("".join(model.requests), "Each tool takes and returns one kind of value."))
    check("list tools", listed)
    check("load at once", lambda: contains(model.first_tools, "add"))


def check_results(application, results):
    def good(name):
        assert not results[name].failed, results[name]
        return results[name].text

    def refused(name, *parts):
        assert results[name].failed is not False, results[name]
        contains(results[name].text, *parts)

    def process_of(name):
        found = value(good(name))
        equal(found["revision"], application.revision)
        return found["process"]

    def pictured():
        good("image")
        equal(results["image"].images, 1)

    def restarted(name, before):
        assert process_of(name) != process_of(before), "the call reached the process that was ended"

    values = {"number": 42, "bool": False, "number as text": "7", "optional number": 2, "nothing": None,
              "list": ["three", "two", "one"], "tuple": [36, "Ada"], "tagged enum": {"kind": "cash", "cents": 1000}}
    for name, expected in values.items():
        check(name, lambda: equal(value(good(name)), expected))
    check("text", lambda: equal(good("text"), "Hello, Ada!"))
    # Some applications validate arguments against the schema, and reject these in their own words.
    check("refused types", refused, "refused types", "guests")
    check("refused tag", refused, "refused tag", "kind")
    check("refused values", refused, "refused values", "from", "until", "Nothing was done")
    check("link", lambda: contains(good("link"), "https://example.com/manual"))
    check("image", pictured)
    check("revision", process_of, "revision")
    if TASK["transport"] == "http":
        check("restart", restarted, "restart", "revision")
        check("crash", restarted, "crash", "restart")


def check_exits(log):
    """Checks that each server of the application ends with 0, perhaps a little later than the application."""
    def ended():
        for _ in range(200):
            lines = [line.split() for line in log.read_text().splitlines()]
            codes = [line[2] for line in lines if line[0] == "exit"]
            if len(codes) == sum(line[0] == "start" for line in lines):
                break
            time.sleep(0.025)
        equal(set(codes), {"0"})
        equal(len(codes), sum(line[0] == "start" for line in lines))

    check("clean exit", ended)


def main():
    application = APPLICATIONS[TASK["application"]]
    server = Server() if TASK["transport"] == "http" else None
    calls = script(server)
    model = Model(application.api, list(calls.values()))
    address = model.start()
    # The user's environment is not passed on, and every name except that of loopback leads to a closed port.
    environment = {"PATH": os.environ["PATH"], "HOME": str(HOME), "TMPDIR": str(HOME), "TERM": "dumb",
                   "NODE_COMPILE_CACHE": os.environ.get("NODE_COMPILE_CACHE", str(HOME / "compiled")),
                   "HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1,localhost"}
    environment.update(application.environment(address))
    for name, text in application.files(address).items():
        (HOME / name).parent.mkdir(parents=True, exist_ok=True)
        (HOME / name).write_text(text)
    exits, command = HOME / "exits.log", HOME / "values"
    observed = [sys.executable, "-I", HERE / "observe.py", exits, TASK["server"]]
    command.write_text(f"#!/bin/sh\nexec {shlex.join(map(str, observed))}\n")
    command.chmod(0o755)
    url = f"http://127.0.0.1:{server.port}/mcp" if server else None
    try:
        add = [argument.format(command=command, url=url) for argument in application.add[TASK["transport"]]]
        code, output = run(add, environment, PATIENCE["add"])
        if code == 0:
            code, output = run(application.run, environment, PATIENCE["run"])
    finally:
        ended = server.stop() if server else None
    print(output, *model.results, sep="\n", file=sys.stderr)
    check("connect", lambda: equal((code, model.trouble), (0, [])))
    for result in model.results:
        result.text = re.sub(application.around, "", result.text)
    check_tools(model, {call.tool for call in calls.values()})
    check_results(application, dict(zip(calls, model.results)))
    if server:
        check("clean exit", equal, ended, 0)
    else:
        check_exits(exits)


main()
