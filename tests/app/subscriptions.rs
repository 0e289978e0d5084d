//! Notifications of changes, in process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fastmcp_rs::prelude::*;
use fastmcp_rs::testing::{RawClient, SubscriptionFilter};
use serde_json::{Value, json};

use crate::support::{Revision, schema};

/// A shelf.
#[mcp::resource("shelf://{number}")]
fn shelf(number: u32) -> String {
    format!("shelf {number}")
}

/// Keeps the context of a tool for use after its call.
#[derive(Clone, Default)]
struct Left(Arc<Mutex<Option<Context>>>);

/// Leaves its context behind.
#[mcp::tool(inline)]
fn leave_context(left: State<Left>, ctx: &Context) {
    *left.0.lock().unwrap() = Some(ctx.clone());
}

fn request(id: impl Into<Value>, method: &str, params: Value) -> String {
    Revision::NEWEST.request(id, method, params)
}

fn listen(id: impl Into<Value>, uris: &[&str]) -> String {
    request(id, "subscriptions/listen", json!({"notifications": {"resourceSubscriptions": uris}}))
}

/// The next frame, which is a notification of the newest revision: its method and its parameters.
async fn notification(wire: &mut RawClient) -> (String, Value) {
    let frame = tokio::time::timeout(Duration::from_secs(20), wire.receive()).await.expect("a frame comes");
    let mut frame: Value = serde_json::from_str(&frame).expect("a frame is JSON");
    assert_eq!(schema::check_notification(Revision::NEWEST, &frame), Ok(()));
    (frame["method"].as_str().expect("a method").to_owned(), frame["params"].take())
}

/// A client, and the context of a tool that it has called.
async fn connect() -> (RawClient, Context) {
    let left = Left::default();
    let app = App::empty("shelves").resource::<shelf>().tool::<leave_context>().state(left.clone());
    let mut wire = app.connect().await.expect("the app is valid");
    wire.send(request("leave", "tools/call", json!({"name": "leave_context"})));
    wire.try_receive().expect("it is answered at once");
    let context = left.0.lock().unwrap().take().expect("the tool has run");
    (wire, context)
}

#[test]
fn changes_are_sent_after_the_end_of_the_call_and_from_any_thread() {
    super::run(async {
        let (mut wire, context) = connect().await;
        context.notify_resource_updated("shelf://1");
        wire.send(listen(1, &["shelf://1", "nowhere://x", "shelf://2"]));
        let meta = json!({"io.modelcontextprotocol/subscriptionId": 1});
        let honoured = json!({"resourceSubscriptions": ["shelf://1", "shelf://2"]});
        let (method, params) = notification(&mut wire).await;
        assert_eq!(method, "notifications/subscriptions/acknowledged");
        assert_eq!(params, json!({"_meta": meta, "notifications": honoured}));

        std::thread::spawn(move || {
            context.notify_resource_updated("shelf://3");
            context.notify_resource_updated(String::from("shelf://2"));
        });
        let (method, params) = notification(&mut wire).await;
        assert_eq!(method, "notifications/resources/updated");
        assert_eq!(params, json!({"_meta": meta, "uri": "shelf://2"}));
        assert_eq!(wire.try_receive(), None);
    });
}

#[test]
fn each_acknowledgement_comes_before_concurrent_changes() {
    super::run(async {
        let (mut wire, context) = connect().await;
        let is_done = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&is_done);
        let publisher = std::thread::spawn(move || {
            while !stop.load(Ordering::Acquire) {
                context.notify_resource_updated("shelf://1");
            }
        });
        for id in 0..200 {
            wire.send(listen(id, &["shelf://1"]));
            let mut methods = Vec::new();
            while methods.len() < 2 {
                let (method, params) = notification(&mut wire).await;
                if params["_meta"]["io.modelcontextprotocol/subscriptionId"] == id {
                    methods.push(method);
                }
            }
            assert_eq!(methods, ["notifications/subscriptions/acknowledged", "notifications/resources/updated"]);
            wire.send(
                json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": id}}).to_string(),
            );
        }
        is_done.store(true, Ordering::Release);
        publisher.join().unwrap();
        drop(wire);
    });
}

#[test]
fn the_test_client_is_notified_in_every_revision() {
    super::run(async {
        for revision in fastmcp_rs::Revision::ALL {
            let left = Left::default();
            let app = App::empty("shelves").resource::<shelf>().tool::<leave_context>().state(left.clone());
            let client = app.test_client().revision(*revision).await.expect("the app is valid");
            client.call("leave_context", json!({})).await.expect("a result");
            let context = left.0.lock().unwrap().take().expect("the tool has run");
            let filter = SubscriptionFilter::new().tools_list_changed(true);
            let mut one = client.listen(filter.clone().resource("shelf://1")).await.expect("a subscription");
            assert_eq!(one.acknowledged(), &json!({"resourceSubscriptions": ["shelf://1"]}), "nothing is dynamic");
            let mut both = client.listen(filter.resource("shelf://1").resource("shelf://2")).await.expect("another");
            for (uri, is_for_one) in [("shelf://2", false), ("shelf://1", true)] {
                context.notify_resource_updated(uri);
                assert_eq!(both.next().await.expect("it is open").params["uri"], uri);
                if is_for_one {
                    assert_eq!(one.next().await.expect("it is open").params["uri"], uri);
                }
            }
            one.cancel();
            context.notify_resource_updated("shelf://1");
            assert_eq!(both.next().await.expect("it is open").params["uri"], "shelf://1");
        }
    });
}

#[test]
fn a_closed_client_gets_no_notifications() {
    super::run(async {
        let (mut wire, context) = connect().await;
        wire.send(listen(1, &["shelf://1"]));
        drop(wire);
        context.notify_resource_updated("shelf://1");
    });
}
