//! Reads `icons = ["https://..", {src = "..", mime_type = "..", sizes = ["48x48"], theme = "dark"}]`.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::LitStr;

use super::entry::{Entry, entries, is_duplicate, split};
use super::value::string;
use crate::errors::{Errors, did_you_mean};

const KEYS: &[&str] = &["src", "mime_type", "sizes", "theme"];

/// A picture that clients may show beside the tool.
pub(crate) struct Icon {
    pub(crate) src: LitStr,
    pub(crate) mime_type: Option<LitStr>,
    pub(crate) sizes: Vec<LitStr>,
    pub(crate) theme: Option<LitStr>,
}

/// Reads a list of string literals: `key = ["a", "b"]`.
pub(super) fn strings(entry: &Entry, example: &str, errors: &mut Errors) -> Vec<LitStr> {
    let Some(elements) = elements(entry, example, errors) else {
        return Vec::new();
    };
    let key = &entry.key;
    let mut strings = Vec::new();
    for element in elements {
        match syn::parse2::<LitStr>(element.clone()) {
            Ok(literal) => strings.push(literal),
            Err(_) => errors.at(element, format!("`{key}` holds string literals only, as in `{key} = {example}`")),
        }
    }
    strings
}

pub(super) fn icons(entry: &Entry, errors: &mut Errors) -> Vec<Icon> {
    let example = "[\"https://example.com/icon.png\"]";
    let Some(elements) = elements(entry, example, errors) else {
        return Vec::new();
    };
    elements.into_iter().filter_map(|element| icon(element, errors)).collect()
}

/// The elements of the bracketed list that the entry's value has to be.
fn elements(entry: &Entry, example: &str, errors: &mut Errors) -> Option<Vec<TokenStream>> {
    let mut trees = entry.value.clone().unwrap_or_default().into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::Bracket => {
            let parts = split(group.stream()).into_iter();
            Some(parts.map(|part| part.into_iter().collect()).collect())
        }
        _ => {
            let key = &entry.key;
            errors.at(entry.blame(), format!("`{key}` takes a list, as in `{key} = {example}`"));
            None
        }
    }
}

fn icon(element: TokenStream, errors: &mut Errors) -> Option<Icon> {
    let mut trees = element.clone().into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::Brace => {
            described(element, group.stream(), errors)
        }
        _ => match syn::parse2::<LitStr>(element.clone()) {
            Ok(src) => {
                check_src(&src, errors);
                Some(Icon { src, mime_type: None, sizes: Vec::new(), theme: None })
            }
            Err(_) => {
                errors.at(
                    element,
                    "an icon is a URL, or `{ src = \"https://..\", mime_type = \"image/png\", sizes = [\"48x48\"], theme = \"dark\" }`",
                );
                None
            }
        },
    }
}

fn described(element: TokenStream, body: TokenStream, errors: &mut Errors) -> Option<Icon> {
    let (mut src, mut mime_type, mut theme, mut sizes) = (None, None, None, Vec::new());
    let mut seen = Vec::new();
    for entry in entries(body, errors) {
        if is_duplicate(&entry, &mut seen, errors) {
            continue;
        }
        match entry.name().as_str() {
            "src" => src = string(&entry, "\"https://example.com/icon.png\"", errors),
            "mime_type" => mime_type = string(&entry, "\"image/png\"", errors),
            "theme" => theme = string(&entry, "\"dark\"", errors),
            "sizes" => sizes = strings(&entry, "[\"48x48\"]", errors),
            name => errors.at(
                &entry.key,
                format!(
                    "an icon has no `{name}`{}: it takes `src`, `mime_type`, `sizes` and `theme`",
                    did_you_mean(name, KEYS)
                ),
            ),
        }
    }
    for size in &sizes {
        check_size(size, errors);
    }
    if let Some(theme) = &theme {
        if !matches!(theme.value().as_str(), "light" | "dark") {
            errors.at(theme, "an icon's theme is `\"light\"` or `\"dark\"`");
        }
    }
    match &src {
        Some(src) => check_src(src, errors),
        None if !seen.iter().any(|key| key == "src") => {
            errors.at(element, "an icon needs `src`: write `{ src = \"https://..\", .. }`")
        }
        None => {}
    }
    Some(Icon { src: src?, mime_type, sizes, theme })
}

fn check_src(src: &LitStr, errors: &mut Errors) {
    let value = src.value().to_ascii_lowercase();
    if !["https://", "http://", "data:"].iter().any(|scheme| value.starts_with(scheme)) {
        errors.at(
            src,
            "clients load icons from `https:`, `http:` and `data:` URLs only: host the picture, or embed it as `data:image/png;base64,..`",
        );
    }
}

fn check_size(size: &LitStr, errors: &mut Errors) {
    let value = size.value();
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_size = match value.split_once('x') {
        Some((width, height)) => is_number(width) && is_number(height),
        None => value == "any",
    };
    if !is_size {
        errors.at(size, "an icon's size is `\"WIDTHxHEIGHT\"`, as in `\"48x48\"`, or `\"any\"`");
    }
}
