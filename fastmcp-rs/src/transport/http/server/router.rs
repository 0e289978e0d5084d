//! Routes each request by its path: to the endpoint, the health and metrics paths, or the user's routes. Where these
//! return nothing, a client that looks for OAuth receives a response that says there is none.
//!
//! The endpoint is checked first and with one comparison, as nearly all requests are for it. On every path, the limits
//! of a head apply, and the connection counts as busy until the response is written.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};

use http::header::TRANSFER_ENCODING;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;

use crate::checks::http::{METRICS_PATH, OWN_PATHS, is_same_path};
use crate::transport::http::post::belongs_to_session;
use crate::transport::http::request::cors;
use crate::transport::http::response::body::ResponseBody;
use crate::transport::http::response::plain::{plain_response, refuse_method, with_connection_close};
use crate::transport::http::server::oauth;
use crate::transport::http::server::timeouts::{Activity, ActivityGuard};
use crate::transport::http::server::tracked_body::{ServerBody, TrackedBody};
use crate::transport::http::server::user_routes::Routes;
use crate::transport::http::service::HttpService;

/// The maximum number of headers of a request.
const MAX_HEADERS: usize = 64;

/// Everything that the server serves: the app at its path, and the other routes.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) service: HttpService,
    routes: Option<Routes>,
}

impl Site {
    pub(crate) fn new(service: HttpService, routes: Option<Routes>) -> Site {
        Site { service, routes }
    }

    /// Responds to a request on any path; the request holds `active` until its response is written.
    fn response(&self, request: Request<Incoming>, active: ActivityGuard) -> ResponseFuture {
        let has_too_many = request.headers().len() > MAX_HEADERS;
        let is_endpoint = is_same_path(request.uri().path(), &self.service.shared.config.path);
        if is_endpoint && !has_too_many {
            let mut service = self.service.clone();
            let (parts, body) = request.into_parts();
            return Box::pin(async move {
                let mode = service.shared.config.sessions;
                let response = service.serve(&parts, body);
                let response = while_connected(&active, response, || belongs_to_session(&parts, mode)).await;
                Ok(response.map(|content| TrackedBody { content: ServerBody::Own(content), active }))
            });
        }
        let site = self.clone();
        Box::pin(async move {
            let is_chunked = request.headers().contains_key(TRANSFER_ENCODING);
            let response = if has_too_many {
                let mut response = plain_response(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "too many headers\n");
                cors::admit(&site.service.shared.access, request.headers(), response.headers_mut());
                response.map(ServerBody::Own)
            } else {
                while_connected(&active, site.serve_other_path(request), || false).await
            };
            // The endpoint closes such connections itself, wherever it is mounted.
            let response = if is_chunked { with_connection_close(response) } else { response };
            Ok(response.map(|content| TrackedBody { content, active }))
        })
    }

    /// Responds to a request that is not for the endpoint.
    async fn serve_other_path(self, request: Request<Incoming>) -> Response<ServerBody> {
        let path = request.uri().path();
        if let Some(mut legacy) = self.service.legacy_sse_at(path) {
            let (parts, body) = request.into_parts();
            legacy.serve(&parts, body).await.map(ServerBody::Own)
        } else if let Some(metrics) = metrics_response(&request, &self.service) {
            metrics.map(ServerBody::Own)
        } else if OWN_PATHS.contains(&path) {
            health(request.method(), path, &self.service).map(ServerBody::Own)
        } else {
            let no_oauth = oauth::is_path(path).then(|| self.service.refuse_oauth(&request));
            // The body of a response to HEAD is missing even if the route has one.
            let is_head = request.method() == Method::HEAD;
            match (&self.routes, no_oauth) {
                (Some(routes), no_oauth) => {
                    let response = routes.response(request, &self.service.shared).await;
                    no_oauth
                        .filter(|_| !is_head && oauth::is_bare(&response))
                        .map_or(response, |refusal| refusal.map(ServerBody::Own))
                }
                (None, Some(refusal)) => refusal.map(ServerBody::Own),
                (None, None) => plain_response(StatusCode::NOT_FOUND, "not found\n").map(ServerBody::Own),
            }
        }
    }
}

/// Waits for a response. If the client closes its side of the connection meanwhile, the connection ends, unless the
/// request outlives that.
async fn while_connected<T>(
    active: &ActivityGuard,
    response: impl Future<Output = T>,
    outlives_input: impl Fn() -> bool,
) -> T {
    let mut response = pin!(response);
    poll_fn(|task| {
        let polled = response.as_mut().poll(task);
        if polled.is_pending() {
            active.disconnect_if_closed(&outlives_input);
        }
        polled
    })
    .await
}

type ResponseFuture = Pin<Box<dyn Future<Output = Result<Response<TrackedBody>, Infallible>> + Send>>;

/// The hyper service of one connection.
pub(crate) struct SiteService {
    pub(crate) site: Site,
    pub(crate) activity: Activity,
}

impl hyper::service::Service<Request<Incoming>> for SiteService {
    type Response = Response<TrackedBody>;
    type Error = Infallible;
    type Future = ResponseFuture;

    fn call(&self, request: Request<Incoming>) -> ResponseFuture {
        self.site.response(request, self.activity.start_request())
    }
}

/// Returns the metrics response, if the request is for the metrics path and metrics are served.
fn metrics_response(request: &Request<Incoming>, service: &HttpService) -> Option<Response<ResponseBody>> {
    if request.uri().path() == METRICS_PATH { service.metrics(request) } else { None }
}

fn health(method: &Method, path: &str, service: &HttpService) -> Response<ResponseBody> {
    match path {
        _ if !matches!(*method, Method::GET | Method::HEAD) => refuse_method(),
        "/readyz" if service.is_closed() => plain_response(StatusCode::SERVICE_UNAVAILABLE, "ending\n"),
        _ => plain_response(StatusCode::OK, "ok\n"),
    }
}
