//! Names and URIs of the components of mounted apps.
//!
//! The namespace is inserted into the literal part of a URI, so a template keeps its variables.

use std::borrow::Cow;

use crate::context::ComponentEnv;
use crate::context::change_hub::ListKind;

/// Returns the key under a namespace: `pay_charge`, `orders://pay/{id}`.
pub(super) fn qualify(kind: ListKind, namespace: &str, key: &str) -> String {
    match kind {
        ListKind::Tools | ListKind::Prompts => format!("{namespace}_{key}"),
        ListKind::Resources => {
            let (scheme, rest) = split_scheme(key);
            format!("{scheme}{namespace}/{rest}")
        }
    }
}

/// Returns the key without the namespace, or `None` if the key is not under it.
pub(super) fn strip_namespace(kind: ListKind, namespace: &str, key: &str) -> Option<String> {
    match kind {
        ListKind::Tools | ListKind::Prompts => Some(key.strip_prefix(namespace)?.strip_prefix('_')?.to_owned()),
        ListKind::Resources => {
            let (scheme, rest) = split_scheme(key);
            let rest = rest.strip_prefix(namespace)?.strip_prefix('/')?;
            Some(format!("{scheme}{rest}"))
        }
    }
}

/// Splits a URI into its scheme, including the separator, and the rest.
fn split_scheme(uri: &str) -> (&str, &str) {
    let after = uri.find(':').map_or(0, |colon| colon + 1);
    let after = if uri[after..].starts_with("//") { after + 2 } else { after };
    uri.split_at(after)
}

impl ComponentEnv {
    /// Returns the name by which clients know a tool or a prompt of this component's app.
    pub(crate) fn full_name<'a>(&self, name: &'a str) -> Cow<'a, str> {
        let inside_out = self.namespaces.iter().rev();
        inside_out.fold(name.into(), |name, namespace| qualify(ListKind::Tools, namespace, &name).into())
    }

    /// Returns the URI by which clients know a URI of this component's app.
    pub(crate) fn full_uri<'a>(&self, uri: &'a str) -> Cow<'a, str> {
        let inside_out = self.namespaces.iter().rev();
        inside_out.fold(uri.into(), |uri, name| qualify(ListKind::Resources, name, &uri).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_moved_into_a_namespace_and_back() {
        for (kind, key, expected) in [
            (ListKind::Tools, "charge", "pay_charge"),
            (ListKind::Prompts, "_x", "pay__x"),
            (ListKind::Resources, "orders://{id}/lines{?page}", "orders://pay/{id}/lines{?page}"),
            (ListKind::Resources, "file:///etc/{+path}", "file://pay//etc/{+path}"),
            (ListKind::Resources, "urn:x:y", "urn:pay/x:y"),
            (ListKind::Resources, "config://", "config://pay/"),
        ] {
            let full = qualify(kind, "pay", key);
            assert_eq!(full, expected);
            assert_eq!(strip_namespace(kind, "pay", &full).as_deref(), Some(key));
            assert_eq!(strip_namespace(kind, "pa", &full), None);
        }
        assert_eq!(strip_namespace(ListKind::Tools, "pay", "payx"), None);
    }
}
