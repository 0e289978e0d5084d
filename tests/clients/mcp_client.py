"""Tests our servers with the client of the Python SDK, `mcp`."""

import asyncio
import json
import warnings

import mcp_types as types
from mcp import Client, MCPError, StdioServerParameters
from mcp.client.subscriptions import ToolsListChanged
from mcp.shared.exceptions import MCPDeprecationWarning

from checks import CLIENT_MODE, MODERN, REVISION, TASK, check, equal, eventually, holds, refused

# The other revisions still need the features that 2026-07-28 has deprecated.
warnings.simplefilter("ignore", MCPDeprecationWarning)

answer = None
questions = []
updated = asyncio.Queue()
levels = []


def connect(target, **options):
    """Returns a client, to be entered with `async with`."""
    if url := target.get("url"):
        server = url
    else:
        program, *arguments = target["command"]
        server = StdioServerParameters(command=program, args=arguments)
    return Client(server, mode=CLIENT_MODE, **options)


async def elicited(context, params):
    questions.append(params.message)
    equal(params.requested_schema["properties"]["confirm"]["type"], "boolean")
    return answer


async def filled_in(context, params):
    fields = params.requested_schema["properties"]
    return types.ElicitResult(action="accept", content={field: f"my {field}" for field in fields})


async def sampled(context, params):
    said = types.TextContent(type="text", text=f"You said: {params.messages[0].content.text}")
    return types.CreateMessageResult(role="assistant", model="none", content=said)


async def listed_roots(context):
    return types.ListRootsResult(roots=[types.Root(uri="file:///srv", name="srv")])


async def messages(message):
    if isinstance(message, types.ResourceUpdatedNotification):
        updated.put_nowait(str(message.params.uri))
    if isinstance(message, types.ToolListChangedNotification):
        updated.put_nowait("tools")


async def logged(params):
    levels.append(params.level)


def text(result):
    return result.content[0].text


async def with_orders(orders):
    global answer

    def connected():
        equal(orders.protocol_version, REVISION)
        # With a pinned revision, the client sends nothing when it connects, so it does not know the server's name.
        if CLIENT_MODE != REVISION:
            equal(orders.server_info.name, "OrderManager")

    async def list_tools():
        equal([tool.name for tool in (await orders.list_tools()).tools], TASK["tools"])

    async def call():
        details = await orders.call_tool("get_order_details", {"order_id": "ORD-102"})
        holds(not details.is_error, details)
        holds(text(details).startswith("Order ID: ORD-102\nCustomer: bob@example.com\n"), details)
        missing = await orders.call_tool("get_order_details", {"order_id": "ORD-000"})
        holds(missing.is_error, missing)

    async def structured():
        delivered = await orders.call_tool("list_orders_by_status", {"status": "Delivered"})
        expected = [{"id": "ORD-103", "amount": 25.0, "email": "charlie@example.com"}]
        equal(delivered.structured_content, expected if MODERN else {"result": expected})

    async def bad_argument():
        result = await orders.call_tool("list_orders_by_status", {"status": "SHIPPED", "limit": 1000})
        holds(result.is_error and "limit" in text(result), result)

    async def unknown_tool():
        await refused(orders.call_tool("no_such_tool", {}), -32602, MCPError)

    async def read_resource():
        equal([str(resource.uri) for resource in (await orders.list_resources()).resources], ["orders://schema"])
        [schema] = (await orders.read_resource("orders://schema")).contents
        holds("CREATE TABLE" in schema.text and schema.mime_type == "application/sql", schema)
        await refused(orders.read_resource("orders://ORD-000"), -32602 if MODERN else -32002, MCPError)

    async def template():
        templates = (await orders.list_resource_templates()).resource_templates
        equal([template.uri_template for template in templates], ["orders://{order_id}"])
        [order] = (await orders.read_resource("orders://ORD-102")).contents
        equal(json.loads(order.text)["customer_email"], "bob@example.com")

    async def get_prompt():
        equal([prompt.name for prompt in (await orders.list_prompts()).prompts], ["refund_review"])
        [message] = (await orders.get_prompt("refund_review", {"order_id": "ORD-102"})).messages
        holds(message.content.text.startswith("Should this order be refunded?\n\nOrder ID: ORD-102\n"), message)
        await refused(orders.get_prompt("refund_review"), -32602, MCPError)

    async def completion():
        of_prompt = types.PromptReference(type="ref/prompt", name="refund_review")
        of_template = types.ResourceTemplateReference(type="ref/resource", uri="orders://{order_id}")
        for reference in (of_prompt, of_template):
            result = await orders.complete(reference, {"name": "order_id", "value": "ORD-10"})
            equal(result.completion.values, ["ORD-101", "ORD-102", "ORD-103", "ORD-104"])

    async def without_capability():
        async with connect(TASK["orders"]) as mute:
            result = await mute.call_tool("cancel_order", {"order_id": "ORD-102"})
            holds(result.is_error and "the user must confirm it" in text(result), result)

    async def declined():
        global answer
        answer = types.ElicitResult(action="decline")
        kept = await orders.call_tool("cancel_order", {"order_id": "ORD-102"})
        equal(kept.structured_content["changed"], False)
        equal(len(questions), 1)

    async def accepted():
        global answer
        answer = types.ElicitResult(action="accept", content={"confirm": True, "reason": "changed my mind"})
        cancelled = await orders.call_tool("cancel_order", {"order_id": "ORD-102"})
        equal(cancelled.structured_content["changed"], True)
        equal(cancelled.structured_content["status"], "CANCELLED")
        equal(len(questions), 2)

    async def subscription():
        uri = "orders://ORD-103"
        change = lambda: orders.call_tool("add_order_note", {"order_id": "ORD-103", "text": "Rang twice."})
        if MODERN:
            async with orders.listen(resource_subscriptions=[uri]) as events:
                equal(events.honored.resource_subscriptions, [uri])
                await change()
                equal(str((await anext(aiter(events))).uri), uri)
        else:
            await orders.subscribe_resource(uri)
            await change()
            equal(await updated.get(), uri)
            await orders.unsubscribe_resource(uri)

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
    await check("subscription", subscription)


async def with_fixture(fixture):
    async def progress():
        seen = []

        async def report(progress, total, message):
            seen.append((progress, total, message))

        done = await fixture.call_tool("count", {"steps": 3, "rest_ms": 100}, progress_callback=report)
        equal(text(done), "3" if MODERN else '{"result":3}')
        equal(seen, [(step, 3, "counting") for step in (1, 2, 3)])

    async def logs():
        if not MODERN:
            await fixture.set_logging_level("error")
        await fixture.call_tool("log_levels", {})
        equal(levels, ["error", "critical", "alert", "emergency"])

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
        if MODERN:
            async with everything.listen(tools_list_changed=True) as events:
                await everything.call_tool("test_trigger_tool_change", {})
                holds(isinstance(event := await anext(aiter(events)), ToolsListChanged), event)
        else:
            await everything.call_tool("test_trigger_tool_change", {})
            equal(await updated.get(), "tools")

    await check("several questions", several)
    await check("question in a prompt", in_a_prompt)
    await check("sampling", sampling)
    await check("roots", roots)
    await check("list changed", list_changed)

async def main():
    async with connect(TASK["orders"], elicitation_callback=elicited, message_handler=messages) as orders:
        await with_orders(orders)
    async with connect(TASK["fixture"], logging_callback=logged, log_level="error") as fixture:
        await with_fixture(fixture)
    answers = {
        "elicitation_callback": filled_in,
        "sampling_callback": sampled,
        "list_roots_callback": listed_roots,
        "message_handler": messages,
    }
    async with connect(TASK["everything"], **answers) as everything:
        await with_everything(everything)


asyncio.run(main())
