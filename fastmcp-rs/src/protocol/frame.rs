//! One JSON-RPC message, read in one borrowed pass.
//!
//! `params` is a single struct with every member that any method of the protocol uses, so the text is
//! looked at once, whatever the order of its members; there is no untagged enum and no tree of values.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic>

use serde_json::error::Category;
use serde_json::value::RawValue;

use super::object::{Members, Object, members};

/// The deepest nesting of arrays and objects that a message may have.
pub(crate) const MAX_DEPTH: usize = 64;

members! {
    /// A JSON-RPC message: a request, a notification or a response.
    Frame {
        jsonrpc: "jsonrpc" => &'a RawValue,
        id: "id" => &'a RawValue,
        method: "method" => &'a RawValue,
        params: "params" => Object<Params<'a>>,
        result: "result" => &'a RawValue,
        error: "error" => &'a RawValue,
    }
}

members! {
    /// What the `params` of any method may hold.
    Params {
        meta: "_meta" => Object<Meta<'a>>,
        name: "name" => &'a RawValue,
        uri: "uri" => &'a RawValue,
        reference: "ref" => &'a RawValue,
        argument: "argument" => &'a RawValue,
        context: "context" => &'a RawValue,
        arguments: "arguments" => &'a RawValue,
        input_responses: "inputResponses" => &'a RawValue,
        request_state: "requestState" => &'a RawValue,
        cursor: "cursor" => &'a RawValue,
        level: "level" => &'a RawValue,
        request_id: "requestId" => &'a RawValue,
        reason: "reason" => &'a RawValue,
        protocol_version: "protocolVersion" => &'a RawValue,
        capabilities: "capabilities" => &'a RawValue,
        client_info: "clientInfo" => &'a RawValue,
        notifications: "notifications" => &'a RawValue,
    }
}

members! {
    /// The members of a request's `_meta` that mean something to a server.
    Meta {
        protocol_version: "io.modelcontextprotocol/protocolVersion" => &'a RawValue,
        client_capabilities: "io.modelcontextprotocol/clientCapabilities" => &'a RawValue,
        client_info: "io.modelcontextprotocol/clientInfo" => &'a RawValue,
        log_level: "io.modelcontextprotocol/logLevel" => &'a RawValue,
        progress_token: "progressToken" => &'a RawValue,
    }
}

members! {
    /// What tells whose a message is that is not well formed otherwise.
    Salvaged {
        id: "id" => &'a RawValue,
        result: "result" => &'a RawValue,
        error: "error" => &'a RawValue,
    }
}

members! {
    /// `params` again, for the whole text of its `_meta`.
    MetaOnly {
        meta: "_meta" => &'a RawValue,
    }
}

members! {
    /// A message again, for the whole text of its `params`.
    ParamsOnly {
        params: "params" => &'a RawValue,
    }
}

/// Why a text is not a message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// It is not JSON.
    Json,
    /// It is JSON, but neither an object nor an array.
    NotAnObject,
    /// It is an array: a batch, which only one revision has.
    Batch,
    /// It is an object that gives a member of the envelope twice.
    DuplicateMember(String),
    /// It nests arrays and objects deeper than [`MAX_DEPTH`].
    TooDeep,
}

impl<'a> Frame<'a> {
    /// Reads a message.
    pub(crate) fn parse(text: &'a str) -> Result<Frame<'a>, Malformed> {
        if is_too_deep(text.as_bytes()) {
            // Only a JSON text can be too deep; a run of brackets is a broken text.
            let whole = serde_json::from_str::<&RawValue>(text);
            return Err(if whole.is_ok() { Malformed::TooDeep } else { Malformed::Json });
        }
        match text.trim_start().as_bytes().first() {
            Some(b'{') => {}
            Some(b'[') => return Err(Malformed::Batch),
            _ => {
                let whole = serde_json::from_str::<serde::de::IgnoredAny>(text);
                return Err(if whole.is_ok() { Malformed::NotAnObject } else { Malformed::Json });
            }
        }
        match serde_json::from_str::<Object<Frame<'a>>>(text) {
            Ok(Object::Members(frame)) => Ok(frame),
            Ok(Object::NotAnObject) => Err(Malformed::NotAnObject),
            Err(error) if error.classify() == Category::Data => {
                // The reader stopped at the second member of one name; the rest may still be broken.
                if serde_json::from_str::<&RawValue>(text).is_err() {
                    return Err(Malformed::Json);
                }
                Err(Malformed::DuplicateMember(without_position(&error)))
            }
            Err(_) => Err(Malformed::Json),
        }
    }

    /// The parameters, if they are an object.
    pub(crate) fn params(&self) -> Option<&Params<'a>> {
        self.params.as_ref().and_then(Object::members)
    }

    /// The known members of `params._meta`, if that is an object.
    pub(crate) fn meta(&self) -> Option<&Meta<'a>> {
        self.params().and_then(|params| params.meta.as_ref()).and_then(Object::members)
    }
}

/// What is left of a message that could not be read as one, so that its error can be matched to it. A message
/// that gives two ids has none.
pub(crate) fn salvage(text: &str) -> Option<Salvaged<'_>> {
    read(text)
}

impl Salvaged<'_> {
    /// Whether it answers something: then its id is one of ours, and not to be answered.
    pub(crate) fn is_response(&self) -> bool {
        self.result.is_some() || self.error.is_some()
    }
}

/// The whole text of `params._meta`, which handlers may read members of that the protocol does not know.
pub(crate) fn meta_text(frame: &str) -> Option<&str> {
    let params = read::<ParamsOnly<'_>>(frame)?.params?;
    Some(read::<MetaOnly<'_>>(params.get())?.meta?.get())
}

fn read<'a, T: Members<'a>>(text: &'a str) -> Option<T> {
    match serde_json::from_str::<Object<T>>(text).ok()? {
        Object::Members(members) => Some(members),
        Object::NotAnObject => None,
    }
}

/// A serde message without its "at line 1 column 7", which means nothing to the peer.
pub(crate) fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// Whether the text nests arrays and objects deeper than [`MAX_DEPTH`].
///
/// Raw values are skipped without recursion and hence without a limit, so the limit is kept here. A text
/// with few brackets cannot be deep; only the others are scanned with an eye on strings.
fn is_too_deep(text: &[u8]) -> bool {
    // `[` is 0x5B and `{` is 0x7B: one bit apart, so one comparison finds both.
    let openers = text.iter().filter(|&&byte| byte & 0xDF == 0x5B).count();
    openers > MAX_DEPTH && depth(text) > MAX_DEPTH
}

fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest, mut at) = (0usize, 0, 0);
    while let Some(&byte) = text.get(at) {
        match byte {
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                at += 1;
                while let Some(found) = memchr::memchr2(b'"', b'\\', &text[at..]) {
                    at += found;
                    if text[at] == b'"' {
                        break;
                    }
                    // Skip the escaped byte, which may be a quote.
                    at = (at + 2).min(text.len());
                }
            }
            _ => {}
        }
        at += 1;
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_absent_members_differ() {
        let frame = Frame::parse(r#"{"id":null,"method":"ping"}"#).unwrap();
        assert_eq!(frame.id.unwrap().get(), "null");
        assert!(Frame::parse(r#"{"method":"ping"}"#).unwrap().id.is_none());
    }

    #[test]
    fn an_array_is_never_read_as_an_object() {
        assert_eq!(Frame::parse(r#"["2.0",1,"ping"]"#).unwrap_err(), Malformed::Batch);
        let frame = Frame::parse(r#"{"id":1,"method":"ping","params":[{}]}"#).unwrap();
        assert!(matches!(frame.params, Some(Object::NotAnObject)));
    }

    #[test]
    fn a_member_given_twice_is_refused() {
        for text in [
            r#"{"id":1,"id":2,"method":"ping"}"#,
            r#"{"id":1,"method":"tools/call","params":{"name":"a","name":"b"}}"#,
            r#"{"id":1,"method":"a","\u006dethod":"b"}"#,
        ] {
            assert!(matches!(Frame::parse(text), Err(Malformed::DuplicateMember(_))), "{text}");
        }
        let salvaged = salvage(r#"{"id":1,"method":"a","method":"b"}"#).unwrap();
        assert_eq!(salvaged.id.unwrap().get(), "1");
        assert!(!salvaged.is_response());
        assert!(salvage(r#"{"id":1,"result":{},"jsonrpc":1,"jsonrpc":2}"#).unwrap().is_response());
        assert!(salvage(r#"{"id":1,"id":2}"#).is_none());
    }

    #[test]
    fn broken_text_is_not_json() {
        for text in ["", "{", "not json", "{\"a\":}", "[1,", &"[".repeat(100_000), "{\"id\":1}x"] {
            let error = Frame::parse(text).unwrap_err();
            let expected = if text == "[1," { Malformed::Batch } else { Malformed::Json };
            assert_eq!(error, expected, "{text:.20}");
        }
        assert_eq!(Frame::parse("3").unwrap_err(), Malformed::NotAnObject);
    }

    #[test]
    fn depth_is_counted_outside_strings() {
        let nested = |n: usize| format!("{{\"id\":1,\"params\":{{\"x\":{}{}}}}}", "[".repeat(n), "]".repeat(n));
        assert!(Frame::parse(&nested(MAX_DEPTH - 2)).is_ok());
        assert_eq!(Frame::parse(&nested(MAX_DEPTH - 1)).unwrap_err(), Malformed::TooDeep);
        let quoted = format!(r#"{{"id":1,"method":"a\"{}"}}"#, "[".repeat(500));
        assert!(Frame::parse(&quoted).is_ok());
    }

    #[test]
    fn the_text_of_meta_is_found_again() {
        let text = r#"{"method":"x","params":{"name":"a","_meta":{"my/key": [1, 2]}},"id":1}"#;
        assert_eq!(meta_text(text), Some(r#"{"my/key": [1, 2]}"#));
    }
}
