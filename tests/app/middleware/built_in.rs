//! The built-in middleware: rate limits, result sizes, timing and logging.

use std::io::Write;
use std::time::Duration;

use fastmcp_rs::middleware::{Measurement, Outcome, RateLimit, ResultSizeLimit, StructuredLogging, Timing};

use super::*;

/// Waits.
#[mcp::tool]
async fn nap(ms: u64) -> u64 {
    tokio::time::sleep(Duration::from_millis(ms)).await;
    ms
}

/// Runs with a paused clock, which advances only when every task waits.
fn with_paused_clock<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(work)
}

async fn wait(duration: Duration) {
    tokio::time::advance(duration).await;
}

#[test]
fn calls_above_the_rate_get_a_time_to_retry() {
    with_paused_clock(async {
        let mut client = Client::connect(app().layer(RateLimit::per_second(2.0).burst(3)), Revision::NEWEST).await;
        for _ in 0..3 {
            assert_eq!(text(&client.call("double", json!({"number": 1})).await), "2");
        }
        let refused = client.call("double", json!({"number": 1})).await;
        assert!(is_error(&refused));
        assert_eq!(text(&refused), "Too many calls of `double`. Try again in 0.5 seconds.");
        // Each tool has a bucket of its own.
        assert_eq!(text(&client.call("fill", json!({"bytes": 1})).await), "x");

        wait(Duration::from_millis(499)).await;
        assert!(is_error(&client.call("double", json!({"number": 1})).await));
        wait(Duration::from_millis(1)).await;
        assert_eq!(text(&client.call("double", json!({"number": 1})).await), "2");
        assert!(is_error(&client.call("double", json!({"number": 1})).await));

        // After any time there are three permits again, and no more.
        wait(Duration::from_secs(3600)).await;
        for _ in 0..3 {
            assert!(!is_error(&client.call("double", json!({"number": 1})).await));
        }
        assert!(is_error(&client.call("double", json!({"number": 1})).await));
    });
}

#[test]
fn other_requests_above_the_rate_are_machine_readable_errors() {
    for revision in Revision::ALL {
        with_paused_clock(async {
            let mut client = Client::connect(app().layer(RateLimit::per_minute(1.0)), revision).await;
            // One bucket for all URIs of a template.
            client.ask("resources/read", json!({"uri": "notes://1"})).await;
            let refused = client.ask("resources/read", json!({"uri": "notes://2"})).await;
            assert_eq!(refused["error"]["code"], -32603);
            assert_eq!(refused["error"]["data"], json!({"retryAfter": 60.0}));
            let (_, params, ..) = operations()[4].clone();
            assert!(client.ask("completion/complete", params.clone()).await.get("result").is_some());
            assert!(client.ask("completion/complete", params).await.get("error").is_some());
            for _ in 0..5 {
                assert!(client.ask("tools/list", Value::Null).await.get("result").is_some());
            }
        });
    }
}

#[test]
fn each_component_can_have_its_own_rate() {
    with_paused_clock(async {
        let limit = RateLimit::per_second(100.0).component("double", RateLimit::per_minute(2.0).burst(1));
        let mut client = Client::connect(app().layer(limit), Revision::NEWEST).await;
        assert!(!is_error(&client.call("double", json!({"number": 1})).await));
        assert!(text(&client.call("double", json!({"number": 1})).await).contains("30 seconds"));
        for _ in 0..100 {
            assert!(!is_error(&client.call("fill", json!({"bytes": 1})).await));
        }
        assert!(is_error(&client.call("fill", json!({"bytes": 1})).await));
    });
}

#[test]
fn each_principal_has_its_own_bucket() {
    // Connections of several principals to one server come with HTTP; here each has a server, and the limit is
    // told apart by asking as one of them twice.
    struct Shared(Arc<RateLimit>);
    impl Layer for Shared {
        fn handle(
            &self,
            operation: Operation,
            next: Next,
        ) -> impl Future<Output = Result<Response, OperationError>> + Send {
            self.0.handle(operation, next)
        }
    }
    with_paused_clock(async {
        let limit = Arc::new(RateLimit::per_minute(1.0));
        let mut outcomes = Vec::new();
        for id in ["ada", "bob", "ada", "bob"] {
            let mut client = Client::connect_as(app().layer(Shared(Arc::clone(&limit))), id).await;
            outcomes.push(is_error(&client.call("double", json!({"number": 1})).await));
        }
        assert_eq!(outcomes, [false, false, true, true]);
    });
}

#[test]
#[should_panic(expected = "a rate must be a number above zero")]
fn a_rate_of_zero_is_refused() {
    let _ = RateLimit::per_second(0.0);
}

#[test]
fn a_result_that_is_too_large_is_replaced_by_advice() {
    for revision in Revision::ALL {
        run(async {
            let mut client = Client::connect(app().layer(ResultSizeLimit::bytes(600)), revision).await;
            assert_eq!(text(&client.call("fill", json!({"bytes": 400})).await).len(), 400);
            let answer = client.call("fill", json!({"bytes": 5000})).await;
            assert!(is_error(&answer));
            assert!(text(&answer).starts_with("The result of `fill` has 5"), "{answer}");
            assert!(text(&answer).contains("the limit is 600 bytes. Narrow the arguments"), "{answer}");
            // Lists have pages.
            assert!(client.ask("tools/list", Value::Null).await.to_string().len() > 700);
        });
    }
    run(async {
        let whole = Client::connect(app(), Revision::NEWEST).await.call("fill", json!({"bytes": 400})).await;
        let size = whole["result"].to_string().len();
        for (limit, fits) in [(size, true), (size - 1, false)] {
            let mut client = Client::connect(app().layer(ResultSizeLimit::bytes(limit)), Revision::NEWEST).await;
            assert_eq!(is_error(&client.call("fill", json!({"bytes": 400})).await), !fits, "{limit} of {size}");
        }
    });
    run(async {
        let mut client = Client::connect(app().layer(ResultSizeLimit::bytes(10)), Revision::NEWEST).await;
        let answer = client.ask("resources/read", json!({"uri": "notes:about"})).await;
        assert_eq!((&answer["error"]["code"], &answer["error"]["data"]["limit"]), (&json!(-32603), &json!(10)));
        assert!(answer["error"]["data"]["size"].as_u64().is_some_and(|size| size > 10));
        let answer = client.ask("prompts/get", json!({"name": "greet", "arguments": {"name": "Ada"}})).await;
        assert_eq!(answer["error"]["code"], -32603);
    });
}

#[test]
fn operations_of_every_outcome_are_timed() {
    with_paused_clock(async {
        let seen: Arc<Mutex<Vec<(String, Duration, Outcome)>>> = Arc::default();
        let sink = Arc::clone(&seen);
        let timing = Timing::with(move |measured: &Measurement<'_>| {
            let line = format!("{} {}", measured.method.as_str(), measured.component);
            sink.lock().expect("no panic with the lock").push((line, measured.duration, measured.outcome));
        });
        let app = app().tool::<nap>().timeout(Duration::from_secs(5)).layer(timing);
        let mut client = Client::connect(app, Revision::NEWEST).await;
        client.call("nap", json!({"ms": 70})).await;
        client.call("fail", json!({})).await;
        client.call("fall", json!({})).await;
        client.ask("resources/read", json!({"uri": "notes://0"})).await;
        client.call("nap", json!({"ms": 7000})).await;
        client.ask("tools/list", Value::Null).await;
        let (ms, seconds) = (Duration::from_millis, Duration::from_secs);
        let expected = [
            ("tools/call nap", ms(70), Outcome::Ok),
            ("tools/call fail", ms(0), Outcome::ToolError),
            ("tools/call fall", ms(0), Outcome::ToolError),
            ("resources/read note", ms(0), Outcome::Error(-32603)),
            ("tools/call nap", seconds(5), Outcome::Cancelled),
            ("tools/list tools/list", ms(0), Outcome::Ok),
        ];
        let seen = seen.lock().expect("no panic with the lock");
        assert_eq!(seen.len(), expected.len(), "{seen:?}");
        for ((line, duration, outcome), (other_line, about, other)) in seen.iter().zip(expected) {
            assert_eq!((line.as_str(), *outcome), (other_line, other));
            // Timers go by milliseconds.
            assert!(duration.abs_diff(about) <= ms(2), "{line}: {duration:?}");
        }
    });
}

/// Collects what a `tracing` subscriber writes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().expect("no panic with the lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// The fields of each event of the middleware.
    fn events(&self) -> Vec<Value> {
        let text = String::from_utf8(self.0.lock().expect("no panic with the lock").clone()).expect("UTF-8");
        let events = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("an event is JSON"));
        let events = events.filter(|event| event["target"] == "fastmcp_rs::middleware");
        events.map(|mut event| json!({"level": event["level"].take(), "fields": event["fields"].take()})).collect()
    }
}

fn logged(app: App, work: impl AsyncFnOnce(&mut Client)) -> Vec<Value> {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || {
        with_paused_clock(async {
            let mut client = Client::connect_as(app, "ada").await;
            work(&mut client).await;
        });
    });
    log.events()
}

#[test]
fn each_operation_logs_one_event() {
    let events = logged(app().tool::<nap>().layer(StructuredLogging::new()), async |client| {
        let meta = json!({"io.modelcontextprotocol/clientInfo": {"name": "tester", "version": "1"}});
        client.ask_with("tools/call", json!({"name": "double", "arguments": {"number": 987}}), meta).await;
        client.call("fail", json!({})).await;
        client.ask("resources/read", json!({"uri": "notes://0"})).await;
        client.ask("tools/list", Value::Null).await;
        let id = client.send("tools/call", json!({"name": "nap", "arguments": {"ms": 9000}}), Value::Null);
        tokio::time::sleep(Duration::from_millis(5)).await;
        let params = json!({"requestId": id});
        client.wire.send(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}).to_string());
        tokio::time::sleep(Duration::from_millis(5)).await;
    });
    let field = |at: usize, name: &str| events[at]["fields"][name].clone();
    let outcomes: Vec<_> = (0..events.len()).map(|at| field(at, "outcome")).collect();
    assert_eq!(outcomes, ["ok", "tool_error", "error", "ok", "cancelled"]);
    let levels: Vec<_> = events.iter().map(|event| event["level"].clone()).collect();
    assert_eq!(levels, ["INFO", "WARN", "WARN", "INFO", "WARN"]);
    assert_eq!(field(0, "method"), "tools/call");
    assert_eq!(field(0, "name"), "double");
    assert_eq!(field(0, "client"), "tester");
    assert_eq!(field(0, "principal"), "ada");
    assert_eq!(field(0, "revision"), "2026-07-28");
    assert_eq!(field(0, "arguments_bytes"), 14);
    assert!(field(0, "reply_bytes").as_u64().is_some_and(|bytes| bytes > 40));
    assert_eq!(field(2, "error_code"), -32603);
    assert_eq!((field(3, "name"), field(3, "method")), (Value::Null, json!("tools/list")));
    assert!(!events.iter().any(|event| event.to_string().contains("987")), "arguments may be secrets: {events:?}");
}

#[test]
fn arguments_are_logged_on_request_and_cut() {
    let events = logged(app().layer(StructuredLogging::new().arguments(true)), async |client| {
        client.call("double", json!({"number": 21})).await;
        client.call("double", json!({"text": "ö".repeat(5000)})).await;
    });
    assert_eq!(events[0]["fields"]["arguments"], r#"{"number":21}"#);
    let cut = events[1]["fields"]["arguments"].as_str().expect("arguments");
    assert!((1990..=2000).contains(&cut.len()), "{}", cut.len());
}

#[test]
fn without_a_function_timings_go_into_the_log() {
    let events = logged(app().tool::<nap>().layer(Timing::new()), async |client| {
        client.call("nap", json!({"ms": 40})).await;
    });
    let fields = &events[0]["fields"];
    assert_eq!((&fields["component"], &fields["outcome"]), (&json!("nap"), &json!("ok")));
    assert!(fields["duration_ms"].as_f64().is_some_and(|ms| (40.0..43.0).contains(&ms)), "{fields}");
}

/// Asks before it answers.
#[mcp::tool]
async fn confirm(ctx: &Context) -> Result<&'static str, ToolError> {
    let _ = ctx.elicit::<bool>("Really?").await?;
    Ok("done")
}

#[test]
fn the_outcome_input_required_is_recorded() {
    let events = logged(app().tool::<confirm>().layer(StructuredLogging::new()), async |client| {
        let meta = json!({"io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}});
        let params = json!({"name": "confirm", "arguments": {}});
        let (_, asked) = client.ask_with("tools/call", params, meta).await;
        assert_eq!(asked["result"]["resultType"], "input_required");
        let refused = client.call("confirm", json!({})).await;
        assert_eq!(refused["error"]["code"], -32021);
    });
    let outcome = |at: usize| (&events[at]["fields"]["outcome"], &events[at]["fields"]["error_code"]);
    assert_eq!(outcome(0), (&json!("unfinished"), &Value::Null));
    assert_eq!(outcome(1), (&json!("error"), &json!(-32021)));
}
