//! Short responses for people.

use http::header::{ALLOW, CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};

use crate::transport::http::response::body::ResponseBody;

/// Refuses a method where there is only something to look at.
pub(crate) fn refuse_method() -> Response<ResponseBody> {
    let mut response = plain_response(StatusCode::METHOD_NOT_ALLOWED, "GET or HEAD\n");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

/// A short answer for people.
pub(crate) fn plain_response(status: StatusCode, text: &'static str) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::whole(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// An answer after which nothing is served on its connection: where the body of a chunked request ends is what a proxy in
/// front may see otherwise, and `heads` does not see it at all.
pub(crate) fn with_connection_close<B>(mut response: Response<B>) -> Response<B> {
    response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    response
}
