"""Tests our servers with the client of the Python SDK, `mcp`, over HTTP with SSE, the transport of 2024-11-05."""

import asyncio
import warnings

import mcp_types as types
from mcp import Client, MCPError
from mcp.client.sse import sse_client
from mcp.shared.exceptions import MCPDeprecationWarning

from checks import MODE, TASK, check, equal, eventually, holds, refused

warnings.simplefilter("ignore", MCPDeprecationWarning)

heard = asyncio.Queue()
levels = []


def connect(server, **options):
    return Client(sse_client(TASK[server]["url"]), mode=MODE, **options)


async def sampled(context, params):
    said = types.TextContent(type="text", text=f"You said: {params.messages[0].content.text}")
    return types.CreateMessageResult(role="assistant", model="none", content=said)


async def listed_roots(context):
    return types.ListRootsResult(roots=[types.Root(uri="file:///srv", name="srv")])


async def messages(message):
    if isinstance(message, types.ResourceUpdatedNotification):
        heard.put_nowait(str(message.params.uri))
    if isinstance(message, types.ToolListChangedNotification):
        heard.put_nowait("tools")


async def logged(params):
    levels.append(params.level)


async def unasked(context, params):
    raise AssertionError("2024-11-05 has no elicitation")


def text(result):
    return result.content[0].text


async def with_fixture(fixture):
    def connected():
        equal(fixture.protocol_version, "2024-11-05")
        equal(fixture.server_info.name, "fixture")

    async def list_tools():
        names = {tool.name for tool in (await fixture.list_tools()).tools}
        holds({"echo", "add", "count"} <= names, names)

    async def call():
        equal(text(await fixture.call_tool("add", {"a": 1, "b": 2})), "3")
        long = "x" * 200_000
        equal(text(await fixture.call_tool("echo", {"text": long})), long)
        answers = await asyncio.gather(*(fixture.call_tool("echo", {"text": str(n)}) for n in range(50)))
        equal([text(answer) for answer in answers], [str(n) for n in range(50)])

    async def bad_argument():
        result = await fixture.call_tool("add", {"a": "one", "b": 2})
        holds(result.is_error and "expected an integer" in text(result), result)

    async def unknown_tool():
        await refused(fixture.call_tool("no_such_tool", {}), -32602, MCPError)

    async def read_resource():
        [limits] = (await fixture.read_resource("config://limits")).contents
        holds(limits.text, limits)
        await refused(fixture.read_resource("nothing://here"), -32002, MCPError)

    async def progress():
        seen = []

        async def report(progress, total, message):
            seen.append((progress, total, message))

        done = await fixture.call_tool("count", {"steps": 3, "rest_ms": 100}, progress_callback=report)
        equal(text(done), "3")
        # The revision has no progress messages.
        equal(seen, [(step, 3, None) for step in (1, 2, 3)])

    async def logs():
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

    await check("connect", connected)
    await check("list tools", list_tools)
    await check("call", call)
    await check("bad argument", bad_argument)
    await check("unknown tool", unknown_tool)
    await check("read resource", read_resource)
    await check("progress", progress)
    await check("log messages", logs)
    await check("cancellation", cancellation)


async def with_everything(everything):
    async def get_prompt():
        arguments = {"arg1": "one", "arg2": "two"}
        [message] = (await everything.get_prompt("test_prompt_with_arguments", arguments)).messages
        equal(message.content.text, "Prompt with arguments: arg1='one', arg2='two'")

    async def subscription():
        await everything.subscribe_resource("test://watched-resource")
        await everything.unsubscribe_resource("test://watched-resource")

    async def sampling():
        equal(text(await everything.call_tool("test_sampling", {"prompt": "Hello"})), "LLM response: You said: Hello")

    async def roots():
        told = await everything.call_tool("test_input_required_result_list_roots", {})
        equal(text(told), "Roots: file:///srv")

    async def elicitation():
        result = await everything.call_tool("test_elicitation", {"message": "Who?"})
        holds(result.is_error, result)

    async def list_changed():
        await everything.call_tool("test_trigger_tool_change", {})
        equal(await heard.get(), "tools")

    await check("get prompt", get_prompt)
    await check("subscription", subscription)
    await check("sampling", sampling)
    await check("roots", roots)
    await check("elicitation is newer", elicitation)
    await check("list changed", list_changed)


async def main():
    async with connect("fixture", logging_callback=logged, message_handler=messages) as fixture:
        await with_fixture(fixture)
    answers = {
        "elicitation_callback": unasked,
        "sampling_callback": sampled,
        "list_roots_callback": listed_roots,
        "message_handler": messages,
    }
    async with connect("everything", **answers) as everything:
        await with_everything(everything)


asyncio.run(main())
