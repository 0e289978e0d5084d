//! What once went wrong between a message and its answer, in process.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use fastmcp_rs::prelude::*;
use fastmcp_rs::testing::Wire;
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

    /// Blocks whoever polls it.
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

    /// Counts the members of a set.
    #[mcp::tool]
    pub async fn set(set: HashSet<i64>, n: i64) -> String {
        format!("{} {n}", set.len())
    }

    /// Shows a map.
    #[mcp::tool]
    pub async fn map(map: BTreeMap<i64, i64>) -> String {
        format!("{map:?}")
    }

    #[mcp::model]
    #[serde(tag = "op")]
    pub enum Expression {
        Add { left: Box<Expression>, right: Box<Expression> },
        Mul { left: Box<Expression>, right: Box<Expression> },
        Sub { left: Box<Expression>, right: Box<Expression> },
        Num { value: i64 },
    }

    impl Expression {
        fn value(&self) -> i64 {
            match self {
                Expression::Add { left, right } => left.value() + right.value(),
                Expression::Mul { left, right } => left.value() * right.value(),
                Expression::Sub { left, right } => left.value() - right.value(),
                Expression::Num { value } => *value,
            }
        }
    }

    /// Works it out.
    #[mcp::tool]
    pub async fn work_out(expression: Expression) -> i64 {
        expression.value()
    }

    #[mcp::model]
    pub struct Item {
        pub article: String,
        pub n: i64,
        #[serde(default)]
        pub urgent: bool,
    }

    /// Shows an item.
    #[mcp::tool]
    pub async fn item(item: Item) -> String {
        format!("{} {} {}", item.n, item.article, item.urgent)
    }

    /// Takes nothing below zero.
    #[mcp::tool]
    pub async fn float(#[arg(min = 0)] value: f64) -> bool {
        value == 0.0
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

    #[mcp::model]
    pub struct Small(u8);

    /// Can never be called as it is declared.
    #[mcp::tool]
    pub async fn impossible(#[arg(min = 300)] n: Small) -> u8 {
        n.0
    }
}

fn app() -> App {
    use tools::*;
    let app = App::empty("regressions").tool::<say>().tool::<nap>().tool::<hog>().tool::<fill>();
    let app = app.tool::<set>().tool::<map>().tool::<work_out>().tool::<item>().tool::<float>();
    app.tool::<log_and_panic>().tool::<report>().tool::<verbatim>()
}

/// A legacy client's end.
async fn open(app: App, version: &str) -> Wire {
    let mut wire = app.connect().await.expect("the app is right");
    let params = json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    wire.send(json!({"jsonrpc": "2.0", "id": "init", "method": "initialize", "params": params}).to_string());
    wire.try_receive().expect("it is answered at once");
    wire
}

fn request(id: i64, tool: &str, arguments: &str) -> String {
    let params = format!(r#"{{"name":"{tool}","arguments":{arguments}}}"#);
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{params}}}"#)
}

fn cancelled(id: i64) -> String {
    json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}}).to_string()
}

async fn receive(wire: &mut Wire) -> Value {
    let frame = tokio::time::timeout(Duration::from_secs(20), wire.receive()).await.expect("a frame comes");
    serde_json::from_str(&frame).expect("a frame")
}

/// Calls a tool with arguments as they are written. Gives its text, and whether it is an error.
fn answer(app: App, tool: &str, arguments: &str) -> (String, bool) {
    run(async {
        let mut wire = open(app, "2025-11-25").await;
        wire.send(request(1, tool, arguments));
        let result = receive(&mut wire).await["result"].take();
        let text = result["content"][0]["text"].as_str().expect("a text").to_owned();
        (text, result["isError"] == true)
    })
}

fn taken(tool: &str, arguments: &str) -> String {
    let (text, is_error) = answer(app(), tool, arguments);
    assert!(!is_error, "{arguments}: {text}");
    text
}

fn refused(tool: &str, arguments: &str) -> String {
    let (text, is_error) = answer(app(), tool, arguments);
    assert!(is_error, "{arguments}: {text}");
    text
}

#[test]
fn json_of_an_author_does_not_end_a_frame() {
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

#[test]
fn texts_are_read_whatever_is_escaped_in_them() {
    let text = "\"a\" / \\ \u{8}\u{C}\n\r\t é ☃ 😀";
    let escaped = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<String>();
    for string in [format!("\"{escaped}\""), json!(text).to_string()] {
        assert_eq!(taken("say", &format!(r#"{{"text":{string}}}"#)), text);
    }
    assert!(refused("say", r#"{"text":"\ud83d"}"#).contains("hex escape"));
}

#[test]
fn a_mistake_deep_in_a_recursive_value_is_explained_at_once() {
    // Three variants share the members, so to look at each of them would cost 3 to the power of this.
    let nested = |leaf: &str, depth: usize| {
        (0..depth).fold(format!(r#"{{"op":"Num","value":{leaf}}}"#), |inner, _| {
            format!(r#"{{"op":"Add","left":{inner},"right":{{"op":"Num","value":1}}}}"#)
        })
    };
    assert_eq!(taken("work_out", &format!(r#"{{"expression":{}}}"#, nested("1", 11))), r#"{"result":12}"#);
    let start = Instant::now();
    let text = refused("work_out", &format!(r#"{{"expression":{}}}"#, nested("\"x\"", 11)));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(text.contains("/left/value`: expected an integer"), "{text}");
    let mended = taken("work_out", &format!(r#"{{"expression":{}}}"#, nested("1.0", 11)));
    assert_eq!(mended, r#"{"result":12}"#, "it is mended");
}

#[test]
fn a_mistake_beside_a_long_list_is_explained_at_once() {
    let items: Vec<String> = (0..60_000).map(|n: i32| n.to_string()).collect();
    let start = Instant::now();
    let text = refused("set", &format!(r#"{{"n":"x","set":[{}]}}"#, items.join(",")));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    assert!(text.contains("`/n`: expected an integer"), "{text}");
}

#[test]
fn a_member_given_twice_is_refused_at_any_depth() {
    for app in [app, || app().strict_arguments()] {
        for (tool, arguments, name) in [
            ("say", r#"{"text":"a","text":"b"}"#, "text"),
            ("say", r#"{"text":"a","te\u0078t":"b"}"#, "text"),
            ("item", r#"{"item":{"article":"a","article":"b","n":1}}"#, "article"),
            // Beside a value that would be mended.
            ("item", r#"{"item":{"article":"a","article":"b","n":1.0}}"#, "article"),
            ("set", r#"{"set":[1],"n":1.0,"n":2.0}"#, "n"),
        ] {
            let (text, is_error) = answer(app(), tool, arguments);
            assert!(is_error, "{arguments}: {text}");
            assert!(text.contains(&format!("`{name}`")) || text.contains(&format!("/{name}`")), "{text}");
        }
    }
}

#[test]
fn maps_with_integer_keys_are_mended_and_explained() {
    assert_eq!(taken("map", r#"{"map":{"1":2}}"#), "{1: 2}");
    assert_eq!(taken("map", r#"{"map":{"-1":2.0}}"#), "{-1: 2}");
    let text = refused("map", r#"{"map":{"1":"x"}}"#);
    assert!(text.contains("`/map/1`: expected an integer"), "{text}");
    let text = refused("map", r#"{"map":{"one":1}}"#);
    assert!(text.contains("/map/one") && !text.contains("no such argument"), "{text}");
}

#[test]
fn what_the_decoder_takes_does_not_depend_on_its_neighbours() {
    assert_eq!(taken("set", r#"{"set":[1,1,1],"n":1}"#), "1 1");
    assert_eq!(taken("set", r#"{"set":[1,1,1],"n":1.0}"#), "1 1");
    assert_eq!(taken("float", r#"{"value":-0.0}"#), r#"{"result":true}"#);
    assert_eq!(taken("float", r#"{"value":0}"#), r#"{"result":true}"#);
    refused("float", r#"{"value":-0.1}"#);
}

#[test]
fn null_is_no_value_of_a_member_with_a_default() {
    assert_eq!(taken("item", r#"{"item":{"article":"a","n":1,"urgent":null}}"#), "1 a false");
    assert_eq!(taken("item", r#"{"item":{"article":"a","n":1.0,"urgent":null}}"#), "1 a false");
    let text = refused("item", r#"{"item":{"article":null,"n":1}}"#);
    assert!(text.contains("`/item/article`"), "{text}");
}

/// Where a call that makes its answer meets its cancellation.
struct Meeting {
    answering: Barrier,
    cancelled: Barrier,
}

/// Answers when its cancellation has come.
#[mcp::tool]
async fn answer_too_late(meeting: State<Arc<Meeting>>) -> &'static str {
    tokio::task::yield_now().await;
    // What holds its thread up cannot be dropped meanwhile.
    meeting.answering.wait();
    meeting.cancelled.wait();
    "an answer"
}

#[test]
fn a_call_that_is_cancelled_while_it_makes_its_answer_is_not_answered() {
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
            // The one thread for tasks has time for another when the call has ended.
            tokio::spawn(async {}).await.expect("it does nothing");
            wire.try_receive()
        });
        assert_eq!(answer.is_some_and(|answer| answer.contains("an answer")), !is_cancelled);
    }
}

#[test]
fn cancelled_members_of_a_batch_make_room_before_the_batch_ends() {
    run(async {
        let mut wire = open(app(), "2025-03-26").await;
        // 300 members have places, more than there are.
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
fn a_batch_that_had_to_wait_is_answered_by_one_array() {
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
fn what_a_tool_logs_before_it_panics_is_sent() {
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
fn the_last_progress_is_not_lost_when_nothing_is_read() {
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
fn a_frame_that_has_come_is_there_without_waiting() {
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
fn the_id_of_a_call_is_its_own_while_it_is_polled_for_the_first_time() {
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
fn bounds_that_no_value_of_the_type_meets_are_refused() {
    let text = App::empty("x").tool::<tools::impossible>().check().unwrap_err().to_string();
    for part in ["`impossible`", "300", "255"] {
        assert!(text.contains(part), "{part} in {text}");
    }
}

#[test]
fn a_tool_that_is_registered_twice_is_named_once() {
    let module = concat!(module_path!(), "::tools");
    let text = App::from_module("x", module).tool::<tools::say>().check().unwrap_err().to_string();
    assert!(text.contains("registered twice") && text.contains("`App::empty`"), "{text}");
    assert!(!text.contains("two tools"), "{text}");
}

#[test]
fn errors_without_an_id_do_not_pile_up_while_nothing_is_sent() {
    run(async {
        let mut wire = open(app(), "2025-11-25").await;
        let burst = |wire: &mut Wire| {
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
fn a_cursor_that_is_null_is_none_to_a_legacy_server() {
    run(async {
        let mut wire = open(app(), "2025-11-25").await;
        wire.send(r#"{"jsonrpc":"2.0","id":5,"method":"tools/list","params":{"cursor":null}}"#);
        let answer = receive(&mut wire).await;
        assert!(answer["result"]["tools"].as_array().is_some_and(|tools| !tools.is_empty()), "{answer}");
    });
}
