// Tests our servers with the TypeScript SDK's client. The file is copied beside the installed packages and run there.
import assert from "node:assert/strict";
import { Client, LOG_LEVEL_META_KEY, ResourceNotFoundError } from "@modelcontextprotocol/client";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";

const task = JSON.parse(process.argv[2]);
const modern = task.mode !== "legacy";
const revision = modern ? "2026-07-28" : "2025-11-25";

function transport({ command, url }) {
  if (url) return new StreamableHTTPClientTransport(new URL(url));
  return new StdioClientTransport({ command: command[0], args: command.slice(1) });
}

async function connect(target, capabilities = {}) {
  const mode = task.mode === "modern" ? { pin: revision } : task.mode;
  const client = new Client({ name: "typescript", version: "1" }, { capabilities, versionNegotiation: { mode } });
  client.onerror = (error) => console.error("the client reports", error);
  await client.connect(transport(target));
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

let orders;
let answer;
let questions = 0;

await check("connect", async () => {
  orders = await connect(task.orders, { elicitation: {} });
  orders.setRequestHandler("elicitation/create", async (request) => {
    questions += 1;
    assert.match(request.params.message, /^Cancel order ORD-102 of bob@example.com/);
    assert.equal(request.params.requestedSchema.properties.confirm.type, "boolean");
    return answer;
  });
  assert.equal(orders.getNegotiatedProtocolVersion(), revision);
  assert.equal(orders.getServerVersion().name, "OrderManager");
});

await check("list tools", async () => {
  const { tools } = await orders.listTools();
  assert.deepEqual(tools.map((tool) => tool.name), task.tools);
});

await check("call", async () => {
  const details = await call(orders, "get_order_details", { order_id: "ORD-102" });
  assert.ok(!details.isError);
  assert.match(text(details), /^Order ID: ORD-102\nCustomer: bob@example.com\n/);
  const missing = await call(orders, "get_order_details", { order_id: "ORD-000" });
  assert.ok(missing.isError);
});

await check("structured content", async () => {
  const delivered = await call(orders, "list_orders_by_status", { status: "Delivered" });
  const expected = [{ id: "ORD-103", amount: 25, email: "charlie@example.com" }];
  assert.deepEqual(delivered.structuredContent, modern ? expected : { result: expected });
});

await check("bad argument", async () => {
  const refused = await call(orders, "list_orders_by_status", { status: "SHIPPED", limit: 1000 });
  assert.ok(refused.isError);
  assert.match(text(refused), /limit/);
});

await check("unknown tool", async () => {
  await assert.rejects(call(orders, "no_such_tool"), { code: -32602 });
});

await check("read resource", async () => {
  const { resources } = await orders.listResources();
  assert.deepEqual(resources.map((resource) => resource.uri), ["orders://schema"]);
  const { contents } = await orders.readResource({ uri: "orders://schema" });
  assert.match(contents[0].text, /CREATE TABLE/);
  assert.equal(contents[0].mimeType, "application/sql");
  // The code differs between the revisions; the client reads both.
  await assert.rejects(orders.readResource({ uri: "orders://ORD-000" }), (error) => {
    assert.ok(error instanceof ResourceNotFoundError);
    assert.equal(error.uri, "orders://ORD-000");
    return true;
  });
});

await check("template", async () => {
  const { resourceTemplates } = await orders.listResourceTemplates();
  assert.deepEqual(resourceTemplates.map((template) => template.uriTemplate), ["orders://{order_id}"]);
  const { contents } = await orders.readResource({ uri: "orders://ORD-102" });
  assert.equal(JSON.parse(contents[0].text).customer_email, "bob@example.com");
});

await check("get prompt", async () => {
  const { prompts } = await orders.listPrompts();
  assert.deepEqual(prompts.map((prompt) => prompt.name), ["refund_review"]);
  const prompt = await orders.getPrompt({ name: "refund_review", arguments: { order_id: "ORD-102" } });
  assert.match(prompt.messages[0].content.text, /^Should this order be refunded\?\n\nOrder ID: ORD-102\n/);
  await assert.rejects(orders.getPrompt({ name: "refund_review" }), { code: -32602 });
});

await check("completion", async () => {
  const argument = { name: "order_id", value: "ORD-10" };
  const expected = ["ORD-101", "ORD-102", "ORD-103", "ORD-104"];
  for (const ref of [{ type: "ref/prompt", name: "refund_review" }, { type: "ref/resource", uri: "orders://{order_id}" }]) {
    const { completion } = await orders.complete({ ref, argument });
    assert.deepEqual(completion.values, expected);
  }
});

await check("elicitation without the capability", async () => {
  const mute = await connect(task.orders);
  const refused = await call(mute, "cancel_order", { order_id: "ORD-102" });
  assert.ok(refused.isError);
  assert.match(text(refused), /was not cancelled: the user must confirm it/);
  await mute.close();
});

await check("elicitation declined", async () => {
  answer = { action: "decline" };
  const kept = await call(orders, "cancel_order", { order_id: "ORD-102" });
  assert.equal(kept.structuredContent.changed, false);
  assert.equal(questions, 1);
});

await check("elicitation accepted", async () => {
  answer = { action: "accept", content: { confirm: true, reason: "changed my mind" } };
  const cancelled = await call(orders, "cancel_order", { order_id: "ORD-102" });
  assert.equal(cancelled.structuredContent.changed, true);
  assert.equal(cancelled.structuredContent.status, "CANCELLED");
  assert.equal(questions, 2);
});

await check("subscription", async () => {
  const uri = "orders://ORD-103";
  const updated = new Promise((resolve) =>
    orders.setNotificationHandler("notifications/resources/updated", ({ params }) => resolve(params.uri)),
  );
  const subscription = modern
    ? await orders.listen({ resourceSubscriptions: [uri] })
    : await orders.subscribeResource({ uri });
  if (modern) assert.deepEqual(subscription.honoredFilter.resourceSubscriptions, [uri]);
  await call(orders, "add_order_note", { order_id: "ORD-103", text: "Rang twice." });
  assert.equal(await updated, uri);
  if (!modern) return await orders.unsubscribeResource({ uri });
  await subscription.close();
  assert.equal(await subscription.closed, "local");
});

await orders.close();
const fixture = await connect(task.fixture);

await check("progress", async () => {
  // The pause separates the last step from the response: this client loses notifications that arrive with it.
  const seen = [];
  const onprogress = (progress) => seen.push(progress);
  const done = await call(fixture, "count", { steps: 3, rest_ms: 100 }, { onprogress });
  assert.equal(text(done), modern ? "3" : '{"result":3}');
  assert.deepEqual(seen, [1, 2, 3].map((step) => ({ progress: step, total: 3, message: "counting" })));
});

await check("log messages", async () => {
  const levels = [];
  fixture.setNotificationHandler("notifications/message", ({ params }) => levels.push(params.level));
  if (!modern) await fixture.setLoggingLevel("error");
  const meta = modern ? { [LOG_LEVEL_META_KEY]: "error" } : undefined;
  await fixture.callTool({ name: "log_levels", arguments: {}, _meta: meta });
  assert.deepEqual(levels, ["error", "critical", "alert", "emergency"]);
});

await check("cancellation", async () => {
  const waiting = async () => text(await call(fixture, "waiting"));
  const stop = new AbortController();
  const call_ = call(fixture, "wait_forever", {}, { signal: stop.signal });
  const refused = assert.rejects(call_);
  await eventually(waiting, "1 begun, 0 dropped");
  stop.abort("no longer needed");
  await refused;
  await eventually(waiting, "1 begun, 1 dropped");
});

await fixture.close();

const everything = await connect(task.everything, { elicitation: {}, sampling: {}, roots: {} });
everything.setRequestHandler("elicitation/create", ({ params }) => {
  const fields = Object.keys(params.requestedSchema.properties);
  return { action: "accept", content: Object.fromEntries(fields.map((field) => [field, `my ${field}`])) };
});
everything.setRequestHandler("sampling/createMessage", ({ params }) => {
  const asked = params.messages[0].content.text;
  return { role: "assistant", model: "none", content: { type: "text", text: `You said: ${asked}` } };
});
everything.setRequestHandler("roots/list", () => ({ roots: [{ uri: "file:///srv", name: "srv" }] }));

await check("several questions", async () => {
  const told = await call(everything, "test_input_required_result_multi_round");
  const expected = ["name", "color"].map((field) => `action=accept, content={"${field}":"my ${field}"}`);
  assert.equal(text(told), expected.join("; "));
});

await check("question in a prompt", async () => {
  const prompt = await everything.getPrompt({ name: "test_input_required_result_prompt" });
  assert.equal(prompt.messages[0].content.text, "Use this context: my context");
});

await check("sampling", async () => {
  const sampled = await call(everything, "test_sampling", { prompt: "Hello" });
  assert.equal(text(sampled), "LLM response: You said: Hello");
});

await check("roots", async () => {
  assert.equal(text(await call(everything, "test_input_required_result_list_roots")), "Roots: file:///srv");
});

await check("list changed", async () => {
  const changed = new Promise((resolve) =>
    everything.setNotificationHandler("notifications/tools/list_changed", () => resolve()),
  );
  const subscription = modern ? await everything.listen({ toolsListChanged: true }) : undefined;
  await call(everything, "test_trigger_tool_change");
  await changed;
  await subscription?.close();
});

await everything.close();
