//! Roots: the folders that the client works in.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/roots>

use serde_json::{Value, json};

use super::error::truncate;
use super::{Capability, ClientRequestError, ClientRequestSpec};
use crate::protocol::ProtocolMethod;

/// A folder or file that the client works in.
///
/// A root is a hint where to look, not a permission: any client can name any folder. The protocol deprecates roots
/// since 2026-07-28; use a parameter of the tool instead.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/client/roots#root>
///
/// # Example
///
/// ```
/// # fn example(roots: Vec<fastmcp_rs::roots::Root>) {
/// for root in roots {
///     println!("{}: {}", root.name.as_deref().unwrap_or("a folder"), root.uri);
/// }
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Root {
    /// The location: a URI that begins with `file://`.
    pub uri: String,
    /// The client's name for it.
    pub name: Option<String>,
}

/// Builds the request for the roots.
pub(crate) fn request_spec() -> ClientRequestSpec {
    ClientRequestSpec { method: ProtocolMethod::ListRoots, params: json!({}), capability: Capability::Roots }
}

/// Reads the answer.
///
/// # Errors
///
/// [`ClientRequestError::InvalidResponse`] if it is not a list of roots, each with a `file://` URI.
pub(crate) fn read(result: &Value) -> Result<Vec<Root>, ClientRequestError> {
    let Some(Value::Array(roots)) = result.get("roots") else {
        return Err(ClientRequestError::invalid_answer("`roots` must be a list"));
    };
    roots.iter().map(read_root).collect()
}

fn read_root(root: &Value) -> Result<Root, ClientRequestError> {
    let name = match root.get("name") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name.clone()),
        Some(_) => return Err(ClientRequestError::invalid_answer("the `name` of a root must be a string")),
    };
    match root.get("uri").and_then(Value::as_str) {
        Some(uri) if uri.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("file://")) => {
            Ok(Root { uri: uri.to_owned(), name })
        }
        Some(uri) => Err(ClientRequestError::invalid_answer(format!(
            "the `uri` of a root must begin with `file://`, not `{}`",
            truncate(uri)
        ))),
        None => Err(ClientRequestError::invalid_answer("a root must have a `uri`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_are_parsed() {
        let result =
            json!({ "roots": [{ "uri": "file:///srv", "name": "Server" }, { "uri": "FILE:///b", "_meta": {} }] });
        let roots = read(&result).unwrap();
        assert_eq!(roots[0], Root { uri: "file:///srv".into(), name: Some("Server".into()) });
        assert_eq!(roots[1], Root { uri: "FILE:///b".into(), name: None });
        assert_eq!(read(&json!({ "roots": [] })), Ok(Vec::new()));
        for (result, reason) in [
            (json!(null), "`roots` must be a list"),
            (json!({ "roots": {} }), "`roots` must be a list"),
            (json!({ "roots": ["file:///a"] }), "a root must have a `uri`"),
            (json!({ "roots": [{ "uri": "https://a" }] }), "must begin with `file://`, not `https://a`"),
            (json!({ "roots": [{ "uri": "file:///a", "name": 1 }] }), "`name` of a root must be a string"),
        ] {
            let error = read(&result).unwrap_err().to_string();
            assert!(error.contains(reason), "{result}: {error}");
        }
    }
}
