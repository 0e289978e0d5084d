//! One JSON-RPC message, read in one pass over borrowed text.
//!
//! `params` is a single struct with every member that any method of the protocol uses, so the text is read once,
//! whatever the order of its members; there is no untagged enum and no tree of values.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic>

use serde_json::value::RawValue;

use super::method::ProtocolMethod;
use crate::json::object::{self, Object, Raw, members, string_value};
pub(crate) use crate::json::reader::MAX_DEPTH;
use crate::json::reader::{JsonError, Members, Reader};

members! {
    /// A JSON-RPC message: a request, a notification or a response.
    Frame {
        jsonrpc: "jsonrpc" => Raw<'a>,
        id: "id" => Raw<'a>,
        method: "method" => Raw<'a>,
        params: "params" => Object<Params<'a>>,
        result: "result" => Raw<'a>,
        error: "error" => Raw<'a>,
    }
}

members! {
    /// The members that `params` may have in any method.
    Params {
        name: "name" => Raw<'a>,
        arguments: "arguments" => Raw<'a>,
        meta: "_meta" => Object<Meta<'a>>,
        uri: "uri" => Raw<'a>,
        reference: "ref" => Raw<'a>,
        argument: "argument" => Raw<'a>,
        context: "context" => Raw<'a>,
        input_responses: "inputResponses" => Raw<'a>,
        request_state: "requestState" => Raw<'a>,
        cursor: "cursor" => Raw<'a>,
        level: "level" => Raw<'a>,
        request_id: "requestId" => Raw<'a>,
        reason: "reason" => Raw<'a>,
        protocol_version: "protocolVersion" => Raw<'a>,
        capabilities: "capabilities" => Raw<'a>,
        client_info: "clientInfo" => Raw<'a>,
        notifications: "notifications" => Raw<'a>,
    }
}

members! {
    /// The members of a request's `_meta` that a server uses.
    Meta {
        protocol_version: "io.modelcontextprotocol/protocolVersion" => Raw<'a>,
        client_info: "io.modelcontextprotocol/clientInfo" => Raw<'a>,
        client_capabilities: "io.modelcontextprotocol/clientCapabilities" => Raw<'a>,
        log_level: "io.modelcontextprotocol/logLevel" => Raw<'a>,
        progress_token: "progressToken" => Raw<'a>,
    }
}

/// The id recovered from a malformed message, and the members that mark a response.
#[derive(Debug, Default)]
pub(crate) struct RecoveredEnvelope<'a> {
    pub(crate) id: Option<Raw<'a>>,
    result: Option<Raw<'a>>,
    error: Option<Raw<'a>>,
}

/// Values may be nested too deeply for the reader, so serde_json skips them.
impl<'a> Members<'a> for RecoveredEnvelope<'a> {
    const KEYS: &'static [&'static str] = &[r#""id":"#, r#""result":"#, r#""error":"#];

    fn take(&mut self, index: usize, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        let value = read_value_at_any_depth(reader)?;
        let member = match index {
            0 => &mut self.id,
            1 => &mut self.result,
            _ => &mut self.error,
        };
        if member.replace(value).is_some() { Err(JsonError::Duplicate) } else { Ok(()) }
    }

    fn take_other(&mut self, _: &str, reader: &mut Reader<'a>) -> Result<(), JsonError> {
        read_value_at_any_depth(reader).map(|_| ())
    }
}

fn read_value_at_any_depth<'a>(reader: &mut Reader<'a>) -> Result<Raw<'a>, JsonError> {
    let mut values = serde_json::Deserializer::from_str(reader.rest()).into_iter::<&'a RawValue>();
    let value = values.next().and_then(Result::ok).ok_or(JsonError::Json)?;
    reader.advance(values.byte_offset());
    Ok(value.into())
}

members! {
    /// The `params` of a message, read again for the whole text of `_meta`.
    MetaOnly {
        meta: "_meta" => Raw<'a>,
    }
}

members! {
    /// A message, read again for the whole text of its `params`.
    ParamsOnly {
        params: "params" => Raw<'a>,
    }
}

/// The reason why a text is not a valid message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FrameError {
    /// The text is not JSON.
    Json,
    /// The text is JSON, but neither an object nor an array.
    NotAnObject,
    /// The text is an array: a batch, which only one revision supports.
    Batch,
    /// The text is an object with a duplicate member of the envelope.
    DuplicateMember(&'static str),
    /// The text nests arrays and objects deeper than [`MAX_DEPTH`].
    TooDeep,
}

impl FrameError {
    /// Finds the reason why a text could not be read.
    #[cold]
    fn from_fault(text: &str, fault: JsonError, duplicate: &'static str) -> FrameError {
        let mut reader = Reader::new(text);
        let first = reader.peek();
        // The reader stopped at the fault; the rest may be invalid too.
        let whole = reader.skip_value().and_then(|()| reader.expect_end());
        match (first, whole, fault) {
            // Only valid JSON counts as too deep; a run of brackets is not JSON.
            (_, Err(JsonError::TooDeep), _) => {
                let is_json = serde_json::from_str::<&RawValue>(text).is_ok();
                if is_json { FrameError::TooDeep } else { FrameError::Json }
            }
            (Some(b'['), ..) => FrameError::Batch,
            (_, Ok(()), JsonError::Duplicate) => FrameError::DuplicateMember(duplicate),
            (_, Ok(()), _) => FrameError::NotAnObject,
            (_, Err(_), _) => FrameError::Json,
        }
    }
}

impl<'a> Frame<'a> {
    /// Parses a message.
    pub(crate) fn parse(text: &'a str) -> Result<Frame<'a>, FrameError> {
        let mut frame = Frame::default();
        frame.read(text)?;
        Ok(frame)
    }

    /// Parses a message into an empty frame in place, because moving a frame is expensive: it is large.
    pub(crate) fn read(&mut self, text: &'a str) -> Result<(), FrameError> {
        let mut reader = Reader::new(text);
        let read = reader.read_members(self).and_then(|()| reader.expect_end());
        read.map_err(|fault| FrameError::from_fault(text, fault, reader.duplicate))
    }

    /// Returns true if the message has this method.
    pub(crate) fn has_method(&self, method: ProtocolMethod) -> bool {
        self.method.and_then(string_value).is_some_and(|name| name == method.as_str())
    }

    /// Returns the parameters, if they are an object.
    pub(crate) fn params(&self) -> Option<&Params<'a>> {
        self.params.as_ref().and_then(Object::members)
    }

    /// Returns the known members of `params._meta`, if it is an object.
    pub(crate) fn meta(&self) -> Option<&Meta<'a>> {
        self.params().and_then(|params| params.meta.as_ref()).and_then(Object::members)
    }
}

/// Recovers the id of a message that could not be parsed, so that its error response can be matched to it. A message
/// with two ids has none.
pub(crate) fn recover_envelope(text: &str) -> Option<RecoveredEnvelope<'_>> {
    object::read_members(text).ok()
}

impl RecoveredEnvelope<'_> {
    /// Returns true if the message is a response. Its id is then an id of the server's own requests, and must not be
    /// answered.
    pub(crate) fn is_response(&self) -> bool {
        self.result.is_some() || self.error.is_some()
    }
}

/// Returns the whole text of `params._meta`. Handlers may read members that the protocol does not define.
pub(crate) fn find_meta(frame: &str) -> Option<&str> {
    let params = object::read_members::<ParamsOnly<'_>>(frame).ok()?.params?;
    Some(object::read_members::<MetaOnly<'_>>(params.get()).ok()?.meta?.get())
}

/// Returns a serde message without its "at line 1 column 7", which means nothing to the peer.
pub(crate) fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

/// Compares the reader of messages with serde_json, for the tests and for the fuzz targets.
#[cfg(any(test, fuzzing))]
pub(crate) fn check_frame(text: &str) {
    use crate::json::oracles::{depth, members_by_serde_json};

    /// Reads the members of an object with serde_json. Fails with the first of `names` that occurs twice.
    fn unique<'a>(text: &'a str, names: &[&'static str]) -> Result<Vec<(String, &'a RawValue)>, &'static str> {
        let members = members_by_serde_json(text).unwrap_or_default();
        let count = |name: &str| members.iter().filter(|(other, _)| other == name).count();
        match names.iter().find(|name| count(name) > 1) {
            Some(name) => Err(name),
            None => Ok(members),
        }
    }

    fn find<'a>(members: &[(String, &'a RawValue)], name: &str) -> Option<&'a str> {
        members.iter().find(|(other, _)| other == name).map(|(_, value)| value.get())
    }

    /// The names of `KEYS`, which have quotes and a colon.
    fn names<'a, T: Members<'a>>() -> Vec<&'static str> {
        T::KEYS.iter().map(|key| &key[1..key.len() - 2]).collect()
    }

    let is_json = serde_json::from_str::<&RawValue>(text).is_ok();
    let first = text.trim_start_matches([' ', '\t', '\n', '\r']).chars().next();
    let frame = match Frame::parse(text) {
        Ok(frame) => frame,
        Err(FrameError::Json) => return assert!(!is_json, "{text}"),
        Err(FrameError::Batch) => return assert_eq!(first, Some('['), "{text}"),
        Err(FrameError::TooDeep) => return assert!(is_json && depth(text) > MAX_DEPTH, "{text}"),
        Err(FrameError::NotAnObject) => {
            // An object is rejected if a name has no string, such as an unpaired surrogate.
            return assert!(is_json && (first != Some('{') || text.contains("\\u")), "{text}");
        }
        Err(FrameError::DuplicateMember(name)) => {
            let outer = unique(text, &names::<Frame<'_>>());
            let params = outer.as_ref().ok().and_then(|members| find(members, "params")).unwrap_or_default();
            let inner = unique(params, &names::<Params<'_>>());
            let meta = inner.as_ref().ok().and_then(|members| find(members, "_meta")).unwrap_or_default();
            let found = [outer.err(), inner.err(), unique(meta, &names::<Meta<'_>>()).err()];
            // serde_json reads no member of an object if one of its names has no string. The reader stops before that
            // name, at the first duplicate in the text.
            let mut objects = [text.trim_start(), params, meta].into_iter().filter(|text| text.starts_with('{'));
            let is_readable = objects.all(|object| members_by_serde_json(object).is_some());
            let is_duplicate = found.iter().flatten().next().is_some() || (!is_readable && text.contains("\\u"));
            return assert!(is_duplicate && !name.is_empty(), "{text}");
        }
    };
    assert!(is_json && first == Some('{') && depth(text) <= MAX_DEPTH, "{text}");
    let members = unique(text, &names::<Frame<'_>>()).unwrap();
    let Frame { jsonrpc, id, method, params: _, result, error } = frame;
    for (name, raw) in [("jsonrpc", jsonrpc), ("id", id), ("method", method), ("result", result), ("error", error)] {
        assert_eq!(raw.map(Raw::get), find(&members, name), "{text}");
    }
    let params = find(&members, "params");
    assert_eq!(frame.params().is_some(), params.is_some_and(|params| params.starts_with('{')), "{text}");
    if let Some(read) = frame.params() {
        let members = unique(params.unwrap_or_default(), &names::<Params<'_>>()).unwrap();
        let Params { name, arguments, uri, cursor, request_id, .. } = read;
        for (name, raw) in
            [("name", name), ("arguments", arguments), ("uri", uri), ("cursor", cursor), ("requestId", request_id)]
        {
            assert_eq!(raw.map(Raw::get), find(&members, name), "{text}");
        }
        assert_eq!(find_meta(text), find(&members, "_meta"), "{text}");
        if let Some(Meta { progress_token, .. }) = frame.meta() {
            let members = unique(find(&members, "_meta").unwrap_or_default(), &names::<Meta<'_>>()).unwrap();
            assert_eq!(progress_token.map(Raw::get), find(&members, "progressToken"), "{text}");
        }
    }
    let recovered = recover_envelope(text).expect("a message that can be read can also be recovered");
    assert_eq!(recovered.id.map(Raw::get), id.map(Raw::get), "{text}");
    assert_eq!(recovered.is_response(), result.is_some() || error.is_some(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::oracles::vary;

    #[test]
    fn messages_are_read_like_those_of_serde_json() {
        let texts = [
            r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"a":[1]},"_meta":{"progressToken":"x"}}}"#,
            r#" { "result" : {"id":2} , "\u0069d" : "a" , "id:" : null, "error" : 0 } "#,
            r#"{"method":"a","params":{"_meta":[],"uri":"x","x\"uri":1},"params":[]}"#,
            r#"[{"id":1}]"#,
            r#"{"id":1,"id":2,"\ud93d":3}"#,
        ];
        vary(&texts, 5_000, check_frame);
    }

    #[test]
    fn null_and_absent_members_differ() {
        let frame = Frame::parse(r#"{"id":null,"method":"ping"}"#).unwrap();
        assert_eq!(frame.id.unwrap().get(), "null");
        assert!(Frame::parse(r#"{"method":"ping"}"#).unwrap().id.is_none());
    }

    #[test]
    fn an_array_is_never_read_as_an_object() {
        assert_eq!(Frame::parse(r#"["2.0",1,"ping"]"#).unwrap_err(), FrameError::Batch);
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
            assert!(matches!(Frame::parse(text), Err(FrameError::DuplicateMember(_))), "{text}");
        }
        let salvaged = recover_envelope(r#"{"id":1,"method":"a","method":"b"}"#).unwrap();
        assert_eq!(salvaged.id.unwrap().get(), "1");
        assert!(!salvaged.is_response());
        assert!(recover_envelope(r#"{"id":1,"result":{},"jsonrpc":1,"jsonrpc":2}"#).unwrap().is_response());
        assert!(recover_envelope(r#"{"id":1,"id":2}"#).is_none());
        let deep = format!(r#"{{"params":{}{},"id":7}}"#, "[".repeat(500), "]".repeat(500));
        assert_eq!(recover_envelope(&deep).unwrap().id.unwrap().get(), "7");
    }

    #[test]
    fn members_are_found_in_any_order_and_spelling() {
        let spellings = |name: &str| {
            let (first, rest) = name.split_at(1);
            let escaped = format!("\\u{:04x}{rest}", first.as_bytes()[0]);
            [format!("\"{name}\":"), format!("\"{name}\" : "), format!("\n\"{escaped}\":"), format!(" \"{escaped}\" :")]
        };
        let names = ["jsonrpc", "id", "method", "params"];
        let others = ["i", "idx", "param", "paramsx", "", "x\\\"id", "id:"];
        let mut seen = 0;
        for order in 0..4usize.pow(4) {
            let at = |place: usize| order / 4usize.pow(place as u32) % 4;
            if (0..4).any(|place| (0..place).any(|before| at(before) == at(place))) {
                continue;
            }
            for spelling in 0..4 {
                let mut text = String::from("{");
                for place in 0..4 {
                    let name = names[at(place)];
                    let key = &spellings(name)[(spelling + place) % 4];
                    let other = others[(order + place + spelling) % others.len()];
                    let value = if name == "params" {
                        r#"{"arguments":{"name":"no"},"name":"yes"}"#.into()
                    } else {
                        format!("\"{name}\"")
                    };
                    text += &format!("{key}{value},\"{other}\":[{{\"id\":0}}]{}", if place < 3 { "," } else { "}" });
                }
                let frame = Frame::parse(&text).unwrap_or_else(|malformed| panic!("{malformed:?}: {text}"));
                for (name, raw) in names.iter().zip([frame.jsonrpc, frame.id, frame.method]) {
                    assert_eq!(raw.and_then(object::string_value).as_deref(), Some(*name), "{text}");
                }
                let params = frame.params().unwrap();
                assert_eq!(params.name.and_then(object::string_value).as_deref(), Some("yes"), "{text}");
                assert_eq!(params.arguments.unwrap().get(), r#"{"name":"no"}"#, "{text}");
                seen += 1;
            }
        }
        assert_eq!(seen, 24 * 4);
        for text in [
            r#"{"id" 1}"#,
            r#"{"id":1 "method":2}"#,
            r#"{"id"}"#,
            r#"{id":1}"#,
            r#"{"id":,"method":1}"#,
            r#"{"id"::1}"#,
        ] {
            assert_eq!(Frame::parse(text).unwrap_err(), FrameError::Json, "{text}");
        }
    }

    #[test]
    fn broken_text_is_not_json() {
        for text in ["", "{", "not json", "{\"a\":}", "[1,", &"[".repeat(100_000), "{\"id\":1}x"] {
            let error = Frame::parse(text).unwrap_err();
            let expected = if text == "[1," { FrameError::Batch } else { FrameError::Json };
            assert_eq!(error, expected, "{text:.20}");
        }
        assert_eq!(Frame::parse("3").unwrap_err(), FrameError::NotAnObject);
    }

    #[test]
    fn depth_is_counted_outside_strings() {
        let nested =
            |n: u32| format!("{{\"id\":1,\"params\":{{\"x\":{}{}}}}}", "[".repeat(n as usize), "]".repeat(n as usize));
        assert!(Frame::parse(&nested(MAX_DEPTH - 2)).is_ok());
        assert_eq!(Frame::parse(&nested(MAX_DEPTH - 1)).unwrap_err(), FrameError::TooDeep);
        let quoted = format!(r#"{{"id":1,"method":"a\"{}"}}"#, "[".repeat(500));
        assert!(Frame::parse(&quoted).is_ok());
    }

    #[test]
    fn the_meta_member_keeps_its_text() {
        let text = r#"{"method":"x","params":{"name":"a","_meta":{"my/key": [1, 2]}},"id":1}"#;
        assert_eq!(find_meta(text), Some(r#"{"my/key": [1, 2]}"#));
    }
}
