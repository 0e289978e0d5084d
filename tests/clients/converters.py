"""Passes the schemas of our tools to third-party converters: `converters.py LIBRARY SERVER`.

Prints a line for each tool that a converter has accepted, as the other programs do for their checks. Each library gets
the schemas with the options that docs/clients.md recommends for it.
"""

import json
import subprocess
import sys

OPTIONS = {"google-genai": ["--open", "--limits"], "openai-agents": [], "langchain-mcp-adapters": []}


def listed(command):
    """Returns the tools as the server lists them."""
    initialize = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "converters", "version": "1"}}
    frames = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": initialize},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/list"},
    ]
    text = "".join(json.dumps(frame) + "\n" for frame in frames)
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE, text=True, timeout=30, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return next(answer for answer in answers if answer.get("id") == 2)["result"]["tools"]


def each(schema):
    """Yields every object in a schema."""
    if isinstance(schema, dict):
        yield schema
        for value in schema.values():
            yield from each(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from each(value)


def google(tool):
    from google.genai._mcp_utils import mcp_to_gemini_tool
    from mcp.types import Tool

    [declaration] = mcp_to_gemini_tool(Tool.model_validate(tool)).function_declarations
    parameters = declaration.parameters.model_dump(exclude_none=True, by_alias=True, mode="json")
    assert set(parameters.get("properties") or {}) == set(tool["inputSchema"]["properties"]), parameters
    return parameters


def openai(tool):
    from agents.mcp import MCPServerStdio
    from agents.mcp.util import MCPUtil
    from mcp.types import Tool

    server = MCPServerStdio(params={"command": "true"})
    # Strict where the schema allows it, because their models work best with strict schemas.
    for strict in (False, True):
        function = MCPUtil.to_function_tool(Tool.model_validate(tool), server, convert_schemas_to_strict=strict)
        parameters = function.params_json_schema
        # The API answers 400 "array schema missing items".
        assert all("items" in part for part in each(parameters) if part.get("type") == "array"), parameters
    return parameters


def langchain(tool):
    from langchain_core.utils.function_calling import convert_to_openai_tool
    from langchain_mcp_adapters.tools import convert_mcp_tool_to_langchain_tool
    from mcp.types import Tool

    connection = {"transport": "stdio", "command": "true", "args": []}
    converted = convert_mcp_tool_to_langchain_tool(None, Tool.model_validate(tool), connection=connection)
    parameters = convert_to_openai_tool(converted)["function"]["parameters"]
    assert set(parameters["properties"]) == set(tool["inputSchema"]["properties"]), parameters
    return parameters


def main():
    library, server = sys.argv[1:]
    convert = {"google-genai": google, "openai-agents": openai, "langchain-mcp-adapters": langchain}[library]
    wrong = 0
    for tool in listed([server, *OPTIONS[library]]):
        try:
            parameters = convert(tool)
            assert "x-fastmcp" not in json.dumps(parameters), parameters
            print(f"ok {tool['name']}")
        except Exception as error:  # One that is refused must not hide the others.
            wrong += 1
            print(f"wrong {tool['name']}: {error!r} for {json.dumps(tool['inputSchema'])}")
    sys.exit(1 if wrong else 0)


main()
