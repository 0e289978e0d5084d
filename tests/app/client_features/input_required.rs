//! Guarantees for handlers that need input of their client: rounds, states, keys and timeouts.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastmcp_rs::SealingKey;
use fastmcp_rs::prelude::*;
use fastmcp_rs::testing::RawClient;
use serde_json::{Map, Value, json};

use crate::support::{Revision, schema};

/// Counts side effects.
#[derive(Default)]
struct Count(AtomicU32);

impl Count {
    fn add(&self) -> u32 {
        self.0.fetch_add(1, Ordering::SeqCst) + 1
    }
}

/// Does something once, and asks.
#[mcp::tool]
async fn counted(ctx: &Context, count: State<Count>) -> Result<String, ToolError> {
    let done: u32 = ctx.remember("count", async { Ok::<_, ToolError>(count.add()) }).await?;
    let first = ctx.elicit::<bool>("First?").await?;
    let again: u32 = ctx.remember("count", async { Ok::<_, ToolError>(count.add()) }).await?;
    let second = ctx.elicit::<bool>("Second?").await?;
    Ok(format!("{done} {again} {first:?} {second:?}"))
}

/// Asks from a task of its own, and from a thread that may block.
#[mcp::tool(blocking)]
async fn elsewhere(ctx: Context) -> Result<String, ToolError> {
    let other = ctx.clone();
    let asked = tokio::spawn(async move { other.elicit::<bool>("From a task?").await });
    Ok(format!("{:?}", asked.await?))
}

/// Asks two different things under one key.
#[mcp::tool]
async fn twice(ctx: &Context) -> Result<String, ToolError> {
    let (one, other) = (ctx.elicit::<bool>("One?").key("k"), ctx.elicit::<bool>("Other?").key("k"));
    let (one, other) = tokio::join!(one, other);
    Ok(format!("{one:?} {}", other.unwrap_err()))
}

/// Remembers more than fits.
#[mcp::tool]
async fn too_much(ctx: &Context) -> Result<String, ToolError> {
    let _: String = ctx.remember("much", async { Ok::<_, ToolError>("x".repeat(400_000)) }).await?;
    Ok(format!("{:?}", ctx.elicit::<bool>("And now?").await?))
}

/// Waits for an answer as long as the test says.
#[mcp::tool(timeout = "5s")]
async fn patient(seconds: u64, ctx: &Context) -> String {
    match ctx.elicit::<bool>("Well?").timeout(Duration::from_secs(seconds)).await {
        Ok(answer) => format!("{answer:?}"),
        Err(ClientRequestError::TimedOut { .. }) => "nobody answered".into(),
        Err(error) => error.to_string(),
    }
}

/// Asks with a form that is none.
#[mcp::tool]
async fn mistaken(ctx: &Context) -> Result<String, ToolError> {
    let answer = ctx.elicit_form("What?", json!({"type": "array"})).await?;
    Ok(format!("{answer:?}"))
}

/// A resource that elicits.
#[mcp::resource("asking://{name}")]
async fn asking(name: &str, ctx: &Context) -> Result<String, ToolError> {
    let answer = ctx.elicit::<bool>(format!("Read {name}?")).await?;
    Ok(format!("{name}: {answer:?}"))
}

/// A prompt whose completion asks, which it cannot.
#[mcp::prompt]
async fn completing(#[arg(complete = complete)] word: &str) -> String {
    word.to_owned()
}

async fn complete(_: CompletionRequest, ctx: Context) -> Vec<String> {
    let error = ctx.sample(SamplingRequest::new("Which words?")).await.unwrap_err();
    vec![error.to_string()]
}

/// Asks for a confirmation under a key of its own.
#[mcp::tool]
async fn agreeing(ctx: &Context) -> Result<String, ToolError> {
    Ok(format!("{:?}", ctx.elicit::<bool>("Agreed?").key("confirm").await?))
}

/// Leaves the question to others.
#[mcp::tool]
async fn through_another(ctx: &Context) -> Result<String, ToolError> {
    let agreed = ctx.call_tool("agreeing", json!({})).await?;
    let read = ctx.read_resource("asking://mine").await?;
    Ok(format!("{} {}", agreed.as_text(), read.len()))
}

/// Asks the model.
#[mcp::tool]
async fn ask_the_model(ctx: &Context) -> Result<String, ToolError> {
    Ok(ctx.sample(SamplingRequest::new("Delete it?")).await?.text())
}

/// Asks where the client works.
#[mcp::tool]
async fn ask_for_roots(ctx: &Context) -> Result<usize, ToolError> {
    Ok(ctx.roots().await?.len())
}

/// A prompt that asks.
#[mcp::prompt]
async fn asking_prompt(ctx: &Context) -> Result<String, ToolError> {
    Ok(format!("{:?}", ctx.elicit::<bool>("Fill it in?").await?))
}

/// Begins to ask, asks something else instead, and then asks after all.
#[mcp::tool]
async fn hesitant(ctx: &Context) -> Result<String, ToolError> {
    let given_up = tokio::select! {
        biased;
        answer = ctx.elicit::<bool>("Delete everything?").key("delete") => Some(answer?),
        () = std::future::ready(()) => None,
    };
    let other = ctx.elicit::<bool>("Something else?").key("other").await?;
    let delete = match given_up {
        Some(answer) => answer,
        None => ctx.elicit::<bool>("Delete everything?").key("delete").await?,
    };
    Ok(format!("{delete:?} {other:?}"))
}

/// Asks in other words each time.
#[mcp::tool]
async fn restless_text(ctx: &Context, count: State<Count>) -> Result<String, ToolError> {
    Ok(format!("{:?}", ctx.elicit::<bool>(format!("Is it {}?", count.add())).await?))
}

/// Asks with another form each time.
#[mcp::tool]
async fn restless_schema(ctx: &Context, count: State<Count>) -> Result<String, ToolError> {
    let name = format!("field{}", count.add());
    let schema = json!({"type": "object", "properties": {name: {"type": "boolean"}}});
    Ok(format!("{:?}", ctx.elicit_form("Well?", schema).key("k").await?))
}

/// Asks under another key each time.
#[mcp::tool]
async fn restless_key(ctx: &Context, count: State<Count>) -> Result<String, ToolError> {
    Ok(format!("{:?}", ctx.elicit::<bool>("Well?").key(format!("k{}", count.add())).await?))
}

/// Asks many things at once.
#[mcp::tool]
async fn many(count: usize, ctx: Context) -> Result<usize, ToolError> {
    let mut open: Vec<_> =
        (0..count).map(|number| Some(Box::pin(ctx.elicit::<bool>(format!("Number {number}?"))))).collect();
    let mut answered = 0;
    std::future::poll_fn(|task| {
        for slot in &mut open {
            if slot.as_mut().is_some_and(|question| question.as_mut().poll(task).is_ready()) {
                (*slot, answered) = (None, answered + 1);
            }
        }
        if answered == count { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    Ok(answered)
}

/// Asks for a long text, and for something after that.
#[mcp::tool]
async fn essay(ctx: &Context) -> Result<String, ToolError> {
    let text = ctx.elicit::<String>("Write!").await?.accepted().unwrap_or_default();
    Ok(format!("{} bytes, {:?}", text.len(), ctx.elicit::<bool>("Is that all?").await?))
}

/// Messages that change between the rounds, and the responses that the tool got to them.
#[derive(Default)]
struct Wizard {
    versions: [AtomicU32; 4],
    given: Mutex<Vec<(String, String)>>,
}

/// Asks four things: two at once, and one after the other.
#[mcp::tool]
async fn wizard(ctx: &Context, wizard: State<Arc<Wizard>>) -> Result<String, ToolError> {
    let ask = async |number: usize| {
        let text = format!("{number} in version {}", wizard.versions[number].load(Ordering::SeqCst));
        let question = ctx.elicit::<String>(text.clone());
        let question = if number == 3 { question.key("last") } else { question };
        let answer = question.await?.accepted().unwrap_or_default();
        wizard.given.lock().unwrap().push((text, answer));
        Ok::<_, ToolError>(())
    };
    let (one, other) = tokio::join!(ask(0), ask(1));
    one?;
    other?;
    ask(2).await?;
    ask(3).await?;
    Ok("done".into())
}

/// The log of this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn subscribe(&self) -> tracing::subscriber::DefaultGuard {
        let log = self.clone();
        tracing::subscriber::set_default(tracing_subscriber::fmt().with_writer(move || log.clone()).finish())
    }

    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn app_with(name: &str, wizard: Arc<Wizard>) -> App {
    App::from_module(name, module_path!()).state(Count::default()).state(wizard)
}

fn app() -> App {
    app_with("rounds", Arc::default())
}

fn envelope() -> Value {
    json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}, "sampling": {}, "roots": {}},
    })
}

async fn ask(wire: &mut RawClient, method: &str, mut params: Value) -> Value {
    params["_meta"] = envelope();
    wire.send(json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string());
    answered(wire, method).await
}

/// Sends a modern request and returns its response.
async fn answered(wire: &mut RawClient, method: &str) -> Value {
    let answer = serde_json::from_str(&wire.receive().await).unwrap();
    schema::check_answer(Revision::NEWEST, method, &answer).unwrap();
    answer
}

async fn call(wire: &mut RawClient, tool: &str, arguments: Value, responses: Value, state: &Value) -> Value {
    let mut params = json!({"name": tool, "arguments": arguments, "inputResponses": responses});
    if !state.is_null() {
        params["requestState"] = state.clone();
    }
    ask(wire, "tools/call", params).await
}

fn yes() -> Value {
    json!({"action": "accept", "content": {"value": true}})
}

/// A session of a client that supports elicitation.
async fn session(app: App) -> RawClient {
    let mut wire = app.connect().await.unwrap();
    let params = json!({
        "protocolVersion": "2025-11-25",
        "capabilities": {"elicitation": {}},
        "clientInfo": {"name": "tests", "version": "1"},
    });
    wire.send(json!({"jsonrpc": "2.0", "id": "init", "method": "initialize", "params": params}).to_string());
    wire.receive().await;
    wire.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    wire
}

fn begin(wire: &mut RawClient, id: u64, tool: &str, arguments: Value) {
    let params = json!({"name": tool, "arguments": arguments});
    wire.send(json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params}).to_string());
}

/// The next frame of a session in which tools are called.
async fn receive(wire: &mut RawClient) -> Value {
    let frame: Value = serde_json::from_str(&wire.receive().await).unwrap();
    let revision = Revision::V2025_11_25;
    let checked = match (frame.get("method"), frame.get("id")) {
        (Some(_), Some(_)) => schema::check_request(revision, &frame),
        (Some(_), None) => schema::check_notification(revision, &frame),
        (None, _) if frame["result"] == json!({}) => schema::check_answer(revision, "ping", &frame),
        (None, _) => schema::check_answer(revision, "tools/call", &frame),
    };
    checked.unwrap();
    frame
}

#[tokio::test]
async fn a_remembered_value_is_computed_once_in_all_rounds() {
    let mut wire = app().connect().await.unwrap();
    let first = call(&mut wire, "counted", json!({}), json!({}), &Value::Null).await;
    let state = &first["result"]["requestState"];
    let second = call(&mut wire, "counted", json!({}), json!({"elicitation_1": yes()}), state).await;
    assert_eq!(second["result"]["inputRequests"]["elicitation_2"]["params"]["message"], "Second?");
    let state = &second["result"]["requestState"];
    let done = call(&mut wire, "counted", json!({}), json!({"elicitation_2": yes()}), state).await;
    assert_eq!(done["result"]["content"][0]["text"], "1 1 Accepted(true) Accepted(true)");
}

#[tokio::test]
async fn the_order_and_spacing_of_arguments_do_not_matter() {
    let mut wire = app().connect().await.unwrap();
    let request = |arguments: &str, more: &str| {
        let meta = envelope();
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"patient","arguments":{arguments},"_meta":{meta}{more}}}}}"#
        )
    };
    wire.send(request(r#"{"seconds":5}"#, ""));
    let asked = answered(&mut wire, "tools/call").await;
    let more = format!(
        r#","requestState":{},"inputResponses":{{"elicitation_1":{{"action":"decline"}}}}"#,
        asked["result"]["requestState"]
    );
    wire.send(request("{ \"\\u0073econds\" : 5 }", &more));
    assert_eq!(answered(&mut wire, "tools/call").await["result"]["content"][0]["text"], "Declined");
    wire.send(request(r#"{"seconds":6}"#, &more));
    assert_eq!(answered(&mut wire, "tools/call").await["error"]["code"], -32602);
}

#[tokio::test]
async fn an_elicitation_of_a_task_ends_the_round() {
    let mut wire = app().connect().await.unwrap();
    let asked = call(&mut wire, "elsewhere", json!({}), json!({}), &Value::Null).await;
    let question = &asked["result"]["inputRequests"]["elicitation_1"];
    assert_eq!(question["params"]["message"], "From a task?");
    let state = &asked["result"]["requestState"];
    let done = call(&mut wire, "elsewhere", json!({}), json!({"elicitation_1": yes()}), state).await;
    assert_eq!(done["result"]["content"][0]["text"], "Ok(Accepted(true))");
}

#[tokio::test]
async fn a_response_to_another_request_is_ignored() {
    let mut wire = app().connect().await.unwrap();
    let asked = call(&mut wire, "counted", json!({}), json!({}), &Value::Null).await;
    // A response to a request that was not sent yet does not count, because the state names the sent requests.
    let state = &asked["result"]["requestState"];
    let early = json!({"elicitation_1": yes(), "elicitation_2": {"action": "cancel"}});
    let second = call(&mut wire, "counted", json!({}), early, state).await;
    assert_eq!(second["result"]["inputRequests"]["elicitation_2"]["params"]["message"], "Second?");
}

#[tokio::test]
async fn responses_without_a_state_are_no_consent() {
    let mut wire = app().connect().await.unwrap();
    let mut keys = json!({"confirm": yes(), "agreeing_1/confirm": yes()});
    let sampled = json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": "yes"}});
    for number in 1..4 {
        keys[format!("elicitation_{number}")] = yes();
        keys[format!("asking_{number}/elicitation_1")] = yes();
        keys[format!("sampling_{number}")] = sampled.clone();
        keys[format!("roots_{number}")] = json!({"roots": [{"uri": "file:///etc"}]});
    }
    for (method, params) in [
        ("tools/call", json!({"name": "counted", "arguments": {}})),
        ("tools/call", json!({"name": "agreeing", "arguments": {}})),
        ("tools/call", json!({"name": "through_another", "arguments": {}})),
        ("tools/call", json!({"name": "elsewhere", "arguments": {}})),
        ("tools/call", json!({"name": "ask_the_model", "arguments": {}})),
        ("tools/call", json!({"name": "ask_for_roots", "arguments": {}})),
        ("resources/read", json!({"uri": "asking://diary"})),
        ("prompts/get", json!({"name": "asking_prompt", "arguments": {}})),
    ] {
        let mut params = params;
        let asked = ask(&mut wire, method, params.clone()).await;
        assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
        params["inputResponses"] = keys.clone();
        let again = ask(&mut wire, method, params).await;
        assert_eq!(again["result"]["inputRequests"], asked["result"]["inputRequests"], "{method}");
    }
}

#[tokio::test]
async fn a_response_to_a_request_that_was_not_sent_is_ignored() {
    let mut wire = app().connect().await.unwrap();
    let asked = call(&mut wire, "hesitant", json!({}), json!({}), &Value::Null).await;
    let questions = asked["result"]["inputRequests"].as_object().unwrap();
    assert_eq!(questions.keys().collect::<Vec<_>>(), ["other"], "the first question was given up");
    let both = json!({"delete": yes(), "other": yes()});
    let again = call(&mut wire, "hesitant", json!({}), both, &asked["result"]["requestState"]).await;
    let questions = again["result"]["inputRequests"].as_object().unwrap();
    assert_eq!(questions.keys().collect::<Vec<_>>(), ["delete"], "{again}");
    // A response to a request of an earlier round alone does not count either.
    let late = json!({"delete": yes(), "other": {"action": "decline"}});
    let done = call(&mut wire, "hesitant", json!({}), late, &again["result"]["requestState"]).await;
    assert_eq!(done["result"]["content"][0]["text"], "Accepted(true) Accepted(true)");
}

#[tokio::test]
async fn a_response_of_another_kind_is_no_consent() {
    let mut wire = app().connect().await.unwrap();
    let asked = call(&mut wire, "agreeing", json!({}), json!({}), &Value::Null).await;
    for odd in [
        json!({}),
        json!({"content": {"value": true}}),
        json!({"action": true, "content": {"value": true}}),
        json!({"action": "ACCEPT", "content": {"value": true}}),
        json!({"action": "accept", "content": {"value": "perhaps"}}),
        json!({"role": "assistant", "model": "m", "content": {"type": "text", "text": "accept"}}),
        json!({"roots": []}),
    ] {
        let answers = json!({"confirm": odd});
        let refused = call(&mut wire, "agreeing", json!({}), answers, &asked["result"]["requestState"]).await;
        assert_eq!(refused["result"]["isError"], true, "{odd}: {refused}");
        let text = refused["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.contains("the client's response is invalid"), "{odd}: {text}");
    }
}

#[tokio::test]
async fn a_request_that_differs_in_every_round_fails_and_is_named() {
    let log = Log::default();
    let _subscriber = log.subscribe();
    for (tool, key) in [("restless_text", "elicitation_1"), ("restless_schema", "k"), ("restless_key", "k10")] {
        let mut wire = app().connect().await.unwrap();
        let mut answer = call(&mut wire, tool, json!({}), json!({}), &Value::Null).await;
        let mut rounds = 0;
        while let Some(questions) = answer["result"]["inputRequests"].as_object() {
            assert!(rounds < 8, "{tool}");
            let key = questions.keys().next().unwrap().clone();
            answer = call(&mut wire, tool, json!({}), json!({key: yes()}), &answer["result"]["requestState"]).await;
            if rounds == 3 {
                // A round without any response does not count.
                answer = call(&mut wire, tool, json!({}), json!({}), &answer["result"]["requestState"]).await;
            }
            rounds += 1;
        }
        let message = answer["error"]["message"].as_str().unwrap_or_else(|| panic!("{answer}"));
        assert_eq!((rounds, &answer["error"]["code"]), (8, &json!(-32603)), "{tool}: {message}");
        assert!(message.contains(&format!("the request `{key}` to the client changed")), "{tool}: {message}");
        let told = log.text();
        assert!(told.contains(&format!("the tool `{tool}` cannot ask its client")), "{told}");
        assert!(told.contains("Context::remember"), "{told}");
    }
}

#[tokio::test]
async fn a_response_cannot_be_moved_to_another_request() {
    let wizard = Arc::new(Wizard::default());
    let mut wire = app_with("rounds", Arc::clone(&wizard)).connect().await.unwrap();
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut pick = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below as u64).unwrap()
    };
    // The states so far, each with its requests; and each token with the request that it responds to.
    let mut rounds: Vec<(Value, Map<String, Value>)> = Vec::new();
    let mut asked: Vec<(String, String)> = Vec::new();
    let mut finished = 0;
    for _ in 0..300 {
        if pick(12) == 0 {
            wizard.versions[pick(4)].fetch_add(1, Ordering::SeqCst);
        }
        let begins_anew = rounds.is_empty() || pick(8) == 0;
        // An old state, or one of the newest.
        let number = if pick(4) == 0 { pick(rounds.len().max(1)) } else { rounds.len().saturating_sub(1 + pick(2)) };
        let no_round = (Value::Null, Map::new());
        let (state, open) = if begins_anew { &no_round } else { &rounds[number] };
        let mut answers = Map::new();
        for key in ["elicitation_1", "elicitation_2", "elicitation_3", "last"] {
            // The response of an earlier round, or a new one.
            let token = match pick(8) {
                0 => continue,
                1 if !asked.is_empty() => asked[pick(asked.len())].0.clone(),
                _ => format!("token {}", asked.len()),
            };
            // Any content is a valid response to a request that was sent.
            let message = open.get(key).map_or("nothing", |question| question["params"]["message"].as_str().unwrap());
            asked.push((token.clone(), message.to_owned()));
            answers.insert(key.into(), json!({"action": "accept", "content": {"value": token}}));
        }
        wizard.given.lock().unwrap().clear();
        let answer = call(&mut wire, "wizard", json!({}), answers.into(), state).await;
        for (text, given) in wizard.given.lock().unwrap().iter() {
            let is_answer = asked.iter().any(|(token, message)| token == given && message == text);
            assert!(is_answer, "`{given}` was given to \"{text}\"");
        }
        match answer["result"]["inputRequests"].as_object() {
            Some(questions) => rounds.push((answer["result"]["requestState"].clone(), questions.clone())),
            None if answer["result"]["content"][0]["text"] == "done" => finished += 1,
            None => assert_eq!(answer["error"]["code"], -32603, "{answer}"),
        }
    }
    assert!(finished > 3, "{finished} calls came to their end");
}

#[tokio::test]
async fn three_hundred_requests_are_open_at_a_time() {
    let mut wire = app().connect().await.unwrap();
    let asked = call(&mut wire, "many", json!({"count": 300}), json!({}), &Value::Null).await;
    let questions = asked["result"]["inputRequests"].as_object().unwrap_or_else(|| panic!("{asked}"));
    assert_eq!(questions.len(), 300);
    assert_eq!(questions.keys().next().map(String::as_str), Some("elicitation_1"), "in the order in which they came");
    let state = asked["result"]["requestState"].as_str().unwrap();
    assert!(state.len() < 300 * 64, "{} bytes", state.len());
    let half = |from: usize, to: usize| -> Value {
        (from..to).map(|number| (format!("elicitation_{number}"), yes())).collect::<Map<_, _>>().into()
    };
    let arguments = || json!({"count": 300});
    let more = call(&mut wire, "many", arguments(), half(1, 151), &asked["result"]["requestState"]).await;
    assert_eq!(more["result"]["inputRequests"].as_object().map(Map::len), Some(150));
    let done = call(&mut wire, "many", arguments(), half(151, 301), &more["result"]["requestState"]).await;
    assert_eq!(done["result"]["content"][0]["text"], "300");
}

#[tokio::test]
async fn a_long_response_is_kept_until_the_last_round() {
    let mut wire = app().connect().await.unwrap();
    for length in [12_500, 260_000] {
        let asked = call(&mut wire, "essay", json!({}), json!({}), &Value::Null).await;
        let text = json!({"action": "accept", "content": {"value": "é".repeat(length / 2)}});
        let state = &asked["result"]["requestState"];
        let second = call(&mut wire, "essay", json!({}), json!({"elicitation_1": text}), state).await;
        assert_eq!(second["result"]["resultType"], "input_required", "{length}: {}", second["error"]);
        let state = &second["result"]["requestState"];
        let length_of_state = state.as_str().unwrap().len();
        assert!(length_of_state < length * 4 / 3 + 512, "it holds the answer once, in {length_of_state} bytes");
        let done = call(&mut wire, "essay", json!({}), json!({"elicitation_2": yes()}), state).await;
        assert_eq!(done["result"]["content"][0]["text"], format!("{length} bytes, Accepted(true)"));
    }
}

#[tokio::test]
async fn a_state_beyond_its_limit_is_an_error_that_names_the_limit() {
    let log = Log::default();
    let _subscriber = log.subscribe();
    for (limit, bytes) in [(None, 524_288), (Some(4096), 4096), (Some(0), 1024)] {
        let app = limit.into_iter().fold(app(), App::max_request_state);
        let mut wire = app.connect().await.unwrap();
        let asked = call(&mut wire, "essay", json!({}), json!({}), &Value::Null).await;
        let text = json!({"action": "accept", "content": {"value": "x".repeat(bytes * 3 / 4)}});
        let state = &asked["result"]["requestState"];
        let refused = call(&mut wire, "essay", json!({}), json!({"elicitation_1": text}), state).await;
        let message = refused["error"]["message"].as_str().unwrap_or_else(|| panic!("{refused}"));
        assert_eq!(refused["error"]["code"], -32603, "{message}");
        let named = format!("the limit of this server is {bytes} bytes (`App::max_request_state`)");
        assert!(message.contains(&named), "{message}");
        let told = log.text();
        assert!(
            told.contains("the tool `essay` cannot ask its client") && told.contains("raise `App::max_req"),
            "{told}"
        );
        // A shorter response to the same request does.
        let text = json!({"action": "accept", "content": {"value": "x".repeat(bytes / 4)}});
        let second = call(&mut wire, "essay", json!({}), json!({"elicitation_1": text}), state).await;
        assert_eq!(second["result"]["resultType"], "input_required", "{second}");
    }
}

#[tokio::test]
async fn a_state_opens_for_no_other_app_with_the_same_key() {
    let app = |name| app_with(name, Arc::default()).sealing_keys([SealingKey::new([7; 32])]);
    let (mut one, mut other) = (app("staging").connect().await.unwrap(), app("production").connect().await.unwrap());
    let asked = call(&mut one, "agreeing", json!({}), json!({}), &Value::Null).await;
    let state = &asked["result"]["requestState"];
    let refused = call(&mut other, "agreeing", json!({}), json!({"confirm": yes()}), state).await;
    assert_eq!(refused["error"]["code"], -32602);
    let done = call(&mut one, "agreeing", json!({}), json!({"confirm": yes()}), state).await;
    assert_eq!(done["result"]["content"][0]["text"], "Accepted(true)");
}

#[tokio::test]
async fn two_requests_with_one_key_are_an_error() {
    let mut wire = session(app()).await;
    begin(&mut wire, 1, "twice", json!({}));
    let asked = receive(&mut wire).await;
    assert_eq!(asked["method"], "elicitation/create");
    let other = receive(&mut wire).await;
    assert_eq!(other["method"], "elicitation/create", "requests have ids of their own, so a key means nothing");
    drop(wire);
    let mut wire = app().connect().await.unwrap();
    let asked = call(&mut wire, "twice", json!({}), json!({}), &Value::Null).await;
    let state = &asked["result"]["requestState"];
    let done = call(&mut wire, "twice", json!({}), json!({"k": yes()}), state).await;
    let text = done["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("Accepted(true)") && text.contains("two requests to the client have the key `k`"), "{text}");
}

#[tokio::test]
async fn mistakes_of_the_author_are_logged_and_not_sent() {
    let mut wire = app().connect().await.unwrap();
    let answer = call(&mut wire, "too_much", json!({}), json!({}), &Value::Null).await;
    assert_eq!(answer["error"]["code"], -32603);
    let answer = call(&mut wire, "mistaken", json!({}), json!({}), &Value::Null).await;
    assert_eq!(answer["result"]["isError"], true);
    let text = answer["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("server's log"), "{text}");
}

#[tokio::test]
async fn a_resource_can_elicit_and_its_state_is_bound_to_its_uri() {
    let mut wire = app().connect().await.unwrap();
    let asked = ask(&mut wire, "resources/read", json!({"uri": "asking://diary"})).await;
    assert!(asked["result"].get("ttlMs").is_none());
    let state = &asked["result"]["requestState"];
    let mut again = json!({"uri": "asking://diary", "inputResponses": {"elicitation_1": yes()}, "requestState": state});
    let done = ask(&mut wire, "resources/read", again.clone()).await;
    assert_eq!(done["result"]["contents"][0]["text"], "diary: Accepted(true)");
    again["uri"] = "asking://safe".into();
    assert_eq!(ask(&mut wire, "resources/read", again).await["error"]["code"], -32602);
}

#[tokio::test]
async fn a_completion_cannot_elicit() {
    let mut wire = app().connect().await.unwrap();
    let reference = json!({"type": "ref/prompt", "name": "completing"});
    let params = json!({"ref": reference, "argument": {"name": "word", "value": ""}});
    let answer = ask(&mut wire, "completion/complete", params).await;
    let text = answer["result"]["completion"]["values"][0].as_str().unwrap();
    assert!(text.contains("only during `tools/call`"), "{text}");
}

#[tokio::test]
async fn processes_with_one_key_continue_each_others_rounds() {
    let app = || app().sealing_keys([SealingKey::new([7; 32])]);
    let (mut one, mut other) = (app().connect().await.unwrap(), app().connect().await.unwrap());
    let asked = call(&mut one, "patient", json!({"seconds": 1}), json!({}), &Value::Null).await;
    let state = &asked["result"]["requestState"];
    let done = call(&mut other, "patient", json!({"seconds": 1}), json!({"elicitation_1": yes()}), state).await;
    assert_eq!(done["result"]["content"][0]["text"], "Accepted(true)");
    let mut stranger = self::app().connect().await.unwrap();
    let refused = call(&mut stranger, "patient", json!({"seconds": 1}), json!({"elicitation_1": yes()}), state).await;
    assert_eq!(refused["error"]["code"], -32602);
}

#[tokio::test]
async fn an_expired_state_is_refused_as_a_forged_one_is() {
    let mut wire = app().request_state_ttl(Duration::ZERO).connect().await.unwrap();
    let asked = call(&mut wire, "patient", json!({"seconds": 1}), json!({}), &Value::Null).await;
    let answers = json!({"elicitation_1": yes()});
    let expired =
        call(&mut wire, "patient", json!({"seconds": 1}), answers.clone(), &asked["result"]["requestState"]).await;
    let forged = call(&mut wire, "patient", json!({"seconds": 1}), answers, &json!("forged")).await;
    assert_eq!(expired["error"]["code"], -32602);
    assert_eq!(expired, forged);
}

#[tokio::test(start_paused = true)]
async fn waiting_for_the_user_does_not_count_towards_the_timeout() {
    let mut wire = session(app()).await;
    begin(&mut wire, 1, "patient", json!({"seconds": 60}));
    let asked = receive(&mut wire).await;
    std::thread::sleep(Duration::from_millis(20));
    tokio::time::sleep(Duration::from_secs(30)).await;
    wire.send(json!({"jsonrpc": "2.0", "id": asked["id"], "result": yes()}).to_string());
    assert_eq!(receive(&mut wire).await["result"]["content"][0]["text"], "Accepted(true)");
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_response_is_cancelled_after_its_timeout() {
    let mut wire = session(app()).await;
    begin(&mut wire, 1, "patient", json!({"seconds": 60}));
    let asked = receive(&mut wire).await;
    let withdrawn = receive(&mut wire).await;
    assert_eq!(withdrawn["method"], "notifications/cancelled");
    assert_eq!(withdrawn["params"]["requestId"], asked["id"]);
    assert_eq!(receive(&mut wire).await["result"]["content"][0]["text"], "nobody answered");
    // A late response is ignored.
    wire.send(json!({"jsonrpc": "2.0", "id": asked["id"], "result": yes()}).to_string());
    wire.send(r#"{"jsonrpc":"2.0","id":2,"method":"ping"}"#);
    assert_eq!(receive(&mut wire).await["id"], 2);
}

#[tokio::test]
async fn a_cancelled_call_cancels_its_request() {
    let mut wire = session(app()).await;
    begin(&mut wire, 1, "patient", json!({"seconds": 60}));
    let asked = receive(&mut wire).await;
    wire.send(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#);
    let withdrawn = receive(&mut wire).await;
    assert_eq!(
        (&withdrawn["method"], &withdrawn["params"]["requestId"]),
        (&json!("notifications/cancelled"), &asked["id"])
    );
}

#[tokio::test]
async fn the_error_of_a_client_is_a_text_for_the_model() {
    let mut wire = session(app()).await;
    begin(&mut wire, 1, "patient", json!({"seconds": 60}));
    let asked = receive(&mut wire).await;
    let error = json!({"code": -1, "message": "the user is away"});
    wire.send(json!({"jsonrpc": "2.0", "id": asked["id"], "error": error}).to_string());
    let answer = receive(&mut wire).await;
    assert_eq!(answer["result"]["content"][0]["text"], "the client returned an error: the user is away (code -1)");
    for odd in [json!({"action": "maybe"}), json!([]), json!("x")] {
        begin(&mut wire, 2, "patient", json!({"seconds": 60}));
        let asked = receive(&mut wire).await;
        wire.send(json!({"jsonrpc": "2.0", "id": asked["id"], "result": odd}).to_string());
        let answer = receive(&mut wire).await;
        let text = answer["result"]["content"][0]["text"].as_str().unwrap();
        assert!(text.contains("the client's response is invalid"), "{text}");
    }
}

#[tokio::test]
async fn rounds_pass_through_middleware_and_belong_to_their_principal() {
    use fastmcp_rs::Principal;
    use fastmcp_rs::middleware::{Timing, from_fn};

    let app = || {
        app()
            .sealing_keys([SealingKey::new([7; 32])])
            .layer(Timing::new())
            .layer(from_fn(|operation, next| async move { next.run(operation).await }))
    };
    let mut ada = app().connect_as(Principal::new("ada")).await.unwrap();
    let asked = call(&mut ada, "counted", json!({}), json!({}), &Value::Null).await;
    let state = &asked["result"]["requestState"];
    assert_eq!(asked["result"]["inputRequests"]["elicitation_1"]["params"]["message"], "First?");
    let answers = json!({"elicitation_1": yes()});
    let mut bob = app().connect_as(Principal::new("bob")).await.unwrap();
    let stolen = call(&mut bob, "counted", json!({}), answers.clone(), state).await;
    assert_eq!(stolen["error"]["code"], -32602);
    let second = call(&mut ada, "counted", json!({}), answers, state).await;
    let state = &second["result"]["requestState"];
    let done = call(&mut ada, "counted", json!({}), json!({"elicitation_2": yes()}), state).await;
    assert_eq!(done["result"]["content"][0]["text"], "1 1 Accepted(true) Accepted(true)");

    let mut wire = session(app()).await;
    begin(&mut wire, 1, "patient", json!({"seconds": 60}));
    let asked = receive(&mut wire).await;
    wire.send(json!({"jsonrpc": "2.0", "id": asked["id"], "result": yes()}).to_string());
    assert_eq!(receive(&mut wire).await["result"]["content"][0]["text"], "Accepted(true)");
}
