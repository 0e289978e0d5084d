//! Plain text responses, for people.

use http::header::{ALLOW, CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};

use crate::transport::http::response::body::ResponseBody;

/// Refuses a method on a path that supports only GET and HEAD.
pub(crate) fn refuse_method() -> Response<ResponseBody> {
    let mut response = plain_response(StatusCode::METHOD_NOT_ALLOWED, "GET or HEAD\n");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

/// Creates a response of plain text, for people.
pub(crate) fn plain_response(status: StatusCode, text: &'static str) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::whole(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// Closes the connection after a response to a chunked request, because a proxy in front may see another end of the
/// body, and `line_endings` does not parse chunked bodies.
pub(crate) fn with_connection_close<B>(mut response: Response<B>) -> Response<B> {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
