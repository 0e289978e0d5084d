//! U+0085, U+2028 and U+2029, which JSON allows and several clients treat as line ends.

use std::collections::BTreeMap;
use std::time::Duration;

use fastmcp_rs::middleware::{self, OperationError};
use fastmcp_rs::prelude::*;
use fastmcp_rs::testing::RawClient;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::run;
use super::support::{Revision, SEPARATORS};

/// All three, each beside characters whose first bytes are the same.
const TEXT: &str = "a\u{85}\u{86}b\u{2028}\u{2029}\u{202A}\u{2028}é\u{2013}";

/// A text, and the same as a key and as JSON that was written elsewhere.
#[derive(serde::Serialize, schemars::JsonSchema)]
struct Texts {
    text: String,
    keys: BTreeMap<String, char>,
    value: Value,
    #[schemars(with = "String")]
    raw: Box<RawValue>,
}

impl Texts {
    fn of(text: &str) -> Texts {
        Texts {
            text: text.into(),
            keys: BTreeMap::from([(text.into(), '\u{2028}')]),
            value: json!({ text: [text] }),
            raw: RawValue::from_string(format!("{{\n\"{text}\":\u{20}\"{text}\"}}")).expect("it is JSON"),
        }
    }
}

/// Says something back.
#[mcp::tool]
async fn echo(text: String) -> String {
    text
}

/// Says something back, a little later.
#[mcp::tool]
async fn echo_later(text: String) -> String {
    tokio::task::yield_now().await;
    text
}

/// Says something back, from a thread of its own.
#[mcp::tool(blocking)]
fn echo_blocking(text: &str) -> &str {
    text
}

/// Says something back as structured content.
#[mcp::tool]
async fn texts(text: String) -> Texts {
    Texts::of(&text)
}

/// Says something back as a list.
#[mcp::tool]
async fn list(text: String) -> Vec<String> {
    vec![text]
}

/// Says something back in every part of a result.
#[mcp::tool]
async fn parts(text: String) -> Result<ToolResult, serde_json::Error> {
    let result = ToolResult::new().content(Content::from(text.as_str()));
    let result = result.content(EmbeddedResource::text(format!("text:{text}"), &text).meta(&text, text.as_str()));
    Ok(result.structured([&text])?.meta(&text, text.as_str()))
}

/// Fails with a text.
#[mcp::tool]
async fn fail(text: String) -> Result<String, ToolError> {
    Err(ToolError::new(text))
}

/// Takes a number.
#[mcp::tool]
async fn number(number: u8, names: Option<Vec<u8>>) -> String {
    format!("{number} {names:?}")
}

/// Reports progress and logs.
#[mcp::tool]
async fn tell(text: String, ctx: &Context) -> String {
    ctx.progress(1.0, None, text.as_str());
    ctx.log(LoggingLevel::Error, json!({ &text: text }));
    text
}

/// Asks a person.
#[mcp::tool]
async fn ask(text: String, ctx: &Context) -> Result<String, ToolError> {
    let _ = ctx.elicit::<String>(text).await?;
    Ok("asked".into())
}

/// Asks a model.
#[mcp::tool]
async fn sample(text: String, ctx: &Context) -> Result<String, ToolError> {
    ctx.sample(SamplingRequest::new(text).max_tokens(5)).await?;
    Ok("asked".into())
}

/// A resource as JSON.
#[mcp::resource("json://texts", mime_type = "application/json")]
async fn resource() -> Result<ResourceContents, serde_json::Error> {
    ResourceContents::json(&Texts::of(TEXT))
}

/// A note.
#[mcp::resource("note://{name}")]
async fn note(name: String) -> ResourceContents {
    ResourceContents::text(name.as_str()).meta(&name, name.as_str())
}

/// A prompt.
#[mcp::prompt]
async fn greet(#[arg(complete = names)] name: String) -> Vec<Message> {
    vec![Message::user(name.as_str()), Message::assistant(name)]
}

async fn names(_: CompletionRequest) -> Vec<String> {
    vec![TEXT.into()]
}

fn app() -> App {
    let schema = json!({
        "type": "object",
        "properties": {TEXT: {"type": "string", "description": TEXT, "enum": [TEXT], "default": TEXT}},
    });
    let dynamic = DynamicTool::new("dynamic", schema, |_, _| async {
        Ok::<_, ToolError>(ToolResult::from(json!({ TEXT: TEXT })))
    });
    let plain = |name| DynamicTool::new(name, json!({"type": "object"}), |_, _| async { Ok::<_, ToolError>("plain") });
    let app = App::empty(TEXT).instructions(TEXT);
    let app = app.tool::<echo>().tool::<echo_later>().tool::<echo_blocking>().tool::<texts>().tool::<list>();
    let app = app.tool::<parts>().tool::<fail>().tool::<number>().tool::<tell>().tool::<ask>().tool::<sample>();
    let app = app
        .add_tool(dynamic.title(TEXT).description(TEXT).meta(TEXT, TEXT))
        .add_tool(plain("refused"))
        .add_tool(plain("rewritten"));
    app.resource::<resource>().resource::<note>().prompt::<greet>()
}

/// The same with a layer that refuses a call, and rewrites the result of another.
fn layered() -> App {
    let layer = middleware::from_fn(|operation, next| async move {
        match operation.name() {
            "refused" => Err(OperationError::new(-32603, TEXT).data(json!({ TEXT: TEXT }))),
            "rewritten" => {
                let reply = next.run(operation).await?;
                let content = json!([{"type": "text", "text": TEXT}]);
                let members = reply.members().into_iter().chain([("content".into(), content)]).collect();
                Ok(reply.with_members(members))
            }
            _ => next.run(operation).await,
        }
    });
    app().layer(layer)
}

/// The next frame, which no client takes for two.
async fn receive(wire: &mut RawClient) -> Value {
    let frame = tokio::time::timeout(Duration::from_secs(20), wire.receive()).await.expect("a frame comes");
    assert!(!frame.contains(SEPARATORS), "{frame:?}");
    serde_json::from_str(&frame).unwrap_or_else(|error| panic!("{error}: {frame}"))
}

fn send(wire: &mut RawClient, revision: Revision, method: &str, params: Value) {
    let mut meta = json!({"progressToken": TEXT});
    if revision.is_modern() {
        meta["io.modelcontextprotocol/clientCapabilities"] = json!({"elicitation": {}, "sampling": {}});
        meta["io.modelcontextprotocol/logLevel"] = "debug".into();
    }
    wire.send(revision.request_with_meta(TEXT, method, params, meta));
}

async fn exchange(wire: &mut RawClient, revision: Revision, method: &str, params: Value) -> Value {
    send(wire, revision, method, params);
    let answer = receive(wire).await;
    assert_eq!(answer["id"], TEXT, "{answer}");
    answer
}

async fn call(wire: &mut RawClient, revision: Revision, tool: &str, arguments: Value) -> Value {
    exchange(wire, revision, "tools/call", json!({"name": tool, "arguments": arguments})).await
}

async fn open(revision: Revision) -> (RawClient, Value) {
    open_app(app(), revision).await
}

async fn open_app(app: App, revision: Revision) -> (RawClient, Value) {
    let mut wire = app.connect().await.expect("the app is valid");
    if revision.is_modern() {
        let discovered = exchange(&mut wire, revision, "server/discover", json!({})).await;
        return (wire, discovered);
    }
    let params = json!({
        "protocolVersion": revision.name(),
        "capabilities": {"elicitation": {}, "sampling": {}},
        "clientInfo": {"name": TEXT, "version": TEXT},
    });
    let answer = exchange(&mut wire, revision, "initialize", params).await;
    wire.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#);
    (wire, answer)
}

const REVISIONS: [Revision; 3] = [Revision::V2025_03_26, Revision::V2025_11_25, Revision::NEWEST];

#[test]
fn results_have_no_raw_separators_and_are_the_same_texts() {
    run(async {
        for revision in REVISIONS {
            let (mut wire, _) = open(revision).await;
            let text = json!({"text": TEXT});
            for tool in ["echo", "echo_later", "echo_blocking", "fail"] {
                let answer = call(&mut wire, revision, tool, text.clone()).await;
                assert_eq!(answer["result"]["content"][0]["text"], TEXT, "{tool}");
            }
            let expected = serde_json::to_value(Texts::of(TEXT)).expect("it is JSON");
            let wrapped = json!({"result": [TEXT]});
            for (tool, expected) in [
                ("texts", &expected),
                ("dynamic", &json!({ TEXT: TEXT })),
                ("list", if revision == Revision::V2025_11_25 { &wrapped } else { &wrapped["result"] }),
            ] {
                let answer = call(&mut wire, revision, tool, if tool == "dynamic" { json!({}) } else { text.clone() });
                let result = answer.await["result"].take();
                if revision != Revision::V2025_03_26 {
                    assert_eq!(&result["structuredContent"], expected);
                }
                // The text is JSON of its own.
                let json = result["content"][0]["text"].as_str().expect("a text");
                assert!(!json.contains(SEPARATORS), "{tool}: {json:?}");
                assert_eq!(&serde_json::from_str::<Value>(json).expect("it is JSON"), expected);
            }
            let parts = call(&mut wire, revision, "parts", text.clone()).await["result"].take();
            assert_eq!(parts["content"][0]["text"], TEXT);
            assert_eq!(parts["content"][1]["resource"]["uri"], format!("text:{TEXT}"));
            assert_eq!(parts["_meta"][TEXT], TEXT);
        }
    });
}

#[test]
fn responses_of_middleware_have_no_raw_separators() {
    run(async {
        for revision in REVISIONS {
            let (mut wire, _) = open_app(layered(), revision).await;
            let refused = call(&mut wire, revision, "refused", json!({})).await;
            assert_eq!(refused["error"]["message"], TEXT);
            assert_eq!(refused["error"]["data"], json!({ TEXT: TEXT }));
            let rewritten = call(&mut wire, revision, "rewritten", json!({})).await;
            assert_eq!(rewritten["result"]["content"][0]["text"], TEXT);
            exchange(&mut wire, revision, "tools/list", json!({})).await;
        }
    });
}

#[test]
fn errors_and_refused_arguments_have_no_raw_separators() {
    run(async {
        for revision in REVISIONS {
            let (mut wire, _) = open(revision).await;
            for arguments in
                [json!({"number": TEXT}), json!({"number": 1, TEXT: 1}), json!({"number": [{ TEXT: TEXT }]})]
            {
                let refused = call(&mut wire, revision, "number", arguments).await;
                let text = refused["result"]["content"][0]["text"].as_str().expect("a text");
                assert!(text.starts_with("Invalid arguments for `number`"), "{text}");
            }
            for (method, params) in [
                (TEXT, json!({})),
                ("tools/call", json!({"name": TEXT})),
                ("prompts/get", json!({"name": TEXT})),
                ("resources/read", json!({"uri": format!("text:{TEXT}")})),
                ("tools/list", json!({"cursor": TEXT})),
            ] {
                let answer = exchange(&mut wire, revision, method, params).await;
                assert!(answer["error"].is_object(), "{answer}");
            }
        }
        let mut wire = app().connect().await.expect("the app is valid");
        for malformed in [
            json!({"id": TEXT, "method": TEXT}).to_string(),
            json!({"jsonrpc": TEXT, "id": TEXT, "method": "ping"}).to_string(),
            format!(r#"{{"jsonrpc":"2.0","id":"{TEXT}","method":"ping","method":"{TEXT}"}}"#),
        ] {
            wire.send(malformed);
            assert_eq!(receive(&mut wire).await["id"], TEXT);
        }
    });
}

#[test]
fn lists_instructions_resources_prompts_and_completions_have_no_raw_separators() {
    run(async {
        for revision in REVISIONS {
            let (mut wire, opened) = open(revision).await;
            assert_eq!(opened["result"]["instructions"], TEXT);
            let listed = exchange(&mut wire, revision, "tools/list", json!({})).await["result"]["tools"].take();
            let tools = listed.as_array().expect("a list");
            let dynamic = tools.iter().find(|tool| tool["name"] == "dynamic").expect("it is listed");
            assert_eq!(dynamic["description"], TEXT);
            assert_eq!(dynamic["inputSchema"]["properties"][TEXT]["enum"], json!([TEXT]));
            for method in ["resources/list", "resources/templates/list", "prompts/list"] {
                exchange(&mut wire, revision, method, json!({})).await;
            }
            let read = exchange(&mut wire, revision, "resources/read", json!({"uri": "json://texts"})).await;
            let json = read["result"]["contents"][0]["text"].as_str().expect("a text");
            assert!(!json.contains(SEPARATORS), "{json:?}");
            let expected = serde_json::to_value(Texts::of(TEXT)).expect("it is JSON");
            assert_eq!(serde_json::from_str::<Value>(json).expect("it is JSON"), expected);
            let read = exchange(&mut wire, revision, "resources/read", json!({"uri": format!("note://{TEXT}")})).await;
            assert_eq!(read["result"]["contents"][0]["text"], TEXT);
            let arguments = json!({"name": "greet", "arguments": {"name": TEXT}});
            let prompt = exchange(&mut wire, revision, "prompts/get", arguments).await;
            assert_eq!(prompt["result"]["messages"][1]["content"]["text"], TEXT);
            let argument = json!({"name": "name", "value": "a"});
            let params = json!({"ref": {"type": "ref/prompt", "name": "greet"}, "argument": argument});
            let completed = exchange(&mut wire, revision, "completion/complete", params).await;
            assert_eq!(completed["result"]["completion"]["values"], json!([TEXT]));
        }
    });
}

#[test]
fn notifications_and_requests_to_the_client_have_no_raw_separators() {
    run(async {
        for revision in [Revision::V2025_11_25, Revision::NEWEST] {
            let (mut wire, _) = open(revision).await;
            if !revision.is_modern() {
                exchange(&mut wire, revision, "logging/setLevel", json!({"level": "debug"})).await;
            }
            let arguments = json!({"text": TEXT});
            send(&mut wire, revision, "tools/call", json!({"name": "tell", "arguments": arguments}));
            let progress = receive(&mut wire).await;
            assert_eq!(progress["params"]["message"], TEXT);
            assert_eq!(progress["params"]["progressToken"], TEXT);
            assert_eq!(receive(&mut wire).await["params"]["data"], json!({ TEXT: TEXT }));
            assert_eq!(receive(&mut wire).await["result"]["content"][0]["text"], TEXT);
            for (tool, pointer) in [("ask", "/message"), ("sample", "/messages/0/content/text")] {
                send(&mut wire, revision, "tools/call", json!({"name": tool, "arguments": arguments}));
                let asked = receive(&mut wire).await;
                let request = match revision.is_modern() {
                    true => asked["result"]["inputRequests"].as_object().and_then(|asked| asked.values().next()),
                    false => Some(&asked),
                };
                let params = &request.expect("the client is asked")["params"];
                assert_eq!(params.pointer(pointer), Some(&TEXT.into()), "{asked}");
                if !revision.is_modern() {
                    let error = json!({"code": -1, "message": TEXT});
                    wire.send(json!({"jsonrpc": "2.0", "id": asked["id"], "error": error}).to_string());
                    assert_eq!(receive(&mut wire).await["id"], TEXT);
                }
            }
        }
    });
}

#[test]
fn batches_and_subscriptions_have_no_raw_separators() {
    run(async {
        let (mut wire, _) = open(Revision::V2025_03_26).await;
        let call = |id: &str, tool: &str| {
            let params = json!({"name": tool, "arguments": {"text": TEXT}});
            json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params})
        };
        wire.send(Value::from(vec![call("1", "echo"), call(TEXT, "echo_later")]).to_string());
        let answers = receive(&mut wire).await;
        assert_eq!(answers.as_array().map(Vec::len), Some(2), "{answers}");

        let (mut wire, _) = open(Revision::NEWEST).await;
        let uri = format!("note://{TEXT}");
        let wanted = json!({"notifications": {"resourceSubscriptions": [uri]}});
        send(&mut wire, Revision::NEWEST, "subscriptions/listen", wanted);
        let acknowledged = receive(&mut wire).await;
        assert_eq!(acknowledged["params"]["notifications"]["resourceSubscriptions"], json!([uri]));
        assert_eq!(acknowledged["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"], TEXT);
    });
}

#[test]
fn any_text_comes_back_without_raw_separators() {
    run(async {
        let (mut wire, _) = open(Revision::NEWEST).await;
        let near = prop_oneof![
            2 => prop::sample::select(&SEPARATORS[..]),
            1 => prop::sample::select(&['"', '\\', '\n', '\u{0}', '\u{84}', '\u{2027}', '\u{202A}', '\u{10FFFF}'][..]),
            1 => any::<char>(),
        ];
        let texts = prop::collection::vec(near, 0..40).prop_map(String::from_iter);
        let mut runner = TestRunner::new(Config { cases: 300, failure_persistence: None, ..Config::default() });
        let strategy = (texts, any::<String>());
        for _ in 0..300 {
            let (odd, any) = strategy.new_tree(&mut runner).expect("a text").current();
            let text = format!("{odd}{any}");
            let answer = call(&mut wire, Revision::NEWEST, "echo", json!({"text": text})).await;
            assert_eq!(answer["result"]["content"][0]["text"], text.as_str());
            let answer = call(&mut wire, Revision::NEWEST, "list", json!({"text": text})).await;
            assert_eq!(answer["result"]["structuredContent"], json!([text]));
            let json = answer["result"]["content"][0]["text"].as_str().expect("a text");
            assert!(!json.contains(SEPARATORS), "{json:?}");
            assert_eq!(serde_json::from_str::<Value>(json).expect("it is JSON"), json!([text]));
        }
    });
}
