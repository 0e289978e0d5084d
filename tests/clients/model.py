"""A scripted model on loopback, which implements the APIs of Anthropic, OpenAI and Google.

It makes the calls of its script one after another, and records the tools and the results that the application sends.
The position in the script is read from each request, so requests can be repeated.
"""

import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable

DONE = "Done."


@dataclass
class Call:
    """A call of the script, and an action before the model makes it."""

    tool: str
    arguments: dict
    before: Callable[[], None] | None = None


@dataclass
class Result:
    """A result as the model gets it. `failed` is `None` if the API cannot express it."""

    text: str
    images: int
    failed: bool | None


@dataclass
class Tool:
    """A tool as the model sees it. `call` has the members that the API requires in a call, beside the arguments."""

    name: str
    schema: dict
    call: dict


class Messages:
    """The Messages API of Anthropic, as Claude Code uses it."""

    path = r"/v1/messages"

    @staticmethod
    def tools(request):
        for tool in request.get("tools") or []:
            yield Tool(tool["name"], tool.get("input_schema", {}), {"name": tool["name"]})

    @staticmethod
    def results(request):
        blocks = [block for message in request["messages"] if isinstance(message["content"], list)
                  for block in message["content"]]
        for block in blocks:
            if block["type"] == "tool_result" and block["tool_use_id"].startswith("toolu_call"):
                content = block.get("content", "")
                parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
                texts = [part["text"] for part in parts if part["type"] == "text"]
                images = sum(part["type"] == "image" for part in parts)
                yield Result("\n".join(texts), images, block.get("is_error", False))

    @staticmethod
    def search(request, body, script):
        """Requests the tools that are not in the request yet, by the names that the application has sent."""
        names = (re.search(rf"mcp__\w+?__{call.tool}\b", body) for call in script)
        query = "select:" + ",".join(dict.fromkeys(name.group() for name in names if name))
        return {"type": "tool_use", "id": "toolu_search", "name": "ToolSearch",
                "input": {"query": query, "max_results": 100}}

    @staticmethod
    def call(number, tool, arguments):
        return {"type": "tool_use", "id": f"toolu_call{number}", **tool.call, "input": arguments}

    @staticmethod
    def text(text):
        return {"type": "text", "text": text}

    @staticmethod
    def answer(request, path, block):
        stop = "tool_use" if block["type"] == "tool_use" else "end_turn"
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": request.get("model"),
                   "content": [block], "stop_reason": stop, "stop_sequence": None,
                   "usage": {"input_tokens": 1, "output_tokens": 1}}
        if not request.get("stream"):
            return message
        if stop == "tool_use":
            begun = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        else:
            begun, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
        return [
            {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}},
            {"type": "content_block_start", "index": 0, "content_block": begun},
            {"type": "content_block_delta", "index": 0, "delta": delta},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None},
             "usage": {"output_tokens": 1}},
            {"type": "message_stop"},
        ]


class Responses:
    """The Responses API of OpenAI, as Codex uses it: the tools of a server are in a namespace."""

    path = r"/v1/responses"
    search = None

    @staticmethod
    def tools(request):
        for tool in request.get("tools") or []:
            if tool["type"] == "namespace":
                for inner in tool["tools"]:
                    call = {"namespace": tool["name"], "name": inner["name"]}
                    yield Tool(f"{tool['name']}__{inner['name']}", inner.get("parameters", {}), call)
            elif tool["type"] == "function":
                yield Tool(tool["name"], tool.get("parameters", {}), {"name": tool["name"]})

    @staticmethod
    def results(request):
        for item in request["input"]:
            if item["type"] == "function_call_output":
                output = item["output"]
                parts = [{"type": "input_text", "text": output}] if isinstance(output, str) else output
                texts = [part["text"] for part in parts if part["type"] == "input_text"]
                yield Result("\n".join(texts), sum(part["type"] == "input_image" for part in parts), None)

    @staticmethod
    def call(number, tool, arguments):
        return {"type": "function_call", "id": f"fc_{number}", "call_id": f"call_{number}", **tool.call,
                "arguments": json.dumps(arguments)}

    @staticmethod
    def text(text):
        return {"type": "message", "id": "msg_1", "role": "assistant",
                "content": [{"type": "output_text", "text": text}]}

    @staticmethod
    def answer(request, path, item):
        usage = {"input_tokens": 1, "input_tokens_details": None, "output_tokens": 1, "output_tokens_details": None,
                 "total_tokens": 2}
        return [
            {"type": "response.created", "response": {"id": "resp_1"}},
            {"type": "response.output_item.done", "output_index": 0, "item": item},
            {"type": "response.completed", "response": {"id": "resp_1", "usage": usage}},
        ]


class GenerateContent:
    """The Gemini API of Google, as Gemini CLI uses it."""

    path = r"/v1beta/models/[^/]+:(stream)?[gG]enerateContent"
    search = None

    @staticmethod
    def tools(request):
        for tools in request.get("tools") or []:
            for tool in tools.get("functionDeclarations", []):
                schema = tool.get("parametersJsonSchema") or tool.get("parameters") or {}
                yield Tool(tool["name"], schema, {"name": tool["name"]})

    @staticmethod
    def results(request):
        parts = [part for content in request["contents"] for part in content["parts"]]
        for place, part in enumerate(parts):
            if response := part.get("functionResponse"):
                said = response["response"]
                # Images are in the response itself, or follow it.
                beside = response.get("parts", [])
                for other in parts[place + 1:]:
                    if "functionResponse" in other or "functionCall" in other:
                        break
                    beside = [*beside, other]
                yield Result(str(said.get("output", said.get("error"))), sum("inlineData" in other for other in beside),
                             "error" in said)

    @staticmethod
    def call(number, tool, arguments):
        # The application adds this argument to the schema of every tool, and asks the model to use it.
        if "wait_for_previous" in tool.schema.get("properties", {}):
            arguments = {**arguments, "wait_for_previous": True}
        return {"functionCall": {**tool.call, "args": arguments}}

    @staticmethod
    def text(text):
        return {"text": text}

    @staticmethod
    def answer(request, path, part):
        whole = {"candidates": [{"content": {"role": "model", "parts": [part]}, "finishReason": "STOP", "index": 0}],
                 "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}}
        return [whole] if ":stream" in path else whole


@dataclass
class Model:
    """A model that listens on loopback after `start`."""

    api: type
    script: list[Call]
    tools: dict = field(default_factory=dict)  # of the last request that had any, by the tool's own name
    first_tools: set | None = None  # the names in the first request
    results: list[Result] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    calls: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self):
        """Returns the address of the model."""
        model = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                try:
                    if not re.fullmatch(model.api.path, self.path.split("?")[0]):
                        return self.send(404, "application/json", "{}")
                    with model.lock:
                        answer = model.answer(self.path, body)
                except Exception as error:
                    model.trouble.append(f"{self.path}: {error!r} for {body[:2000]}")
                    return self.send(400, "application/json", "{}")
                if isinstance(answer, dict):
                    return self.send(200, "application/json", json.dumps(answer))
                kinds = [f"event: {event['type']}\n" if "type" in event else "" for event in answer]
                events = [f"{kind}data: {json.dumps(event)}\n\n" for kind, event in zip(kinds, answer)]
                self.send(200, "text/event-stream", "".join(events))

            def do_GET(self):
                self.send(404, "application/json", "{}")

            do_HEAD = do_GET

            def send(self, status, kind, body):
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body.encode())

            def log_message(self, *_):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    def answer(self, path, body):
        request = json.loads(body)
        self.requests.append(body)
        offered = list(self.api.tools(request))
        # Requests for titles, summaries and the like have no tools.
        if not offered:
            return self.api.answer(request, path, self.api.text(DONE))
        ours = {}
        for tool in offered:
            if match := re.fullmatch(r"mcp_+values_+(\w+)", tool.name):
                ours[match[1]] = tool
        if self.first_tools is None:
            self.first_tools = set(ours)
        self.tools = ours
        results = list(self.api.results(request))
        self.results = max(self.results, results, key=len)
        if len(results) >= len(self.script):
            return self.api.answer(request, path, self.api.text(DONE))
        call = self.script[len(results)]
        tool = ours.get(call.tool)
        if tool is None:
            if self.api.search and "toolu_search" not in body:
                return self.api.answer(request, path, self.api.search(request, body, self.script))
            raise LookupError(f"the request has no tool {call.tool}, but {[tool.name for tool in offered]}")
        if self.calls == len(results):
            self.calls += 1
            if call.before:
                call.before()
        return self.api.answer(request, path, self.api.call(len(results), tool, call.arguments))
