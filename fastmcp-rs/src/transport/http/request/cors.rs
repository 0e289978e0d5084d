//! CORS: the response headers without which a browser does not let a page of another origin send requests and read
//! responses.
//!
//! Credentials of the browser (cookies, client certificates) are never allowed, so a page gains no access beyond the
//! credentials that it was given itself.
//!
//! Specification: <https://fetch.spec.whatwg.org/#http-cors-protocol>

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use super::super::config::HttpConfig;
use super::super::response::body::ResponseBody;
use super::super::response::status::{HttpResponse, respond};
use super::host_origin::AccessPolicy;
use crate::checks::http as checks;
use crate::checks::problem::Problem;

/// The protocol and tracing headers that a page may send.
const HEADERS: &str = "authorization, baggage, content-type, last-event-id, mcp-method, mcp-name, \
                       mcp-protocol-version, mcp-session-id, traceparent, tracestate";
/// The prefix of headers that repeat a tool's arguments, compared without regard to case.
const PARAMETER: &str = "mcp-param-";
/// The maximum size of such header names that one preflight grants, in bytes.
const MAX_PARAMETERS: usize = 4 << 10;
/// The response headers that a page may read besides those that CORS always allows.
const EXPOSED: HeaderValue = HeaderValue::from_static("mcp-session-id, retry-after, www-authenticate");

/// The headers that a page of an admitted origin may send, except parameter headers.
#[derive(Debug)]
pub(crate) struct AllowedHeaders(String);

impl AllowedHeaders {
    /// Builds the list from the configuration, or returns the configuration's problems.
    pub(crate) fn new(config: &HttpConfig) -> Result<AllowedHeaders, Vec<Problem>> {
        let mut allowed = HEADERS.to_owned();
        let mut problems = Vec::new();
        for name in &config.allowed_headers {
            match HeaderName::from_bytes(name.as_bytes()) {
                // `*` is a valid header name, but would mean all headers.
                Ok(name) if name != "*" => allowed.extend([", ", name.as_str()]),
                _ => problems.push(checks::invalid_header(name)),
            }
        }
        if problems.is_empty() { Ok(AllowedHeaders(allowed)) } else { Err(problems) }
    }

    /// Returns the response to a preflight request.
    pub(crate) fn preflight(&self, request: &HeaderMap) -> HttpResponse {
        let mut allowed = self.0.clone();
        let limit = allowed.len() + MAX_PARAMETERS;
        for value in request.get_all(ACCESS_CONTROL_REQUEST_HEADERS) {
            for name in value.as_bytes().split(|&byte| byte == b',').filter_map(parameter) {
                if allowed.len() + name.as_str().len() < limit {
                    allowed.extend([", ", name.as_str()]);
                }
            }
        }
        let mut answer = respond(StatusCode::NO_CONTENT, ResponseBody::empty());
        let headers = answer.headers_mut();
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static("POST, GET, DELETE"));
        // Header names are always valid in a header value.
        if let Ok(allowed) = HeaderValue::try_from(allowed) {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, allowed);
        }
        headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
        let asked = HeaderValue::from_static("access-control-request-headers, access-control-request-method");
        headers.append(VARY, asked);
        answer
    }
}

/// Parses the name of a header that repeats an argument of a tool.
fn parameter(name: &[u8]) -> Option<HeaderName> {
    let name = name.trim_ascii();
    let (prefix, rest) = name.split_at_checked(PARAMETER.len())?;
    let is_parameter = prefix.eq_ignore_ascii_case(PARAMETER.as_bytes()) && !rest.is_empty();
    is_parameter.then(|| HeaderName::from_bytes(name).ok())?
}

/// Allows the page that made a request to read the response, if its origin is admitted.
///
/// Even the response to a request without an origin varies by origin: a cache must not return it to a page.
pub(crate) fn admit(access: &AccessPolicy, request: &HeaderMap, response: &mut HeaderMap) {
    if !access.admits_pages() {
        return;
    }
    response.append(VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = admitted_origin(access, request) {
        response.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        response.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
    }
}

/// Returns the one origin of a request, if its pages may read responses.
pub(crate) fn admitted_origin<'a>(access: &AccessPolicy, request: &'a HeaderMap) -> Option<&'a HeaderValue> {
    if !access.admits_pages() {
        return None;
    }
    let mut origins = request.get_all(ORIGIN).iter();
    let origin = origins.next().filter(|origin| access.admits(origin.as_bytes()))?;
    origins.next().is_none().then_some(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(config: HttpConfig, asked: &[&str]) -> String {
        let mut request = HeaderMap::new();
        for names in asked {
            request.append(ACCESS_CONTROL_REQUEST_HEADERS, HeaderValue::from_bytes(names.as_bytes()).unwrap());
        }
        let answer = AllowedHeaders::new(&config).unwrap().preflight(&request);
        answer.headers()[ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap().to_owned()
    }

    #[test]
    fn a_page_may_send_only_the_parameter_headers_that_it_requests() {
        let granted = |asked: &[&str]| {
            let granted = allowed(HttpConfig::new(), asked);
            granted.strip_prefix(HEADERS).unwrap().trim_start_matches(", ").to_owned()
        };
        assert_eq!(granted(&["mcp-param-region"]), "mcp-param-region");
        assert_eq!(
            granted(&["content-type,MCP-Param-A , mcp-param-b", "mcp-param-c"]),
            "mcp-param-a, mcp-param-b, mcp-param-c"
        );
        for other in
            ["x-mcp-param-a", "mcp-param-", "mcp-param", "mcp-param-a b", "mcp-param-\u{e9}", "mcp-param-a:b", "*", ""]
        {
            assert_eq!(granted(&[other]), "", "{other}");
        }
    }

    #[test]
    fn the_headers_that_a_preflight_grants_are_limited() {
        let many = (0..10_000).map(|number| format!("mcp-param-{number}")).collect::<Vec<_>>().join(",");
        let granted = allowed(HttpConfig::new(), &[&many]);
        assert!(granted.len() <= HEADERS.len() + MAX_PARAMETERS + 2, "{}", granted.len());
        assert!(granted.contains("mcp-param-100,"));
    }

    #[test]
    fn headers_of_the_configuration_are_checked_and_named_in_lower_case() {
        let config = HttpConfig::new().allowed_headers(["X-Api-Key", "x-tenant"]);
        assert_eq!(allowed(config, &[]), format!("{HEADERS}, x-api-key, x-tenant"));
        let bad = ["", "*", "a b", "a:", "x,y", "grün", "a\r\nb"];
        let problems = AllowedHeaders::new(&HttpConfig::new().allowed_headers(bad)).unwrap_err();
        assert_eq!(problems.len(), bad.len(), "{problems:?}");
        assert!(problems[6].text().contains(r"`a\r\nb`"), "{}", problems[6]);
    }
}
