//! Serving an app on HTTP.

use std::error::Error as StdError;
use std::net::SocketAddr;
#[cfg(unix)]
use std::path::Path;
use std::sync::Arc;

#[cfg(unix)]
use tokio::net::UnixListener;
use tokio::net::{TcpListener, ToSocketAddrs};
use tower_service::Service;

use super::App;
use crate::checks::http as checks;
use crate::error::Error;
use crate::exec::runtime;
use crate::transport::http::{
    self as transport, Authenticate, Authenticator, HttpConfig, HttpServer, HttpService, Listener, RequestBody, Routes,
    SessionMode, Site,
};
use crate::util::future::run_until;
use crate::util::{catch_panic, operator_log};

/// The HTTP settings of an app.
#[derive(Clone, Debug, Default)]
pub(crate) struct HttpSettings {
    pub(super) config: HttpConfig,
    authenticator: Option<Authenticator>,
    routes: Option<Routes>,
}

impl App {
    /// Sets the HTTP configuration: limits, allowed hosts and origins, sessions. The defaults are safe; see
    /// [`HttpConfig`].
    pub fn http(mut self, config: HttpConfig) -> App {
        self.http.config = config;
        self
    }

    /// Sets the function that authenticates each HTTP request, of the form
    /// `async fn(&http::request::Parts) -> Result<Principal, AccessError>`.
    ///
    /// A request that it rejects is not served. Its return value is [`Context::principal`](crate::Context::principal);
    /// sessions, sealed request state and subscriptions are bound to it. It runs before the body is read, for every
    /// request, even for those of a session. After 10 seconds ([`HttpConfig::authenticate_timeout`]) it is dropped, and
    /// the request is answered with status 503. If it panics, the panic is logged, and the request is answered with
    /// status 500.
    ///
    /// It does not run on standard input and output.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// async fn by_token(parts: &Parts) -> Result<Principal, AccessError> {
    ///     let header = parts.headers.get("authorization").and_then(|value| value.to_str().ok());
    ///     let token = header.and_then(|header| header.strip_prefix("Bearer ")).ok_or(AccessError::unauthorized())?;
    ///     // Look the token up, or verify its signature.
    ///     if token == "let-me-in" { Ok(Principal::new("ada")) } else { Err(AccessError::unauthorized()) }
    /// }
    ///
    /// let app = App::empty("orders").authenticate(by_token);
    /// # let _ = app;
    /// ```
    pub fn authenticate(mut self, check: impl for<'a> Authenticate<'a> + 'static) -> App {
        self.http.authenticator = Some(Authenticator::new(check));
        self
    }

    /// Exposes headers of HTTP requests to handlers and middleware, as [`Headers`](crate::handler::Headers) and
    /// [`Context::headers`](crate::Context::headers). Default: none. A second call adds names.
    ///
    /// A name that ends in `*` stands for all names that begin so, and `*` alone for all names. It never includes a name
    /// that suggests a secret: one that contains `assertion`, `auth`, `bearer`, `cookie`, `cred`, `csrf`, `dpop`,
    /// `hmac`, `jwt`, `key`, `oidc`, `otp`, `passcode`, `passphrase`, `passw`, `saml`, `secret`, `session`, `signature`,
    /// `token` or `xsrf`. So `authorization`, `cookie` and `x-api-key` are exposed only by their full names, and even
    /// then `Debug` does not show their values. No list knows every secret, so name the headers if you can.
    ///
    /// At most 32 KiB of headers are copied per request, which is the limit of a request's head. If a surrounding server
    /// allows more, the headers that are named in full come first, and those beyond the limit are left out. In a mounted
    /// app, the setting of the outermost app applies. A name that no header can have is an error at start.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// /// Returns the tenant of the request.
    /// #[mcp::tool]
    /// async fn tenant(headers: Headers) -> String {
    ///     let tenant = headers.get("x-tenant").and_then(|value| value.to_str().ok());
    ///     tenant.unwrap_or("none").to_owned()
    /// }
    ///
    /// # #[mcp::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # #[cfg(feature = "testing")]
    /// # {
    /// let app = App::empty("tenants").tool::<tenant>().expose_headers(["x-tenant"]);
    /// let client = app.test_client().header("X-Tenant", "acme").await?;
    /// assert_eq!(client.call("tenant", ()).await?.text(), "acme");
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    pub fn expose_headers(mut self, names: impl IntoIterator<Item = impl AsRef<str>>) -> App {
        for name in names {
            if let Err(problem) = self.config.exposed_headers.add(name.as_ref()) {
                self.problems.push(problem);
            }
        }
        self
    }

    /// Serves other paths beside the endpoint with a tower `Service`, such as an `axum::Router`: pages, downloads,
    /// webhooks. [`App::run_http`] calls it for every path that is not served already: the endpoint, `/healthz`,
    /// `/readyz`, and the paths that [`HttpConfig`] adds. There is one such service; a second call replaces it. On the
    /// paths for OAuth discovery, a 404 response of the service without a body is replaced by an OAuth error which says
    /// that OAuth is not supported.
    ///
    /// The host names of the endpoint apply to the routes (see [`HttpConfig::allowed_hosts`]), so that no web page can
    /// lure a browser to a route under its own name; the limits of request heads and connections apply, and a panic in
    /// the service is answered with status 500. Everything else is the service's responsibility: [`App::authenticate`]
    /// does not run, and neither `Origin` nor `Content-Type` is checked. Connections are not upgraded, so there are no
    /// WebSockets.
    ///
    /// [`App::into_service`] does not call the service, because the surrounding server has its own routes. The routes
    /// of an app that is [mounted](App::mount) in another app are not served either.
    ///
    /// # Example
    ///
    /// ```
    /// use std::convert::Infallible;
    ///
    /// use fastmcp_rs::App;
    /// use fastmcp_rs::http_server::RequestBody;
    /// use http::{Request, Response};
    ///
    /// /// With axum it would be `Router::new().route("/", get(|| async { "a page" }))`.
    /// #[derive(Clone)]
    /// struct Page;
    ///
    /// impl tower_service::Service<Request<RequestBody>> for Page {
    ///     type Response = Response<String>;
    ///     type Error = Infallible;
    ///     type Future = std::future::Ready<Result<Response<String>, Infallible>>;
    ///
    ///     fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
    ///         std::task::Poll::Ready(Ok(()))
    ///     }
    ///
    ///     fn call(&mut self, request: Request<RequestBody>) -> Self::Future {
    ///         std::future::ready(Ok(Response::new(format!("nothing at {}", request.uri().path()))))
    ///     }
    /// }
    ///
    /// let app = App::empty("orders").routes(Page);
    /// # let _ = app;
    /// ```
    pub fn routes<S, B>(mut self, service: S) -> App
    where
        S: Service<http::Request<RequestBody>, Response = http::Response<B>> + Clone + Send + Sync + 'static,
        S::Error: Into<Box<dyn StdError + Send + Sync>>,
        S::Future: Send,
        B: http_body::Body + Send + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        self.http.routes = Some(Routes::new(service));
        self
    }

    /// Returns the app as a tower `Service`, for an existing server: mount it in axum with
    /// `Router::route_service("/mcp", service)`, and in bare hyper with `hyper_util::service::TowerToHyperService`.
    ///
    /// It needs no other task or object beside it. If other machines can reach the surrounding server, name its host
    /// with [`HttpConfig::allowed_hosts`]: otherwise only this machine's own local names are accepted.
    ///
    /// Limits per address apply if the surrounding server stores the address of the client, a `std::net::SocketAddr`,
    /// in the [extensions](http::Extensions) of a request; [`HttpConfig::trusted_proxies`] then applies as well.
    ///
    /// # Errors
    ///
    /// Fails if the app's configuration is invalid (see [`App::check`]), if an allowed host or origin is malformed, or
    /// if there are several replicas without sealing keys.
    ///
    /// # Example
    ///
    /// ```
    /// use fastmcp_rs::App;
    ///
    /// # async fn example() -> Result<(), fastmcp_rs::Error> {
    /// let service = App::empty("orders").into_service().await?;
    /// // let router = axum::Router::new().route_service("/mcp", service);
    /// # let _ = service;
    /// # Ok(())
    /// # }
    /// ```
    pub async fn into_service(mut self) -> Result<HttpService, Error> {
        catch_panic::install_hook();
        runtime::check_timers()?;
        self.fix_address();
        self.apply_settings_to_serve()?;
        self.log_settings();
        let HttpSettings { config, authenticator, .. } = self.http.clone();
        checks::check_replicas(config.replicas, !self.sealing_keys.is_empty())?;
        self.validate()?;
        self.warn_about_version();
        if config.metrics {
            self.metrics.enable();
        }
        self.fit_request_state(config.max_body);
        let keys = self.sealing_keys.clone();
        if keys.is_empty() && config.sessions == SessionMode::Sessions {
            operator_log::info(format_args!(
                "sessions of clients before 2026-07-28 end with this process, and clients that do not begin a new \
                 session fail until they are restarted; to restore sessions, set `App::sealing_keys`"
            ));
        }
        let server = Arc::new(self.start().await?);
        HttpService::new(server, config, authenticator, &keys).map_err(Error::configuration)
    }

    /// Serves this app on HTTP until the process is asked to stop (SIGTERM, SIGINT, SIGHUP). The endpoint is `/mcp`,
    /// unless [`HttpConfig::path`] sets another path; `/healthz` and `/readyz` answer with status 200 while the server
    /// runs.
    ///
    /// It serves both the self-contained requests of 2026-07-28 and the sessions of earlier revisions. When the server
    /// is asked to stop, it accepts no more connections, ends subscriptions with their last response, and gives calls
    /// 10 seconds to end ([`HttpConfig::graceful_shutdown_timeout`]). A second signal ends the process at once.
    ///
    /// # Errors
    ///
    /// Fails if the app's configuration is invalid (see [`App::into_service`]), if the address cannot be bound, or if
    /// other machines can reach it and neither [`App::authenticate`] nor [`HttpConfig::allowed_hosts`] is set. It also
    /// fails outside of a tokio runtime with timers, input and output; `#[mcp::main]`, `#[tokio::main]` and a runtime
    /// builder with `enable_all()` provide one.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use fastmcp_rs::prelude::*;
    ///
    /// #[mcp::main]
    /// async fn main() -> Result<(), fastmcp_rs::Error> {
    ///     App::new("orders").run_http("127.0.0.1:8000").await
    /// }
    /// ```
    pub async fn run_http(mut self, address: impl ToSocketAddrs) -> Result<(), Error> {
        check_runtime()?;
        self.fix_address();
        #[cfg(feature = "settings")]
        if let bind @ Some(_) = self.take_settings(true)?.bind {
            return self.run_http_at(bind).await;
        }
        let listener =
            TcpListener::bind(address).await.map_err(|error| Error::transport("cannot bind the address", error))?;
        self.run_http_on(listener).await
    }

    /// Serves this app on a listening socket, such as one that another process has handed over; otherwise like
    /// [`App::run_http`].
    ///
    /// # Errors
    ///
    /// Fails under the conditions of [`App::run_http`].
    pub async fn run_http_on(mut self, listener: TcpListener) -> Result<(), Error> {
        self.fix_address();
        self.apply_settings_to_serve()?;
        let address =
            listener.local_addr().map_err(|error| Error::transport("cannot read the address of the socket", error))?;
        self.check_exposure(address)?;
        self.run_on_listener(listener, |scheme, path| format!("{scheme}://{address}{path}")).await
    }

    /// Serves this app on HTTP on a Unix socket, a file, for programs on this machine: a reverse proxy, a supervisor,
    /// `curl --unix-socket`. Otherwise it behaves like [`App::run_http`].
    ///
    /// The file system controls which users can connect ([`HttpConfig::socket_mode`]; by default only the user of this
    /// process), so no further authentication is required. `Host` and `Origin` are checked as usual: local clients send
    /// `localhost`, and [`HttpConfig::allowed_hosts`] must allow the hosts that a proxy passes on. The file is removed
    /// when the server stops, and a file that a killed server has left behind is replaced.
    ///
    /// # Errors
    ///
    /// Fails under the conditions of [`App::run_http`], and if another server listens on the socket, or the path is not
    /// a socket.
    ///
    /// # Example
    ///
    /// ```no_run
    /// use fastmcp_rs::prelude::*;
    ///
    /// #[mcp::main]
    /// async fn main() -> Result<(), fastmcp_rs::Error> {
    ///     App::new("orders").run_http_unix("/run/orders/mcp.sock").await
    /// }
    /// ```
    #[cfg(unix)]
    pub async fn run_http_unix(mut self, path: impl AsRef<Path>) -> Result<(), Error> {
        check_runtime()?;
        self.fix_address();
        self.apply_settings_to_serve()?;
        let socket = path.as_ref();
        let listener = transport::bind(socket, self.http.config.socket_mode).await;
        let failed = |error| Error::transport(format!("cannot listen on `{}`", socket.display()), error);
        self.run_on_listener(listener.map_err(failed)?, |_, path| format!("unix:{}, at {path}", socket.display())).await
    }

    /// Serves this app on a listening Unix socket, such as one of systemd's socket activation; otherwise like
    /// [`App::run_http_unix`]. The socket's file is not removed.
    ///
    /// # Errors
    ///
    /// Fails under the conditions of [`App::run_http`].
    #[cfg(unix)]
    pub async fn run_http_unix_on(mut self, listener: UnixListener) -> Result<(), Error> {
        self.fix_address();
        self.apply_settings_to_serve()?;
        let socket = transport::socket_name(&listener);
        self.run_on_listener(listener, |_, path| format!("unix:{socket}, at {path}")).await
    }

    /// Serves connections of any listener. `place` returns the address to log for the scheme and the path of the
    /// endpoint.
    async fn run_on_listener(self, listener: impl Listener, place: impl Fn(&str, &str) -> String) -> Result<(), Error> {
        check_runtime()?;
        let config = &self.http.config;
        let (name, path) = (self.config.name.clone(), config.path.clone());
        checks::check_path("`HttpConfig::path`", &path)?;
        if config.metrics {
            checks::check_metrics_path(&path)?;
        }
        #[cfg(feature = "tls")]
        let tls = config.tls.as_ref().map(|tls| tls.build_acceptor()).transpose()?;
        #[cfg(feature = "tls")]
        let scheme = if tls.is_some() { "https" } else { "http" };
        #[cfg(not(feature = "tls"))]
        let scheme = "http";
        let routes = self.http.routes.clone();
        let listen = || async {
            let stop = transport::shutdown_signal().await;
            stop.map(Box::pin).map_err(|error| Error::transport("cannot listen for signals", error))
        };
        // While states are made, the default action of a signal ends the process, even if a state blocks its thread.
        // Process 1, as in a container, has no default action.
        let (service, stop) = if std::process::id() == 1 {
            let mut stop = listen().await?;
            let Some(service) = run_until(&mut stop, self.into_service()).await else { return Ok(()) };
            (service?, stop)
        } else {
            (self.into_service().await?, listen().await?)
        };
        let front = HttpServer {
            site: Site::new(service, routes),
            #[cfg(feature = "tls")]
            tls,
        };
        operator_log::write_line(&format!("{name} listens on {}", place(scheme, &path)));
        transport::serve(listener, front, stop).await;
        Ok(())
    }

    /// Records that code has chosen the transport and its address.
    fn fix_address(&mut self) {
        self.fixed.add("transport");
        self.fixed.add("bind");
    }

    /// Rejects an address that other machines can reach, unless access was configured explicitly.
    fn check_exposure(&self, address: SocketAddr) -> Result<(), Error> {
        let HttpSettings { config, authenticator, .. } = &self.http;
        let is_open = authenticator.is_none() && config.allowed_hosts.is_empty() && !config.public;
        Ok(checks::check_exposure(address, is_open, self.has_settings())?)
    }
}

/// Returns an error if sockets and timers cannot be used.
fn check_runtime() -> Result<(), Error> {
    catch_panic::install_hook();
    runtime::check_timers()?;
    runtime::check_io()
}
