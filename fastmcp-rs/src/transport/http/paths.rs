//! What is asked for a request, by its path: the endpoint, what tells that the server is there, or the author's routes.
//! Where these have nothing, a client that looks for OAuth is told that there is none.
//!
//! The endpoint comes first and in one comparison, as nearly all requests are for it. Whatever a path leads to, the
//! limits of a head hold for it, and the connection knows that it is busy until the answer is written.

use std::convert::Infallible;
use std::error::Error as StdError;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use http::header::{ALLOW, CONNECTION, CONTENT_TYPE, TRANSFER_ENCODING};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use hyper::body::{Bytes, Incoming};

use super::body::ResponseBody;
use super::cors;
use super::io::{Active, Activity};
use super::message::is_of_session;
use super::oauth;
use super::routes::{RouteBody, Routes};
use super::service::HttpService;

/// The most headers of a request.
const MAX_HEADERS: usize = 64;
/// What answers beside the endpoint, and cannot be its path.
const OWN_PATHS: [&str; 2] = ["/healthz", "/readyz"];
/// Where the numbers of the server are, if they are served.
#[cfg(feature = "metrics")]
pub(crate) const METRICS: &str = "/metrics";

/// Whether the endpoint can be at that path; returns what is wrong with it.
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

/// All that is served: the app at its path, and what is beside it.
#[derive(Clone)]
pub(crate) struct Site {
    pub(super) service: HttpService,
    routes: Option<Routes>,
}

impl Site {
    pub(crate) fn new(service: HttpService, routes: Option<Routes>) -> Site {
        Site { service, routes }
    }

    /// Answers a request, whatever it is for, which is `active` until its answer is written.
    fn answer(&self, request: Request<Incoming>, active: Active) -> Answering {
        let has_too_many = request.headers().len() > MAX_HEADERS;
        let is_endpoint = is_same_path(request.uri().path(), &self.service.shared.config.path);
        if is_endpoint && !has_too_many {
            let mut service = self.service.clone();
            let (parts, body) = request.into_parts();
            return Box::pin(async move {
                let mode = service.shared.config.sessions;
                let answer = service.serve(&parts, body);
                let answer = while_connected(&active, answer, || is_of_session(&parts, mode)).await;
                Ok(answer.map(|content| Tracked { content: Content::Own(content), active }))
            });
        }
        let site = self.clone();
        Box::pin(async move {
            let is_chunked = request.headers().contains_key(TRANSFER_ENCODING);
            let answer = if has_too_many {
                let mut answer = plain(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "too many headers\n");
                cors::admit(&site.service.shared.access, request.headers(), answer.headers_mut());
                answer.map(Content::Own)
            } else {
                while_connected(&active, site.beside(request), || false).await
            };
            // The endpoint sees to this by itself, wherever it is mounted.
            let answer = if is_chunked { closing(answer) } else { answer };
            Ok(answer.map(|content| Tracked { content, active }))
        })
    }

    /// Answers a request that is not for the endpoint.
    async fn beside(self, request: Request<Incoming>) -> Response<Content> {
        let path = request.uri().path();
        if let Some(mut legacy) = self.service.legacy_sse_at(path) {
            let (parts, body) = request.into_parts();
            legacy.serve(&parts, body).await.map(Content::Own)
        } else if let Some(metrics) = metrics(&request, &self.service) {
            metrics.map(Content::Own)
        } else if OWN_PATHS.contains(&path) {
            health(request.method(), path, &self.service).map(Content::Own)
        } else {
            let no_oauth = oauth::is_path(path).then(|| self.service.refuse_oauth(&request));
            match (&self.routes, no_oauth) {
                (Some(routes), no_oauth) => {
                    let answer = routes.answer(request, &self.service.shared).await;
                    no_oauth.filter(|_| oauth::is_bare(&answer)).map_or(answer, |refusal| refusal.map(Content::Own))
                }
                (None, Some(refusal)) => refusal.map(Content::Own),
                (None, None) => plain(StatusCode::NOT_FOUND, "not found\n").map(Content::Own),
            }
        }
    }
}

/// Waits for an answer, and lets the connection end if its client closes its side meanwhile, unless the request
/// outlives that.
async fn while_connected<T>(active: &Active, answer: impl Future<Output = T>, outlives_input: impl Fn() -> bool) -> T {
    let mut answer = pin!(answer);
    poll_fn(|task| {
        let polled = answer.as_mut().poll(task);
        if polled.is_pending() {
            active.disconnect_if_closed(&outlives_input);
        }
        polled
    })
    .await
}

pub(super) fn is_same_path(path: &str, endpoint: &str) -> bool {
    path.strip_suffix('/').unwrap_or(path) == endpoint.trim_end_matches('/')
}

type Answering = Pin<Box<dyn Future<Output = Result<Response<Tracked>, Infallible>> + Send>>;

/// The site as one connection sees it.
pub(super) struct Paths {
    pub(super) site: Site,
    pub(super) activity: Activity,
}

impl hyper::service::Service<Request<Incoming>> for Paths {
    type Response = Response<Tracked>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        self.site.answer(request, self.activity.begin())
    }
}

/// The numbers of the server, if that is what is asked for, and if they are served.
fn metrics(request: &Request<Incoming>, service: &HttpService) -> Option<Response<ResponseBody>> {
    #[cfg(feature = "metrics")]
    if request.uri().path() == METRICS {
        return service.metrics(request);
    }
    let _ = (request, service);
    None
}

fn health(method: &Method, path: &str, service: &HttpService) -> Response<ResponseBody> {
    match path {
        _ if !matches!(*method, Method::GET | Method::HEAD) => get_or_head(),
        "/readyz" if service.is_closed() => plain(StatusCode::SERVICE_UNAVAILABLE, "ending\n"),
        _ => plain(StatusCode::OK, "ok\n"),
    }
}

/// Refuses a method where there is only something to look at.
pub(super) fn get_or_head() -> Response<ResponseBody> {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "GET or HEAD\n");
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

/// A short answer for people.
pub(super) fn plain(status: StatusCode, text: &'static str) -> Response<ResponseBody> {
    let mut response = Response::new(ResponseBody::whole(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// An answer after which nothing is served on its connection: where the body of a chunked request ends is what a proxy in
/// front may see otherwise, and `heads` does not see it at all.
pub(super) fn closing<B>(mut answer: Response<B>) -> Response<B> {
    answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    answer
}

/// What an answer holds.
pub(super) enum Content {
    Own(ResponseBody),
    Route(RouteBody),
}

/// A body that tells when it is written.
pub(super) struct Tracked {
    content: Content,
    active: Active,
}

impl Content {
    /// Returns whether it is owed to a client that has closed its side of the connection.
    fn outlives_input(&self) -> bool {
        matches!(self, Content::Own(body) if body.outlives_input())
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = Box<dyn StdError + Send + Sync>;

    fn poll_frame(self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        match self.get_mut() {
            Content::Own(body) => Pin::new(body).poll_frame(task).map_err(|never| match never {}),
            Content::Route(body) => Pin::new(body).poll_frame(task),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Content::Own(body) => body.is_end_stream(),
            Content::Route(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Content::Own(body) => body.size_hint(),
            Content::Route(body) => body.size_hint(),
        }
    }
}

impl Body for Tracked {
    type Data = Bytes;
    type Error = Box<dyn StdError + Send + Sync>;

    fn poll_frame(mut self: Pin<&mut Self>, task: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let polled = Pin::new(&mut self.content).poll_frame(task);
        if polled.is_pending() {
            self.active.disconnect_if_closed(|| self.content.outlives_input());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.content.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.content.size_hint()
    }
}
