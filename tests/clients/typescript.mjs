// The official TypeScript client against `examples/everything`: node typescript.mjs MODE (http URL | stdio PROGRAM)
import assert from "node:assert/strict";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const [mode, kind, target] = process.argv.slice(2);
const versionNegotiation = { mode: mode === "modern" ? { pin: "2026-07-28" } : mode };
const client = new Client(
  { name: "tests", version: "1" },
  { capabilities: { elicitation: {} }, versionNegotiation },
);
client.setRequestHandler("elicitation/create", async () => ({
  action: "accept",
  content: { username: "ada", email: "ada@example.com" },
}));
let changed;
const change = new Promise((resolve) => (changed = resolve));
client.setNotificationHandler("notifications/tools/list_changed", () => changed());
const transport =
  kind === "http"
    ? new StreamableHTTPClientTransport(new URL(target))
    : new StdioClientTransport({ command: target, stderr: "ignore" });
await client.connect(transport);

const text = (result) => result.content[0].text;
const { tools } = await client.listTools();
assert.ok(tools.some((tool) => tool.name === "test_simple_text"));
assert.equal(text(await client.callTool({ name: "test_simple_text" })), "This is a simple text response for testing.");
const bad = await client.callTool({ name: "test_elicitation", arguments: { message: 7 } });
assert.ok(bad.isError, JSON.stringify(bad));
await assert.rejects(client.callTool({ name: "nothing" }), /nothing/);
const read = await client.readResource({ uri: "test://static-text" });
assert.equal(read.contents[0].text, "This is the content of the static text resource.");
const prompt = await client.getPrompt({ name: "test_prompt_with_arguments", arguments: { arg1: "a", arg2: "b" } });
assert.match(prompt.messages[0].content.text, /arg1='a', arg2='b'/);
const elicited = await client.callTool({ name: "test_elicitation", arguments: { message: "Who?" } });
assert.match(text(elicited), /ada@example.com/);
const steps = [];
await client.callTool({ name: "test_tool_with_progress" }, { onprogress: (step) => steps.push(step.progress) });
assert.ok(steps.length >= 3, `${steps}`);
const isModern = client.getNegotiatedProtocolVersion?.() === "2026-07-28";
assert.equal(isModern, mode !== "legacy");
const subscription = isModern ? await client.listen({ toolsListChanged: true }) : undefined;
// The stream of a session is opened in the background.
await new Promise((resolve) => setTimeout(resolve, 300));
await client.callTool({ name: "test_trigger_tool_change" });
await Promise.race([change, new Promise((_, no) => setTimeout(() => no(new Error("no list_changed")), 5000))]);
await subscription?.close();
await client.close();
console.log(`typescript ${mode} ${kind}: ok`);
