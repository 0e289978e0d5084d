//! The guarantees of the engine with middleware: one response, cancellation, timeouts, panics, order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;

mod tools {
    use super::*;

    pub static DROPPED: AtomicUsize = AtomicUsize::new(0);

    struct Guard;

    impl Drop for Guard {
        fn drop(&mut self) {
            DROPPED.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Waits for ever.
    #[mcp::tool(timeout = "300ms")]
    pub async fn wait_briefly() -> String {
        std::future::pending().await
    }

    /// Waits for ever, and counts its cancellations.
    #[mcp::tool]
    pub async fn wait() -> String {
        let _guard = Guard;
        std::future::pending().await
    }

    /// Reports three times.
    #[mcp::tool]
    pub async fn report(pauses: bool, ctx: &Context) -> String {
        for done in 1..=3 {
            ctx.progress(f64::from(done), 3.0, "going");
            if pauses {
                tokio::time::sleep(Duration::from_millis(60)).await;
            }
        }
        "reported".into()
    }

    /// Works on a thread of its own.
    #[mcp::tool]
    pub fn compute(number: i64) -> i64 {
        number + 1
    }
}

fn app() -> App {
    super::app().tool::<tools::wait_briefly>().tool::<tools::wait>().tool::<tools::report>().tool::<tools::compute>()
}

#[test]
fn a_call_that_waits_in_middleware_gets_its_response_later() {
    for revision in Revision::ALL {
        run(async {
            let slow = middleware::from_fn(|operation: Operation, next: Next| async move {
                tokio::time::sleep(Duration::from_millis(2)).await;
                let reply = next.run(operation).await;
                tokio::task::yield_now().await;
                reply
            });
            let mut client = Client::connect(app().layer(slow), revision).await;
            let mut plain = Client::connect(app(), revision).await;
            for (method, params, ..) in operations() {
                let mut expected = plain.ask(method, params.clone()).await;
                let answer = client.ask(method, params).await;
                expected["id"] = answer["id"].clone();
                assert_eq!(answer, expected);
            }
            assert!(text(&client.call("compute", json!({"number": 1})).await).contains('2'));
            client.assert_quiet();
        });
    }
}

#[test]
fn notifications_of_middleware_come_before_the_response() {
    run(async {
        let journal = Journal::default();
        let chatty = middleware::from_fn(|operation: Operation, next: Next| async move {
            operation.context().progress(0.5, 3.0, "in a layer");
            next.run(operation).await
        });
        let app = app().layer(Witness("a", journal)).layer(chatty);
        let mut client = Client::connect(app, Revision::NEWEST).await;
        for pauses in [false, true] {
            let params = json!({"name": "report", "arguments": {"pauses": pauses}});
            let (reports, answer) = client.ask_with("tools/call", params, json!({"progressToken": "t"})).await;
            assert_eq!(text(&answer), "reported");
            let values: Vec<f64> = reports.iter().filter_map(|report| report["params"]["progress"].as_f64()).collect();
            assert_eq!((values.first(), values.last()), (Some(&0.5), Some(&3.0)), "{values:?}");
            assert!(values.windows(2).all(|pair| pair[0] < pair[1]), "{values:?}");
        }
    });
}

#[test]
fn a_cancelled_call_drops_its_middleware_and_gets_no_response() {
    run(async {
        let journal = Journal::default();
        let mut client = Client::connect(app().layer(Witness("a", journal.clone())), Revision::NEWEST).await;
        let before = tools::DROPPED.load(Ordering::SeqCst);
        let id = client.send("tools/call", json!({"name": "wait"}), Value::Null);
        assert_eq!(read(&journal), ["a > tools/call wait"]);
        let params = json!({"requestId": id});
        client.wire.send(json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params}).to_string());
        while tools::DROPPED.load(Ordering::SeqCst) == before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        assert_eq!(text(&client.call("double", json!({"number": 1})).await), "2");
        client.assert_quiet();
    });
}

#[test]
fn a_timeout_includes_the_middleware() {
    run(async {
        let mut client = Client::connect(app().layer(Witness("a", Journal::default())), Revision::NEWEST).await;
        let answer = client.call("wait_briefly", json!({})).await;
        assert!(is_error(&answer) && text(&answer).contains("timed out after 300ms"), "{answer}");
    });
    run(async {
        let stuck = middleware::from_fn(|_: Operation, _: Next| std::future::pending());
        let mut client = Client::connect(app().timeout(Duration::from_millis(20)).layer(stuck), Revision::NEWEST).await;
        let answer = client.call("double", json!({"number": 1})).await;
        assert!(is_error(&answer) && text(&answer).contains("timed out after 20ms"), "{answer}");
        let answer = client.ask("tools/list", Value::Null).await;
        assert_eq!(answer["error"]["code"], -32603);
    });
}

/// Panics where its name says.
struct Falls(&'static str);

impl Layer for Falls {
    fn handle(
        &self,
        operation: Operation,
        next: Next,
    ) -> impl Future<Output = Result<Response, OperationError>> + Send {
        assert!(self.0 != "at once", "the password is hunter2");
        async move {
            assert!(self.0 != "before", "the password is hunter2");
            if self.0 == "later" {
                tokio::time::sleep(Duration::from_millis(1)).await;
                panic!("the password is hunter2");
            }
            let reply = next.run(operation).await;
            assert!(self.0 != "after", "the password is hunter2");
            reply
        }
    }
}

#[test]
fn a_panic_of_middleware_is_an_error_that_outer_middleware_sees() {
    for place in ["at once", "before", "later", "after"] {
        run(async {
            let journal = Journal::default();
            let app = app().layer(Witness("a", journal.clone())).layer(Falls(place));
            let mut client = Client::connect(app, Revision::NEWEST).await;
            let answer = client.call("double", json!({"number": 1})).await;
            assert!(is_error(&answer) && !answer.to_string().contains("hunter2"), "{answer}");
            assert_eq!(read(&journal), ["a > tools/call double", "a < failed"]);
            let answer = client.ask("tools/list", Value::Null).await;
            assert_eq!(answer["error"]["code"], -32603);
            assert_eq!(read(&journal), ["a > tools/list ", "a < -32603"]);
            client.assert_quiet();
        });
    }
}

#[test]
fn middleware_sees_the_panic_of_a_handler() {
    run(async {
        let journal = Journal::default();
        let mut client = Client::connect(app().layer(Witness("a", journal.clone())), Revision::NEWEST).await;
        let answer = client.call("fall", json!({})).await;
        assert!(is_error(&answer) && text(&answer).contains("Changing the arguments will not help"), "{answer}");
        assert_eq!(read(&journal), ["a > tools/call fall", "a < failed"]);
    });
}

#[test]
fn middleware_can_run_the_handler_again_and_the_client_gets_one_response() {
    run(async {
        let again = middleware::from_fn(|operation: Operation, next: Next| async move {
            let first = next.clone().run(operation.clone()).await?;
            assert!(first.is_error());
            let (one, other) = (next.clone().run(operation.clone()), next.run(operation));
            let (one, other) = (one.await?, other.await?);
            assert_eq!(one.json(), other.json());
            Ok(one)
        });
        let mut client = Client::connect(app().layer(again), Revision::NEWEST).await;
        let answer = client.call("fail", json!({})).await;
        assert_eq!((is_error(&answer), text(&answer)), (true, "on purpose"));
        client.assert_quiet();
    });
}

#[test]
fn many_calls_through_middleware_get_one_response_each() {
    run(async {
        let slow = middleware::from_fn(|operation: Operation, next: Next| async move {
            tokio::time::sleep(Duration::from_millis(3)).await;
            next.run(operation).await
        });
        let mut client = Client::connect(app().layer(slow), Revision::NEWEST).await;
        // More than may run at a time.
        let mut waiting = std::collections::BTreeMap::new();
        for number in 0..600 {
            let (method, params) = match number % 3 {
                0 => ("tools/list", json!({})),
                1 => ("resources/read", json!({"uri": format!("notes://{}", number + 1)})),
                _ => ("tools/call", json!({"name": "double", "arguments": {"number": number}})),
            };
            waiting.insert(client.send(method, params, Value::Null), method);
        }
        while !waiting.is_empty() {
            let frame = client.frame().await;
            let method = waiting.remove(&frame["id"].as_i64().expect("an id")).expect("one answer for each request");
            assert_eq!(schema::check_answer(Revision::NEWEST, method, &frame), Ok(()));
            assert!(frame.get("result").is_some(), "{frame}");
        }
        client.assert_quiet();
    });
}

#[test]
fn a_batch_passes_through_middleware() {
    run(async {
        let slow = middleware::from_fn(|operation: Operation, next: Next| async move {
            if operation.method() == Method::ListTools {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            next.run(operation).await
        });
        let mut client = Client::connect(app().layer(slow), Revision::V2025_03_26).await;
        let list = Revision::V2025_03_26.request(1, "tools/list", Value::Null);
        let call =
            Revision::V2025_03_26.request(2, "tools/call", json!({"name": "double", "arguments": {"number": 3}}));
        client.wire.send(format!("[{list},{call}]"));
        let batch = client.frame().await;
        let mut ids: Vec<_> = batch.as_array().expect("a batch").iter().map(|answer| answer["id"].clone()).collect();
        ids.sort_by_key(Value::as_i64);
        assert_eq!(ids, [1, 2]);
        client.assert_quiet();
    });
}

mod asking {
    use super::*;
    use fastmcp_rs::elicitation::ElicitationResult;

    /// Asks before it answers.
    #[mcp::tool]
    pub async fn confirm(ctx: &Context) -> Result<String, ToolError> {
        match ctx.elicit::<bool>("Really?").await? {
            ElicitationResult::Accepted(true) => Ok("done".into()),
            _ => Ok("left".into()),
        }
    }
}

/// Elicitations of a handler, and of middleware, in rounds.
#[test]
fn a_handler_inside_middleware_can_elicit() {
    run(async {
        let journal = Journal::default();
        let app = app().tool::<asking::confirm>().layer(Witness("a", journal.clone()));
        let mut client = Client::connect_as(app, "ada").await;
        let meta = json!({"io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}});
        let params = json!({"name": "confirm", "arguments": {}});
        let (_, asked) = client.ask_with("tools/call", params.clone(), meta.clone()).await;
        assert_eq!(asked["result"]["resultType"], "input_required", "{asked}");
        assert_eq!(read(&journal), ["a > tools/call confirm"]);
        let mut again = params;
        again["requestState"] = asked["result"]["requestState"].clone();
        again["inputResponses"] = json!({"elicitation_1": {"action": "accept", "content": {"value": true}}});
        let (_, answer) = client.ask_with("tools/call", again, meta).await;
        assert_eq!(text(&answer), "done");
        assert_eq!(read(&journal).first().map(String::as_str), Some("a > tools/call confirm"));

        // Without the capability the error is the protocol's own.
        let refused = client.call("confirm", json!({})).await;
        assert_eq!(refused["error"]["code"], -32021, "{refused}");
        assert!(refused["error"]["data"]["requiredCapabilities"].is_object(), "{refused}");
    });
}

#[test]
fn middleware_can_elicit() {
    run(async {
        let ask = middleware::from_fn(|operation: Operation, next: Next| async move {
            match operation.context().elicit::<bool>("Is this all right?").await? {
                fastmcp_rs::elicitation::ElicitationResult::Accepted(true) => next.run(operation).await,
                _ => Err(ToolError::new("the user does not want that").into()),
            }
        });
        let mut client = Client::connect(app().layer(ask), Revision::NEWEST).await;
        let meta = json!({"io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}});
        let params = json!({"name": "double", "arguments": {"number": 2}});
        let (_, asked) = client.ask_with("tools/call", params.clone(), meta.clone()).await;
        for (action, expected) in [("accept", "4"), ("decline", "the user does not want that")] {
            let mut again = params.clone();
            again["requestState"] = asked["result"]["requestState"].clone();
            let content = if action == "accept" { json!({"value": true}) } else { Value::Null };
            again["inputResponses"] = json!({"elicitation_1": {"action": action, "content": content}});
            if content.is_null() {
                again["inputResponses"] = json!({"elicitation_1": {"action": action}});
            }
            let (_, answer) = client.ask_with("tools/call", again, meta.clone()).await;
            assert_eq!(text(&answer), expected);
        }
        // Lists cannot elicit.
        let (_, answer) = client.ask_with("tools/list", Value::Null, meta).await;
        assert_eq!(answer["error"]["code"], -32603, "{answer}");
    });
}
