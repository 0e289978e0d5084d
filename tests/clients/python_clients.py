"""The official Python client, and FastMCP's, against `examples/everything`: python_clients.py MODE URL|PROGRAM"""

import sys

import anyio


def text(result):
    return result.content[0].text


async def official(mode, target):
    from mcp import Client, MCPError, StdioServerParameters
    from mcp.types import ElicitResult

    async def elicit(context, params):
        return ElicitResult(action="accept", content={"username": "ada", "email": "ada@example.com"})

    server = target if target.startswith("http") else StdioServerParameters(command=target)
    async with Client(server, mode=mode, elicitation_callback=elicit) as client:
        tools = (await client.list_tools()).tools
        assert any(tool.name == "test_simple_text" for tool in tools)
        assert text(await client.call_tool("test_simple_text")) == "This is a simple text response for testing."
        assert (await client.call_tool("test_elicitation", {"message": 7})).is_error
        try:
            await client.call_tool("nothing")
        except MCPError as error:
            assert "nothing" in str(error), error
        else:
            raise AssertionError("an unknown tool was called")
        read = await client.read_resource("test://static-text")
        assert read.contents[0].text == "This is the content of the static text resource."
        prompt = await client.get_prompt("test_prompt_with_arguments", {"arg1": "a", "arg2": "b"})
        assert "arg1='a', arg2='b'" in prompt.messages[0].content.text
        assert "ada@example.com" in text(await client.call_tool("test_elicitation", {"message": "Who?"}))
        steps = []

        async def progress(done, total, message):
            steps.append(done)

        await client.call_tool("test_tool_with_progress", progress_callback=progress)
        assert len(steps) >= 3, steps
        if mode != "legacy":
            async with client.listen(tools_list_changed=True) as events:
                await client.call_tool("test_trigger_tool_change")
                with anyio.fail_after(5):
                    event = await anext(aiter(events))
                assert "Tools" in type(event).__name__, event


async def fastmcp(mode, target):
    from fastmcp import Client
    from fastmcp.client.transports import StdioTransport
    from fastmcp.exceptions import ToolError

    async def elicit(message, response_type, params, context):
        return {"username": "ada", "email": "ada@example.com"}

    transport = target if target.startswith("http") else StdioTransport(command=target, args=[])
    steps = []

    async def progress(done, total, message):
        steps.append(done)

    async with Client(transport, mode=mode, elicitation_handler=elicit, progress_handler=progress) as client:
        assert any(tool.name == "test_simple_text" for tool in await client.list_tools())
        assert text(await client.call_tool("test_simple_text")) == "This is a simple text response for testing."
        try:
            await client.call_tool("test_elicitation", {"message": 7})
        except ToolError as error:
            assert "message" in str(error), error
        else:
            raise AssertionError("a bad argument was taken")
        read = await client.read_resource("test://static-text")
        assert read[0].text == "This is the content of the static text resource."
        prompt = await client.get_prompt("test_prompt_with_arguments", {"arg1": "a", "arg2": "b"})
        assert "arg1='a', arg2='b'" in prompt.messages[0].content.text
        assert "ada@example.com" in text(await client.call_tool("test_elicitation", {"message": "Who?"}))
        await client.call_tool("test_tool_with_progress")
        assert len(steps) >= 3, steps


async def main():
    library, mode, target = sys.argv[1:]
    mode = "2026-07-28" if mode == "modern" else mode
    with anyio.fail_after(60):
        await {"mcp": official, "fastmcp": fastmcp}[library](mode, target)
    print(f"{library} {sys.argv[2]} {'http' if target.startswith('http') else 'stdio'}: ok")


anyio.run(main)
