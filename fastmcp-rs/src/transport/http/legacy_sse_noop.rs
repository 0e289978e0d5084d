//! The transport of 2024-11-05 in a build without the feature `legacy-sse`: no request is for it.

use std::sync::Arc;

use http::request::Parts;
use http_body::Body;

use crate::auth::principal::Principal;
use crate::transport::http::request::head::RequestHead;
use crate::transport::http::response::status::HttpResponse;
use crate::transport::http::service::HttpService;
use crate::transport::http::shared::ServiceState;
use crate::transport::http::stream_session::StreamEndpoint;

impl HttpService {
    pub(crate) fn legacy_sse_at(&self, _path: &str) -> Option<HttpService> {
        None
    }

    pub(crate) async fn serve_legacy_sse<B: Body>(
        &mut self,
        endpoint: StreamEndpoint,
        _parts: &Parts,
        _head: &RequestHead<'_>,
        _body: B,
        _caller: Option<Arc<Principal>>,
    ) -> HttpResponse {
        match endpoint {}
    }
}

impl ServiceState {
    pub(crate) fn end_stream_sessions(&self) {}
}
