//! The table of all settings: name, form, default, effect and documentation.
//!
//! The names of variables, the keys of TOML, the messages and the reference page are made from it, so a new setting is
//! one entry here. It has the name of the method that sets it in code. The method records the name in
//! [`FixedSettings`](crate::util::fixed_settings::FixedSettings), or the program could not fix the setting.

use super::setting::{Kind, Setting};
use super::value::list_choices;
use crate::checks::problem::Problem;
#[cfg(feature = "http")]
use crate::transport::http;

/// A function that sets a value where the code behind a feature exists, and does nothing elsewhere, where no value of
/// the setting is accepted.
macro_rules! with_feature {
    ($feature:literal, |$target:ident, $value:ident| $body:expr) => {
        |_target, _value| {
            #[cfg(feature = $feature)]
            {
                let ($target, $value) = (_target, _value);
                $body;
            }
        }
    };
}

macro_rules! http {
    (|$target:ident, $value:ident| $body:expr) => {
        with_feature!("http", |$target, $value| $body)
    };
}

/// Accepts every text.
fn any(_: &str) -> Result<(), Problem> {
    Ok(())
}

fn check_host(_host: &str) -> Result<(), Problem> {
    #[cfg(feature = "http")]
    http::check_allowed_host(_host)?;
    Ok(())
}

fn check_origin(_origin: &str) -> Result<(), Problem> {
    #[cfg(feature = "http")]
    http::check_allowed_origin(_origin)?;
    Ok(())
}

fn check_proxy(_proxy: &str) -> Result<(), Problem> {
    #[cfg(feature = "http")]
    http::check_trusted_proxy(_proxy)?;
    Ok(())
}

fn check_path(_path: &str) -> Result<(), Problem> {
    #[cfg(feature = "http")]
    crate::checks::http::check_path("", _path)?;
    Ok(())
}

fn check_prefix(_prefix: &str) -> Result<(), Problem> {
    #[cfg(feature = "legacy-sse")]
    crate::checks::http::check_public_prefix(_prefix)?;
    Ok(())
}

/// Checks an address: a host and a port, or a Unix socket.
fn check_bind(address: &str) -> Result<(), Problem> {
    let is_socket = cfg!(unix) && address.strip_prefix("unix:").is_some_and(|path| !path.is_empty());
    let is_address = address.rsplit_once(':').is_some_and(|(host, port)| {
        // An IPv6 address is in brackets, so that its port is distinct.
        let is_host = !host.is_empty() && (!host.contains(':') || host.starts_with('[') && host.ends_with(']'));
        is_host && !port.starts_with('+') && port.parse::<u16>().is_ok() && !host.contains(['/', ' '])
    });
    if is_socket || is_address {
        return Ok(());
    }
    let fix =
        "write an address and a port, as in `127.0.0.1:8000`, `[::1]:8000` or `0.0.0.0:8000`, or `unix:` and a path";
    Err(Problem::new("", format!("`{}` is not an address with a port", address.escape_debug()), fix))
}

/// Checks a log filter: a level, or levels of modules.
fn check_filter(filter: &str) -> Result<(), Problem> {
    const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
    let is_module = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_:-.".contains(c));
    for part in filter.split(',').map(str::trim) {
        let (module, level) = part.split_once('=').unwrap_or(("all", part));
        if !LEVELS.iter().any(|known| known.eq_ignore_ascii_case(level.trim())) || !is_module(module.trim()) {
            let text = format!("`{}` is not a level, or a module with its level", part.escape_debug());
            let fix = format!("write {}, or modules with levels, as in `info,my_server=debug`", list_choices(&LEVELS));
            return Err(Problem::new("", text, fix));
        }
    }
    Ok(())
}

/// Creates a setting that belongs to the feature `http`.
const fn http_setting(
    group: &'static str,
    name: &'static str,
    kind: Kind,
    default: &'static str,
    effect: &'static str,
) -> Setting {
    Setting { name, feature: Some("http"), group, kind, default, effect }
}

const fn setting(
    group: &'static str,
    name: &'static str,
    kind: Kind,
    default: &'static str,
    effect: &'static str,
) -> Setting {
    Setting { name, feature: None, group, kind, default, effect }
}

impl Setting {
    const fn needs(self, feature: &'static str) -> Setting {
        Setting { feature: Some(feature), ..self }
    }
}

const RUN: &str = "Transport and address";
const ACCESS: &str = "Access on HTTP";
const KEYS: &str = "Keys and sessions";
const LIMITS: &str = "Limits";
const TIMES: &str = "Timeouts";
const OUTPUT: &str = "Errors, logs and metrics";
const CLIENTS: &str = "Peculiarities of clients";

const NO_LIMIT: usize = usize::MAX;

/// All settings, in the order of the reference page. Settings of one group are beside each other.
pub(super) static SETTINGS: &[Setting] = &[
    setting(
        RUN,
        "transport",
        Kind::Choice { names: &["stdio", "http"], apply: |target, value| target.run.transport = Some(value) },
        "`http` if `bind` is set or the program has no other, otherwise `stdio`",
        "the transport of `App::run`",
    ),
    http_setting(
        RUN,
        "bind",
        Kind::Text {
            form: "an address and a port, or `unix:` and a path",
            check: check_bind,
            apply: |target, value| target.run.bind = Some(value),
        },
        "`127.0.0.1:8000`",
        "the address of `App::run`; other machines can reach `0.0.0.0:8000`, which needs [access](#access-on-http)",
    ),
    http_setting(
        RUN,
        "path",
        Kind::Text {
            form: "a path that begins with `/`",
            check: check_path,
            apply: http!(|target, value| target.http.path = value),
        },
        "`/mcp`",
        "the path of the endpoint",
    ),
    http_setting(
        RUN,
        "socket_mode",
        Kind::Mode(|_target, _mode| {
            #[cfg(all(unix, feature = "http"))]
            {
                _target.http.socket_mode = _mode;
            }
        }),
        "`600`",
        "the file mode of a Unix socket; no effect on Windows",
    ),
    setting(
        RUN,
        "watch_parent",
        Kind::Switch(with_feature!("stdio", |target, value| target.stdio.watch_parent = value)),
        "`true`, except in a container",
        "whether a server on standard input and output ends with its parent process",
    )
    .needs("stdio"),
    http_setting(
        RUN,
        "tls_certificate",
        Kind::Path(with_feature!("tls", |target, value| target.run.tls.certificate = Some(value))),
        "none",
        "the PEM file of the certificate chain; needs `tls_key`, and serves HTTPS",
    )
    .needs("tls"),
    http_setting(
        RUN,
        "tls_key",
        Kind::Path(with_feature!("tls", |target, value| target.run.tls.key = Some(value))),
        "none",
        "the PEM file of the private key",
    )
    .needs("tls"),
    http_setting(
        RUN,
        "tls_renewal_interval",
        Kind::Duration(with_feature!("tls", |target, value| target.run.tls.renewal_interval = Some(value))),
        "`60s`",
        "the interval of checks for renewed files",
    )
    .needs("tls"),
    http_setting(
        RUN,
        "legacy_sse",
        Kind::Text {
            form: "a path that begins with `/`",
            check: check_path,
            apply: with_feature!("legacy-sse", |target, value| target.http.legacy_sse.path = Some(value)),
        },
        "not served",
        "the path of HTTP with SSE, the transport of 2024-11-05",
    )
    .needs("legacy-sse"),
    http_setting(
        RUN,
        "public_prefix",
        Kind::Text {
            form: "a path that begins with `/`",
            check: check_prefix,
            apply: with_feature!("legacy-sse", |target, value| target.http.legacy_sse.public_prefix = Some(value)),
        },
        "none",
        "the path prefix that a proxy strips",
    )
    .needs("legacy-sse"),
    http_setting(
        ACCESS,
        "allowed_hosts",
        Kind::List {
            form: "host names as in a URL, with or without a port",
            check: check_host,
            apply: http!(|target, value| target.http.allowed_hosts = value),
        },
        "`localhost`, `127.0.0.1`, `[::1]`",
        "the names under which clients reach the server",
    ),
    http_setting(
        ACCESS,
        "allowed_origins",
        Kind::List {
            form: "origins, such as `https://app.example.com`",
            check: check_origin,
            apply: http!(|target, value| target.http.allowed_origins = value),
        },
        "none",
        "the web pages that may call the server",
    ),
    http_setting(
        ACCESS,
        "allow_loopback_origins",
        Kind::Switch(http!(|target, value| target.http.allow_loopback_origins = value)),
        "`false`",
        "whether all pages of the browser's own machine may call; for development",
    ),
    http_setting(
        ACCESS,
        "allow_unauthenticated_public",
        Kind::Switch(http!(|target, value| target.http.public = value)),
        "`false`",
        "whether a server without authentication serves every client that can reach it, under any name",
    ),
    http_setting(
        ACCESS,
        "trusted_proxies",
        Kind::List {
            form: "addresses, networks (`10.0.0.0/8`), `unix`",
            check: check_proxy,
            apply: http!(|target, value| target.http.trusted_proxies = value),
        },
        "none",
        "the reverse proxies whose forwarding headers count",
    ),
    setting(
        KEYS,
        "sealing_keys",
        Kind::Keys,
        "a new key per process",
        "the keys that seal request state and sessions; the first seals, all open",
    ),
    http_setting(
        KEYS,
        "replicas",
        Kind::Count { least: 1, apply: http!(|target, value| target.http.replicas = value) },
        "`1`",
        "the number of processes that answer for each other; more than 1 needs `sealing_keys`",
    ),
    setting(
        KEYS,
        "request_state_ttl",
        Kind::Duration(|target, value| target.server.request_state_ttl = value),
        "`10m`",
        "the time in which a modern client sends the results of requests to it",
    ),
    http_setting(
        KEYS,
        "session_idle_timeout",
        Kind::Duration(http!(|target, value| target.http.session_idle_timeout = value)),
        "`30m`",
        "the time after which an idle session ends",
    ),
    http_setting(
        KEYS,
        "session_lifetime",
        Kind::Duration(http!(|target, value| target.http.session_lifetime = value)),
        "`24h`",
        "the lifetime of a session, with sealing keys",
    ),
    setting(
        LIMITS,
        "page_size",
        Kind::Count { least: 1, apply: |target, value| target.server.lists.page_size = value },
        "`1000`",
        "the maximum entries per page of a list",
    ),
    setting(
        LIMITS,
        "max_line",
        Kind::Size {
            least: 1024,
            most: NO_LIMIT,
            apply: with_feature!("stdio", |target, value| target.stdio.max_line = value),
        },
        "`16 MiB`",
        "the longest message on standard input and output",
    )
    .needs("stdio"),
    setting(
        LIMITS,
        "max_request_state",
        Kind::Size { least: 1024, most: NO_LIMIT, apply: |target, value| target.server.max_request_state = value },
        "`512 KiB`",
        "the state between the rounds of a call",
    ),
    http_setting(
        LIMITS,
        "max_body",
        Kind::Size { least: 1024, most: NO_LIMIT, apply: http!(|target, value| target.http.max_body = value) },
        "`4 MiB`",
        "the longest message on HTTP",
    ),
    http_setting(
        LIMITS,
        "max_bytes_in_flight",
        Kind::Size {
            least: 64 << 10,
            most: 1 << 40,
            apply: http!(|target, value| target.http.max_bytes_in_flight = value),
        },
        "`64 MiB`",
        "the bytes of all large messages that are held in memory",
    ),
    http_setting(
        LIMITS,
        "max_bytes_in_flight_per_principal",
        Kind::Size {
            least: 0,
            most: NO_LIMIT,
            apply: http!(|target, value| target.http.max_bytes_in_flight_per_principal = Some(value)),
        },
        "a quarter of `max_bytes_in_flight`",
        "the same bytes of one principal or address",
    ),
    http_setting(
        LIMITS,
        "max_bytes_unread",
        Kind::Size { least: 0, most: NO_LIMIT, apply: http!(|target, value| target.http.max_bytes_unread = value) },
        "`256 MiB`",
        "the bytes of responses that clients have not read",
    ),
    http_setting(
        LIMITS,
        "max_calls",
        Kind::Count { least: 1, apply: http!(|target, value| target.http.max_calls = value) },
        "`1024`",
        "the messages that are served concurrently",
    ),
    http_setting(
        LIMITS,
        "max_calls_per_principal",
        Kind::Count { least: 1, apply: http!(|target, value| target.http.max_calls_per_principal = Some(value)) },
        "a quarter of `max_calls`",
        "the same messages of one principal or address",
    ),
    http_setting(
        LIMITS,
        "max_streams",
        Kind::Count { least: 0, apply: http!(|target, value| target.http.max_streams = value) },
        "`1024`",
        "the open streams without a call",
    ),
    http_setting(
        LIMITS,
        "max_streams_per_principal",
        Kind::Count { least: 0, apply: http!(|target, value| target.http.max_streams_per_principal = value) },
        "`16`",
        "the same streams of one principal or address",
    ),
    http_setting(
        LIMITS,
        "max_connections",
        Kind::Count { least: 1, apply: http!(|target, value| target.http.max_connections = value) },
        "`1024`",
        "the connections",
    ),
    http_setting(
        LIMITS,
        "max_connections_per_address",
        Kind::Count { least: 1, apply: http!(|target, value| target.http.max_connections_per_address = Some(value)) },
        "no limit",
        "the connections from one address",
    ),
    http_setting(
        LIMITS,
        "max_sessions",
        Kind::Count { least: 1, apply: http!(|target, value| target.http.max_sessions = value) },
        "`10000`",
        "the sessions",
    ),
    http_setting(
        LIMITS,
        "max_sessions_per_principal",
        Kind::Count { least: 1, apply: http!(|target, value| target.http.max_sessions_per_principal = Some(value)) },
        "a quarter of `max_sessions`",
        "the sessions of one principal or address",
    ),
    setting(
        TIMES,
        "timeout",
        Kind::Duration(|target, value| target.server.timeout = value),
        "`60s`",
        "the timeout of a call, unless its tool sets one",
    ),
    http_setting(
        TIMES,
        "header_read_timeout",
        Kind::Duration(http!(|target, value| target.http.header_read_timeout = value)),
        "`10s`",
        "the timeout of the head of a request",
    ),
    http_setting(
        TIMES,
        "body_read_timeout",
        Kind::Duration(http!(|target, value| target.http.body_read_timeout = value)),
        "`30s`",
        "the timeout of the body of a message",
    ),
    http_setting(
        TIMES,
        "authenticate_timeout",
        Kind::Duration(http!(|target, value| target.http.authenticate_timeout = value)),
        "`10s`",
        "the timeout of `App::authenticate` per request",
    ),
    http_setting(
        TIMES,
        "idle_timeout",
        Kind::Duration(http!(|target, value| target.http.idle_timeout = value)),
        "`75s`",
        "the time of a connection without a request",
    ),
    http_setting(
        TIMES,
        "write_timeout",
        Kind::Duration(http!(|target, value| target.http.write_timeout = value)),
        "`30s`",
        "the time in which a client may read nothing",
    ),
    http_setting(
        TIMES,
        "keep_alive_interval",
        Kind::Duration(http!(|target, value| {
            target.http.keep_alive_interval = value.max(std::time::Duration::from_millis(10))
        })),
        "`15s`",
        "the interval of comments on a silent stream, at least 10 ms",
    ),
    http_setting(
        TIMES,
        "graceful_shutdown_timeout",
        Kind::Duration(http!(|target, value| target.http.graceful_shutdown_timeout = value)),
        "`10s`",
        "the time for calls at shutdown",
    ),
    setting(
        OUTPUT,
        "show_errors",
        Kind::Switch(|target, value| target.server.show_errors = value),
        "`false`",
        "whether the model reads the text of every error, for development; otherwise internal errors are masked",
    ),
    setting(
        OUTPUT,
        "hide_server_info",
        Kind::Switch(|target, value| target.server.announce_server = !value),
        "`false`",
        "whether modern results omit the server's name and version",
    ),
    setting(
        OUTPUT,
        "stdout",
        Kind::Choice {
            names: &["stderr", "log", "discard"],
            apply: with_feature!("stdio", |target, value| {
                use crate::platform::stdio::policy::StdoutPolicy;
                target.stdio.stdout = match value {
                    "log" => StdoutPolicy::Log,
                    "discard" => StdoutPolicy::Discard,
                    _ => StdoutPolicy::Stderr,
                }
            }),
        },
        "`stderr`",
        "the destination of printed text on standard input and output",
    )
    .needs("stdio"),
    setting(
        OUTPUT,
        super::LOG_LEVEL,
        Kind::Text {
            form: "`off`, `error`, `warn`, `info`, `debug`, `trace`, or modules with levels: `info,my_server=debug`",
            check: check_filter,
            apply: |_, _| (),
        },
        "`RUST_LOG`, otherwise `info`",
        "the log lines that are written; the variable takes precedence over `RUST_LOG`, and `RUST_LOG` over the file",
    )
    .needs("logging"),
    setting(
        OUTPUT,
        super::LOG_FORMAT,
        Kind::Choice { names: &["auto", "plain", "json"], apply: |_, _| () },
        "`auto`: plain on a terminal, JSON elsewhere",
        "the format of log lines",
    )
    .needs("logging"),
    setting(
        OUTPUT,
        super::LOG_REQUESTS,
        Kind::Switch(|_, _| ()),
        "`false`",
        "whether each log line has the facts of its request",
    )
    .needs("logging"),
    http_setting(
        OUTPUT,
        "metrics",
        Kind::Switch(http!(|target, value| target.http.metrics = value)),
        "`false`",
        "whether `GET /metrics` serves metrics",
    )
    .needs("metrics"),
    setting(
        CLIENTS,
        "open_schemas",
        Kind::Switch(|target, value| target.server.lists.style.closes_objects = !value),
        "`false`",
        "whether schemas omit `additionalProperties`, which some converters reject",
    ),
    setting(
        CLIENTS,
        "wrapped_results",
        Kind::Switch(|target, value| target.server.lists.style.wraps_results = value),
        "`false`",
        "whether modern clients get results that are not objects inside `{\"result\": …}`, because some proxies reject others",
    ),
    setting(
        CLIENTS,
        "describe_limits",
        Kind::Switch(|target, value| target.server.lists.style.repeats_limits = value),
        "`false`",
        "whether descriptions repeat limits and enum values, because some clients drop the keywords",
    ),
    setting(
        CLIENTS,
        "ignore_unknown_arguments",
        Kind::Switch(|target, value| target.server.ignored_arguments.everything = value),
        "`false`",
        "whether unknown arguments of tools are ignored",
    ),
    setting(
        CLIENTS,
        "ignore_arguments",
        Kind::List {
            form: "names",
            check: any,
            apply: |target, value| target.server.ignored_arguments.names.extend(value),
        },
        "none",
        "the same for some names, in addition to those of the program",
    ),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_unique_and_groups_are_contiguous() {
        let names: BTreeSet<&str> = SETTINGS.iter().map(|setting| setting.name).collect();
        assert_eq!(names.len(), SETTINGS.len());
        let mut groups: Vec<&str> = SETTINGS.iter().map(|setting| setting.group).collect();
        groups.dedup();
        assert_eq!(groups.len(), groups.iter().collect::<BTreeSet<_>>().len(), "{groups:?}");
        for setting in SETTINGS {
            assert!(setting.name.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase()), "{}", setting.name);
        }
    }

    #[test]
    fn an_address_has_a_port() {
        for good in ["127.0.0.1:8000", "[::1]:0", "localhost:80", "0.0.0.0:443", "unix:/run/x.sock"] {
            assert!(check_bind(good).is_ok(), "{good}");
        }
        for bad in
            ["8000", ":8000", "localhost", "::1:80", "1.2.3.4:99999", "http://localhost:80", "a:+80", "unix:", "a b:1"]
        {
            assert!(check_bind(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_log_filter_has_levels_only() {
        for good in ["info", "DEBUG", "off", "info,my_server=debug", "hyper::proto=off, warn"] {
            assert!(check_filter(good).is_ok(), "{good}");
        }
        for bad in ["inof", "my_server", "=debug", "info,", "a=b=debug", "[span]=debug"] {
            assert!(check_filter(bad).is_err(), "{bad}");
        }
    }
}
