//! Checks that a measured server is an ordinary one.
//!
//! A server without checks would be faster. So a process whose calls were measured must then prove that a panic gets a
//! response, that a wrong argument, a message with too many levels and an id that is too long are rejected, that a call
//! can be cancelled, that printed text stays out of the frames, and, over HTTP, that an unknown host name and a header
//! that contradicts its body are rejected.

use crate::client::{Era, Server};
use crate::http::HttpServer;

/// Returns the name of each check, its request, and a text that the response must contain.
fn questions(era: Era) -> Vec<(&'static str, String, &'static str)> {
    let deep = format!(r#"{{"text":{}"x"{}}}"#, "[".repeat(70), "]".repeat(70));
    let id_too_long =
        era.call(1, "echo", r#"{"text":"x"}"#).replace("\"id\":1", &format!("\"id\":\"{}\"", "x".repeat(300)));
    vec![
        ("a panic gets a response", era.call(901, "panics", "{}"), "\"isError\":true"),
        ("a wrong argument is refused", era.call(902, "echo", r#"{"text":{"a":1}}"#), "`/text`"),
        ("a missing argument is named", era.call(903, "echo", "{}"), "`/text`"),
        ("nesting has a limit", era.call(904, "echo", &deep), "nested"),
        ("ids have a limit", id_too_long, "at most 256 bytes"),
        ("an unknown tool is refused", era.call(905, "ehco", "{}"), "ehco"),
        ("printed text is not a frame", era.call(906, "prints", "{}"), "\"text\":\"printed\""),
    ]
}

/// Checks a server on standard input and output.
pub fn on_stdio(server: &mut Server, era: Era) {
    for (what, message, expected) in questions(era) {
        let answer = server.ask(&message);
        assert!(answer.contains(expected) && answer.lines().count() == 1, "{what}: {answer}");
    }
    // The id of a cancelled call is free again, and a cancelled call gets no response.
    server.send(&era.call(907, "sleep_ms", r#"{"ms":60000}"#));
    let busy = server.ask(&era.call(907, "echo", r#"{"text":"x"}"#));
    assert!(busy.contains("is in progress"), "an id in use is refused: {busy}");
    server.send(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":907}}"#);
    let answer = server.ask(&era.echo(907));
    assert!(answer.contains("hello 907") && answer.lines().count() == 1, "a call is cancelled: {answer}");
}

/// Checks a server over HTTP.
pub fn on_http(server: &mut HttpServer, era: Era) {
    let mut connection = server.connect(era);
    for (what, message, expected) in questions(era) {
        let name = message.split_once("\"name\":\"").and_then(|(_, rest)| rest.split_once('"')).map(|(name, _)| name);
        let response = connection.ask(&message, name);
        assert!(response.body.contains(expected), "{what}: {} {}", response.status, response.body);
    }
    // A closed connection cancels its call, so its permit is free at once.
    let mut leaves = server.connect(era);
    leaves.send(&era.call(907, "sleep_ms", r#"{"ms":60000}"#), Some("sleep_ms"));
    drop(leaves);
    let mut stranger = server.connect(era);
    let response = stranger.ask_as("example.com", &era.echo(908), Some("echo"));
    assert_eq!(response.status, 403, "an unknown host name is refused: {}", response.body);
    if era == Era::Modern {
        let response = connection.ask(&era.echo(909), Some("another"));
        assert_eq!(response.status, 400, "a header that contradicts the body is refused: {}", response.body);
    } else {
        let mut none = server.connect(Era::Modern);
        let response = none.ask(&Era::Legacy.echo(910), None);
        assert_eq!(response.status, 400, "a message without a session is refused: {}", response.body);
    }
}
