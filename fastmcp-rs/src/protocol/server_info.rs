//! What a server says of itself in each result for a modern client.

use serde_json::Value;

use super::write;

/// How a result ends: with the `_meta` that names the server, if it is to be named.
///
/// It is kept as the text that closes a frame, since that is what nearly every answer needs of it.
#[derive(Debug)]
pub(crate) struct ServerInfo {
    end: Box<[u8]>,
}

const BEFORE: &[u8] = br#","_meta":{"#;
const AFTER: &[u8] = b"}}}";

impl ServerInfo {
    /// `None`: the server does not say who it is.
    pub(crate) fn new(info: Option<&Value>) -> ServerInfo {
        let Some(info) = info else { return ServerInfo { end: b"}}".as_slice().into() } };
        let mut end = [BEFORE, br#""io.modelcontextprotocol/serverInfo":"#].concat();
        // A `Value` always has a JSON form.
        let _ = write::json(&mut end, info);
        end.extend_from_slice(AFTER);
        ServerInfo { end: end.into() }
    }

    /// What closes a result that has no `_meta` yet, and the frame around it.
    #[inline]
    pub(crate) fn end_of_frame(&self) -> &[u8] {
        &self.end
    }

    /// What closes a result that has no `_meta` yet.
    pub(crate) fn end_of_result(&self) -> &[u8] {
        self.end.strip_suffix(b"}").unwrap_or_default()
    }

    /// The member for a `_meta` that has others too, or nothing.
    pub(crate) fn member(&self) -> &[u8] {
        self.end.strip_prefix(BEFORE).and_then(|rest| rest.strip_suffix(AFTER)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_end_with_who_has_made_them_or_without() {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let named = ServerInfo::new(Some(&serde_json::json!({ "name": "a", "version": "1" })));
        let member = r#""io.modelcontextprotocol/serverInfo":{"name":"a","version":"1"}"#;
        assert_eq!(text(named.member()), member);
        assert_eq!(text(named.end_of_result()), format!(r#","_meta":{{{member}}}}}"#));
        assert_eq!(text(named.end_of_frame()), format!(r#","_meta":{{{member}}}}}}}"#));
        let unnamed = ServerInfo::new(None);
        assert_eq!([unnamed.member(), unnamed.end_of_result(), unnamed.end_of_frame()].map(text), ["", "}", "}}"]);
    }
}
