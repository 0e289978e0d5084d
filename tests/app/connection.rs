//! One connection: cancellation, batches, ids, and notifications around the response of a call.

use std::borrow::Cow;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use fastmcp_rs::prelude::*;
use fastmcp_rs::testing::RawClient;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::run;

mod tools {
    use super::*;

    /// Answers with its text.
    #[mcp::tool]
    pub async fn say(text: &str) -> String {
        text.to_owned()
    }

    /// Sleeps.
    #[mcp::tool(timeout = "60s")]
    pub async fn nap(ms: u64) -> u64 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
        ms
    }

    /// Blocks the thread that polls it.
    #[mcp::tool]
    pub async fn hog(ms: u64) -> u64 {
        std::thread::sleep(Duration::from_millis(ms));
        ms
    }

    /// Answers later, with a text of any length.
    #[mcp::tool]
    pub async fn fill(bytes: usize) -> String {
        tokio::task::yield_now().await;
        "x".repeat(bytes)
    }

    /// Logs, and panics at once.
    #[mcp::tool]
    pub async fn log_and_panic(ctx: &Context) -> String {
        ctx.error("about to fail");
        panic!("it failed")
    }

    /// Reports twice, the second time when it is due.
    #[mcp::tool]
    pub async fn report(ctx: &Context) -> String {
        tokio::task::yield_now().await;
        ctx.progress(1.0, Some(2.0), None);
        tokio::time::sleep(Duration::from_millis(200)).await;
        ctx.progress(2.0, Some(2.0), None);
        "reported".into()
    }

    /// A value that brings its own JSON text.
    #[derive(serde::Serialize)]
    pub struct Verbatim {
        json: Box<RawValue>,
    }

    impl JsonSchema for Verbatim {
        fn schema_name() -> Cow<'static, str> {
            "Verbatim".into()
        }

        fn json_schema(_: &mut SchemaGenerator) -> Schema {
            json_schema!({ "type": "object" })
        }
    }

    /// Gives JSON back as it was written.
    #[mcp::tool]
    pub async fn verbatim(json: &str) -> Result<Verbatim, serde_json::Error> {
        Ok(Verbatim { json: RawValue::from_string(json.to_owned())? })
    }
}

fn app() -> App {
    use tools::*;
    let app = App::empty("connection").tool::<say>().tool::<nap>().tool::<hog>().tool::<fill>();
    app.tool::<log_and_panic>().tool::<report>().tool::<verbatim>()
}

/// Opens a session of a legacy client.
pub async fn open(app: App, version: &str) -> RawClient {
    let mut wire = app.connect().await.expect("the app is valid");
    let params = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    wire.send(json!({"jsonrpc": "2.0", "id": "init", "method": "initialize", "params": params}).to_string());
    wire.try_receive().expect("it is answered at once");
    wire
}

pub fn request(id: i64, tool: &str, arguments: &str) -> String {
    let params = format!(r#"{{"name":"{tool}","arguments":{arguments}}}"#);
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{params}}}"#)
}

fn cancelled(id: i64) -> String {
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}}).to_string()
}

pub async fn receive(wire: &mut RawClient) -> Value {
    let frame = tokio::time::timeout(Duration::from_secs(20), wire.receive()).await.expect("a frame comes");
    serde_json::from_str(&frame).expect("a frame")
}

#[test]
fn raw_json_with_newlines_stays_in_one_frame() {
    let json = "{\r\n\t\"a\": \"x\\n\\\"y\",\n\t\"b\": [1,\n2]\r\n}";
    let arguments = json!({ "json": json }).to_string();
    for version in ["2025-03-26", "2025-11-25"] {
        run(async {
            let mut wire = open(app(), version).await;
            wire.send(request(1, "verbatim", &arguments));
            let result = receive(&mut wire).await["result"].take();
            let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
            let expected = json!({ "json": { "a": "x\n\"y", "b": [1, 2] } });
            assert_eq!(text, expected);
            if version == "2025-11-25" {
                assert_eq!(result["structuredContent"], expected);
            }
        });
    }
}

/// Synchronizes a call that is about to return with its cancellation.
struct Meeting {
    answering: Barrier,
    cancelled: Barrier,
}

/// Answers when its cancellation has come.
#[mcp::tool]
async fn answer_too_late(meeting: State<Arc<Meeting>>) -> &'static str {
    tokio::task::yield_now().await;
    // A future that blocks its thread cannot be dropped meanwhile.
    meeting.answering.wait();
    meeting.cancelled.wait();
    "an answer"
}

#[test]
fn a_call_cancelled_while_it_returns_gets_no_response() {
    for is_cancelled in [true, false] {
        let meeting = Arc::new(Meeting { answering: Barrier::new(2), cancelled: Barrier::new(2) });
        let app = App::empty("late").tool::<answer_too_late>().state(Arc::clone(&meeting));
        let answer = run(async {
            let mut wire = open(app, "2025-11-25").await;
            wire.send(request(1, "answer_too_late", "{}"));
            meeting.answering.wait();
            if is_cancelled {
                wire.send(cancelled(1));
            }
            meeting.cancelled.wait();
            // The only worker runs another task once the call has ended.
            tokio::spawn(async {}).await.expect("it does nothing");
            wire.try_receive()
        });
        assert_eq!(answer.is_some_and(|answer| answer.contains("an answer")), !is_cancelled);
    }
}

#[test]
fn cancelled_calls_of_a_batch_free_their_permits_before_the_batch_ends() {
    run(async {
        let mut wire = open(app(), "2025-03-26").await;
        // The 300 members are more calls than there are permits.
        for batch in 0..3 {
            let calls: Vec<String> = (0..100).map(|n| request(batch * 100 + n, "nap", r#"{"ms":60000}"#)).collect();
            wire.send(format!("[{}]", calls.join(",")));
        }
        wire.send(request(1_000, "say", r#"{"text":"waited"}"#));
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(wire.try_receive(), None, "there is no place for it");
        for id in 0..99 {
            wire.send(cancelled(id));
        }
        let answer = receive(&mut wire).await;
        assert_eq!(answer["result"]["content"][0]["text"], "waited", "{answer}");
    });
}

#[test]
fn a_delayed_batch_gets_one_array() {
    run(async {
        let mut wire = open(app(), "2025-03-26").await;
        for id in 0..250 {
            wire.send(request(id, "nap", r#"{"ms":300}"#));
        }
        for batch in 0..2 {
            let calls: Vec<String> = (0..100).map(|n| request(1_000 + batch * 100 + n, "nap", r#"{"ms":5}"#)).collect();
            wire.send(format!("[{}]", calls.join(",")));
        }
        let mut arrays = Vec::new();
        for _ in 0..252 {
            if let Value::Array(answers) = receive(&mut wire).await {
                arrays.push(answers.len());
            }
        }
        assert_eq!(arrays, [100, 100]);
    });
}

#[test]
fn log_messages_before_a_panic_are_sent() {
    run(async {
        let mut wire = open(app(), "2025-11-25").await;
        wire.send(r#"{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"debug"}}"#);
        receive(&mut wire).await;
        wire.send(request(2, "log_and_panic", "{}"));
        let message = receive(&mut wire).await;
        assert_eq!(message["params"]["data"], "about to fail", "{message}");
        let answer = receive(&mut wire).await;
        assert_eq!((&answer["id"], &answer["result"]["isError"]), (&json!(2), &json!(true)));
    });
}

#[test]
fn the_last_progress_reaches_a_client_that_reads_late() {
    run(async {
        let mut wire = open(app(), "2025-11-25").await;
        // More than may wait for a client that does not read.
        wire.send(request(1, "fill", &json!({"bytes": 9 << 20}).to_string()));
        tokio::time::sleep(Duration::from_millis(800)).await;
        let params = json!({"name": "report", "arguments": {}, "_meta": {"progressToken": "t"}});
        wire.send(json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params}).to_string());
        tokio::time::sleep(Duration::from_millis(500)).await;
        let mut last = Value::Null;
        loop {
            let frame = receive(&mut wire).await;
            if frame["id"] == 2 {
                break;
            }
            if frame["method"] == "notifications/progress" {
                last = frame["params"]["progress"].clone();
            }
        }
        assert_eq!(last.as_f64(), Some(2.0));
    });
}

#[test]
fn try_receive_returns_a_frame_that_has_arrived() {
    run(async {
        let mut wire = open(app(), "2025-11-25").await;
        wire.send(r#"{"jsonrpc":"2.0","id":5,"method":"ping"}"#);
        wire.send(request(6, "nap", r#"{"ms":5}"#));
        assert!(wire.try_receive().is_some_and(|frame| frame.contains("\"id\":5")));
        let start = Instant::now();
        let frame = loop {
            if let Some(frame) = wire.try_receive() {
                break frame;
            }
            assert!(start.elapsed() < Duration::from_secs(10), "it never came");
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        assert!(frame.contains("\"id\":6"), "{frame}");
    });
}

#[test]
fn an_id_is_in_use_during_the_first_poll_of_its_call() {
    run(async {
        let mut wire = open(app(), "2025-11-25").await;
        for id in 0..256 {
            wire.send(request(id, "nap", r#"{"ms":60000}"#));
        }
        wire.send(request(1_000, "hog", r#"{"ms":600}"#));
        wire.send(request(1_001, "hog", r#"{"ms":600}"#));
        assert_eq!(wire.try_receive(), None);
        wire.send(cancelled(0));
        // A worker of the runtime is inside it now.
        std::thread::sleep(Duration::from_millis(200));
        wire.send(request(1_000, "say", r#"{"text":"the same id"}"#));
        let frame = wire.try_receive().expect("it is refused at once");
        assert!(frame.contains("\"code\":-32600") && frame.contains("1000"), "{frame}");
        let answer = receive(&mut wire).await;
        assert_eq!(
            (&answer["id"], &answer["result"]["content"][0]["text"]),
            (&json!(1_000), &json!(r#"{"result":600}"#))
        );

        // And a cancellation of it is not lost.
        wire.send(cancelled(1));
        std::thread::sleep(Duration::from_millis(200));
        wire.send(cancelled(1_001));
        wire.send(cancelled(2));
        wire.send(request(1_002, "say", r#"{"text":"next"}"#));
        let answer = receive(&mut wire).await;
        assert_eq!((&answer["id"], &answer["result"]["content"][0]["text"]), (&json!(1_002), &json!("next")));
    });
}

#[test]
fn errors_without_an_id_are_rate_limited() {
    run(async {
        let mut wire = open(app(), "2025-11-25").await;
        let burst = |wire: &mut RawClient| {
            (0..400).for_each(|_| wire.send("not json"));
            let mut count = 0;
            while wire.try_receive().is_some() {
                count += 1;
            }
            count
        };
        assert!((100..=120).contains(&burst(&mut wire)));
        tokio::time::sleep(Duration::from_millis(1100)).await;
        assert!((10..=60).contains(&burst(&mut wire)), "ten a second are earned");

        let mut wire = open(app(), "2025-11-25").await;
        tokio::time::sleep(Duration::from_millis(3100)).await;
        let count = burst(&mut wire);
        assert!((100..=120).contains(&count), "{count} at once");
    });
}

#[test]
fn a_null_cursor_of_a_legacy_client_is_absent() {
    run(async {
        let mut wire = open(app(), "2025-11-25").await;
        wire.send(r#"{"jsonrpc":"2.0","id":5,"method":"tools/list","params":{"cursor":null}}"#);
        let answer = receive(&mut wire).await;
        assert!(answer["result"]["tools"].as_array().is_some_and(|tools| !tools.is_empty()), "{answer}");
    });
}
