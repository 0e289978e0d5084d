//! Paths of the endpoints, and their checks at startup.

#[cfg(feature = "legacy-sse")]
use http::uri::PathAndQuery;

#[cfg(feature = "legacy-sse")]
use crate::transport::http::config::HttpConfig;

/// The paths of the health checks, which the endpoint cannot have.
pub(crate) const OWN_PATHS: [&str; 2] = ["/healthz", "/readyz"];

/// The path of the metrics, if they are served.
pub(crate) const METRICS_PATH: &str = "/metrics";

/// Checks that the endpoint can have this path; the error describes the problem.
pub(crate) fn check_path(path: &str) -> Result<(), String> {
    if !path.starts_with('/') || path.contains(['?', '#']) {
        return Err(format!(
            "`{path}` cannot be the path of the endpoint: it begins with `/`, and has no `?` and no `#`"
        ));
    }
    if OWN_PATHS.contains(&path.trim_end_matches('/')) {
        return Err(format!("`{path}` cannot be the path of the endpoint: it tells whether the server is there"));
    }
    Ok(())
}

pub(crate) fn is_same_path(path: &str, endpoint: &str) -> bool {
    path.strip_suffix('/').unwrap_or(path) == endpoint.trim_end_matches('/')
}

/// Checks the settings of HTTP with SSE; the error lists the problems.
#[cfg(feature = "legacy-sse")]
pub(crate) fn check_config(config: &HttpConfig) -> Result<(), Vec<String>> {
    if let Some(prefix) = &config.public_prefix {
        // A prefix must not look like the name of another server (`//`), nor contain characters that would end the line
        // of the event.
        let is_path = prefix.parse().is_ok_and(|path: PathAndQuery| path.query().is_none() && path.path() == prefix);
        // Clients take `\\` for `/`, and some end lines at characters beyond ASCII.
        let is_plain = prefix.is_ascii() && !prefix.contains('\\');
        if !is_path || !is_plain || !prefix.starts_with('/') || prefix.starts_with("//") {
            return Err(vec![format!(
                "`HttpConfig::public_prefix`: `{}` is no path: write it as in a URL, such as \"/tools\"",
                prefix.escape_debug()
            )]);
        }
    }
    let Some(path) = &config.legacy_sse else { return Ok(()) };
    check_path(path).map_err(|problem| vec![format!("`HttpConfig::legacy_sse`: {problem}")])?;
    if config.metrics && is_same_path(path, METRICS_PATH) {
        return Err(vec![format!("`HttpConfig::legacy_sse`: `{path}` is where the numbers of the server are")]);
    }
    if is_same_path(path, &config.path) {
        return Err(vec![format!(
            "`{path}` is the path of Streamable HTTP: give `HttpConfig::legacy_sse` another one, such as \"/sse\""
        )]);
    }
    Ok(())
}
