"""Tests our servers with the client of FastMCP for Python."""

import asyncio
import json
import warnings

import mcp_types as types
from fastmcp import Client
from fastmcp.client.elicitation import ElicitResult
from fastmcp.client.messages import MessageHandler
from fastmcp.client.transports import StdioTransport, StreamableHttpTransport
from fastmcp.exceptions import ToolError
from mcp import MCPError
from mcp.shared.exceptions import MCPDeprecationWarning

from checks import CLIENT_MODE, MODERN, REVISION, TASK, check, equal, eventually, holds, refused, skip

# The other revisions still need the features that 2026-07-28 has deprecated.
warnings.simplefilter("ignore", MCPDeprecationWarning)

accept = False
questions = []
updated = asyncio.Queue()
levels = []


def connect(target, **options):
    """Returns a client, to be entered with `async with`."""
    if url := target.get("url"):
        transport = StreamableHttpTransport(url)
    else:
        program, *arguments = target["command"]
        # Otherwise the server would outlive the client.
        transport = StdioTransport(program, arguments, keep_alive=False)
    return Client(transport, mode=CLIENT_MODE, **options)


async def elicited(message, response_type, params, context):
    questions.append(message)
    # The type is generated from our schema, so this also checks the schema.
    return response_type(confirm=True, reason="changed my mind") if accept else ElicitResult(action="decline")


async def filled_in(message, response_type, params, context):
    return {field: f"my {field}" for field in params.requested_schema["properties"]}


async def sampled(messages, params, context):
    return f"You said: {messages[0].content.text}"


class Updates(MessageHandler):
    async def on_resource_updated(self, message):
        updated.put_nowait(str(message.params.uri))

    async def on_tool_list_changed(self, message):
        updated.put_nowait("tools")


async def logged(message):
    levels.append(message.level)


def text(result):
    return result.content[0].text


async def fails(client, tool, arguments, what):
    """Checks that the tool fails, which this client raises."""
    try:
        result = await client.call_tool(tool, arguments)
    except ToolError as error:
        holds(what in str(error), error)
    else:
        raise AssertionError(f"{result!r}")


async def with_orders(orders):
    def connected():
        equal(orders.protocol_version, REVISION)
        # With a pinned revision, the client sends nothing when it connects, so it does not know the server's name.
        if CLIENT_MODE != REVISION:
            equal(orders.server_info.name, "OrderManager")

    async def list_tools():
        equal([tool.name for tool in await orders.list_tools()], TASK["tools"])

    async def call():
        details = await orders.call_tool("get_order_details", {"order_id": "ORD-102"})
        holds(text(details).startswith("Order ID: ORD-102\nCustomer: bob@example.com\n"), details)
        await fails(orders, "get_order_details", {"order_id": "ORD-000"}, "was not found")

    async def structured():
        delivered = await orders.call_tool("list_orders_by_status", {"status": "Delivered"})
        expected = [{"id": "ORD-103", "amount": 25.0, "email": "charlie@example.com"}]
        equal(delivered.structured_content, expected if MODERN else {"result": expected})
        # The same as values of a type that the client generates from our schema.
        eligible = await orders.call_tool("check_refund_eligibility", {"order_id": "ORD-102"})
        equal((eligible.data.order_id, eligible.data.eligible), ("ORD-102", True))

    async def bad_argument():
        await fails(orders, "list_orders_by_status", {"status": "SHIPPED", "limit": 1000}, "limit")

    async def unknown_tool():
        await refused(orders.call_tool("no_such_tool", {}), -32602, MCPError)

    async def read_resource():
        equal([str(resource.uri) for resource in await orders.list_resources()], ["orders://schema"])
        [schema] = await orders.read_resource("orders://schema")
        holds("CREATE TABLE" in schema.text and schema.mime_type == "application/sql", schema)
        await refused(orders.read_resource("orders://ORD-000"), -32602 if MODERN else -32002, MCPError)

    async def template():
        templates = await orders.list_resource_templates()
        equal([template.uri_template for template in templates], ["orders://{order_id}"])
        [order] = await orders.read_resource("orders://ORD-102")
        equal(json.loads(order.text)["customer_email"], "bob@example.com")

    async def get_prompt():
        equal([prompt.name for prompt in await orders.list_prompts()], ["refund_review"])
        [message] = (await orders.get_prompt("refund_review", {"order_id": "ORD-102"})).messages
        holds(message.content.text.startswith("Should this order be refunded?\n\nOrder ID: ORD-102\n"), message)
        await refused(orders.get_prompt("refund_review"), -32602, MCPError)

    async def completion():
        of_prompt = types.PromptReference(type="ref/prompt", name="refund_review")
        of_template = types.ResourceTemplateReference(type="ref/resource", uri="orders://{order_id}")
        for reference in (of_prompt, of_template):
            result = await orders.complete(reference, {"name": "order_id", "value": "ORD-10"})
            equal(result.values, ["ORD-101", "ORD-102", "ORD-103", "ORD-104"])

    async def without_capability():
        async with connect(TASK["orders"]) as mute:
            await fails(mute, "cancel_order", {"order_id": "ORD-102"}, "the user must confirm it")

    async def declined():
        kept = await orders.call_tool("cancel_order", {"order_id": "ORD-102"})
        equal(kept.structured_content["changed"], False)
        equal(len(questions), 1)

    async def accepted():
        global accept
        accept = True
        cancelled = await orders.call_tool("cancel_order", {"order_id": "ORD-102"})
        equal(cancelled.structured_content["changed"], True)
        equal(cancelled.structured_content["status"], "CANCELLED")
        equal(len(questions), 2)

    async def subscription():
        uri = "orders://ORD-103"
        await orders.session.subscribe_resource(uri)
        await orders.call_tool("add_order_note", {"order_id": "ORD-103", "text": "Rang twice."})
        equal(await updated.get(), uri)
        await orders.session.unsubscribe_resource(uri)

    await check("connect", connected)
    await check("list tools", list_tools)
    await check("call", call)
    await check("structured content", structured)
    await check("bad argument", bad_argument)
    await check("unknown tool", unknown_tool)
    await check("read resource", read_resource)
    await check("template", template)
    await check("get prompt", get_prompt)
    await check("completion", completion)
    await check("elicitation without the capability", without_capability)
    await check("elicitation declined", declined)
    await check("elicitation accepted", accepted)
    if MODERN:
        skip("subscription", "the client has no subscriptions/listen")
    else:
        await check("subscription", subscription)


async def with_fixture(fixture):
    async def progress():
        seen = []

        async def report(progress, total, message):
            seen.append((progress, total, message))

        done = await fixture.call_tool("count", {"steps": 3, "rest_ms": 100}, progress_handler=report)
        equal(text(done), "3" if MODERN else '{"result":3}')
        equal(seen, [(step, 3, "counting") for step in (1, 2, 3)])

    async def logs():
        # On 2026-07-28 the client requests every level by itself, and cannot request fewer.
        if not MODERN:
            await fixture.set_logging_level("error")
        await fixture.call_tool("log_levels", {})
        every = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
        equal(levels, every if MODERN else every[4:])

    async def cancellation():
        async def waiting():
            return text(await fixture.call_tool("waiting", {}))

        call = asyncio.create_task(fixture.call_tool("wait_forever", {}))
        await eventually(waiting, "1 begun, 0 dropped")
        call.cancel()
        await eventually(waiting, "1 begun, 1 dropped")

    await check("progress", progress)
    await check("log messages", logs)
    await check("cancellation", cancellation)


async def with_everything(everything):
    async def several():
        told = await everything.call_tool("test_input_required_result_multi_round", {})
        expected = [f'action=accept, content={{"{field}":"my {field}"}}' for field in ("name", "color")]
        equal(text(told), "; ".join(expected))

    async def in_a_prompt():
        [message] = (await everything.get_prompt("test_input_required_result_prompt")).messages
        equal(message.content.text, "Use this context: my context")

    async def sampling():
        equal(text(await everything.call_tool("test_sampling", {"prompt": "Hello"})), "LLM response: You said: Hello")

    async def roots():
        told = await everything.call_tool("test_input_required_result_list_roots", {})
        equal(text(told), "Roots: file:///srv")

    async def list_changed():
        await everything.call_tool("test_trigger_tool_change", {})
        equal(await updated.get(), "tools")

    await check("several questions", several)
    await check("question in a prompt", in_a_prompt)
    await check("sampling", sampling)
    await check("roots", roots)
    if MODERN:
        skip("list changed", "the client has no subscriptions/listen")
    else:
        await check("list changed", list_changed)

async def main():
    async with connect(TASK["orders"], elicitation_handler=elicited, message_handler=Updates()) as orders:
        await with_orders(orders)
    async with connect(TASK["fixture"], log_handler=logged) as fixture:
        await with_fixture(fixture)
    answers = {
        "elicitation_handler": filled_in,
        "sampling_handler": sampled,
        "roots": ["file:///srv"],
        "message_handler": Updates(),
    }
    async with connect(TASK["everything"], **answers) as everything:
        await with_everything(everything)


asyncio.run(main())
