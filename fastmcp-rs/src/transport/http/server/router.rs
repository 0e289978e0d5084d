//! What is asked for a request, by its path: the endpoint, what tells that the server is there, or the author's routes.
//! Where these have nothing, a client that looks for OAuth is told that there is none.
//!
//! The endpoint comes first and in one comparison, as nearly all requests are for it. Whatever a path leads to, the
//! limits of a head hold for it, and the connection knows that it is busy until the answer is written.

use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};

use http::header::TRANSFER_ENCODING;
use http::{Method, Request, Response, StatusCode};
use hyper::body::Incoming;

#[cfg(feature = "metrics")]
use crate::transport::http::paths::METRICS;
use crate::transport::http::paths::{OWN_PATHS, is_same_path};
use crate::transport::http::post::is_of_session;
use crate::transport::http::request::cors;
use crate::transport::http::response::body::ResponseBody;
use crate::transport::http::response::plain::{closing, get_or_head, plain};
use crate::transport::http::server::oauth;
use crate::transport::http::server::timeouts::{Active, Activity};
use crate::transport::http::server::tracked_body::{Content, Tracked};
use crate::transport::http::server::user_routes::Routes;
use crate::transport::http::service::HttpService;

/// The most headers of a request.
const MAX_HEADERS: usize = 64;

/// All that is served: the app at its path, and what is beside it.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) service: HttpService,
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

type Answering = Pin<Box<dyn Future<Output = Result<Response<Tracked>, Infallible>> + Send>>;

/// The site as one connection sees it.
pub(crate) struct Paths {
    pub(crate) site: Site,
    pub(crate) activity: Activity,
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
