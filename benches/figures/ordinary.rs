//! Checks that the measured process is the ordinary server.
//!
//! A server that leaves out checks would be quicker. So a process whose calls were timed must then show that a panic
//! is an answer, that a wrong argument, a message nested too deep and an id that is too long are refused, that a call
//! can be cancelled, that what a tool prints stays out of the frames, and, over HTTP, that a stranger's name and a
//! header that contradicts its body are refused.

use crate::client::{Era, Server};
use crate::http::HttpServer;

/// Each call, and what must be in its answer.
fn questions(era: Era) -> Vec<(&'static str, String, &'static str)> {
    let deep = format!(r#"{{"text":{}"x"{}}}"#, "[".repeat(70), "]".repeat(70));
    let id_too_long =
        era.call(1, "echo", r#"{"text":"x"}"#).replace("\"id\":1", &format!("\"id\":\"{}\"", "x".repeat(300)));
    vec![
        ("a panic is an answer", era.call(901, "panics", "{}"), "\"isError\":true"),
        ("a wrong argument is refused", era.call(902, "echo", r#"{"text":{"a":1}}"#), "`/text`"),
        ("an argument that is missing is named", era.call(903, "echo", "{}"), "`/text`"),
        ("nesting has a limit", era.call(904, "echo", &deep), "nested"),
        ("ids have a limit", id_too_long, "at most 256 bytes"),
        ("an unknown tool is refused", era.call(905, "ehco", "{}"), "ehco"),
        ("what a tool prints is no frame", era.call(906, "prints", "{}"), "\"text\":\"printed\""),
    ]
}

/// Asks a server on standard input and output.
pub fn on_stdio(server: &mut Server, era: Era) {
    for (what, message, expected) in questions(era) {
        let answer = server.ask(&message);
        assert!(answer.contains(expected) && answer.lines().count() == 1, "{what}: {answer}");
    }
    // An id that is free again belongs to nothing that still runs, and a cancelled call is not answered.
    server.send(&era.call(907, "sleep_ms", r#"{"ms":60000}"#));
    let busy = server.ask(&era.call(907, "echo", r#"{"text":"x"}"#));
    assert!(busy.contains("is in progress"), "an id in use is refused: {busy}");
    server.send(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":907}}"#);
    let answer = server.ask(&era.echo(907));
    assert!(answer.contains("hello 907") && answer.lines().count() == 1, "a call is cancelled: {answer}");
}

/// Asks a server over HTTP.
pub fn on_http(server: &mut HttpServer, era: Era) {
    let mut connection = server.connect(era);
    for (what, message, expected) in questions(era) {
        let name = message.split_once("\"name\":\"").and_then(|(_, rest)| rest.split_once('"')).map(|(name, _)| name);
        let response = connection.ask(&message, name);
        assert!(response.body.contains(expected), "{what}: {} {}", response.status, response.body);
    }
    // A response that nobody waits for any more cancels its call, so its place is free at once.
    let mut leaves = server.connect(era);
    leaves.send(&era.call(907, "sleep_ms", r#"{"ms":60000}"#), Some("sleep_ms"));
    drop(leaves);
    let mut stranger = server.connect(era);
    let response = stranger.ask_as("example.com", &era.echo(908), Some("echo"));
    assert_eq!(response.status, 403, "a foreign name is refused: {}", response.body);
    if era == Era::Modern {
        let response = connection.ask(&era.echo(909), Some("another"));
        assert_eq!(response.status, 400, "a header that contradicts the body is refused: {}", response.body);
    } else {
        let mut none = server.connect(Era::Modern);
        let response = none.ask(&Era::Legacy.echo(910), None);
        assert_eq!(response.status, 400, "a message without a session is refused: {}", response.body);
    }
}
