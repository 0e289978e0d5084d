//! Checks of `Host` and `Origin`: the names under which a server may be reached, and the web pages that may call it.
//!
//! A web page can make a browser send requests anywhere, and can give the address of this server another name ("DNS
//! rebinding"). A page cannot change the headers `Host` and `Origin`, so these are checked before anything else is
//! read.

use std::borrow::Cow;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::OnceLock;

use http::Uri;

use super::super::config::HttpConfig;
use super::head::{AccessHeaders, SingleHeader};
use crate::checks::http as checks;
use crate::checks::problem::Problem;

/// The hosts and origins that a server accepts.
#[derive(Debug)]
pub(crate) struct AccessPolicy {
    hosts: AllowedHosts,
    /// The `Host` of the first request that was admitted. Nearly all later requests have the same value, and comparing
    /// is faster than parsing.
    first_host: OnceLock<Box<[u8]>>,
    origins: Vec<WebOrigin<'static>>,
    /// Whether pages served from this machine may call, on any port.
    admits_loopback: bool,
}

#[derive(Debug)]
enum AllowedHosts {
    /// The loopback names: `localhost`, `127.0.0.1` and `[::1]`.
    Loopback,
    Listed(Vec<Host<'static>>),
    /// Any name, for servers that require credentials or are public.
    Any,
}

/// A host, and its port if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Host<'a> {
    name: Cow<'a, str>,
    port: Option<u16>,
}

/// Checks one entry of [`HttpConfig::allowed_hosts`], which an operator has written.
#[cfg(feature = "settings")]
pub(crate) fn check_allowed_host(host: &str) -> Result<(), Problem> {
    Host::parse(host).map(drop).ok_or_else(|| checks::invalid_host(host))
}

/// Checks one entry of [`HttpConfig::allowed_origins`], which an operator has written.
#[cfg(feature = "settings")]
pub(crate) fn check_allowed_origin(origin: &str) -> Result<(), Problem> {
    WebOrigin::parse(origin.as_bytes()).map(drop).ok_or_else(|| checks::invalid_origin(origin))
}

#[derive(Debug, PartialEq, Eq)]
struct WebOrigin<'a> {
    scheme: Cow<'a, str>,
    host: Host<'a>,
}

/// The reason why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccessDenial {
    /// `Host` is missing, repeated, invalid or contradicts the URL.
    InvalidHost,
    ForeignHost,
    ForeignOrigin,
}

impl AccessPolicy {
    /// Builds the policy from the configuration, or returns the configuration's problems. `authenticated` states
    /// whether each request must have credentials.
    pub(crate) fn new(config: &HttpConfig, authenticated: bool) -> Result<AccessPolicy, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut listed = Vec::new();
        for host in &config.allowed_hosts {
            match Host::parse(host) {
                Some(host) => listed.push(host.into_owned()),
                None => problems.push(checks::invalid_host(host)),
            }
        }
        let mut origins = Vec::new();
        for origin in &config.allowed_origins {
            match WebOrigin::parse(origin.as_bytes()) {
                Some(origin) => origins.push(origin.into_owned()),
                None => problems.push(checks::invalid_origin(origin)),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let hosts = match listed {
            listed if !listed.is_empty() => AllowedHosts::Listed(listed),
            _ if authenticated || config.public => AllowedHosts::Any,
            _ => AllowedHosts::Loopback,
        };
        Ok(AccessPolicy { hosts, first_host: OnceLock::new(), origins, admits_loopback: config.allow_loopback_origins })
    }

    /// Checks the host name of a request.
    pub(crate) fn check_host(&self, uri: &Uri, host: SingleHeader<'_>) -> Result<(), AccessDenial> {
        self.known_host(uri, host).map(drop)
    }

    fn known_host<'a>(&self, uri: &'a Uri, host: SingleHeader<'a>) -> Result<Host<'a>, AccessDenial> {
        let host = request_host(uri, host)?;
        let known = match &self.hosts {
            AllowedHosts::Any => true,
            AllowedHosts::Loopback => host.is_loopback(),
            AllowedHosts::Listed(hosts) => hosts.iter().any(|allowed| allowed.matches_host(&host)),
        };
        if known { Ok(host) } else { Err(AccessDenial::ForeignHost) }
    }

    /// Checks the host and the origin of a request.
    pub(crate) fn check_headers(&self, uri: &Uri, access_headers: &AccessHeaders<'_>) -> Result<(), AccessDenial> {
        if let (SingleHeader::Once(host), SingleHeader::Absent, None) =
            (access_headers.host, access_headers.origin, uri.authority())
        {
            if self.first_host.get().is_some_and(|usual| **usual == *host.as_bytes()) {
                return check_site(access_headers);
            }
            self.known_host(uri, access_headers.host)?;
            self.first_host.get_or_init(|| host.as_bytes().into());
            return check_site(access_headers);
        }
        let host = self.known_host(uri, access_headers.host)?;
        let origin = match access_headers.origin {
            SingleHeader::Once(origin) => WebOrigin::parse(origin.as_bytes()).ok_or(AccessDenial::ForeignOrigin)?,
            SingleHeader::Twice => return Err(AccessDenial::ForeignOrigin),
            SingleHeader::Absent => return check_site(access_headers),
        };
        // Otherwise only a page of this server itself may call: the host of its origin equals the request's host.
        if self.admits_origin(&origin) || (origin.is_web_page() && origin.host.is_same(&host, &origin.scheme)) {
            return Ok(());
        }
        Err(AccessDenial::ForeignOrigin)
    }

    fn admits_origin(&self, origin: &WebOrigin<'_>) -> bool {
        self.origins.contains(origin) || (self.admits_loopback && origin.is_web_page() && origin.host.is_of_loopback())
    }

    /// Returns whether pages of another origin may call this server and read its responses.
    pub(crate) fn admits(&self, origin: &[u8]) -> bool {
        WebOrigin::parse(origin).is_some_and(|origin| self.admits_origin(&origin))
    }

    /// Returns whether the policy admits pages of any other origin.
    pub(crate) fn admits_pages(&self) -> bool {
        self.admits_loopback || !self.origins.is_empty()
    }
}

/// Checks a request without an origin: browsers omit it where pages cannot read the response.
fn check_site(access_headers: &AccessHeaders<'_>) -> Result<(), AccessDenial> {
    match access_headers.site {
        Some(site) if site.as_bytes() == b"cross-site" => Err(AccessDenial::ForeignOrigin),
        _ => Ok(()),
    }
}

/// Returns the host of a request, from its URL if that has one and from its one `Host` header; the two must agree.
fn request_host<'a>(uri: &'a Uri, host: SingleHeader<'a>) -> Result<Host<'a>, AccessDenial> {
    let header = match host {
        SingleHeader::Twice => return Err(AccessDenial::InvalidHost),
        SingleHeader::Once(value) => Some(value.to_str().ok().and_then(Host::parse).ok_or(AccessDenial::InvalidHost)?),
        SingleHeader::Absent => None,
    };
    let authority = match uri.authority() {
        Some(authority) => Some(Host::parse(authority.as_str()).ok_or(AccessDenial::InvalidHost)?),
        None => None,
    };
    match (header, authority) {
        (Some(header), Some(authority)) if header != authority => Err(AccessDenial::InvalidHost),
        (Some(host), _) | (None, Some(host)) => Ok(host),
        (None, None) => Err(AccessDenial::InvalidHost),
    }
}

impl<'a> Host<'a> {
    /// Parses a DNS name, an IPv4 address or an IPv6 address in brackets, with or without a port, as in a URL.
    ///
    /// `http::uri::Authority` also accepts credentials, an empty port, leading zeros and any text in brackets, which
    /// would have to be rejected here. It costs 1,150 instructions where this parser costs 250 (callgrind,
    /// `127.0.0.1:8000`), which counts for requests of browsers, because each of them has an origin.
    fn parse(text: &'a str) -> Option<Host<'a>> {
        let (end, has_capitals) = match text.strip_prefix('[') {
            // The hexadecimal digits of an address may have any case.
            Some(rest) => (rest.find(']').filter(|&end| rest[..end].parse::<Ipv6Addr>().is_ok())? + 2, true),
            None => measure_name(text)?,
        };
        let (name, port) = text.split_at(end);
        let port = match port.as_bytes() {
            [] => None,
            [b':', digits @ ..] => Some(parse_port(digits)?),
            _ => return None,
        };
        // A trailing dot marks a name as fully qualified, which it is anyway.
        let name = name.strip_suffix('.').unwrap_or(name);
        // Nearly all names are in lower case, and need no allocation.
        Some(Host { name: if has_capitals { name.to_ascii_lowercase().into() } else { name.into() }, port })
    }

    fn into_owned(self) -> Host<'static> {
        Host { name: self.name.into_owned().into(), port: self.port }
    }

    fn is_loopback(&self) -> bool {
        matches!(&*self.name, "localhost" | "127.0.0.1" | "[::1]")
    }

    /// Returns whether a browser resolves this host to the machine on which the browser runs.
    fn is_of_loopback(&self) -> bool {
        let is_address = || self.name.parse().is_ok_and(|address: Ipv4Addr| address.is_loopback());
        self.is_loopback() || self.name.ends_with(".localhost") || is_address()
    }

    /// Returns whether this list entry matches `host`. An entry without a port matches every port.
    fn matches_host(&self, host: &Host<'_>) -> bool {
        self.name == host.name && (self.port.is_none() || self.port == host.port)
    }

    fn is_same(&self, host: &Host<'_>, scheme: &str) -> bool {
        let usual = default_port(scheme);
        self.name == host.name && self.port.or(usual) == host.port.or(usual)
    }
}

/// Returns the length of the DNS name or IPv4 address at the beginning of `text`, including a trailing dot, and whether
/// it has capital letters. The name ends at a colon. This takes one pass, as every request has a host.
fn measure_name(text: &str) -> Option<(usize, bool)> {
    let (mut length, mut label, mut has_capitals) = (0, 0, false);
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' if label < 63 => label += 1,
            b'A'..=b'Z' if label < 63 => (label, has_capitals) = (label + 1, true),
            b'.' if label > 0 => label = 0,
            b':' => break,
            _ => return None,
        }
        length += 1;
    }
    (length > 0).then_some((length, has_capitals))
}

/// Parses a port as browsers write it: `u16` would also accept a sign and leading zeros.
fn parse_port(digits: &[u8]) -> Option<u16> {
    if !matches!(digits, [b'1'..=b'9', ..]) || digits.len() > 5 {
        return None;
    }
    let mut port = 0u32;
    for digit in digits {
        port = port * 10 + u32::from(digit.is_ascii_digit().then(|| digit - b'0')?);
    }
    port.try_into().ok()
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

impl<'a> WebOrigin<'a> {
    fn parse(value: &'a [u8]) -> Option<WebOrigin<'a>> {
        let text = std::str::from_utf8(value).ok()?;
        let (scheme, host) = text.split_once("://")?;
        let begins_well = scheme.starts_with(|first: char| first.is_ascii_alphabetic());
        if !begins_well || !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
            return None;
        }
        let scheme = scheme.to_ascii_lowercase();
        let mut host = Host::parse(host)?;
        // Browsers omit the default port.
        host.port = host.port.filter(|&port| default_port(&scheme) != Some(port));
        Some(WebOrigin { scheme: scheme.into(), host })
    }

    /// Returns whether the origin is that of a web server's pages, and not of an extension, an editor or an app, which
    /// choose their host names themselves.
    fn is_web_page(&self) -> bool {
        default_port(&self.scheme).is_some()
    }

    fn into_owned(self) -> WebOrigin<'static> {
        WebOrigin { scheme: self.scheme.into_owned().into(), host: self.host.into_owned() }
    }
}

#[cfg(test)]
mod tests {
    use http::header::{HOST, ORIGIN};
    use http::{HeaderMap, HeaderValue};

    use super::*;
    use crate::transport::http::request::head;

    fn check(config: HttpConfig, authenticated: bool, host: &str, origin: Option<&str>) -> Result<(), AccessDenial> {
        let access = AccessPolicy::new(&config, authenticated).unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(host).unwrap());
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_str(origin).unwrap());
        }
        access.check_headers(&Uri::from_static("/mcp"), &head::read_headers(&headers).0)
    }

    #[test]
    fn a_local_server_accepts_only_its_own_names() {
        let local = |host| check(HttpConfig::new(), false, host, None);
        for host in ["localhost", "LOCALHOST:8000", "localhost.", "127.0.0.1:1", "[::1]:8000", "[::1]"] {
            assert_eq!(local(host), Ok(()), "{host}");
        }
        for host in ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "0.0.0.0", "127.0.0.2", "[::2]:80"] {
            assert_eq!(local(host), Err(AccessDenial::ForeignHost), "{host}");
        }
        for host in [
            "",
            "user@localhost",
            "localhost:",
            "localhost:x",
            "localhost:99999",
            "localhost:+80",
            "localhost:-80",
            "localhost:080",
            "localhost:0",
            "localhost: 80",
            "localhost:80 ",
            "localhost:８０",
            "localhost:80:80",
            "127.0.0.1:+80",
            "[::1]:+80",
            "[::1]:",
            "[::1]80",
            "[::1].",
            "[::1%25lo]",
            "[127.0.0.1]",
            "[]",
            ":80",
            "::1",
            "a b",
            "[::1",
            "localhost/x",
            "localhost..",
            "..",
            "localhost,evil",
        ] {
            assert_eq!(local(host), Err(AccessDenial::InvalidHost), "{host}");
        }
    }

    #[test]
    fn an_allowed_host_allows_no_other() {
        let access = AccessPolicy::new(&HttpConfig::new(), false).unwrap();
        let check = |host: &'static str, other: Option<(&'static str, &'static str)>| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static(host));
            if let Some((name, value)) = other {
                headers.insert(name, HeaderValue::from_static(value));
            }
            access.check_headers(&Uri::from_static("/mcp"), &head::read_headers(&headers).0)
        };
        for _ in 0..2 {
            assert_eq!(check("evil.example:8000", None), Err(AccessDenial::ForeignHost));
            assert_eq!(check("localhost:8000", None), Ok(()));
            assert_eq!(check("localhost:8001", None), Ok(()));
            assert_eq!(
                check("localhost:8000", Some(("sec-fetch-site", "cross-site"))),
                Err(AccessDenial::ForeignOrigin)
            );
            assert_eq!(
                check("localhost:8000", Some(("origin", "http://evil.example"))),
                Err(AccessDenial::ForeignOrigin)
            );
            assert_eq!(check("localhost:8000x", None), Err(AccessDenial::InvalidHost));
        }
    }

    #[test]
    fn foreign_origins_are_refused() {
        let of_this_machine = [
            "http://localhost:6274",
            "https://127.0.0.1",
            "https://127.8.9.1:4",
            "http://[::1]:3",
            "http://x.localhost",
        ];
        for origin in of_this_machine {
            let local = |config| check(config, false, "localhost:8000", Some(origin));
            assert_eq!(local(HttpConfig::new()), Err(AccessDenial::ForeignOrigin), "{origin}");
            assert_eq!(local(HttpConfig::new().allow_loopback_origins(true)), Ok(()), "{origin}");
        }
        assert_eq!(check(HttpConfig::new(), false, "localhost:8000", Some("http://localhost:8000")), Ok(()));
        let local =
            |origin| check(HttpConfig::new().allow_loopback_origins(true), false, "localhost:8000", Some(origin));
        for origin in [
            "null",
            "",
            "http://evil.example",
            "http://localhost.evil.example:8000",
            "localhost",
            "http://localhost@evil.example",
            // A scheme without a web server has no host on this machine either.
            "javascript://localhost",
            "javascript://localhost:8000",
            "data://localhost",
            "blob://localhost",
            "file://localhost",
            "ftp://localhost",
            "ws://localhost:8000",
            "chrome-extension://localhost",
            "vscode-webview://localhost",
            "tauri://localhost",
            "app://localhost",
            "httpss://localhost",
            "1http://localhost",
            "://localhost",
            "http:///localhost",
            "http://localhost:+80",
            "http://localhost:080",
            "http://localhost/",
            "http://localhost:8000/x",
            "http://localhost?",
        ] {
            assert_eq!(local(origin), Err(AccessDenial::ForeignOrigin), "{origin}");
        }
    }

    #[test]
    fn configured_hosts_and_origins_are_allowed() {
        let config = || {
            let config = HttpConfig::new().allowed_hosts(["mcp.example.com", "other.example:8443"]);
            config.allowed_origins(["https://app.example.com"])
        };
        let listed = |host, origin| check(config(), false, host, origin);
        assert_eq!(listed("mcp.example.com:1", None), Ok(()));
        assert_eq!(listed("MCP.example.com.", Some("https://app.example.com")), Ok(()));
        assert_eq!(listed("mcp.example.com", Some("https://mcp.example.com")), Ok(()));
        assert_eq!(listed("mcp.example.com", Some("http://app.example.com")), Err(AccessDenial::ForeignOrigin));
        assert_eq!(listed("mcp.example.com", Some("http://localhost")), Err(AccessDenial::ForeignOrigin));
        assert_eq!(listed("other.example:8443", None), Ok(()));
        assert_eq!(listed("other.example", None), Err(AccessDenial::ForeignHost));
        assert_eq!(listed("localhost", None), Err(AccessDenial::ForeignHost));
        assert_eq!(check(HttpConfig::new(), true, "any.example", None), Ok(()));
        assert_eq!(
            check(HttpConfig::new(), true, "any.example", Some("https://evil.example")),
            Err(AccessDenial::ForeignOrigin)
        );
        assert_eq!(AccessPolicy::new(&HttpConfig::new().allowed_hosts(["https://x"]), false).unwrap_err().len(), 1);
        // Editors and apps have their own origins, and are allowed by these.
        let named = || HttpConfig::new().allowed_origins(["vscode-webview://abc", "https://app.example.com:443"]);
        let local = |origin| check(named(), false, "localhost:8000", Some(origin));
        assert_eq!(local("vscode-webview://abc"), Ok(()));
        assert_eq!(local("vscode-webview://abd"), Err(AccessDenial::ForeignOrigin));
        assert_eq!(local("https://app.example.com"), Ok(()), "the usual port says nothing");
        // The server's own name does not admit an origin that is not a web page either.
        assert_eq!(
            check(HttpConfig::new(), true, "any.example", Some("javascript://any.example")),
            Err(AccessDenial::ForeignOrigin)
        );
    }
}
