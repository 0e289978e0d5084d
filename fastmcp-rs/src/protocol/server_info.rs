//! The server's identity in each result for modern clients.

use serde_json::Value;

use crate::json::encode;

/// The end of a result: the `_meta` member that identifies the server, unless the app hides it.
///
/// It is stored as the text that closes a frame, because nearly every response needs exactly that.
#[derive(Debug)]
pub(crate) struct ServerInfo {
    end: Box<[u8]>,
}

const BEFORE: &[u8] = br#","_meta":{"#;
const AFTER: &[u8] = b"}}}";

impl ServerInfo {
    /// Creates the end of a result; with `None`, the server is not identified.
    pub(crate) fn new(info: Option<&Value>) -> ServerInfo {
        let Some(info) = info else { return ServerInfo { end: b"}}".as_slice().into() } };
        let mut end = [BEFORE, br#""io.modelcontextprotocol/serverInfo":"#].concat();
        // Serialising a `Value` cannot fail.
        let _ = encode::write_json(&mut end, info);
        end.extend_from_slice(AFTER);
        ServerInfo { end: end.into() }
    }

    /// Returns the text that closes a result without its own `_meta`, and the frame around it.
    #[inline]
    pub(crate) fn end_of_frame(&self) -> &[u8] {
        &self.end
    }

    /// Returns the text that closes a result without its own `_meta`.
    pub(crate) fn end_of_result(&self) -> &[u8] {
        self.end.strip_suffix(b"}").unwrap_or_default()
    }

    /// Returns the member for a `_meta` that has other members too; empty if the app hides it.
    pub(crate) fn member(&self) -> &[u8] {
        self.end.strip_prefix(BEFORE).and_then(|rest| rest.strip_suffix(AFTER)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_end_with_server_info_unless_hidden() {
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
