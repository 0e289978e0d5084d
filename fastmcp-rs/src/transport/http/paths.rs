//! Paths of the endpoints, and their checks at startup.

/// The paths of the health checks, which the endpoint cannot have.
pub(crate) const OWN_PATHS: [&str; 2] = ["/healthz", "/readyz"];

/// The path of the metrics, if they are served.
pub(crate) const METRICS_PATH: &str = "/metrics";

/// Checks that the endpoint can have this path; the error describes the problem.
pub(crate) fn check_path(path: &str) -> Result<(), String> {
    if !path.starts_with('/') || path.contains(['?', '#']) {
        return Err(format!(
            "`{path}` cannot be the path of the endpoint: it must begin with `/`, and must not contain `?` or `#`"
        ));
    }
    if OWN_PATHS.contains(&path.trim_end_matches('/')) {
        return Err(format!("`{path}` cannot be the path of the endpoint: it is the path of the health check"));
    }
    Ok(())
}

pub(crate) fn is_same_path(path: &str, endpoint: &str) -> bool {
    path.strip_suffix('/').unwrap_or(path) == endpoint.trim_end_matches('/')
}
