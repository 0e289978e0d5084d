//! Tests of the client against a simulated server: the messages it sends, and the violations it rejects.

use std::future::{Future, IntoFuture};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::peer::TestServer;
use super::scripts::panic_text;
use super::*;
use crate::outgoing::queue::OutgoingQueue;
use crate::outgoing::tap::FrameTap;
use crate::protocol::Revision;

/// The messages that a simulated server has received.
type Log = Arc<Mutex<Vec<Value>>>;

/// A server that answers each message by a function.
struct ScriptedServer<F> {
    answer: Mutex<F>,
    log: Log,
    outgoing: Arc<OutgoingQueue>,
    frames: FrameTap,
}

impl<F: FnMut(&Value, &OutgoingQueue) -> Vec<Value> + Send> TestServer for ScriptedServer<F> {
    fn receive(&self, message: &[u8], out: &mut Vec<u8>) {
        let message: Value = serde_json::from_slice(message).unwrap();
        self.log.lock().unwrap().push(message.clone());
        let handshake = (message["method"] == "initialize").then(|| {
            let capabilities = json!({"tools": {"listChanged": true}, "resources": {"subscribe": true}});
            let version = &message["params"]["protocolVersion"];
            vec![answered(&message, json!({"protocolVersion": version, "capabilities": capabilities}))]
        });
        for frame in handshake.unwrap_or_else(|| (self.answer.lock().unwrap())(&message, &self.outgoing)) {
            out.extend_from_slice(format!("{frame}\n").as_bytes());
        }
    }

    fn frames(&self) -> &FrameTap {
        &self.frames
    }

    fn close(&self) {
        self.outgoing.close();
    }
}

fn played(answer: impl FnMut(&Value, &OutgoingQueue) -> Vec<Value> + Send + 'static) -> (TestClientBuilder, Log) {
    let log = Log::default();
    let outgoing = Arc::default();
    let frames = FrameTap::new(&outgoing);
    let played = ScriptedServer { answer: Mutex::new(answer), log: Arc::clone(&log), outgoing, frames };
    (TestClientBuilder::new(Box::new(|_| Box::pin(async { Ok(Box::new(played) as Box<dyn TestServer>) }))), log)
}

fn answered(request: &Value, result: Value) -> Value {
    json!({"jsonrpc": "2.0", "id": request["id"], "result": result})
}

fn notification(method: &str, params: Value) -> Value {
    json!({"jsonrpc": "2.0", "method": method, "params": params})
}

fn say(outgoing: &OutgoingQueue, frame: &Value) {
    outgoing.push(format!("{frame}\n").as_bytes());
}

/// Returns an elicitation as a server of 2026-07-28 sends it.
fn confirm() -> Value {
    let schema = json!({"type": "object", "properties": {"confirm": {"type": "boolean"}}});
    json!({"method": "elicitation/create", "params": {"message": "Sure?", "requestedSchema": schema}})
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), work).await.expect("it does not hang") })
}

/// Returns the text with which a test would fail.
fn panic_of<T>(work: impl Future<Output = T>) -> String {
    match std::panic::catch_unwind(AssertUnwindSafe(|| run(work))) {
        Ok(_) => panic!("it should have panicked"),
        Err(panic) => panic_text(&*panic).to_owned(),
    }
}

#[test]
fn modern_input_requests_are_answered_by_repeating_the_request() {
    run(async {
        let (client, log) = played(|message, _| {
            let params = &message["params"];
            let round = params["requestState"].as_str().unwrap_or_default();
            let result = match round {
                "" => json!({
                    "resultType": "input_required",
                    "inputRequests": {
                        "elicitation_1": confirm(),
                        "city": {"method": "sampling/createMessage", "params": {
                            "messages": [{"role": "user", "content": {"type": "text", "text": "Capital?"}}],
                            "maxTokens": 9
                        }},
                        "roots_1": {"method": "roots/list"}
                    },
                    "requestState": "one"
                }),
                "one" => json!({"resultType": "input_required", "requestState": "two"}),
                _ => json!({"resultType": "complete", "content": [{"type": "text", "text": "done"}]}),
            };
            vec![answered(message, result)]
        });
        let client = client.on_elicitation(|question| {
            assert_eq!((question.message.as_str(), question.key.as_deref()), ("Sure?", Some("elicitation_1")));
            assert_eq!(question.schema["properties"]["confirm"]["type"], "boolean");
            ClientReply::accept(json!({"confirm": true}))
        });
        let client = client.on_sampling(|question| {
            assert_eq!((question.prompt(), question.max_tokens), ("Capital?", 9));
            json!({"role": "assistant", "content": {"type": "text", "text": "Paris"}, "model": "m"})
        });
        let client = client.roots(["file:///srv"]).await.unwrap();
        let reply = client.call("cancel", json!({"id": 1})).progress_token("p").await.unwrap();
        assert_eq!(reply.text(), "done");

        let log = log.lock().unwrap();
        let ids: Vec<i64> = log.iter().filter_map(|message| message["id"].as_i64()).collect();
        assert_eq!(ids, [1, 2, 3]);
        let meta = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {
                "elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}
            },
            "io.modelcontextprotocol/clientInfo": {
                "name": "fastmcp-rs test client", "version": env!("CARGO_PKG_VERSION")
            },
            "progressToken": "p"
        });
        assert_eq!(log[0]["params"], json!({"name": "cancel", "arguments": {"id": 1}, "_meta": meta}));
        let responses = json!({
            "elicitation_1": {"action": "accept", "content": {"confirm": true}},
            "city": {"role": "assistant", "content": {"type": "text", "text": "Paris"}, "model": "m"},
            "roots_1": {"roots": [{"uri": "file:///srv"}]}
        });
        let mut second = json!({"name": "cancel", "arguments": {"id": 1}, "_meta": meta, "requestState": "one"});
        second["inputResponses"] = responses;
        assert_eq!(log[1]["params"], second);
        // A round without requests is repeated with only its state.
        let third = json!({"name": "cancel", "arguments": {"id": 1}, "_meta": meta, "requestState": "two"});
        assert_eq!(log[2]["params"], third);
    });
}

#[test]
fn requests_of_a_session_are_answered_by_responses() {
    run(async {
        let (client, log) = played({
            let mut call = Value::Null;
            move |message, outgoing| {
                if message["method"] == "tools/call" {
                    call = message.clone();
                    let mut question = confirm();
                    question["jsonrpc"] = "2.0".into();
                    question["id"] = "q-1".into();
                    say(outgoing, &question);
                    say(outgoing, &json!({"jsonrpc": "2.0", "id": 7, "method": "ping"}));
                } else if message["id"] == "q-1" {
                    let text = message["result"]["action"].clone();
                    return vec![answered(&call, json!({"content": [{"type": "text", "text": text}]}))];
                }
                Vec::new()
            }
        });
        let client = client.revision(Revision::V2025_06_18).on_elicitation(|question| {
            assert_eq!(question.key, None);
            ClientReply::decline()
        });
        let client = client.await.unwrap();
        assert_eq!(client.call("cancel", json!({})).await.unwrap().text(), "decline");
        let log = log.lock().unwrap();
        assert_eq!(log[0]["params"]["protocolVersion"], "2025-06-18");
        assert_eq!(log[0]["params"]["capabilities"], json!({"elicitation": {}}));
        assert_eq!(log[1], json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        assert_eq!(log[2]["params"], json!({"name": "cancel", "arguments": {}}));
        assert_eq!(log[3], json!({"jsonrpc": "2.0", "id": "q-1", "result": {"action": "decline"}}));
        assert_eq!(log[4], json!({"jsonrpc": "2.0", "id": 7, "result": {}}));
    });
}

#[test]
fn a_silent_script_ends_a_modern_call_and_sends_no_response() {
    run(async {
        let asks = json!({"resultType": "input_required", "inputRequests": {"k": confirm()}, "requestState": "s"});
        let (client, log) = played(move |message, _| vec![answered(message, asks.clone())]);
        let client = client.on_elicitation(|_| ClientReply::silence()).await.unwrap();
        let failure = client.call("x", json!({})).await.unwrap_err();
        assert!(failure.is_unanswered(), "{failure}");
        assert!(failure.to_string().contains("`k` (elicitation/create)"), "{failure}");
        // Sent by hand, the request for input is the result.
        let result = client.request("tools/call", json!({"name": "x"})).await.unwrap();
        assert_eq!(result["requestState"], "s");
        assert_eq!(log.lock().unwrap().len(), 2);
    });
    run(async {
        let mut question = confirm();
        question["id"] = 1.into();
        let (client, log) = played(move |_, outgoing| {
            say(outgoing, &question);
            Vec::new()
        });
        let client = client.revision(Revision::V2025_11_25).on_elicitation(|_| ClientReply::silence()).await.unwrap();
        let call = client.call("x", json!({}));
        assert!(tokio::time::timeout(Duration::from_secs(1), call).await.is_err());
        let log = log.lock().unwrap();
        assert!(log.iter().all(|message| message.get("result").is_none()), "{log:?}");
        assert_eq!(log.last().unwrap()["method"], "notifications/cancelled");
    });
}

#[test]
fn a_refusal_is_an_error_in_a_session() {
    run(async {
        let params = json!({"messages": [], "maxTokens": 1});
        let question = json!({"id": 5, "method": "sampling/createMessage", "params": params});
        let (client, log) = played(move |message, outgoing| {
            if message["method"] == "tools/call" {
                say(outgoing, &question);
            }
            Vec::new()
        });
        let client =
            client.revision(Revision::V2024_11_05).on_sampling(|_| ClientReply::refuse(-1, "no")).await.unwrap();
        let call = client.call("x", json!({}));
        assert!(tokio::time::timeout(Duration::from_secs(1), call).await.is_err());
        let log = log.lock().unwrap();
        assert_eq!(log[3], json!({"jsonrpc": "2.0", "id": 5, "error": {"code": -1, "message": "no"}}));
    });
}

#[test]
fn an_unexpected_request_fails_the_test_with_its_content() {
    let asks = |question: Value| {
        move |message: &Value, _: &OutgoingQueue| {
            let result = json!({"resultType": "input_required", "inputRequests": {"k": question.clone()}});
            vec![answered(message, result)]
        }
    };
    let problem = panic_of(async {
        let (client, _) = played(asks(confirm()));
        client.await.unwrap().call("x", json!({})).await
    });
    assert!(problem.contains("Sure?") && problem.contains("did not declare `elicitation`"), "{problem}");

    let problem = panic_of(async {
        let (client, _) = played(asks(confirm()));
        client.capabilities(json!({"elicitation": {}})).await.unwrap().call("x", json!({})).await
    });
    assert!(problem.contains("no script responds: add `.on_elicitation("), "{problem}");

    let page = json!({"mode": "url", "message": "Sign in", "url": "https://example.com"});
    let page = json!({"method": "elicitation/create", "params": page});
    let problem = panic_of(async {
        let (client, _) = played(asks(page));
        let client =
            client.capabilities(json!({"elicitation": {}})).on_elicitation(|_| ClientReply::accept(Value::Null));
        client.await.unwrap().call("x", json!({})).await
    });
    assert!(problem.contains("Sign in") && problem.contains("`elicitation.url`"), "{problem}");

    let problem = panic_of(async {
        let mut question = confirm();
        question["id"] = 1.into();
        let (client, _) = played(move |_, outgoing| {
            say(outgoing, &question);
            Vec::new()
        });
        client.revision(Revision::V2025_11_25).await.unwrap().call("x", json!({})).await
    });
    assert!(problem.contains("Sure?") && problem.contains("did not declare `elicitation`"), "{problem}");
}

#[test]
fn a_failed_assertion_in_a_script_fails_the_test() {
    let problem = panic_of(async {
        let mut question = confirm();
        question["id"] = 1.into();
        let (client, _) = played(move |_, outgoing| {
            say(outgoing, &question);
            Vec::new()
        });
        let client = client.revision(Revision::V2025_11_25).on_elicitation(|question| {
            assert_eq!(question.message, "Another one");
            ClientReply::cancel()
        });
        client.await.unwrap().call("x", json!({})).await
    });
    assert!(problem.contains("Another one") && problem.contains("Sure?"), "{problem}");
}

#[test]
fn a_server_that_requests_input_without_end_fails_the_call() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let problem = panic_of(async move {
        let (client, _) = played(|message, _| {
            let result = json!({"resultType": "input_required", "inputRequests": {"again": confirm()}});
            vec![answered(message, result)]
        });
        let client = client.on_elicitation(move |_| {
            count.fetch_add(1, Ordering::Relaxed);
            ClientReply::decline()
        });
        client.await.unwrap().call("x", json!({})).await
    });
    assert!(problem.contains("still needs input after 32 rounds") && problem.contains("again"), "{problem}");
    assert_eq!(asked.load(Ordering::Relaxed), 32);
}

#[test]
fn an_invalid_frame_of_the_server_fails_the_test() {
    let ask = |frame: Value| {
        panic_of(async {
            let (client, _) = played(move |_, _| vec![frame.clone()]);
            client.await.unwrap().call("x", json!({})).await
        })
    };
    for (frame, problem) in [
        (json!({"jsonrpc": "2.0", "id": 99, "result": {}}), "sent a response without a request"),
        (json!({"jsonrpc": "2.0", "id": "1", "result": {}}), "an id that the client did not send"),
        (json!({"jsonrpc": "2.0", "id": 1}), "without a result or an error"),
        (json!({"jsonrpc": "2.0", "id": 1, "error": {"message": "m"}}), "without a result or an error"),
        (json!({"jsonrpc": "2.0", "error": {"code": -32700, "message": "m"}}), "without a method and an id"),
        (json!([]), "an invalid message"),
        (
            json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}),
            "the request `ping`, which does not exist in 2026-07-28",
        ),
        (notification("x", json!({"_meta": {"io.modelcontextprotocol/subscriptionId": 7}})), "not open"),
    ] {
        let told = ask(frame.clone());
        assert!(told.contains(problem) && told.contains(&frame.to_string()), "{frame}: {told}");
    }
    // A response that nothing awaited is reported when the client is dropped.
    let told = panic_of(async {
        let (client, _) = played(|message, _| vec![answered(message, json!({})), answered(message, json!({}))]);
        client.await.unwrap().request("ping", Value::Null).await
    });
    assert!(told.contains("or a second response to one request"), "{told}");
}

#[test]
fn a_failed_assertion_in_an_observer_fails_the_test() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let frames = Arc::clone(&seen);
    let problem = panic_of(async move {
        let (client, _) = played(|message, outgoing| {
            say(outgoing, &answered(message, json!({})));
            Vec::new()
        });
        let client = client.observe(move |origin, frame| {
            frames.lock().unwrap().push(origin);
            assert!(origin == Origin::Client, "not as its schema says: {frame}");
        });
        client.await.unwrap().request("x", Value::Null).await
    });
    assert!(problem.contains("not as its schema says: {\"jsonrpc\""), "{problem}");
    assert_eq!(*seen.lock().unwrap(), [Origin::Client, Origin::Server]);
}

#[test]
fn a_dropped_request_is_cancelled_and_its_late_response_is_ignored() {
    run(async {
        let (client, log) = played(|message, outgoing| {
            if message["method"] == "notifications/cancelled" {
                let id = &message["params"]["requestId"];
                say(outgoing, &json!({"jsonrpc": "2.0", "id": id, "result": {}}));
            }
            Vec::new()
        });
        let client = client.await.unwrap();
        drop(client.call("never sent", json!({})));
        let call = client.call("slow", json!({}));
        assert!(tokio::time::timeout(Duration::from_secs(1), call).await.is_err());
        assert_eq!(client.notifications(), []);
        let log = log.lock().unwrap();
        assert_eq!(log.len(), 2);
        assert_eq!(log[1]["params"]["requestId"], log[0]["id"]);
    });
}

#[test]
fn notifications_are_kept_in_order_until_they_are_taken() {
    run(async {
        let (client, _) = played(|message, outgoing| {
            if message["method"] == "later" {
                say(outgoing, &notification("c", json!({})));
                return vec![answered(message, json!({}))];
            }
            vec![notification("a", json!({"n": 1})), notification("b", Value::Null), answered(message, json!({}))]
        });
        let client = client.await.unwrap();
        client.request("now", Value::Null).await.unwrap();
        assert_eq!(client.next_notification().await.params, json!({"n": 1}));
        client.request("later", Value::Null).await.unwrap();
        let methods: Vec<String> = client.notifications().into_iter().map(|one| one.method).collect();
        assert_eq!(methods, ["b", "c"]);
        assert_eq!(client.notifications(), []);
        let (notification, answer) = tokio::join!(client.next_notification(), client.request("now", Value::Null));
        assert_eq!((notification.method.as_str(), answer.is_ok()), ("a", true));
    });
}

#[test]
fn every_page_of_a_list_is_requested() {
    run(async {
        let (client, log) = played(|message, _| {
            let result = match message["params"]["cursor"].as_str() {
                None => json!({"tools": [{"name": "a"}], "nextCursor": "1"}),
                Some("1") => json!({"tools": [{"name": "b"}], "nextCursor": "2"}),
                Some(_) => json!({"tools": []}),
            };
            vec![answered(message, result)]
        });
        let client = client.await.unwrap();
        assert_eq!(client.list_tools().await.unwrap(), [json!({"name": "a"}), json!({"name": "b"})]);
        assert_eq!(log.lock().unwrap().len(), 3);
    });
    let problem = panic_of(async {
        let (client, _) = played(|message, _| vec![answered(message, json!({"prompts": [], "nextCursor": "1"}))]);
        client.await.unwrap().list_prompts().await
    });
    assert!(problem.contains("`prompts/list` returned the cursor \"1\" twice"), "{problem}");
}

fn told(id: i64, method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({"io.modelcontextprotocol/subscriptionId": id});
    notification(method, params)
}

fn updated(id: i64, uri: &str) -> Value {
    told(id, "notifications/resources/updated", json!({"uri": uri}))
}

#[test]
fn a_modern_subscription_is_acknowledged_notified_and_cancelled() {
    run(async {
        let (client, log) = played(|message, outgoing| {
            let id = message["id"].as_i64().unwrap_or_default();
            match message["method"].as_str() {
                Some("subscriptions/listen") => {
                    let honoured = json!({"notifications": {"resourceSubscriptions": ["orders://1"]}});
                    say(outgoing, &told(id, "notifications/subscriptions/acknowledged", honoured));
                    say(outgoing, &updated(id, "orders://1/notes"));
                    Vec::new()
                }
                Some("change") => {
                    let id = message["params"]["id"].as_i64().unwrap();
                    vec![updated(id, "orders://1"), answered(message, json!({}))]
                }
                Some("end") => {
                    let listen = json!({"id": message["params"]["id"]});
                    vec![answered(&listen, json!({})), answered(message, json!({}))]
                }
                _ => Vec::new(),
            }
        });
        let client = client.await.unwrap();
        let filter = SubscriptionFilter::new().tools_list_changed(true).resource("orders://1");
        let mut first = client.listen(filter.clone()).await.unwrap();
        assert_eq!(first.acknowledged(), &json!({"resourceSubscriptions": ["orders://1"]}));
        let mut second = client.listen(filter).await.unwrap();
        let listened = log.lock().unwrap()[0].clone();
        let wanted = json!({"toolsListChanged": true, "resourceSubscriptions": ["orders://1"]});
        assert_eq!(listened["params"]["notifications"], wanted);
        assert!(listened["params"]["_meta"].get("io.modelcontextprotocol/protocolVersion").is_some());

        client.request("change", json!({"id": 2})).await.unwrap();
        assert_eq!(first.next().await.unwrap().params["uri"], "orders://1/notes");
        assert_eq!(first.try_next(), None);
        assert_eq!(second.next().await.unwrap().params["uri"], "orders://1/notes");
        assert_eq!(second.next().await.unwrap().params["uri"], "orders://1");

        client.request("end", json!({"id": 2})).await.unwrap();
        assert_eq!(second.next().await, None);
        drop(second);
        first.cancel();
        // A notification that was already on its way is not a violation.
        client.request("change", json!({"id": 1})).await.unwrap();
        assert_eq!(client.notifications(), []);
        let log = log.lock().unwrap();
        let cancelled: Vec<&Value> =
            log.iter().filter(|message| message["method"] == "notifications/cancelled").collect();
        assert_eq!(cancelled.len(), 1, "one has ended by itself");
        assert_eq!(cancelled[0]["params"]["requestId"], 1);
    });
}

#[test]
fn a_refused_or_unordered_subscription_is_an_error() {
    run(async {
        let (client, log) = played(|message, _| {
            let error = json!({"code": -32602, "message": "no filter", "data": [1]});
            vec![json!({"jsonrpc": "2.0", "id": message["id"], "error": error})]
        });
        let client = client.await.unwrap();
        let failure = client.listen(SubscriptionFilter::new()).await.unwrap_err();
        assert_eq!((failure.code(), failure.data()), (-32602, Some(&json!([1]))));
        assert_eq!(failure.to_string(), "error -32602: no filter ([1])");
        assert_eq!(log.lock().unwrap().len(), 1, "what was refused is not cancelled");
    });
    let listen = |frames: Vec<Value>| {
        panic_of(async {
            let (client, _) = played(move |_, _| frames.clone());
            let client = client.await.unwrap();
            let mut subscription = client.listen(SubscriptionFilter::new().resource("a:b")).await.unwrap();
            subscription.next().await
        })
    };
    let acknowledged = told(1, "notifications/subscriptions/acknowledged", json!({"notifications": {}}));
    assert!(listen(vec![updated(1, "a:b")]).contains("before it acknowledged"));
    assert!(listen(vec![acknowledged.clone(), updated(1, "c:d")]).contains("did not ask for"));
    assert!(listen(vec![acknowledged.clone(), acknowledged]).contains("twice"));
}

#[test]
fn a_subscription_of_a_session_takes_its_own_notifications() {
    run(async {
        let (client, log) = played(|message, _| match message["method"].as_str() {
            Some("change") => vec![
                notification("notifications/resources/updated", json!({"uri": "orders://1?full"})),
                notification("notifications/resources/updated", json!({"uri": "orders://10"})),
                notification("notifications/tools/list_changed", Value::Null),
                notification("notifications/prompts/list_changed", Value::Null),
                answered(message, json!({})),
            ],
            Some(_) if message.get("id").is_some() => vec![answered(message, json!({}))],
            _ => Vec::new(),
        });
        let client = client.revision(Revision::V2025_03_26).await.unwrap();
        let filter =
            SubscriptionFilter::new().tools_list_changed(true).prompts_list_changed(true).resource("orders://1");
        let mut subscription = client.listen(filter).await.unwrap();
        let honoured = json!({"toolsListChanged": true, "resourceSubscriptions": ["orders://1"]});
        assert_eq!(subscription.acknowledged(), &honoured);
        let other = client.listen(SubscriptionFilter::new().resource("orders://1")).await.unwrap();
        client.request("change", Value::Null).await.unwrap();
        let next = subscription.next().await.unwrap();
        assert_eq!(next.method, "notifications/resources/updated");
        assert_eq!(subscription.next().await.unwrap().method, "notifications/tools/list_changed");
        let others = client.notifications();
        assert_eq!(others.len(), 1);
        assert_eq!(others[0].params["uri"], "orders://10", "which only begins alike");

        drop(other);
        let methods = |log: &Log| -> Vec<Value> {
            log.lock().unwrap().iter().skip(2).map(|message| message["method"].clone()).collect()
        };
        assert_eq!(methods(&log), ["resources/subscribe", "resources/subscribe", "change"]);
        drop(subscription);
        assert_eq!(methods(&log).last().unwrap(), "resources/unsubscribe");
        client.request("change", Value::Null).await.unwrap();
        assert_eq!(client.notifications().len(), 4);
    });
}

#[test]
fn a_structured_result_is_read_in_each_revision() {
    let orders = json!(["a", "b"]);
    let reply = |result: Value, revision| ToolReply::new(result, revision).structured::<Vec<String>>();
    assert_eq!(reply(json!({"structuredContent": orders}), Revision::V2026_07_28), ["a", "b"]);
    assert_eq!(reply(json!({"structuredContent": {"result": orders}}), Revision::V2025_11_25), ["a", "b"]);
    let text = json!({"content": [{"type": "text", "text": orders.to_string()}]});
    assert_eq!(reply(text, Revision::V2025_03_26), ["a", "b"]);
    let told = panic_of(async { reply(json!({"structuredContent": {"result": orders}}), Revision::V2026_07_28) });
    assert!(told.contains("does not fit the type"), "{told}");
    let failed = json!({"isError": true, "content": [{"type": "text", "text": "no stock"}]});
    let told = panic_of(async { reply(failed, Revision::V2026_07_28) });
    assert!(told.contains("the tool failed: no stock"), "{told}");
}

#[test]
fn a_client_can_be_sent_between_threads() {
    fn sendable<T: Send>(_: &T) {}
    run(async {
        let (builder, _) = played(|message, _| vec![answered(message, json!({"content": []}))]);
        let connecting = builder.into_future();
        sendable(&connecting);
        let client = connecting.await.unwrap();
        sendable(&client);
        let call = tokio::spawn(client.call("x", json!({})));
        drop(client);
        assert_eq!(call.await.unwrap().unwrap().text(), "", "a task keeps the connection");
    });
}
