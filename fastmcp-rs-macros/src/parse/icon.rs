//! Reads `icons = ["https://..", {src = "..", mime_type = "..", sizes = ["48x48"], theme = "dark"}]`.

use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::LitStr;

use super::entry::{Entry, parse_entries, report_duplicate};
use super::value;
use crate::errors::{Errors, did_you_mean};

const KEYS: &[&str] = &["src", "mime_type", "sizes", "theme"];

/// An icon that clients may show beside the component.
pub(crate) struct Icon {
    pub(crate) src: LitStr,
    pub(crate) mime_type: Option<LitStr>,
    pub(crate) sizes: Vec<LitStr>,
    pub(crate) theme: Option<LitStr>,
}

/// Reads a list of icons.
pub(super) fn parse_icons(entry: &Entry, errors: &mut Errors) -> Vec<Icon> {
    let example = "[\"https://example.com/icon.png\"]";
    let Some(elements) = value::parse_list(entry, example, errors) else {
        return Vec::new();
    };
    elements.into_iter().filter_map(|element| parse_icon(element, errors)).collect()
}

fn parse_icon(element: TokenStream, errors: &mut Errors) -> Option<Icon> {
    let mut trees = element.clone().into_iter();
    match (trees.next(), trees.next()) {
        (Some(TokenTree::Group(group)), None) if group.delimiter() == Delimiter::Brace => {
            parse_icon_object(element, group.stream(), errors)
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

fn parse_icon_object(element: TokenStream, body: TokenStream, errors: &mut Errors) -> Option<Icon> {
    let (mut src, mut mime_type, mut theme, mut sizes) = (None, None, None, Vec::new());
    let mut seen = Vec::new();
    for entry in parse_entries(body, errors) {
        if report_duplicate(&entry, &mut seen, errors) {
            continue;
        }
        match entry.name().as_str() {
            "src" => src = value::parse_string(&entry, "\"https://example.com/icon.png\"", errors),
            "mime_type" => mime_type = value::parse_string(&entry, "\"image/png\"", errors),
            "theme" => theme = value::parse_string(&entry, "\"dark\"", errors),
            "sizes" => sizes = value::parse_strings(&entry, "[\"48x48\"]", errors),
            name => errors.at(
                &entry.key,
                format!(
                    "an icon has no option `{name}`{}: it takes `src`, `mime_type`, `sizes` and `theme`",
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
            errors.at(theme, "the theme of an icon is `\"light\"` or `\"dark\"`");
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
            "clients load icons only from `https:`, `http:` and `data:` URLs: host the picture, or embed it as \
             `data:image/png;base64,..`",
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
        errors.at(size, "the size of an icon is `\"WIDTHxHEIGHT\"`, as in `\"48x48\"`, or `\"any\"`");
    }
}
