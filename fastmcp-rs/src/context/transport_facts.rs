//! The facts that the transport has about one request beside its message: exposed headers, extensions and the address of
//! the client.
//!
//! They belong to the request, and never to its session: each request of a session is authenticated by itself, and may
//! come from another address. A context gets a copy, because the handler may outlive the HTTP request. So only headers
//! that the author has named are copied, and nothing is copied for a handler that does not use the request.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
#[cfg(feature = "http")]
use std::sync::LazyLock;

#[cfg(feature = "http")]
use http::{HeaderMap, HeaderName};

use crate::auth::principal::Principal;
#[cfg(feature = "http")]
use crate::checks::http as checks;
#[cfg(feature = "http")]
use crate::checks::problem::Problem;
use crate::context::Context;
#[cfg(feature = "testing")]
use crate::util::type_map::TypeMap;

/// The address of the client that sent a request, even behind proxies that the operator trusts
/// ([`HttpConfig::trusted_proxies`](crate::HttpConfig::trusted_proxies)).
///
/// As a parameter of a handler, it fails the call if the address is unknown: on standard input and output, on a Unix
/// socket, behind a trusted proxy that does not name the client or whose headers contradict each other, and in a
/// surrounding server that does not supply addresses (see [`App::into_service`](crate::App::into_service)).
/// `Option<ClientAddr>` is `None` instead. It is never the address of a trusted proxy in place of the client's.
///
/// Several clients can share an address, so it does not identify a person.
///
/// # Example
///
/// ```
/// use fastmcp_rs::handler::ClientAddr;
/// use fastmcp_rs::prelude::*;
///
/// /// Returns the address from which the call comes.
/// #[mcp::tool]
/// async fn my_address(client: Option<ClientAddr>) -> String {
///     client.map_or("unknown".into(), |client| client.ip.to_string())
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ClientAddr {
    /// The IP address.
    pub ip: IpAddr,
    /// The port, if the client is connected without a proxy in between.
    pub port: Option<u16>,
}

impl ClientAddr {
    pub(crate) fn new((ip, port): (IpAddr, Option<u16>)) -> ClientAddr {
        ClientAddr { ip, port }
    }
}

impl fmt::Display for ClientAddr {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => std::net::SocketAddr::new(self.ip, port).fmt(formatter),
            None => self.ip.fmt(formatter),
        }
    }
}

/// The facts about a request that need memory of their own.
pub(crate) struct TransportFacts {
    /// The headers that the app exposes.
    #[cfg(feature = "http")]
    pub(crate) headers: Arc<HeaderMap>,
    /// The extensions that a surrounding server has added.
    #[cfg(feature = "http")]
    pub(crate) http_extensions: http::Extensions,
    /// The extensions of a test.
    #[cfg(feature = "testing")]
    pub(crate) test_extensions: TypeMap,
    /// The principal of this request, if it has extensions.
    pub(crate) caller: Option<Arc<Principal>>,
}

impl TransportFacts {
    pub(crate) fn new(caller: Option<Arc<Principal>>) -> TransportFacts {
        TransportFacts {
            #[cfg(feature = "http")]
            headers: Arc::default(),
            #[cfg(feature = "http")]
            http_extensions: http::Extensions::new(),
            #[cfg(feature = "testing")]
            test_extensions: TypeMap::default(),
            caller,
        }
    }

    fn extension<T: Send + Sync + 'static>(&self) -> Option<&T> {
        let of_caller = self.caller.as_ref().and_then(|caller| caller.find_extension());
        #[cfg(feature = "testing")]
        let of_caller = of_caller.or_else(|| self.test_extensions.get());
        #[cfg(feature = "http")]
        let of_caller = of_caller.or_else(|| self.http_extensions.get());
        of_caller
    }
}

/// The names of the headers that handlers can read.
#[cfg(feature = "http")]
#[derive(Clone, Debug, Default)]
pub(crate) struct ExposedHeaders {
    names: Vec<HeaderName>,
    /// The beginnings of names, in lower case. They never include a name that is likely to carry a secret.
    prefixes: Vec<Box<str>>,
}

/// The most bytes of names and values that are copied for a request: as many as the head of a request may have, so that
/// only a surrounding server with a larger limit exceeds them.
#[cfg(feature = "http")]
const MAX_EXPOSED_BYTES: usize = 32 << 10;

/// Parts of the names of headers that carry credentials.
#[cfg(feature = "http")]
const SECRET_PARTS: [&str; 21] = [
    "assertion",
    "auth",
    "bearer",
    "cookie",
    "cred",
    "csrf",
    "dpop",
    "hmac",
    "jwt",
    "key",
    "oidc",
    "otp",
    "passcode",
    "passphrase",
    "passw",
    "saml",
    "secret",
    "session",
    "signature",
    "token",
    "xsrf",
];

/// Returns true for the name of a header that is likely to carry a credential.
#[cfg(feature = "http")]
fn suggests_secret(name: &HeaderName) -> bool {
    SECRET_PARTS.iter().any(|part| name.as_str().contains(part))
}

#[cfg(feature = "http")]
impl ExposedHeaders {
    /// Adds a name, or the beginning of names before a final `*`.
    pub(crate) fn add(&mut self, name: &str) -> Result<(), Problem> {
        let (text, is_prefix) = name.strip_suffix('*').map_or((name, false), |prefix| (prefix, true));
        if is_prefix && text.is_empty() {
            self.prefixes.push("".into());
            return Ok(());
        }
        let invalid = || checks::invalid_exposed_header(name);
        // A name may contain `*`, but none does; it would be a mistaken pattern.
        let parsed: HeaderName = text.parse().ok().filter(|_| !text.contains('*')).ok_or_else(invalid)?;
        match is_prefix {
            true => self.prefixes.push(parsed.as_str().into()),
            false => self.names.push(parsed),
        }
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty() && self.prefixes.is_empty()
    }

    fn has_prefix_of(&self, name: &HeaderName) -> bool {
        self.prefixes.iter().any(|prefix| name.as_str().starts_with(&**prefix)) && !suggests_secret(name)
    }

    /// Copies the exposed headers, except those that exceed the limit. Named ones come first, so that a client cannot
    /// displace them by headers that only have a prefix. `Debug` does not show the values of likely secrets.
    pub(crate) fn select(&self, all: &HeaderMap) -> Arc<HeaderMap> {
        let named = all.iter().filter(|(name, _)| self.names.contains(name));
        let others = all.iter().filter(|(name, _)| !self.names.contains(name) && self.has_prefix_of(name));
        let mut selected = HeaderMap::new();
        let mut bytes = 0;
        for (name, value) in named.chain(others) {
            bytes += name.as_str().len() + value.len();
            if bytes > MAX_EXPOSED_BYTES {
                // A client causes it, and as often as it likes, so it is no warning.
                tracing::debug!(target: "fastmcp_rs", "the exposed headers of a request have more than {MAX_EXPOSED_BYTES} bytes: `{name}` and later ones are left out");
                break;
            }
            let mut value = value.clone();
            value.set_sensitive(value.is_sensitive() || suggests_secret(name));
            selected.append(name, value);
        }
        Arc::new(selected)
    }
}

impl Context {
    /// Returns the HTTP headers of the request that the app exposes
    /// ([`App::expose_headers`](crate::App::expose_headers)). There are none on standard input and output.
    ///
    /// As a parameter, take [`Headers`](crate::handler::Headers).
    ///
    /// # Example
    ///
    /// ```
    /// # use fastmcp_rs::Context;
    /// # fn example(ctx: &Context) {
    /// let tenant = ctx.headers().get("x-tenant").and_then(|value| value.to_str().ok());
    /// # let _ = tenant;
    /// # }
    /// ```
    #[cfg(feature = "http")]
    pub fn headers(&self) -> &HeaderMap {
        static NONE: LazyLock<HeaderMap> = LazyLock::new(HeaderMap::new);
        self.transport_facts().map_or(&NONE, |facts| &facts.headers)
    }

    /// Returns the exposed headers, for an extractor that keeps them.
    #[cfg(feature = "http")]
    pub(crate) fn shared_headers(&self) -> Arc<HeaderMap> {
        self.transport_facts().map(|facts| Arc::clone(&facts.headers)).unwrap_or_default()
    }

    /// Returns the extension of type `T`: a value that [`Principal::extension`] attached when the request was
    /// authenticated, or else one that a middleware of the surrounding HTTP server added to the
    /// [extensions](https://docs.rs/http/1/http/struct.Extensions.html) of the request.
    ///
    /// In a session of an older revision, it belongs to this request too, and not to the one that opened the session.
    ///
    /// As a parameter, take [`Extension<T>`](crate::handler::Extension).
    pub fn extension<T: Send + Sync + 'static>(&self) -> Option<&T> {
        self.transport_facts()?.extension()
    }

    /// Returns the address of the client, if the transport knows it; see [`ClientAddr`].
    pub fn client_addr(&self) -> Option<ClientAddr> {
        self.request.as_ref()?.client_addr
    }

    fn transport_facts(&self) -> Option<&TransportFacts> {
        self.request.as_ref()?.transport_facts.as_deref()
    }
}

/// Returns the principal whose extensions a request has, if it has any.
pub(crate) fn caller_with_extensions(caller: Option<&Arc<Principal>>) -> Option<Arc<Principal>> {
    caller.filter(|caller| caller.has_extensions()).cloned()
}
