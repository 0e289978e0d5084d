//! Names and URIs of the components of mounted apps.
//!
//! The namespace is inserted into the literal part of a URI, so a template keeps its variables.

use std::borrow::Cow;

use crate::component::dynamic::MAX_NAME;
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

/// Returns the problem of a namespace, if it is invalid.
pub(super) fn check_namespace(namespace: &str) -> Option<String> {
    if namespace.is_empty() {
        return Some("an app is mounted without a name: pass one to `mount`, as in `.mount(\"pay\", app)`".into());
    }
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    let first_is_fine = namespace.starts_with(|first: char| first.is_ascii_alphanumeric());
    if namespace.len() > MAX_NAME || !first_is_fine || !namespace.bytes().all(is_part) {
        let shown: String = namespace.chars().take(MAX_NAME).collect();
        return Some(format!(
            "{shown:?} cannot be a namespace: it must begin with an ASCII letter or digit, and have at most {MAX_NAME} \
             letters, digits, `_`, `-` and `.`"
        ));
    }
    None
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

    #[test]
    fn an_invalid_namespace_is_reported() {
        for good in ["pay", "pay.v2", "p-1", "1"] {
            assert_eq!(check_namespace(good), None);
        }
        for bad in ["", "a/b", "a b", "_a", "é", "{x}", &"x".repeat(200)] {
            assert!(check_namespace(bad).is_some(), "{bad}");
        }
    }
}
