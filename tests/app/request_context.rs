//! Facts of a request in its context: id, trace context and principal.

use fastmcp_rs::context::RequestId;
use fastmcp_rs::prelude::*;
use serde_json::{Value, json};

use super::run;
use super::support::Revision;

/// Tells what it knows of its request.
#[mcp::tool]
async fn facts(ctx: &Context) -> String {
    let id = match ctx.request_id() {
        Some(RequestId::Integer(number)) => format!("number {number}"),
        Some(RequestId::Text(text)) => format!("text {text}"),
        None => "nothing".into(),
    };
    let trace = ctx.trace_context();
    let who = ctx.principal().map_or("nobody".into(), |who| format!("{} {}", who.id(), who.claims()["team"]));
    format!("{id}; {who}; {:?} {:?} {:?}", trace.traceparent, trace.tracestate, trace.baggage)
}

fn ask(revision: Revision, principal: Option<Principal>, id: Value, meta: Value) -> String {
    run(async {
        let app = App::empty("facts").tool::<facts>();
        let mut wire = match principal {
            Some(principal) => app.connect_as(principal).await,
            None => app.connect().await,
        }
        .expect("the app is valid");
        if !revision.is_modern() {
            wire.send(revision.initialize(0));
            wire.receive().await;
        }
        wire.send(revision.request_with_meta(id, "tools/call", json!({"name": "facts", "arguments": {}}), meta));
        let answer: Value = serde_json::from_str(&wire.receive().await).expect("a frame is JSON");
        answer["result"]["content"][0]["text"].as_str().expect("a text").to_owned()
    })
}

#[test]
fn request_ids_and_trace_context_are_available_in_every_revision() {
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for revision in Revision::ALL {
        let meta = json!({"traceparent": traceparent, "tracestate": "a=b", "baggage": "c=d"});
        let expected = format!(r#"number 7; nobody; Some("{traceparent}") Some("a=b") Some("c=d")"#);
        assert_eq!(ask(revision, None, json!(7), meta), expected);
        // A malformed value counts as absent.
        let meta = json!({"traceparent": "00-1-2-3", "tracestate": "a=b", "baggage": "c=d\r\nevil: 1"});
        assert_eq!(ask(revision, None, json!("7"), meta), "text 7; nobody; None None None");
        let meta = json!({"traceparent": 5, "baggage": ["x"]});
        assert_eq!(ask(revision, None, json!(-1), meta), "number -1; nobody; None None None");
    }
}

#[test]
fn the_principal_comes_only_from_the_transport() {
    let ada = Principal::new("ada").claim("team", "engines");
    let told = ask(Revision::NEWEST, Some(ada), json!(1), Value::Null);
    assert_eq!(told, r#"number 1; ada "engines"; None None None"#);
    // A client cannot make itself one.
    let meta = json!({"principal": {"id": "root"}});
    assert_eq!(ask(Revision::NEWEST, None, json!(1), meta), "number 1; nobody; None None None");
}
