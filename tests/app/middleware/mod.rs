//! Middleware around operations: the operations that it sees, its results and refusals, and the guarantees that hold.

mod built_in;
mod guarantees;
mod per_component;

use std::future::Future;
use std::sync::{Arc, Mutex};

use fastmcp_rs::middleware::{self, Layer, Method, Next, Operation, OperationError, Response};
use fastmcp_rs::prelude::*;
use fastmcp_rs::testing::RawClient;
use serde_json::{Map, Value, json};

use super::run;
use super::support::{Revision, schema};

/// The components that are called through middleware.
pub mod components {
    use super::*;

    /// Doubles a number.
    #[mcp::tool]
    pub async fn double(#[arg(max = 1000)] number: i64) -> i64 {
        number * 2
    }

    /// Makes a text of so many bytes.
    #[mcp::tool]
    pub async fn fill(bytes: usize) -> String {
        "x".repeat(bytes)
    }

    /// Fails on purpose.
    #[mcp::tool]
    pub async fn fail() -> Result<String, ToolError> {
        Err(ToolError::new("on purpose"))
    }

    /// Panics on purpose.
    #[mcp::tool]
    pub async fn fall() -> String {
        panic!("on purpose")
    }

    #[mcp::model]
    pub struct Point {
        pub x: i64,
    }

    /// Makes a point.
    #[mcp::tool]
    pub async fn point(x: i64) -> Point {
        Point { x }
    }

    /// The note of a day.
    #[mcp::resource("notes://{day}")]
    pub async fn note(day: u32) -> Result<String, ToolError> {
        if day == 0 {
            return Err(ToolError::new("days begin with 1"));
        }
        Ok(format!("note {day}"))
    }

    /// The subject of the notes.
    #[mcp::resource("notes:about")]
    pub async fn about() -> &'static str {
        "notes"
    }

    /// Greets a person.
    #[mcp::prompt]
    pub async fn greet(#[arg(complete = names)] name: &str) -> String {
        format!("Greet {name}.")
    }

    async fn names(_: fastmcp_rs::CompletionRequest) -> Vec<String> {
        vec!["Ada".into(), "Alan".into()]
    }
}

use components::*;

fn app() -> App {
    App::empty("layered")
        .version("1.0.0")
        .tool::<double>()
        .tool::<fill>()
        .tool::<fail>()
        .tool::<fall>()
        .tool::<point>()
        .resource::<note>()
        .resource::<about>()
        .prompt::<greet>()
}

/// A client whose frames are checked against the official schemas.
pub struct Client {
    wire: RawClient,
    revision: Revision,
    next: i64,
}

impl Client {
    pub async fn connect(app: App, revision: Revision) -> Client {
        Client::open(app.connect().await.expect("the app is valid"), revision).await
    }

    pub async fn connect_as(app: App, id: &str) -> Client {
        Client::open(app.connect_as(Principal::new(id)).await.expect("the app is valid"), Revision::NEWEST).await
    }

    async fn open(wire: RawClient, revision: Revision) -> Client {
        let mut client = Client { wire, revision, next: 1 };
        if !revision.is_modern() {
            client.wire.send(revision.initialize(0));
            let answer = client.frame().await;
            assert_eq!(schema::check_answer(revision, "initialize", &answer), Ok(()));
        }
        client
    }

    pub fn send(&mut self, method: &str, params: Value, meta: Value) -> i64 {
        let id = self.next;
        self.next += 1;
        self.wire.send(self.revision.request_with_meta(id, method, params, meta));
        id
    }

    pub async fn frame(&mut self) -> Value {
        let frame = self.wire.receive().await;
        let frame: Value = serde_json::from_str(&frame).expect("a frame is JSON");
        if frame.get("method").is_some() {
            assert_eq!(schema::check_notification(self.revision, &frame), Ok(()));
        }
        frame
    }

    /// Sends a request and returns the notifications before the response, and the response.
    pub async fn ask_with(&mut self, method: &str, params: Value, meta: Value) -> (Vec<Value>, Value) {
        let id = self.send(method, params, meta);
        let mut notifications = Vec::new();
        loop {
            let frame = self.frame().await;
            if frame.get("method").is_some() {
                notifications.push(frame);
                continue;
            }
            assert_eq!(frame["id"], id);
            if let Err(problem) = schema::check_answer(self.revision, method, &frame) {
                panic!("{problem}");
            }
            return (notifications, frame);
        }
    }

    pub async fn ask(&mut self, method: &str, params: Value) -> Value {
        self.ask_with(method, params, Value::Null).await.1
    }

    pub async fn call(&mut self, tool: &str, arguments: Value) -> Value {
        self.ask("tools/call", json!({"name": tool, "arguments": arguments})).await
    }

    /// Checks that no further frame arrives.
    pub fn assert_quiet(&mut self) {
        assert_eq!(self.wire.try_receive(), None);
    }
}

fn text(answer: &Value) -> &str {
    answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text in {answer}"))
}

fn is_error(answer: &Value) -> bool {
    answer["result"]["isError"] == true
}

/// Records events in order.
type Journal = Arc<Mutex<Vec<String>>>;

fn note_down(journal: &Journal, line: impl Into<String>) {
    journal.lock().expect("no test panics with the journal").push(line.into());
}

fn read(journal: &Journal) -> Vec<String> {
    std::mem::take(&mut *journal.lock().expect("no test panics with the journal"))
}

/// Records the operations that it sees.
struct Witness(&'static str, Journal);

impl Layer for Witness {
    async fn handle(&self, operation: Operation, next: Next) -> Result<Response, OperationError> {
        let Witness(name, journal) = self;
        note_down(journal, format!("{name} > {} {}", operation.method().as_str(), operation.name()));
        let outcome = next.run(operation).await;
        let seen = match &outcome {
            Ok(reply) if reply.is_error() => "failed".to_owned(),
            Ok(reply) => format!("{} bytes", reply.json().len()),
            Err(refusal) => refusal.code().to_string(),
        };
        note_down(journal, format!("{name} < {seen}"));
        outcome
    }
}

/// Every kind of operation, with the name that middleware sees.
fn operations() -> [(&'static str, Value, &'static str, &'static str); 9] {
    let reference = json!({"type": "ref/prompt", "name": "greet"});
    let complete = json!({"ref": reference, "argument": {"name": "name", "value": "Al"}});
    [
        ("tools/call", json!({"name": "double", "arguments": {"number": 2}}), "double", r#"{"number":2}"#),
        ("resources/read", json!({"uri": "notes://7"}), "notes://7", r#"{"day":"7"}"#),
        ("resources/read", json!({"uri": "notes:about"}), "notes:about", "{}"),
        ("prompts/get", json!({"name": "greet", "arguments": {"name": "Ada"}}), "greet", r#"{"name":"Ada"}"#),
        (
            "completion/complete",
            complete,
            "greet",
            r#"{"ref":{"type":"ref/prompt","name":"greet"},"argument":{"name":"name","value":"Al"}}"#,
        ),
        ("tools/list", Value::Null, "", "{}"),
        ("resources/list", Value::Null, "", "{}"),
        ("resources/templates/list", Value::Null, "", "{}"),
        ("prompts/list", Value::Null, "", "{}"),
    ]
}

#[test]
fn middleware_sees_every_operation_and_changes_none_by_observing() {
    for revision in Revision::ALL {
        run(async {
            let seen = Journal::default();
            let journal = Arc::clone(&seen);
            let witness = middleware::from_fn(move |operation: Operation, next: Next| {
                let line =
                    format!("{}|{}|{}", operation.method().as_str(), operation.name(), operation.arguments_json());
                assert_eq!(operation.context().revision().as_str(), revision.name());
                note_down(&journal, line);
                next.run(operation)
            });
            let mut plain = Client::connect(app(), revision).await;
            let mut layered = Client::connect(app().layer(witness), revision).await;
            for (method, params, name, arguments) in operations() {
                let expected = plain.ask(method, params.clone()).await;
                assert_eq!(layered.ask(method, params).await, expected);
                assert!(expected.get("result").is_some(), "{expected}");
                assert_eq!(read(&seen), [format!("{method}|{name}|{arguments}")]);
            }
            if revision.is_modern() {
                let answer = layered.ask("server/discover", Value::Null).await;
                // Middleware can send log messages, so the capability is declared.
                assert_eq!(answer["result"]["capabilities"]["logging"], json!({}));
                assert_eq!(read(&seen), ["server/discover||{}"]);
            }
        });
    }
}

#[test]
fn the_middleware_added_first_is_the_outermost() {
    run(async {
        let journal = Journal::default();
        let app = app().layer(Witness("a", journal.clone())).layer(Witness("b", journal.clone()));
        let mut client = Client::connect(app, Revision::NEWEST).await;
        client.call("fail", json!({})).await;
        assert_eq!(read(&journal), ["a > tools/call fail", "b > tools/call fail", "b < failed", "a < failed"]);
        client.ask("resources/read", json!({"uri": "notes://0"})).await;
        let expected = ["a > resources/read notes://0", "b > resources/read notes://0", "b < -32603", "a < -32603"];
        assert_eq!(read(&journal), expected);
    });
}

#[test]
fn unknown_components_are_refused_before_the_middleware() {
    run(async {
        let journal = Journal::default();
        let mut client = Client::connect(app().layer(Witness("a", journal.clone())), Revision::NEWEST).await;
        assert_eq!(client.call("dobule", json!({})).await["error"]["code"], -32602);
        assert_eq!(client.ask("resources/read", json!({"uri": "no:where"})).await["error"]["code"], -32602);
        assert_eq!(client.ask("prompts/get", json!({"name": "no"})).await["error"]["code"], -32602);
        assert_eq!(client.call("double", json!([1])).await["error"]["code"], -32602);
        assert_eq!(read(&journal), [""; 0]);
    });
}

#[test]
fn middleware_can_change_arguments() {
    run(async {
        let mend = middleware::from_fn(|mut operation: Operation, next: Next| async move {
            let mut arguments: Map<String, Value> = operation.arguments()?;
            match operation.method() {
                Method::CallTool => {
                    arguments.remove("api_key");
                    arguments.entry("number").or_insert_with(|| 21.into());
                }
                Method::ReadResource => {
                    arguments.insert("day".into(), "8".into());
                }
                Method::GetPrompt => {
                    arguments.insert("name".into(), "Grace".into());
                }
                Method::Complete => {
                    arguments.insert("argument".into(), json!({"name": "name", "value": "Ad"}));
                }
                _ => {}
            }
            operation.set_arguments(arguments);
            next.run(operation).await
        });
        let mut client = Client::connect(app().layer(mend), Revision::NEWEST).await;
        assert_eq!(text(&client.call("double", json!({"api_key": "secret"})).await), "42");
        let mut answers = Vec::new();
        for (method, params, ..) in operations() {
            answers.push(client.ask(method, params).await["result"].take());
        }
        assert_eq!(answers[1]["contents"][0]["text"], "note 8");
        assert_eq!(answers[3]["messages"][0]["content"]["text"], "Greet Grace.");
        assert_eq!(answers[4]["completion"]["values"], json!(["Ada"]));
    });
}

#[test]
fn invalid_arguments_pass_through_middleware() {
    run(async {
        let journal = Journal::default();
        let mut client = Client::connect(app().layer(Witness("a", journal.clone())), Revision::NEWEST).await;
        let answer = client.call("double", json!({"number": 1001})).await;
        assert!(is_error(&answer) && text(&answer).contains("1000"), "{answer}");
        assert_eq!(read(&journal), ["a > tools/call double", "a < failed"]);
        let answer = client.ask("prompts/get", json!({"name": "greet"})).await;
        assert_eq!(answer["error"]["code"], -32602);
        assert_eq!(read(&journal), ["a > prompts/get greet", "a < -32602"]);
        // A string that is plainly a number is coerced, as without middleware.
        assert_eq!(text(&client.call("double", json!({"number": "4"})).await), "8");
    });
    run(async {
        let app = app().strict_arguments(true).layer(Witness("a", Journal::default()));
        let mut client = Client::connect(app, Revision::NEWEST).await;
        assert!(is_error(&client.call("double", json!({"number": "4"})).await));
    });
}

#[test]
fn requests_for_pages_pass_through_middleware() {
    run(async {
        let app = app().page_size(2).layer(Witness("a", Journal::default()));
        let mut client = Client::connect(app, Revision::NEWEST).await;
        let mut names = Vec::new();
        let mut cursor = Value::Null;
        loop {
            let params = if cursor.is_null() { json!({}) } else { json!({"cursor": cursor}) };
            let result = client.ask("tools/list", params).await["result"].take();
            names.extend(result["tools"].as_array().expect("a list").iter().map(|tool| tool["name"].clone()));
            cursor = result["nextCursor"].clone();
            if cursor.is_null() {
                break;
            }
        }
        assert_eq!(names, ["double", "fail", "fall", "fill", "point"]);
        assert_eq!(client.ask("tools/list", json!({"cursor": "nonsense"})).await["error"]["code"], -32602);
    });
}

/// Responds to every operation by itself.
struct Canned;

impl Layer for Canned {
    async fn handle(&self, operation: Operation, next: Next) -> Result<Response, OperationError> {
        match operation.method() {
            Method::CallTool => operation.respond(ToolResult::text("canned").structured(json!([1]))?),
            Method::ReadResource => operation.respond(vec![ResourceContents::text("canned").meta("a/b", 1)]),
            Method::GetPrompt => operation.respond(vec![Message::assistant("canned")]),
            Method::Complete => operation.respond(vec!["Alice".to_owned(), "Bob".to_owned()]),
            _ => next.run(operation).await,
        }
    }
}

#[test]
fn middleware_can_respond_without_the_handler_in_every_revision() {
    for revision in Revision::ALL {
        run(async {
            let mut client = Client::connect(app().layer(Canned), revision).await;
            let answer = client.call("fall", json!({})).await;
            assert_eq!(text(&answer), "canned");
            let structured = match revision {
                Revision::V2026_07_28 => json!([1]),
                Revision::V2025_06_18 | Revision::V2025_11_25 => json!({"result": [1]}),
                _ => Value::Null,
            };
            assert_eq!(answer["result"]["structuredContent"], structured);
            let answer = client.ask("resources/read", json!({"uri": "notes://1"})).await;
            assert_eq!(answer["result"]["contents"][0]["text"], "canned");
            assert_eq!(answer["result"]["contents"][0]["uri"], "notes://1");
            let answer = client.ask("prompts/get", json!({"name": "greet", "arguments": {"name": "x"}})).await;
            assert_eq!(answer["result"]["messages"][0]["role"], "assistant");
            let (_, params, ..) = operations()[4].clone();
            let answer = client.ask("completion/complete", params).await;
            assert_eq!(answer["result"]["completion"]["values"], json!(["Alice"]));
        });
    }
}

#[test]
fn middleware_can_change_results() {
    run(async {
        let change = middleware::from_fn(|operation: Operation, next: Next| async move {
            let kind = operation.method();
            let reply = next.run(operation).await?;
            if kind == Method::ListTools {
                let mut members = reply.members();
                if let Some(Value::Array(tools)) = members.get_mut("tools") {
                    tools.retain(|tool| tool["name"] != "fall");
                }
                return Ok(reply.with_members(members));
            }
            if reply.json().contains("84") {
                return reply.replace(ToolResult::error("not this one"));
            }
            Ok(reply)
        });
        let mut client = Client::connect(app().layer(change), Revision::NEWEST).await;
        let tools = client.ask("tools/list", Value::Null).await["result"]["tools"].take();
        assert_eq!(tools.as_array().map(Vec::len), Some(4));
        let answer = client.call("double", json!({"number": 42})).await;
        assert!(is_error(&answer));
        assert_eq!(text(&answer), "not this one");
        assert_eq!(text(&client.call("double", json!({"number": 1})).await), "2");
    });
}

#[test]
fn middleware_can_refuse() {
    for revision in Revision::ALL {
        run(async {
            let refuse = middleware::from_fn(|operation: Operation, next: Next| async move {
                match operation.context().meta().get("test/refuse").and_then(Value::as_str) {
                    Some("error") => Err(OperationError::new(-31000, "no").data(json!({"why": "test"}))),
                    Some("tool") => Err(ToolError::new("ask nicely").into()),
                    Some("internal") => Err(std::io::Error::other("the password is hunter2").into()),
                    _ => next.run(operation).await,
                }
            });
            let mut client = Client::connect(app().layer(refuse), revision).await;
            for (method, params, ..) in operations() {
                let (_, answer) = client.ask_with(method, params.clone(), json!({"test/refuse": "error"})).await;
                assert_eq!(answer["error"], json!({"code": -31000, "message": "no", "data": {"why": "test"}}));
                let (_, answer) = client.ask_with(method, params.clone(), json!({"test/refuse": "tool"})).await;
                if method == "tools/call" {
                    assert_eq!((is_error(&answer), text(&answer)), (true, "ask nicely"));
                } else {
                    assert_eq!(answer["error"], json!({"code": -32603, "message": "ask nicely"}));
                }
                let (_, answer) = client.ask_with(method, params, json!({"test/refuse": "internal"})).await;
                let answer = answer.to_string();
                assert!(answer.contains("Internal error ") && !answer.contains("hunter2"), "{answer}");
            }
        });
    }
}

#[test]
fn a_result_of_the_wrong_kind_is_logged_and_not_sent() {
    run(async {
        let confused = middleware::from_fn(|operation: Operation, _: Next| async move {
            operation.respond(vec![Message::user("hello")])
        });
        let mut client = Client::connect(app().layer(confused), Revision::NEWEST).await;
        let answer = client.call("double", json!({"number": 1})).await;
        assert!(is_error(&answer) && text(&answer).contains("Changing the arguments will not help"), "{answer}");
        assert_eq!(client.ask("tools/list", Value::Null).await["error"]["code"], -32603);
    });
}

#[test]
fn a_cached_result_of_another_method_is_not_sent() {
    run(async {
        let kept: Arc<Mutex<Option<Response>>> = Arc::default();
        let cache = middleware::from_fn(move |operation: Operation, next: Next| {
            let kept = Arc::clone(&kept);
            async move {
                let earlier = kept.lock().expect("no panic with the lock").clone();
                if let Some(reply) = earlier {
                    return Ok(reply);
                }
                let reply = next.run(operation).await?;
                *kept.lock().expect("no panic with the lock") = Some(reply.clone());
                Ok(reply)
            }
        });
        let mut client = Client::connect(app().layer(cache), Revision::NEWEST).await;
        assert_eq!(text(&client.call("double", json!({"number": 1})).await), "2");
        assert_eq!(text(&client.call("double", json!({"number": 2})).await), "2");
        assert_eq!(client.ask("tools/list", Value::Null).await["error"]["code"], -32603);
    });
}
