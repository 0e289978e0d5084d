//! Settings of HTTP: hosts, origins, headers, proxies, paths and exposure.
//!
//! The transport reads each setting once, and reports here what it cannot read.

use std::borrow::Cow;
use std::net::SocketAddr;

#[cfg(feature = "legacy-sse")]
use http::uri::PathAndQuery;

use super::problem::Problem;

/// The paths of the health checks, which the endpoint cannot have.
pub(crate) const OWN_PATHS: [&str; 2] = ["/healthz", "/readyz"];

/// The path of the metrics, if they are served.
pub(crate) const METRICS_PATH: &str = "/metrics";

pub(crate) fn invalid_host(host: &str) -> Problem {
    let text = format!("`{host}` cannot be an allowed host");
    let fix = "write it as in a URL, such as \"mcp.example.com\" or \"mcp.example.com:8443\"";
    Problem::new("`HttpConfig::allowed_hosts`", text, fix)
}

pub(crate) fn invalid_origin(origin: &str) -> Problem {
    let text = format!("`{origin}` cannot be an allowed origin");
    let fix = "write scheme and host, such as \"https://app.example.com\"";
    Problem::new("`HttpConfig::allowed_origins`", text, fix)
}

pub(crate) fn invalid_header(name: &str) -> Problem {
    let text = format!("`{}` cannot be an allowed header", name.escape_debug());
    let fix = "write the name of one header, such as \"x-api-key\"";
    Problem::new("`HttpConfig::allowed_headers`", text, fix)
}

pub(crate) fn invalid_exposed_header(name: &str) -> Problem {
    let text = format!("`{}` cannot be an exposed header", name.escape_debug());
    let fix = "write the name of a header, such as \"x-tenant\", or the beginning of names, such as \"x-acme-*\"";
    Problem::new("`App::expose_headers`", text, fix)
}

/// Reports a trusted proxy that cannot be read; `unix` is the name for the peer of a Unix socket.
pub(crate) fn invalid_proxy(proxy: &str, unix: &str) -> Problem {
    let fix = format!(
        "write an address or a network, such as \"192.0.2.1\", \"10.0.0.0/8\" or \"2001:db8::/32\", or \"{unix}\" \
         for the peer of a Unix socket"
    );
    proxy_problem(format!("`{proxy}` cannot be a trusted proxy"), fix)
}

pub(crate) fn proxy_of_all_addresses(proxy: &str) -> Problem {
    let text = format!(
        "`{proxy}` cannot be a trusted proxy: it contains every address, so any client could pretend to be another"
    );
    proxy_problem(text, "write the networks of the proxies")
}

pub(crate) fn proxy_with_host_bits(proxy: &str, length: u8) -> Problem {
    let text = format!("`{proxy}` cannot be a trusted proxy: it has bits beyond its first {length}");
    proxy_problem(text, "clear them, or write only the address")
}

fn proxy_problem(text: String, fix: impl Into<Cow<'static, str>>) -> Problem {
    Problem::new("`HttpConfig::trusted_proxies`", text, fix)
}

/// Checks the path of an endpoint, which `setting` sets.
pub(crate) fn check_path(setting: &'static str, path: &str) -> Result<(), Problem> {
    let text = format!("`{path}` cannot be the path of the endpoint");
    if !path.starts_with('/') || path.contains(['?', '#']) {
        return Err(Problem::new(setting, text, "it must begin with `/`, and must not contain `?` or `#`"));
    }
    if OWN_PATHS.contains(&path.trim_end_matches('/')) {
        return Err(Problem::new(
            setting,
            format!("{text}, because it is the path of the health check"),
            "choose another",
        ));
    }
    Ok(())
}

/// Checks the settings of the transport HTTP+SSE against the path of Streamable HTTP.
#[cfg(feature = "legacy-sse")]
pub(crate) fn check_legacy_sse(sse_path: &str, endpoint: &str, serves_metrics: bool) -> Result<(), Problem> {
    let setting = "`HttpConfig::legacy_sse`";
    check_path(setting, sse_path)?;
    if serves_metrics && is_same_path(sse_path, METRICS_PATH) {
        let text = format!("`{sse_path}` is the path of the metrics");
        return Err(Problem::new(setting, text, "choose another"));
    }
    if is_same_path(sse_path, endpoint) {
        let text = format!("`{sse_path}` is the path of Streamable HTTP");
        return Err(Problem::new(setting, text, "choose another one, such as \"/sse\""));
    }
    Ok(())
}

/// Checks the prefix of the path that a proxy removes.
#[cfg(feature = "legacy-sse")]
pub(crate) fn check_public_prefix(prefix: &str) -> Result<(), Problem> {
    // A prefix must not look like the name of another server (`//`), nor contain characters that would end the line of
    // the event.
    let is_path = prefix.parse().is_ok_and(|path: PathAndQuery| path.query().is_none() && path.path() == prefix);
    // Clients take `\\` for `/`, and some end lines at characters beyond ASCII.
    let is_plain = prefix.is_ascii() && !prefix.contains('\\');
    if is_path && is_plain && prefix.starts_with('/') && !prefix.starts_with("//") {
        return Ok(());
    }
    let text = format!("`{}` is not a path", prefix.escape_debug());
    Err(Problem::new("`HttpConfig::public_prefix`", text, "write it as in a URL, such as \"/tools\""))
}

/// Checks that the endpoint does not have the path of the metrics.
pub(crate) fn check_metrics_path(endpoint: &str) -> Result<(), Problem> {
    if endpoint.trim_end_matches('/') != METRICS_PATH {
        return Ok(());
    }
    let text = format!("`{endpoint}` cannot be the path of the endpoint, because it is the path of the metrics");
    Err(Problem::new("`HttpConfig::path`", text, "choose another"))
}

pub(crate) fn is_same_path(path: &str, endpoint: &str) -> bool {
    path.strip_suffix('/').unwrap_or(path) == endpoint.trim_end_matches('/')
}

/// Checks that replicas have common keys.
pub(crate) fn check_replicas(replicas: usize, has_keys: bool) -> Result<(), Problem> {
    if replicas <= 1 || has_keys {
        return Ok(());
    }
    let text = "replicas must be able to read each other's sealed data";
    Err(Problem::new("`HttpConfig::replicas`", text, "give all of them the same keys with `App::sealing_keys`"))
}

/// Checks that an address which other machines can reach is not open to every client. `has_settings` states whether
/// the operator of the program can make settings.
pub(crate) fn check_exposure(address: SocketAddr, is_open: bool, has_settings: bool) -> Result<(), Problem> {
    if !is_open || address.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    let text = format!("other machines can reach {address} without authentication");
    let setting = if has_settings { ", or with the setting `allowed_hosts`" } else { "" };
    let fix = format!(
        "add `App::authenticate`, or set the host name of this server with \
         `HttpConfig::allowed_hosts([\"mcp.example.com\"])`{setting}; to serve this machine only, bind 127.0.0.1"
    );
    Err(Problem::new("`App::run_http`", text, fix))
}

/// Reports a certificate, a key or a TLS configuration that cannot be used.
#[cfg(feature = "tls")]
pub(crate) fn unusable_tls(text: impl Into<Cow<'static, str>>, fix: impl Into<Cow<'static, str>>) -> Problem {
    Problem::new("`HttpConfig::tls`", text, fix)
}
