//! Icons of the server and of components.

use super::problem::ProblemList;

/// Checks the URL and the sizes of an icon.
pub(crate) fn check_icon<'a>(src: &str, sizes: impl Iterator<Item = &'a str>, problems: &mut ProblemList) {
    let src = src.to_ascii_lowercase();
    if !["https://", "http://", "data:"].iter().any(|scheme| src.starts_with(scheme)) {
        problems.add(
            "clients load icons only from `https:`, `http:` and `data:` URLs",
            "host the picture, or embed it as `data:image/png;base64,..`",
        );
    }
    for size in sizes.filter(|size| !is_size(size)) {
        problems.add(format!("`{size}` is not the size of an icon"), "write it as in `48x48`, or write `any`");
    }
}

fn is_size(size: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    size.split_once('x').map_or(size == "any", |(width, height)| is_number(width) && is_number(height))
}
