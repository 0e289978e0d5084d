"""Tests our servers with the Inspector's command line: each check is one run, with a server of its own."""

import json
import subprocess
import sys

NODE, CLI, TASK = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
MODERN = TASK["mode"] != "legacy"


def inspect(target, method, *arguments):
    """Makes one request. Returns the printed `result` or `error`, and the exit code."""
    # The options that take lists would swallow the server's command, so it comes first.
    server = ["--server-url", target["url"]] if "url" in target else target["command"]
    command = [NODE, CLI, "--cli", *server, "--protocol-era", TASK["mode"], "--format", "json", "--method", method]
    ran = subprocess.run([*command, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    printed = (ran.stdout if ran.stdout.strip() else ran.stderr).strip().splitlines()
    # Other output, such as warnings, comes before.
    answer = json.loads(printed[-1]) if printed else {}
    return answer | {"exit": ran.returncode}


def call(target, tool, arguments):
    return inspect(target, "tools/call", "--tool-name", tool, "--tool-args-json", json.dumps(arguments))


def equal(actual, expected):
    if actual != expected:
        raise AssertionError(f"{actual!r}, expected {expected!r}")


def holds(condition, what):
    if not condition:
        raise AssertionError(f"{what!r}")


def text(answer):
    return answer["result"]["content"][0]["text"]


ORDERS = TASK["orders"]


def connect():
    answer = inspect(ORDERS, "initialize")
    equal(answer["result"]["protocolVersion"], "2026-07-28" if MODERN else "2025-11-25")
    equal(answer["result"]["serverInfo"]["name"], "OrderManager")


def list_tools():
    # It also searches for schemas that some models cannot read, and exits with 6 if there is one.
    answer = inspect(ORDERS, "tools/list", "--strict")
    equal([tool["name"] for tool in answer["result"]["tools"]], TASK["tools"])
    equal(answer["exit"], 0)


def call_tool():
    details = call(ORDERS, "get_order_details", {"order_id": "ORD-102"})
    holds(text(details).startswith("Order ID: ORD-102\nCustomer: bob@example.com\n"), details)
    equal(details["exit"], 0)
    missing = call(ORDERS, "get_order_details", {"order_id": "ORD-000"})
    holds(missing["result"]["isError"], missing)


def structured():
    delivered = call(ORDERS, "list_orders_by_status", {"status": "Delivered"})
    expected = [{"id": "ORD-103", "amount": 25, "email": "charlie@example.com"}]
    equal(delivered["result"]["structuredContent"], expected if MODERN else {"result": expected})


def bad_argument():
    refused = call(ORDERS, "list_orders_by_status", {"status": "SHIPPED", "limit": 1000})
    holds(refused["result"]["isError"] and "limit" in text(refused), refused)
    equal(refused["exit"], 5)


def read_resource():
    listed = inspect(ORDERS, "resources/list")["result"]["resources"]
    equal([resource["uri"] for resource in listed], ["orders://schema"])
    [schema] = inspect(ORDERS, "resources/read", "--uri", "orders://schema")["result"]["contents"]
    holds("CREATE TABLE" in schema["text"] and schema["mimeType"] == "application/sql", schema)
    missing = inspect(ORDERS, "resources/read", "--uri", "orders://ORD-000")
    holds("error" in missing and missing["exit"] != 0, missing)


def template():
    listed = inspect(ORDERS, "resources/templates/list")["result"]["resourceTemplates"]
    equal([template["uriTemplate"] for template in listed], ["orders://{order_id}"])
    [order] = inspect(ORDERS, "resources/read", "--uri", "orders://ORD-102")["result"]["contents"]
    equal(json.loads(order["text"])["customer_email"], "bob@example.com")


def get_prompt():
    listed = inspect(ORDERS, "prompts/list")["result"]["prompts"]
    equal([prompt["name"] for prompt in listed], ["refund_review"])
    arguments = ["--prompt-name", "refund_review", "--prompt-args", "order_id=ORD-102"]
    [message] = inspect(ORDERS, "prompts/get", *arguments)["result"]["messages"]
    start = "Should this order be refunded?\n\nOrder ID: ORD-102\n"
    holds(message["content"]["text"].startswith(start), message)


def without_capability():
    refused = call(ORDERS, "cancel_order", {"order_id": "ORD-102"})
    holds(refused["result"]["isError"] and "the user must confirm it" in text(refused), refused)


CHECKS = {
    "connect": connect,
    "list tools": list_tools,
    "call": call_tool,
    "structured content": structured,
    "bad argument": bad_argument,
    "read resource": read_resource,
    "template": template,
    "get prompt": get_prompt,
    "elicitation without the capability": without_capability,
}
SKIPPED = {
    "unknown tool": "it calls only what is listed",
    "completion": "it has no method for it",
    "elicitation declined": "it declares no elicitation, because no person can respond",
    "elicitation accepted": "it declares no elicitation, because no person can respond",
    "subscription": "each run makes one request and ends",
    "progress": "it prints results only",
    "log messages": "it prints results only",
    "cancellation": "each run makes one request and ends",
    "several questions": "it declares no elicitation, because no person can respond",
    "question in a prompt": "it declares no elicitation, because no person can respond",
    "sampling": "it has no model",
    "roots": "it has none",
    "list changed": "each run makes one request and ends",
}

for name, test in CHECKS.items():
    try:
        test()
    except Exception as error:
        print(f"wrong {name}: {type(error).__name__}: {error}", flush=True)
        sys.exit(1)
    print(f"ok {name}", flush=True)
for name, reason in SKIPPED.items():
    print(f"skipped {name}: {reason}")
