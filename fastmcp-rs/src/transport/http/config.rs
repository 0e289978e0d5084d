//! Settings of an HTTP server: access, limits, timeouts and sessions. Every default is safe on the open internet.

use std::time::Duration;

use super::stream_config::StreamConfig;
use crate::util::fixed_settings::FixedSettings;

/// Settings of an HTTP server, for [`App::http`](crate::App::http).
///
/// Every default is safe on the open internet; each method names its own.
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
    pub(crate) legacy_sse: StreamConfig,
    pub(crate) max_sessions: usize,
    pub(crate) max_sessions_per_principal: Option<usize>,
    pub(crate) session_idle_timeout: Duration,
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
    pub(crate) header_read_timeout: Duration,
    pub(crate) body_read_timeout: Duration,
    pub(crate) authenticate_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) write_timeout: Duration,
    pub(crate) keep_alive_interval: Duration,
    pub(crate) graceful_shutdown_timeout: Duration,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<super::server::tls::Tls>,
    #[cfg(unix)]
    pub(crate) socket_mode: u32,
    pub(crate) metrics: bool,
    /// The settings that the program has set by the methods of this type.
    pub(crate) fixed: FixedSettings,
}

/// The treatment of clients whose revision begins with `initialize` (all revisions before 2026-07-28).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionMode {
    /// Each client gets a session. This process keeps it, and other processes with the same
    /// [`App::sealing_keys`](crate::App::sealing_keys) restore it. The default.
    Sessions,
    /// Clients are served without sessions, so that any replica can answer any request. This mode suits servers whose
    /// tools send no requests to the client. The server sends such a client neither requests nor change notifications,
    /// and takes every request as one of 2025-03-26 unless its `MCP-Protocol-Version` header names another revision.
    Sessionless,
    /// Clients are refused; the server supports 2026-07-28 only.
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
            legacy_sse: StreamConfig::default(),
            max_sessions: 10_000,
            max_sessions_per_principal: None,
            session_idle_timeout: Duration::from_secs(30 * 60),
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
            header_read_timeout: Duration::from_secs(10),
            body_read_timeout: Duration::from_secs(30),
            authenticate_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(30),
            keep_alive_interval: Duration::from_secs(15),
            graceful_shutdown_timeout: Duration::from_secs(10),
            #[cfg(feature = "tls")]
            tls: None,
            #[cfg(unix)]
            socket_mode: 0o600,
            metrics: false,
            fixed: FixedSettings::default(),
        }
    }
}

impl HttpConfig {
    /// Creates a configuration with the defaults.
    pub fn new() -> HttpConfig {
        HttpConfig::default()
    }

    /// Sets the path of the endpoint for [`App::run_http`](crate::App::run_http). Default: `/mcp`. It does not apply to
    /// a mounted service, whose path is set by its router.
    pub fn path(mut self, path: impl Into<String>) -> HttpConfig {
        self.fixed.add("path");
        self.path = path.into();
        self
    }

    /// Sets the host names by which clients may reach this server, as they appear in a URL: `mcp.example.com` for any
    /// port, `mcp.example.com:8443` for that port only. Default: the loopback names of this machine (`localhost`,
    /// `127.0.0.1`, `[::1]`).
    ///
    /// This prevents DNS rebinding: if `evil.example` resolves to 127.0.0.1, a browser on a page of `evil.example`
    /// sends that name as `Host`, and the request is refused with 403.
    pub fn allowed_hosts<H: Into<String>>(mut self, hosts: impl IntoIterator<Item = H>) -> HttpConfig {
        self.fixed.add("allowed_hosts");
        self.allowed_hosts = hosts.into_iter().map(Into::into).collect();
        self
    }

    /// Allows web pages of these origins to call this server from a browser. An origin is written as
    /// `https://app.example.com`, with the port if it is not the default one of its scheme. Default: only pages of the
    /// server's own origin. Pages of all other origins are refused with 403, including those of [this
    /// machine](HttpConfig::allow_loopback_origins); the origin `null` is always refused.
    ///
    /// Extensions, editors and apps are named by their origins, such as `chrome-extension://abc` or
    /// `tauri://localhost`. An entry that is not an origin is an error at startup.
    ///
    /// A page can send the headers of the protocol, `Authorization`, parameter headers (`Mcp-Param-…`), trace headers
    /// (`traceparent`, `tracestate`, `baggage`), and [`HttpConfig::allowed_headers`]. Cookies are never allowed.
    pub fn allowed_origins<O: Into<String>>(mut self, origins: impl IntoIterator<Item = O>) -> HttpConfig {
        self.fixed.add("allowed_origins");
        self.allowed_origins = origins.into_iter().map(Into::into).collect();
        self
    }

    /// Allows all pages served from the browser's own machine to call this server: `http` and `https` at `localhost`
    /// and names that end with `.localhost`, at `127.0.0.0/8` and at `[::1]`, on any port. Default: `false`.
    ///
    /// If the server requires no credentials, every local web application can then call its tools. Use this setting for
    /// development only; [`HttpConfig::allowed_origins`] allows a single local origin, such as `http://localhost:6274`.
    pub fn allow_loopback_origins(mut self, allow: bool) -> HttpConfig {
        self.fixed.add("allow_loopback_origins");
        self.allow_loopback_origins = allow;
        self
    }

    /// Allows pages of admitted origins to send these headers in addition to those of the protocol, for instance the
    /// header that [`App::authenticate`](crate::App::authenticate) reads. Default: none. Names are case-insensitive. An
    /// entry that is not a valid header name is an error at startup, and so is `*`.
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

    /// Sets whether the server serves every client that can reach the address, under any host name, without
    /// authentication. Default: false.
    ///
    /// Without this setting, [`App::authenticate`](crate::App::authenticate) or [`HttpConfig::allowed_hosts`], a server
    /// does not start on an address that other machines can reach.
    pub fn allow_unauthenticated_public(mut self, allow: bool) -> HttpConfig {
        self.fixed.add("allow_unauthenticated_public");
        self.public = allow;
        self
    }

    /// Sets the trusted reverse proxies, whose forwarding headers determine the address of a client. Accepted entries
    /// are addresses (`192.0.2.1`, `::1`), networks (`10.0.0.0/8`, `2001:db8::/32`), and `unix` for the peer of a [Unix
    /// socket](crate::App::run_http_unix). Default: none. Any other entry is an error at startup, and so is a network
    /// that contains all addresses.
    ///
    /// Limits per principal count a client without a [principal](crate::App::authenticate) by its address (IPv6: by its
    /// /64 network). Requests of a trusted proxy count against the client that `Forwarded` (RFC 7239) or
    /// `X-Forwarded-For` names: the last address that is not that of a trusted proxy. All trusted proxies must write
    /// the same header. If a request has both headers, they must name the same client. If they differ, or if the named
    /// client is not an address (`unknown`, `_hidden`), the request counts against the proxy. At most 16 chained
    /// proxies are considered. The forwarding headers of all other peers are ignored.
    ///
    /// Without trusted proxies, clients on this machine (loopback, Unix sockets) have no individual limits, because all
    /// clients of a local proxy come from there. Add `127.0.0.1` and `::1` if such a proxy sets one of the headers.
    ///
    /// ```
    /// # use fastmcp_rs::HttpConfig;
    /// let config = HttpConfig::new().trusted_proxies(["127.0.0.1", "::1", "10.0.0.0/8"]);
    /// # let _ = config;
    /// ```
    pub fn trusted_proxies<P: Into<String>>(mut self, proxies: impl IntoIterator<Item = P>) -> HttpConfig {
        self.fixed.add("trusted_proxies");
        self.trusted_proxies = proxies.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the number of processes that serve one address and may answer for each other. Default: 1. If there are
    /// several, they need the same [`App::sealing_keys`](crate::App::sealing_keys); without keys, the server does not
    /// start.
    pub fn replicas(mut self, replicas: usize) -> HttpConfig {
        self.fixed.add("replicas");
        self.replicas = replicas;
        self
    }

    /// Sets the treatment of clients of revisions before 2026-07-28. Default: [`SessionMode::Sessions`].
    pub fn sessions(mut self, mode: SessionMode) -> HttpConfig {
        self.sessions = mode;
        self
    }

    /// Serves the transport of 2024-11-05, HTTP with SSE, at this path of [`App::run_http`](crate::App::run_http), such
    /// as `/sse`, for clients that support no newer transport. Default: not served, because the transport is
    /// deprecated. For a mounted service, use [`HttpService::legacy_sse`](crate::http_server::HttpService::legacy_sse).
    ///
    /// Its sessions use revision 2024-11-05, whichever revision a client offers, and each session ends with its stream.
    /// The streams count against [`HttpConfig::max_streams`], and all other settings of this type apply to them too.
    ///
    /// Needs the feature `legacy-sse`. Specification:
    /// <https://modelcontextprotocol.io/specification/2024-11-05/basic/transports>
    #[cfg(feature = "legacy-sse")]
    pub fn legacy_sse(mut self, path: impl Into<String>) -> HttpConfig {
        self.fixed.add("legacy_sse");
        self.legacy_sse.path = Some(path.into());
        self
    }

    /// Sets the path prefix that a reverse proxy or a router strips before requests arrive here: `/tools` if
    /// `https://example.com/tools/sse` arrives as `/sse`. Default: none. Only the transport of 2024-11-05 uses it,
    /// because that transport sends its clients an absolute path for their messages.
    ///
    /// The prefix precedes the path that [axum's routers](crate::http_server::HttpService::legacy_sse) have received. A
    /// value that is not a path is an error at startup. Needs the feature `legacy-sse`.
    #[cfg(feature = "legacy-sse")]
    pub fn public_prefix(mut self, prefix: impl Into<String>) -> HttpConfig {
        self.fixed.add("public_prefix");
        self.legacy_sse.public_prefix = Some(prefix.into());
        self
    }

    /// Limits the concurrent sessions. Default: 10,000; at least 1.
    ///
    /// Beyond the limit, the server ends a session that is not in use. It chooses among the sessions of the principal
    /// or address with the most sessions, prefers sessions that were never used after the handshake, and then takes the
    /// one that has been idle longest. If all sessions are in use, the new one is refused with 503.
    pub fn max_sessions(mut self, sessions: usize) -> HttpConfig {
        self.fixed.add("max_sessions");
        self.max_sessions = sessions.max(1);
        self
    }

    /// Limits the concurrent sessions of one principal, or of one address (IPv6: one /64 network) if there is no
    /// principal. Default: a quarter of [`HttpConfig::max_sessions`]; at least 1.
    ///
    /// Beyond the limit, the server ends one of these sessions that is not in use. It prefers sessions that were never
    /// used after the handshake, and then the session that has been idle longest. If all are in use, the new session is
    /// refused with 503. Unauthenticated clients on this machine cannot be distinguished, and have no such limit.
    pub fn max_sessions_per_principal(mut self, sessions: usize) -> HttpConfig {
        self.fixed.add("max_sessions_per_principal");
        self.max_sessions_per_principal = Some(sessions.max(1));
        self
    }

    /// Sets the time after which an idle session ends. Default: 30 minutes, measured from the end of its last request,
    /// call, stream or request to the client. With [sealing keys](crate::App::sealing_keys), other processes can still
    /// restore the session from its id.
    pub fn session_idle_timeout(mut self, timeout: Duration) -> HttpConfig {
        self.fixed.add("session_idle_timeout");
        self.session_idle_timeout = timeout;
        self
    }

    /// Limits the lifetime of a session from `initialize` on, if there are [sealing keys](crate::App::sealing_keys).
    /// Default: 24 hours; at least 1 millisecond. At the end of the lifetime, the session ends even if it is in use,
    /// and every process with the keys answers its id with 404.
    ///
    /// With keys, the id carries the session, and a process that does not know the session restores it from the id, for
    /// example after a restart. The id holds the lifetime that was configured where it was issued; a shorter lifetime
    /// of the process that restores it takes precedence. Both processes use the system clock; the clock of the process
    /// that issues ids may be up to a minute ahead. Without keys this setting has no effect: a session lives in one
    /// process until it is idle ([`HttpConfig::session_idle_timeout`]).
    pub fn session_lifetime(mut self, lifetime: Duration) -> HttpConfig {
        self.fixed.add("session_lifetime");
        self.session_lifetime = lifetime.max(Duration::from_millis(1));
        self
    }

    /// Limits the size of a message, in bytes. Default: 4 MiB; at least 1 KiB. A larger message is answered with 413.
    pub fn max_body(mut self, bytes: usize) -> HttpConfig {
        self.fixed.add("max_body");
        self.max_body = bytes.max(1024);
        self
    }

    /// Limits the total bytes of large messages (above 64 KiB) that are held in memory, each from its arrival until its
    /// calls have ended. Default: 64 MiB; from 64 KiB to 1 TiB. At least one message of
    /// [`max_body`](HttpConfig::max_body) always fits.
    ///
    /// The limit counts the bytes of the message text. It does not count messages up to 64 KiB, connection buffers
    /// (about 100 KiB for each waiting large message), the extra memory of arguments that decode into many small
    /// values, and freed memory that the allocator keeps.
    ///
    /// A message reserves memory as it arrives. If none is left, it waits up to 5 seconds, and is then answered with
    /// 503. While messages wait, others that take more than a second for 64 KiB are refused (408), starting with the
    /// one that has been silent longest.
    pub fn max_bytes_in_flight(mut self, bytes: usize) -> HttpConfig {
        self.fixed.add("max_bytes_in_flight");
        self.max_bytes_in_flight = bytes.clamp(64 << 10, 1 << 40);
        self
    }

    /// Limits the same bytes for one principal, or for one address if there is no principal (see
    /// [`trusted_proxies`](HttpConfig::trusted_proxies)). Default: a quarter of
    /// [`max_bytes_in_flight`](HttpConfig::max_bytes_in_flight). At least one message of
    /// [`max_body`](HttpConfig::max_body) always fits. Beyond the limit, messages wait as they do for the global limit.
    pub fn max_bytes_in_flight_per_principal(mut self, bytes: usize) -> HttpConfig {
        self.fixed.add("max_bytes_in_flight_per_principal");
        self.max_bytes_in_flight_per_principal = Some(bytes);
        self
    }

    /// Limits the total bytes of responses (above 4 KiB) that clients have not read yet. Default: 256 MiB. One
    /// principal, or one address if there is no principal (see [`trusted_proxies`](HttpConfig::trusted_proxies)), may
    /// use a quarter of it. A single response always fits.
    ///
    /// Beyond the limit, the response to a request is replaced by an error (−32603), and the stream of a session ends;
    /// the client can then resume it.
    pub fn max_bytes_unread(mut self, bytes: usize) -> HttpConfig {
        self.fixed.add("max_bytes_unread");
        self.max_bytes_unread = bytes;
        self
    }

    /// Limits the messages that are served concurrently. Default: 1,024; at least 1. Further messages are answered with
    /// 503. A call of a session counts until it has ended, even if its client is gone. The messages of a batch count
    /// individually.
    pub fn max_calls(mut self, calls: usize) -> HttpConfig {
        self.fixed.add("max_calls");
        self.max_calls = calls.max(1);
        self
    }

    /// Limits the concurrently served messages of one principal, or of one address if there is no principal (see
    /// [`trusted_proxies`](HttpConfig::trusted_proxies)). Default: a quarter of [`max_calls`](HttpConfig::max_calls);
    /// at least 1, and at most `max_calls`. Further messages are answered with 503.
    pub fn max_calls_per_principal(mut self, calls: usize) -> HttpConfig {
        self.fixed.add("max_calls_per_principal");
        self.max_calls_per_principal = Some(calls.max(1));
        self
    }

    /// Returns the limit of concurrently served messages per peer.
    pub(crate) fn calls_per_principal(&self) -> usize {
        self.max_calls_per_principal.unwrap_or(self.max_calls / 4).clamp(1, self.max_calls)
    }

    /// Returns the limit of the bytes of large messages per peer, before it is raised to `max_body`.
    pub(crate) fn bytes_per_principal(&self) -> usize {
        self.max_bytes_in_flight_per_principal.unwrap_or(self.max_bytes_in_flight / 4)
    }

    /// Limits the streams that stay open without a call: subscriptions, and the streams of sessions. Default: 1,024.
    pub fn max_streams(mut self, streams: usize) -> HttpConfig {
        self.fixed.add("max_streams");
        self.max_streams = streams;
        self
    }

    /// Limits the same streams of one principal, or of one address if there is no principal (see
    /// [`trusted_proxies`](HttpConfig::trusted_proxies)). Default: 16; further streams are answered with 503.
    pub fn max_streams_per_principal(mut self, streams: usize) -> HttpConfig {
        self.fixed.add("max_streams_per_principal");
        self.max_streams_per_principal = streams;
        self
    }

    /// Limits the connections of [`App::run_http`](crate::App::run_http). Default: 1,024; at least 1. Further
    /// connections are closed at once.
    pub fn max_connections(mut self, connections: usize) -> HttpConfig {
        self.fixed.add("max_connections");
        self.max_connections = connections.max(1);
        self
    }

    /// Limits the connections from one address (IPv6: one /64 network). Default: no limit, because behind a reverse
    /// proxy all connections come from one address. The limit is at least 1; further connections are closed at once.
    /// [Trusted proxies](HttpConfig::trusted_proxies) are exempt.
    pub fn max_connections_per_address(mut self, connections: usize) -> HttpConfig {
        self.fixed.add("max_connections_per_address");
        self.max_connections_per_address = Some(connections.max(1));
        self
    }

    /// Sets the timeout for the head of a request. Default: 10 seconds; then the connection is closed.
    pub fn header_read_timeout(mut self, timeout: Duration) -> HttpConfig {
        self.fixed.add("header_read_timeout");
        self.header_read_timeout = timeout;
        self
    }

    /// Sets the timeout for the body of a message. Default: 30 seconds; then the message is answered with 408.
    pub fn body_read_timeout(mut self, timeout: Duration) -> HttpConfig {
        self.fixed.add("body_read_timeout");
        self.body_read_timeout = timeout;
        self
    }

    /// Sets the timeout for the function of [`App::authenticate`](crate::App::authenticate), per request. Default: 10
    /// seconds; then the function is dropped, a warning is logged, and the request is answered with 503.
    pub fn authenticate_timeout(mut self, timeout: Duration) -> HttpConfig {
        self.fixed.add("authenticate_timeout");
        self.authenticate_timeout = timeout;
        self
    }

    /// Sets the time for which a connection may stay idle between two requests. Default: 75 seconds.
    pub fn idle_timeout(mut self, timeout: Duration) -> HttpConfig {
        self.fixed.add("idle_timeout");
        self.idle_timeout = timeout;
        self
    }

    /// Sets the time for which a client may leave sent data unread. Default: 30 seconds; then the connection is closed.
    /// A client that reads slowly keeps its connection.
    pub fn write_timeout(mut self, timeout: Duration) -> HttpConfig {
        self.fixed.add("write_timeout");
        self.write_timeout = timeout;
        self
    }

    /// Sets the interval of keep-alive comments on a silent stream. Default: 15 seconds; at least 10 milliseconds. If a
    /// call has sent nothing for one interval, its stream begins, if the client accepts streams.
    pub fn keep_alive_interval(mut self, interval: Duration) -> HttpConfig {
        self.fixed.add("keep_alive_interval");
        self.keep_alive_interval = interval.max(Duration::from_millis(10));
        self
    }

    /// Sets whether [`App::run_http`](crate::App::run_http) serves metrics at `GET /metrics`, in the format of
    /// Prometheus. Default: `false`.
    ///
    /// Every client that can reach the server by one of its [hosts](HttpConfig::allowed_hosts) can read the metrics,
    /// without a principal: a proxy that makes the server public should not forward this path. A mounted service does
    /// not serve them; get them from [`App::metrics`](crate::App::metrics).
    #[cfg(feature = "metrics")]
    pub fn metrics(mut self, serve: bool) -> HttpConfig {
        self.fixed.add("metrics");
        self.metrics = serve;
        self
    }

    /// Sets the time for which running calls may continue at shutdown. Default: 10 seconds; then they are cancelled,
    /// and a warning counts the cancelled messages and the closed connections. Connections without a request are closed
    /// at once.
    pub fn graceful_shutdown_timeout(mut self, timeout: Duration) -> HttpConfig {
        self.fixed.add("graceful_shutdown_timeout");
        self.graceful_shutdown_timeout = timeout;
        self
    }

    /// Serves HTTPS instead of HTTP, with this certificate (feature `tls`). Default: HTTP, which is meant for the local
    /// machine and for proxies that terminate TLS.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, tls: super::server::tls::Tls) -> HttpConfig {
        for name in ["tls_certificate", "tls_key", "tls_renewal_interval"] {
            self.fixed.add(name);
        }
        self.tls = Some(tls);
        self
    }

    /// Sets the file mode of the socket of [`App::run_http_unix`](crate::App::run_http_unix). Users with write
    /// permission may connect. Default: `0o600`, only the user of this process; `0o660` adds its group. Bits beyond
    /// `0o777` are ignored.
    #[cfg(unix)]
    pub fn socket_mode(mut self, mode: u32) -> HttpConfig {
        self.fixed.add("socket_mode");
        self.socket_mode = mode & 0o777;
        self
    }
}
