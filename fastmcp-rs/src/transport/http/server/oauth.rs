//! The response to clients that look for OAuth, which this server does not offer.
//!
//! A client that received a 401 requests metadata and tries to register itself, at paths that every server may have. It
//! parses the response as an OAuth error and shows the description to its user; any other text looks like a broken
//! server.
//!
//! Specification: <https://modelcontextprotocol.io/specification/2025-11-25/basic/authorization>

use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use http_body::Body;

use super::super::response::body::ResponseBody;
use super::super::response::status::{HttpResponse, respond};
use crate::checks::http::is_same_path;

const ENDPOINTS: [&str; 3] = ["/authorize", "/register", "/token"];
const WELL_KNOWN: &str = "/.well-known/";
const OPENID: &str = "openid-configuration";

/// An OAuth error response (RFC 6749, section 5.2).
const ABSENT: &str = "{\"error\":\"invalid_request\",\"error_description\":\"This server does not support OAuth. Connect without it; if credentials are needed, use those from the server's operator.\"}";

/// Returns whether a client that looks for OAuth may request this path: an endpoint that clients assume, or metadata of
/// the server or of one of its paths, which comes before or after the well-known part.
pub(crate) fn is_path(path: &str) -> bool {
    let is_metadata = |name: &str| {
        name.starts_with("oauth-")
            || name.strip_prefix(OPENID).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    ENDPOINTS.iter().any(|endpoint| is_same_path(path, endpoint))
        || path.split_once(WELL_KNOWN).is_some_and(|(_, name)| is_metadata(name))
}

pub(crate) fn absent() -> HttpResponse {
    let mut answer = respond(StatusCode::NOT_FOUND, ResponseBody::whole(ABSENT));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// Returns whether a response is a 404 without a body and without headers of its own, as a router sends by default.
pub(crate) fn is_bare(answer: &http::Response<impl Body>) -> bool {
    let is_plain = answer.headers().keys().all(|name| name == CONTENT_LENGTH);
    answer.status() == StatusCode::NOT_FOUND && is_plain && answer.body().is_end_stream()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_at_which_clients_look_for_oauth_are_known() {
        for path in [
            "/register",
            "/token/",
            "/authorize",
            "/.well-known/oauth-protected-resource",
            "/.well-known/oauth-protected-resource/mcp",
            "/.well-known/oauth-authorization-server",
            "/.well-known/openid-configuration",
            "/.well-known/openid-configuration/mcp",
            "/mcp/.well-known/openid-configuration",
            "/mcp/.well-known/oauth-authorization-server",
        ] {
            assert!(is_path(path), "{path}");
        }
        for path in [
            "/",
            "/registered",
            "/tokens",
            "/register/x",
            "/oauth-x",
            "/.well-known/",
            "/.well-known/openid-configurations",
        ] {
            assert!(!is_path(path), "{path}");
        }
    }

    #[test]
    fn only_an_empty_404_counts_as_the_default_of_a_router() {
        let response = |status: StatusCode, body: &'static str| {
            let mut response = http::Response::new(ResponseBody::whole(body));
            *response.status_mut() = status;
            response
        };
        assert!(is_bare(&response(StatusCode::NOT_FOUND, "")));
        assert!(!is_bare(&response(StatusCode::NOT_FOUND, "not here")));
        assert!(!is_bare(&response(StatusCode::OK, "")));
        let mut own = response(StatusCode::NOT_FOUND, "");
        own.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        assert!(!is_bare(&own), "the author's route has sent it");
    }
}
