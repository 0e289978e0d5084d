//! U+0085, U+2028 and U+2029 on sockets: the client searches every body and event for them.

use fastmcp_rs::HttpConfig;
use serde_json::json;

use super::client::{Request, Server, call, modern_with_meta};
use super::sessions::Session;
use super::support::Revision;
use super::tools::app;

const TEXT: &str = "a\u{85}\u{86}b\u{2028}\u{2029}\u{202A}é";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_and_events_have_no_raw_separators() {
    let server = Server::start(app()).await;
    for tool in ["echo", "echo_later"] {
        let response = server.send(&call(TEXT, tool, json!({"text": TEXT}))).await;
        let answer = response.answer("tools/call");
        assert_eq!((&answer["id"], &answer["result"]["content"][0]["text"]), (&json!(TEXT), &json!(TEXT)));
        let events = server.send(&call(TEXT, tool, json!({"text": TEXT})).set("Accept", "text/event-stream")).await;
        let answer = events.events().pop().expect("an answer").json();
        assert_eq!((&answer["id"], &answer["result"]["content"][0]["text"]), (&json!(TEXT), &json!(TEXT)));
    }
    for (tool, arguments) in [("steps", json!({"wait": 10})), ("quick_steps", json!({}))] {
        let params = json!({"name": tool, "arguments": arguments});
        let response = server.send(&modern_with_meta(TEXT, "tools/call", params, json!({"progressToken": TEXT}))).await;
        let events = response.events();
        assert_eq!(events[0].json()["params"]["progressToken"], TEXT);
        assert_eq!(events.last().expect("an answer").json()["id"], TEXT);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_status_of_an_error_does_not_depend_on_separators_in_its_id() {
    let server = Server::start(app()).await;
    for id in ["a", TEXT] {
        let unknown = server.modern(id, "no/such", json!({})).await;
        assert_eq!((unknown.status, unknown.code(), &unknown.json()["id"]), (404, -32601, &json!(id)));
        let mismatch = server.send(&call(id, "add", json!({"a": 1, "b": 2})).set("Mcp-Method", "tools/list")).await;
        assert_eq!((mismatch.status, mismatch.code()), (400, -32020));
        let malformed = server.send(&Request::post(json!({"id": id, "method": TEXT}).to_string())).await;
        assert_eq!((malformed.status, malformed.code()), (400, -32600));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_in_a_session_have_no_raw_separators_and_end_their_streams() {
    let server = Server::start(app()).await;
    for revision in [Revision::V2025_03_26, Revision::V2025_11_25] {
        let session = Session::open(&server, revision).await;
        for method in ["tools/call", TEXT] {
            let params = json!({"name": TEXT, "arguments": {}});
            let response = server.send(&session.post(revision.request(TEXT, method, params))).await;
            assert_eq!((response.status, &response.json()["id"]), (200, &json!(TEXT)));
        }
        let params = json!({"name": "steps", "arguments": {"wait": 10}});
        let request =
            session.post(revision.request_with_meta(TEXT, "tools/call", params, json!({"progressToken": TEXT})));
        let (mut connection, mut stream) = session.stream(&request).await;
        for _ in 0..2 {
            let progress = connection.message(&mut stream).await.expect("progress");
            assert_eq!(progress["params"]["progressToken"], TEXT);
        }
        assert_eq!(connection.message(&mut stream).await.expect("an answer")["id"], TEXT);
        assert_eq!(connection.message(&mut stream).await, None, "the stream ends");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_http_with_sse_have_no_raw_separators() {
    let server = Server::start(app().http(HttpConfig::new().legacy_sse("/sse"))).await;
    let at = |path: String, request: Request| Request { path, ..request };
    let mut connection = server.connect().await;
    let open = at("/sse".into(), Request::new("GET").set("Accept", "text/event-stream"));
    connection.write(&open.bytes()).await;
    let mut stream = connection.response_head().await.expect("a stream");
    let endpoint = connection.event(&mut stream).await.expect("an endpoint").data.expect("a path");
    let query = endpoint.find('?').map_or("", |at| &endpoint[at..]);
    let revision = Revision::V2024_11_05;
    let echo = json!({"name": "echo", "arguments": {"text": TEXT}});
    for message in [revision.initialize(TEXT), revision.request(TEXT, "tools/call", echo)] {
        let taken = server.send(&at(format!("/sse{query}"), Request::post(message))).await;
        assert_eq!(taken.status, 202, "{}", taken.text());
        assert_eq!(connection.message(&mut stream).await.expect("an answer")["id"], TEXT);
    }
}
