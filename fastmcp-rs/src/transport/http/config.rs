//! How a server on HTTP behaves: limits, who may reach it, sessions. Every default is the safe one.

use std::time::Duration;

/// How a server on HTTP behaves. [`App::http`](crate::App::http) takes it.
///
/// What is not set has a default that is safe on the open internet; each method says which.
///
/// # Example
///
/// ```
/// use fastmcp_rs::{App, HttpConfig};
///
/// let config = HttpConfig::new().allowed_hosts(["mcp.example.com"]).max_body(1 << 20);
/// let app = App::empty("orders").http(config);
/// # let _ = app;
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct HttpConfig {
    pub(crate) path: String,
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) allow_loopback_origins: bool,
    pub(crate) allowed_headers: Vec<String>,
    pub(crate) public: bool,
    pub(crate) trusted_proxies: Vec<String>,
    pub(crate) replicas: usize,
    pub(crate) sessions: SessionMode,
    #[cfg(feature = "legacy-sse")]
    pub(crate) legacy_sse: Option<String>,
    #[cfg(feature = "legacy-sse")]
    pub(crate) public_prefix: Option<String>,
    pub(crate) max_sessions: usize,
    pub(crate) max_sessions_per_principal: Option<usize>,
    pub(crate) session_idle: Duration,
    pub(crate) session_lifetime: Duration,
    pub(crate) max_body: usize,
    pub(crate) max_bytes_in_flight: usize,
    pub(crate) max_bytes_in_flight_per_principal: Option<usize>,
    pub(crate) max_bytes_unread: usize,
    pub(crate) max_calls: usize,
    pub(crate) max_calls_per_principal: Option<usize>,
    pub(crate) max_streams: usize,
    pub(crate) max_streams_per_principal: usize,
    pub(crate) max_connections: usize,
    pub(crate) max_connections_per_address: Option<usize>,
    pub(crate) header_time: Duration,
    pub(crate) body_time: Duration,
    pub(crate) authenticate_time: Duration,
    pub(crate) idle_time: Duration,
    pub(crate) write_time: Duration,
    pub(crate) keep_alive: Duration,
    pub(crate) drain: Duration,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<super::server::tls::Tls>,
    #[cfg(unix)]
    pub(crate) socket_mode: u32,
    #[cfg(feature = "metrics")]
    pub(crate) metrics: bool,
}

/// What a server does with clients of the revisions that begin with `initialize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionMode {
    /// Each of them has a session, which this process remembers, and which other processes with the same
    /// [`App::sealing_keys`](crate::App::sealing_keys) restore. The default.
    Sessions,
    /// They are served without one, for servers whose tools ask nothing back: any replica can answer any request.
    /// Such a client cannot be asked, is told of no changes, and every request counts as one of 2025-03-26 unless its
    /// `MCP-Protocol-Version` header says otherwise.
    Sessionless,
    /// They are refused: only 2026-07-28 is served.
    Refused,
}

impl Default for HttpConfig {
    fn default() -> HttpConfig {
        HttpConfig {
            path: "/mcp".into(),
            allowed_hosts: Vec::new(),
            allowed_origins: Vec::new(),
            allow_loopback_origins: false,
            allowed_headers: Vec::new(),
            public: false,
            trusted_proxies: Vec::new(),
            replicas: 1,
            sessions: SessionMode::Sessions,
            #[cfg(feature = "legacy-sse")]
            legacy_sse: None,
            #[cfg(feature = "legacy-sse")]
            public_prefix: None,
            max_sessions: 10_000,
            max_sessions_per_principal: None,
            session_idle: Duration::from_secs(30 * 60),
            session_lifetime: Duration::from_secs(24 * 60 * 60),
            max_body: 4 << 20,
            max_bytes_in_flight: 64 << 20,
            max_bytes_in_flight_per_principal: None,
            max_bytes_unread: 256 << 20,
            max_calls: 1_024,
            max_calls_per_principal: None,
            max_streams: 1_024,
            max_streams_per_principal: 16,
            max_connections: 1_024,
            max_connections_per_address: None,
            header_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            authenticate_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(75),
            write_time: Duration::from_secs(30),
            keep_alive: Duration::from_secs(15),
            drain: Duration::from_secs(10),
            #[cfg(feature = "tls")]
            tls: None,
            #[cfg(unix)]
            socket_mode: 0o600,
            #[cfg(feature = "metrics")]
            metrics: false,
        }
    }
}

impl HttpConfig {
    /// The defaults.
    pub fn new() -> HttpConfig {
        HttpConfig::default()
    }

    /// The path of the endpoint for [`App::run_http`](crate::App::run_http). Default: `/mcp`. A mounted service is
    /// wherever its router puts it.
    pub fn path(mut self, path: impl Into<String>) -> HttpConfig {
        self.path = path.into();
        self
    }

    /// The names that clients may reach this server by, as they stand in a URL: `mcp.example.com`, or with a port
    /// `mcp.example.com:8443` to allow that port only. Default: the names of this machine for itself (`localhost`,
    /// `127.0.0.1`, `[::1]`).
    ///
    /// A browser that was lured to `evil.example` and told that this name is 127.0.0.1 says `evil.example` here, and
    /// is refused with 403.
    pub fn allowed_hosts<H: Into<String>>(mut self, hosts: impl IntoIterator<Item = H>) -> HttpConfig {
        self.allowed_hosts = hosts.into_iter().map(Into::into).collect();
        self
    }

    /// Allows web pages of these origins to call this server from a browser: `https://app.example.com`, with the port
    /// if it is not the default one of its scheme. Default: none but pages of the server's own origin. Other pages are
    /// refused with 403, those of [this machine](HttpConfig::allow_loopback_origins) included, and `null` always.
    ///
    /// Extensions, editors and apps are named by their origins, such as `chrome-extension://abc` or
    /// `tauri://localhost`. An entry that is no origin is an error at start.
    ///
    /// A page can send the headers of the protocol, `Authorization`, those of parameters (`Mcp-Param-…`), those of
    /// traces (`traceparent`, `tracestate`, `baggage`), and [`HttpConfig::allowed_headers`]. Cookies are never allowed.
    pub fn allowed_origins<O: Into<String>>(mut self, origins: impl IntoIterator<Item = O>) -> HttpConfig {
        self.allowed_origins = origins.into_iter().map(Into::into).collect();
        self
    }

    /// Allows all pages that the browser's own machine serves to call this server: `http` and `https` at `localhost`
    /// and names that end with `.localhost`, at `127.0.0.0/8` and `[::1]`, whatever the port. Default: `false`.
    ///
    /// Any local web application, whoever wrote it, can then call tools of a server that asks for no credentials. It
    /// is meant for development; [`HttpConfig::allowed_origins`] allows one of them, such as `http://localhost:6274`.
    pub fn allow_loopback_origins(mut self, allow: bool) -> HttpConfig {
        self.allow_loopback_origins = allow;
        self
    }

    /// Allows pages of admitted origins to send headers of these names besides those of the protocol, for instance the
    /// one that [`App::authenticate`](crate::App::authenticate) reads. Default: none. Letter case does not matter; an
    /// entry that cannot be the name of a header is an error at start, and so is `*`.
    ///
    /// ```
    /// # use fastmcp_rs::HttpConfig;
    /// let config = HttpConfig::new().allowed_origins(["https://app.example.com"]).allowed_headers(["X-Api-Key"]);
    /// # let _ = config;
    /// ```
    pub fn allowed_headers<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> HttpConfig {
        self.allowed_headers = names.into_iter().map(Into::into).collect();
        self
    }

    /// Serves anybody who can reach the address, by whatever name, without asking who they are.
    ///
    /// Without this, [`App::authenticate`](crate::App::authenticate) or [`HttpConfig::allowed_hosts`], a server does
    /// not start on an address that other machines can reach.
    pub fn allow_unauthenticated_public(mut self) -> HttpConfig {
        self.public = true;
        self
    }

    /// The reverse proxies in front of this server, whose word is taken for the address of a client: addresses
    /// (`192.0.2.1`, `::1`), networks (`10.0.0.0/8`, `2001:db8::/32`), and `unix` for the peer of a
    /// [Unix socket](crate::App::run_http_unix). Default: none. An entry that is neither is an error at start, and so is
    /// a network of all addresses.
    ///
    /// Limits per principal count a client without a [principal](crate::App::authenticate) by its address (IPv6 by its
    /// network, /64). Requests of a trusted proxy count against the client that `Forwarded` (RFC 7239) or
    /// `X-Forwarded-For` names: the last address that is not a trusted proxy's. All trusted proxies have to write the
    /// same header. If a request has both headers, they must name the same client. Otherwise, and if what they name is
    /// no address (`unknown`, `_hidden`), the request counts against the proxy. At most 16 proxies in front of one
    /// another are looked at. The headers of all other peers are ignored.
    ///
    /// Without trusted proxies, clients from this machine (loopback, Unix sockets) are not limited one by one, because
    /// behind a proxy all of them come from there. Name `127.0.0.1` and `::1` if such a proxy sets one of the headers.
    ///
    /// ```
    /// # use fastmcp_rs::HttpConfig;
    /// let config = HttpConfig::new().trusted_proxies(["127.0.0.1", "::1", "10.0.0.0/8"]);
    /// # let _ = config;
    /// ```
    pub fn trusted_proxies<P: Into<String>>(mut self, proxies: impl IntoIterator<Item = P>) -> HttpConfig {
        self.trusted_proxies = proxies.into_iter().map(Into::into).collect();
        self
    }

    /// How many processes answer for each other behind one address. Default: 1. More than one need the same
    /// [`App::sealing_keys`](crate::App::sealing_keys), or the server does not start.
    pub fn replicas(mut self, replicas: usize) -> HttpConfig {
        self.replicas = replicas;
        self
    }

    /// What happens to clients of revisions before 2026-07-28. Default: [`SessionMode::Sessions`].
    pub fn sessions(mut self, mode: SessionMode) -> HttpConfig {
        self.sessions = mode;
        self
    }

    /// Serves the transport of 2024-11-05, HTTP with SSE, at this path of [`App::run_http`](crate::App::run_http),
    /// such as `/sse`: for clients that know nothing newer. Default: not at all, as it is deprecated. A service that is
    /// mounted somewhere has [`HttpService::legacy_sse`](crate::HttpService::legacy_sse).
    ///
    /// Its sessions speak 2024-11-05, whatever a client offers, and each lives as long as its stream is open. They
    /// count as streams ([`HttpConfig::max_streams`]), and all else that is configured here holds for them too.
    ///
    /// Needs the feature `legacy-sse`. Specification:
    /// <https://modelcontextprotocol.io/specification/2024-11-05/basic/transports>
    #[cfg(feature = "legacy-sse")]
    pub fn legacy_sse(mut self, path: impl Into<String>) -> HttpConfig {
        self.legacy_sse = Some(path.into());
        self
    }

    /// Sets the path that clients see before the paths of this server, where a reverse proxy or a router takes it off:
    /// `/tools` if `https://example.com/tools/sse` arrives here as `/sse`. Default: none. The transport of 2024-11-05
    /// tells its clients where to send messages, as an absolute path; nothing else depends on it.
    ///
    /// It comes before the path that [axum's routers](crate::HttpService::legacy_sse) have seen. A text that is no path
    /// is an error at start. Needs the feature `legacy-sse`.
    #[cfg(feature = "legacy-sse")]
    pub fn public_prefix(mut self, prefix: impl Into<String>) -> HttpConfig {
        self.public_prefix = Some(prefix.into());
        self
    }

    /// The most sessions at a time. Default: 10,000.
    ///
    /// When there are more, a session that is not in use ends: one of the principal or address that has the most,
    /// rather one that was never used than another, and otherwise the one that was idle longest. If all are in use, the
    /// new one is refused with 503.
    pub fn max_sessions(mut self, sessions: usize) -> HttpConfig {
        self.max_sessions = sessions.max(1);
        self
    }

    /// The most sessions of one principal, or of one address (IPv6: of one /64) where there are no principals. Default:
    /// a quarter of [`HttpConfig::max_sessions`].
    ///
    /// When it has more, one of its own ends that is not in use, rather one that was never used than another, and
    /// otherwise the one that was idle longest. If all are in use, the new one is refused with 503. Clients on this
    /// machine that nobody knows are not told apart, and have no such limit.
    pub fn max_sessions_per_principal(mut self, sessions: usize) -> HttpConfig {
        self.max_sessions_per_principal = Some(sessions.max(1));
        self
    }

    /// How long a session lives that nobody uses. Default: 30 minutes, from the end of its last request, call, stream
    /// or question on. With [sealing keys](crate::App::sealing_keys), other processes still restore it from its id.
    pub fn session_idle(mut self, time: Duration) -> HttpConfig {
        self.session_idle = time;
        self
    }

    /// Limits the lifetime of a session from `initialize` on, if there are
    /// [sealing keys](crate::App::sealing_keys). Default: 24 hours; at least 1 millisecond. When it ends, the session ends
    /// even if it is in use, and every process with the keys answers its id with 404.
    ///
    /// With keys, the id carries the session, and a process that does not know the session restores it from the id, for
    /// example after a restart. The id holds the lifetime that was configured where it was issued; a shorter lifetime of
    /// the process that restores it takes precedence. Both use the clock of the system; the clock of the process that
    /// issues ids may be up to a minute ahead. Without keys this setting has no effect: a session lives in one process,
    /// until it is idle ([`HttpConfig::session_idle`]).
    pub fn session_lifetime(mut self, time: Duration) -> HttpConfig {
        self.session_lifetime = time.max(Duration::from_millis(1));
        self
    }

    /// The largest message, in bytes. Default: 4 MiB; a larger one is answered 413.
    pub fn max_body(mut self, bytes: usize) -> HttpConfig {
        self.max_body = bytes.max(1024);
        self
    }

    /// Limits the bytes of large messages (above 64 KiB) that are held at a time, from their arrival until the calls
    /// that they make have ended. Default: 64 MiB; at least one message of [`max_body`](HttpConfig::max_body) fits.
    ///
    /// The bytes of the text count. Not counted are messages up to 64 KiB, what connections buffer (some 100 KiB for each
    /// large message that waits), what the arguments take besides their text when they are decoded into many small
    /// values, and freed memory that the allocator keeps.
    ///
    /// A message takes room as it arrives. If there is none, it waits up to 5 seconds, and is then answered 503. While
    /// messages wait, others that take more than a second for 64 KiB are refused (408), the longest silent first.
    pub fn max_bytes_in_flight(mut self, bytes: usize) -> HttpConfig {
        self.max_bytes_in_flight = bytes.clamp(64 << 10, 1 << 40);
        self
    }

    /// Limits the same bytes for one principal, or for one address where there is no principal (see
    /// [`trusted_proxies`](HttpConfig::trusted_proxies)). Default: a quarter of
    /// [`max_bytes_in_flight`](HttpConfig::max_bytes_in_flight); at least one message of
    /// [`max_body`](HttpConfig::max_body) fits. Beyond it, messages wait as they do for all.
    pub fn max_bytes_in_flight_per_principal(mut self, bytes: usize) -> HttpConfig {
        self.max_bytes_in_flight_per_principal = Some(bytes);
        self
    }

    /// Limits the bytes of responses (above 4 KiB) that wait until their clients read them. Default: 256 MiB, of which one
    /// principal, or one address where there is no principal (see [`trusted_proxies`](HttpConfig::trusted_proxies)), has a
    /// quarter; one response fits in any case.
    ///
    /// Beyond it, the response to a request becomes an error (−32603), and the stream of a session ends; then it can be
    /// read on.
    pub fn max_bytes_unread(mut self, bytes: usize) -> HttpConfig {
        self.max_bytes_unread = bytes;
        self
    }

    /// Limits the messages that are served at a time. Default: 1,024; more are answered 503. A call of a session counts
    /// until it has ended, even if its client is gone. The messages of a batch count one by one.
    pub fn max_calls(mut self, calls: usize) -> HttpConfig {
        self.max_calls = calls.max(1);
        self
    }

    /// Limits the messages of one principal that are served at a time, or of one address where there is no principal
    /// (see [`trusted_proxies`](HttpConfig::trusted_proxies)). Default: a quarter of
    /// [`max_calls`](HttpConfig::max_calls); more are answered 503.
    pub fn max_calls_per_principal(mut self, calls: usize) -> HttpConfig {
        self.max_calls_per_principal = Some(calls.max(1));
        self
    }

    /// The number of messages of one peer that are served at a time.
    pub(crate) fn calls_per_principal(&self) -> usize {
        self.max_calls_per_principal.unwrap_or(self.max_calls / 4).clamp(1, self.max_calls)
    }

    /// The bytes of large messages of one peer.
    pub(crate) fn bytes_per_principal(&self) -> usize {
        self.max_bytes_in_flight_per_principal.unwrap_or(self.max_bytes_in_flight / 4)
    }

    /// The most streams that stay open without a call: subscriptions, and the streams of sessions. Default: 1,024.
    pub fn max_streams(mut self, streams: usize) -> HttpConfig {
        self.max_streams = streams;
        self
    }

    /// Limits these streams of one principal, or of one address where there is no principal (see
    /// [`trusted_proxies`](HttpConfig::trusted_proxies)). Default: 16; more are answered 503.
    pub fn max_streams_per_principal(mut self, streams: usize) -> HttpConfig {
        self.max_streams_per_principal = streams;
        self
    }

    /// The most connections of [`App::run_http`](crate::App::run_http). Default: 1,024; more are closed at once.
    pub fn max_connections(mut self, connections: usize) -> HttpConfig {
        self.max_connections = connections.max(1);
        self
    }

    /// Limits the connections from one address, or from one network of IPv6 (/64). Default: no limit, since behind a
    /// reverse proxy all come from one; more are closed at once. [Trusted proxies](HttpConfig::trusted_proxies) are
    /// exempt.
    pub fn max_connections_per_address(mut self, connections: usize) -> HttpConfig {
        self.max_connections_per_address = Some(connections.max(1));
        self
    }

    /// How long a client may take for the head of a request. Default: 10 seconds; then the connection is closed.
    pub fn header_time(mut self, time: Duration) -> HttpConfig {
        self.header_time = time;
        self
    }

    /// How long a client may take for a message. Default: 30 seconds; then it is answered 408.
    pub fn body_time(mut self, time: Duration) -> HttpConfig {
        self.body_time = time;
        self
    }

    /// Limits how long the function of [`App::authenticate`](crate::App::authenticate) may take for a request.
    /// Default: 10 seconds; then it is dropped, a warning is logged, and the request is answered 503.
    pub fn authenticate_time(mut self, time: Duration) -> HttpConfig {
        self.authenticate_time = time;
        self
    }

    /// How long a connection may rest between two requests. Default: 75 seconds.
    pub fn idle_time(mut self, time: Duration) -> HttpConfig {
        self.idle_time = time;
        self
    }

    /// How long a client may read nothing of what it is sent. Default: 30 seconds; then the connection is closed. One
    /// that reads slowly is waited for.
    pub fn write_time(mut self, time: Duration) -> HttpConfig {
        self.write_time = time;
        self
    }

    /// How often a stream on which nothing happens says that it is alive. Default: 15 seconds. A call that has sent
    /// nothing for as long begins its stream, if its client takes one.
    pub fn keep_alive(mut self, interval: Duration) -> HttpConfig {
        self.keep_alive = interval.max(Duration::from_millis(10));
        self
    }

    /// Whether [`App::run_http`](crate::App::run_http) answers `GET /metrics` with the numbers of the server, for
    /// Prometheus. Default: no.
    ///
    /// Whoever can reach the server by one of its [hosts](HttpConfig::allowed_hosts) can read them, without a
    /// principal: a proxy that makes the server public should not forward this path. A service that is mounted
    /// elsewhere serves them as it likes, from [`App::metrics`](crate::App::metrics).
    #[cfg(feature = "metrics")]
    pub fn metrics(mut self, serve: bool) -> HttpConfig {
        self.metrics = serve;
        self
    }

    /// How long calls may go on when the server is asked to stop. Default: 10 seconds; then they are cancelled, and a
    /// warning counts what was cut off. Connections without a request are closed at once.
    pub fn drain(mut self, time: Duration) -> HttpConfig {
        self.drain = time;
        self
    }

    /// Serves HTTPS instead of HTTP, with this certificate (feature `tls`). Default: HTTP, for this machine alone or
    /// behind a proxy that speaks HTTPS.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    pub fn tls(mut self, tls: super::server::tls::Tls) -> HttpConfig {
        self.tls = Some(tls);
        self
    }

    /// Who may connect to the socket of [`App::run_http_unix`](crate::App::run_http_unix), as the mode of its file:
    /// who may write to it may connect. Default: `0o600`, the user of this process; `0o660` adds its group.
    #[cfg(unix)]
    pub fn socket_mode(mut self, mode: u32) -> HttpConfig {
        self.socket_mode = mode & 0o777;
        self
    }
}
