// Tests our servers with the TypeScript SDK's client over HTTP with SSE, the transport of 2024-11-05. The file is
// copied beside the installed packages and run there.
import assert from "node:assert/strict";
import { Client, ResourceNotFoundError, SSEClientTransport } from "@modelcontextprotocol/client";

const task = JSON.parse(process.argv[2]);

async function connect(server, capabilities = {}) {
  const client = new Client({ name: "typescript", version: "1" }, { capabilities, versionNegotiation: { mode: task.mode } });
  client.onerror = (error) => console.error("the client reports", error);
  await client.connect(new SSEClientTransport(new URL(task[server].url)));
  return client;
}

async function check(name, test) {
  try {
    await test();
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`wrong ${name}: ${error?.stack ?? error}`);
    process.exit(1);
  }
}

const text = (result) => result.content[0].text;
const call = (client, name, args = {}, options) => client.callTool({ name, arguments: args }, options);

/** Asks again until the answer is the one, for what happens behind a notification. */
async function eventually(ask, expected) {
  let answer;
  for (let attempt = 0; attempt < 100; attempt++) {
    answer = await ask();
    if (answer === expected) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal(answer, expected);
}

let fixture;

await check("connect", async () => {
  fixture = await connect("fixture");
  assert.equal(fixture.getNegotiatedProtocolVersion(), "2024-11-05");
  assert.equal(fixture.getServerVersion().name, "fixture");
});

await check("list tools", async () => {
  const names = (await fixture.listTools()).tools.map((tool) => tool.name);
  for (const name of ["echo", "add", "count"]) assert.ok(names.includes(name), name);
});

await check("call", async () => {
  assert.equal(text(await call(fixture, "add", { a: 1, b: 2 })), "3");
  const long = "x".repeat(200_000);
  assert.equal(text(await call(fixture, "echo", { text: long })), long);
  const numbers = Array.from({ length: 50 }, (_, number) => String(number));
  const answers = await Promise.all(numbers.map((number) => call(fixture, "echo", { text: number })));
  assert.deepEqual(answers.map(text), numbers);
});

await check("bad argument", async () => {
  const refused = await call(fixture, "add", { a: "one", b: 2 });
  assert.ok(refused.isError);
  assert.match(text(refused), /expected an integer/);
});

await check("unknown tool", async () => {
  await assert.rejects(call(fixture, "no_such_tool"), { code: -32602 });
});

await check("read resource", async () => {
  const { contents } = await fixture.readResource({ uri: "config://limits" });
  assert.ok(contents[0].text);
  await assert.rejects(fixture.readResource({ uri: "nothing://here" }), ResourceNotFoundError);
});

await check("progress", async () => {
  // The pause separates the last step from the response: this client loses notifications that arrive with it.
  const seen = [];
  const onprogress = (progress) => seen.push(progress);
  assert.equal(text(await call(fixture, "count", { steps: 3, rest_ms: 100 }, { onprogress })), "3");
  // The revision has no progress messages.
  assert.deepEqual(seen, [1, 2, 3].map((step) => ({ progress: step, total: 3 })));
});

await check("log messages", async () => {
  const levels = [];
  fixture.setNotificationHandler("notifications/message", ({ params }) => levels.push(params.level));
  await fixture.setLoggingLevel("error");
  await call(fixture, "log_levels");
  await eventually(() => levels.length, 4);
  assert.deepEqual(levels, ["error", "critical", "alert", "emergency"]);
});

await check("cancellation", async () => {
  const waiting = async () => text(await call(fixture, "waiting"));
  const stop = new AbortController();
  const refused = assert.rejects(call(fixture, "wait_forever", {}, { signal: stop.signal }));
  await eventually(waiting, "1 begun, 0 dropped");
  stop.abort("no longer needed");
  await refused;
  await eventually(waiting, "1 begun, 1 dropped");
});

await fixture.close();

const everything = await connect("everything", { elicitation: {}, sampling: {}, roots: {} });
everything.setRequestHandler("elicitation/create", () => assert.fail("2024-11-05 has no elicitation"));
everything.setRequestHandler("sampling/createMessage", ({ params }) => {
  const asked = params.messages[0].content.text;
  return { role: "assistant", model: "none", content: { type: "text", text: `You said: ${asked}` } };
});
everything.setRequestHandler("roots/list", () => ({ roots: [{ uri: "file:///srv", name: "srv" }] }));

await check("get prompt", async () => {
  const prompt = await everything.getPrompt({ name: "test_prompt_with_arguments", arguments: { arg1: "one", arg2: "two" } });
  assert.equal(prompt.messages[0].content.text, "Prompt with arguments: arg1='one', arg2='two'");
});

await check("subscription", async () => {
  await everything.subscribeResource({ uri: "test://watched-resource" });
  await everything.unsubscribeResource({ uri: "test://watched-resource" });
});

await check("sampling", async () => {
  assert.equal(text(await call(everything, "test_sampling", { prompt: "Hello" })), "LLM response: You said: Hello");
});

await check("roots", async () => {
  assert.equal(text(await call(everything, "test_input_required_result_list_roots")), "Roots: file:///srv");
});

await check("elicitation is newer", async () => {
  assert.ok((await call(everything, "test_elicitation", { message: "Who?" })).isError);
});

await check("list changed", async () => {
  const changed = new Promise((resolve) =>
    everything.setNotificationHandler("notifications/tools/list_changed", () => resolve()),
  );
  await call(everything, "test_trigger_tool_change");
  await changed;
});

await everything.close();
