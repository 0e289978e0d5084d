//! The peer that a request counts against: a principal, or else the address of a client, even behind trusted proxies.
//!
//! The address comes from the connection. Headers can contain anything, so they are read only if the connection comes
//! from a proxy that the operator trusts, and only as far to the left as trusted proxies have written them.
//!
//! Specification: <https://www.rfc-editor.org/rfc/rfc7239>

use std::fmt;
use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use http::header::FORWARDED;
use http::request::Parts;
use http::{HeaderMap, HeaderName};

use super::config::HttpConfig;
use crate::auth::principal::Principal;
use crate::checks::http as checks;
use crate::checks::problem::Problem;

/// The address of a client, as known from its connection or from a trusted proxy.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum ClientAddress {
    #[default]
    Unknown,
    Direct(SocketAddr),
    /// The client is connected through a Unix socket.
    UnixSocket,
    /// A trusted proxy has forwarded the message.
    Forwarded {
        /// The address that the message counts against: the client's if it is known, and the proxy's own otherwise.
        address: Option<IpAddr>,
        /// Whether the address is the client's. A client can cause the opposite, with a forwarding header that its proxy
        /// does not write, or with `Connection: X-Forwarded-For`, which some proxies obey.
        is_known: bool,
        /// Whether the proxy is connected through a Unix socket.
        by_socket: bool,
    },
}

impl ClientAddress {
    /// Returns true if the message has come through a Unix socket.
    pub(crate) fn is_by_unix_socket(self) -> bool {
        matches!(self, ClientAddress::UnixSocket | ClientAddress::Forwarded { by_socket: true, .. })
    }

    /// Returns the address and the port of the client, as far as they are known. The address of a proxy is no substitute:
    /// it is usually a local one, which handlers may treat as trustworthy.
    pub(crate) fn address(self) -> Option<(IpAddr, Option<u16>)> {
        match self {
            ClientAddress::Direct(address) => Some((address.ip(), Some(address.port()))),
            ClientAddress::Forwarded { address, is_known: true, .. } => address.map(|address| (address, None)),
            ClientAddress::Unknown | ClientAddress::UnixSocket | ClientAddress::Forwarded { .. } => None,
        }
    }
}

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// The name of the peer of a Unix socket among trusted proxies.
const UNIX: &str = "unix";
/// The maximum number of chained proxies; header elements beyond it are not read.
const MAX_HOPS: usize = 16;

/// The peer whose limits a request counts against. Cloning is cheap.
#[derive(Clone)]
pub(crate) enum Peer {
    Principal(Arc<Principal>),
    /// An IPv4 address, or an IPv6 network (/64), because one site controls that many addresses.
    Address(IpAddr),
    /// A trusted proxy on a Unix socket that names no client.
    Socket,
}

impl Peer {
    /// Returns the peer of a request. Returns `None` if the request has no limit per peer, because all clients may
    /// share its address: a loopback address, a Unix socket without a trusted proxy, or a surrounding server that does
    /// not supply addresses.
    pub(crate) fn new(caller: Option<&Arc<Principal>>, client: ClientAddress) -> Option<Peer> {
        match (caller, client) {
            (Some(principal), _) => Some(Peer::Principal(Arc::clone(principal))),
            (None, ClientAddress::Direct(address)) => {
                let address = address.ip().to_canonical();
                if address.is_loopback() { None } else { Some(Peer::from_address(address)) }
            }
            (None, ClientAddress::Forwarded { address: Some(address), .. }) => Some(Peer::from_address(address)),
            (None, ClientAddress::Forwarded { address: None, .. }) => Some(Peer::Socket),
            (None, ClientAddress::Unknown | ClientAddress::UnixSocket) => None,
        }
    }

    pub(crate) fn from_address(address: IpAddr) -> Peer {
        Peer::Address(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
            address => address,
        })
    }

    /// Returns the key that identifies the peer.
    fn key(&self) -> (Option<&str>, Option<IpAddr>) {
        match self {
            Peer::Principal(principal) => (Some(principal.id()), None),
            Peer::Address(address) => (None, Some(*address)),
            Peer::Socket => (None, None),
        }
    }
}

impl PartialEq for Peer {
    fn eq(&self, other: &Peer) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Peer {}

impl Hash for Peer {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.key().hash(hasher);
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Peer::Principal(principal) => principal.fmt(formatter),
            Peer::Address(address) => address.fmt(formatter),
            Peer::Socket => formatter.write_str(UNIX),
        }
    }
}

/// The proxies whose `Forwarded` and `X-Forwarded-For` headers are trusted.
#[derive(Debug, Default)]
pub(crate) struct TrustedProxies {
    networks: Vec<Network>,
    has_unix: bool,
}

impl TrustedProxies {
    /// Reads the configuration; the error lists its problems.
    pub(crate) fn new(config: &HttpConfig) -> Result<TrustedProxies, Vec<Problem>> {
        let mut proxies = TrustedProxies::default();
        let mut problems = Vec::new();
        for text in &config.trusted_proxies {
            if text == UNIX {
                proxies.has_unix = true;
                continue;
            }
            match Network::parse(text) {
                Ok(network) => proxies.networks.push(network),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() { Ok(proxies) } else { Err(problems) }
    }

    /// Returns true if the address is that of a trusted proxy.
    pub(crate) fn trusts(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.networks.iter().any(|network| network.contains(address))
    }

    /// Returns the client that made a request on a connection from `client`.
    ///
    /// If both headers are present, they must name the same client, because a proxy that writes one of them may pass on
    /// the other unchanged. If they differ or name no client, the client is unknown, and the request counts against the
    /// last trusted proxy.
    pub(crate) fn client(&self, client: ClientAddress, parts: &Parts) -> ClientAddress {
        let client = match client {
            // A surrounding server may supply the address as an extension.
            ClientAddress::Unknown => parts.extensions.get().copied().map_or(client, ClientAddress::Direct),
            known => known,
        };
        let (proxy, by_socket) = match client {
            ClientAddress::Direct(address) if !self.networks.is_empty() && self.trusts(address.ip()) => {
                (Some(address.ip().to_canonical()), false)
            }
            ClientAddress::UnixSocket if self.has_unix => (None, true),
            other => return other,
        };
        let forwarded = self.walk_elements(&parts.headers, &FORWARDED, parse_forwarded_for, proxy);
        let listed = self.walk_elements(&parts.headers, &X_FORWARDED_FOR, parse_address, proxy);
        let (address, is_known) = match (forwarded, listed) {
            (Some(client), None) | (None, Some(client)) => client,
            (Some(one), Some(other)) if one == other => one,
            (None, None) | (Some(_), Some(_)) => (proxy, false),
        };
        ClientAddress::Forwarded { address, is_known, by_socket }
    }

    /// Walks the elements of a header from right to left, past those of trusted proxies. Returns the first untrusted
    /// address, or the last trusted one if there is no other, and whether it is the client's: it is that of a proxy if
    /// the next element is not an address. Returns `None` if the header is absent.
    fn walk_elements(
        &self,
        headers: &HeaderMap,
        name: &HeaderName,
        read: fn(&[u8]) -> Option<IpAddr>,
        mut last: Option<IpAddr>,
    ) -> Option<(Option<IpAddr>, bool)> {
        headers.get(name)?;
        let values = headers.get_all(name).iter().rev();
        let mut elements = values.flat_map(|value| ElementsFromRight(Some(value.as_bytes())));
        let mut has_address = false;
        for element in elements.by_ref().take(MAX_HOPS) {
            let Some(address) = read(element) else { return Some((last, false)) };
            (last, has_address) = (Some(address), true);
            if !self.trusts(address) {
                return Some((last, true));
            }
        }
        // All are trusted, so the leftmost one has sent the request, unless there are more than are read.
        Some((last, has_address && elements.next().is_none()))
    }
}

/// Checks one entry of [`HttpConfig::trusted_proxies`], which an operator has written.
#[cfg(feature = "settings")]
pub(crate) fn check_trusted_proxy(proxy: &str) -> Result<(), Problem> {
    if proxy == UNIX { Ok(()) } else { Network::parse(proxy).map(drop) }
}

/// A network: all addresses with the same prefix.
#[derive(Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    length: u8,
}

impl Network {
    /// Parses an address, or a network in CIDR notation.
    fn parse(text: &str) -> Result<Network, Problem> {
        let wrong = || checks::invalid_proxy(text, UNIX);
        let (address, length) = text.split_once('/').map_or((text, None), |(address, length)| (address, Some(length)));
        let mut address: IpAddr = address.parse().map_err(|_| wrong())?;
        let bits = address_bits(address);
        let mut length = match length {
            None => bits,
            // `parse` would accept a sign, which is not valid here.
            Some(length) if length.bytes().all(|byte| byte.is_ascii_digit()) => {
                length.parse().ok().filter(|length| *length <= bits).ok_or_else(wrong)?
            }
            Some(_) => return Err(wrong()),
        };
        if address.is_ipv6() && address.to_canonical().is_ipv4() && length >= 96 {
            (address, length) = (address.to_canonical(), length - 96);
        }
        if length == 0 {
            return Err(checks::proxy_of_all_addresses(text));
        }
        let network = Network { address, length };
        let first = network.prefix(address);
        if first != network.number(address) {
            return Err(checks::proxy_with_host_bits(text, length));
        }
        Ok(network)
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4() && self.prefix(address) == self.number(self.address)
    }

    fn number(&self, address: IpAddr) -> u128 {
        match address {
            IpAddr::V4(address) => address.to_bits().into(),
            IpAddr::V6(address) => address.to_bits(),
        }
    }

    fn prefix(&self, address: IpAddr) -> u128 {
        self.number(address) & (u128::MAX << (address_bits(self.address) - self.length))
    }
}

fn address_bits(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// The non-empty elements of a list, from the last to the first. A comma in a quoted string does not end an element.
/// Quotes are counted from the right, where proxies append, so a client cannot hide the elements of proxies behind an
/// unclosed quote.
struct ElementsFromRight<'a>(Option<&'a [u8]>);

impl<'a> Iterator for ElementsFromRight<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let rest = self.0.take()?;
            let mut is_quoted = false;
            let comma = rest.iter().rposition(|byte| {
                is_quoted ^= *byte == b'"';
                *byte == b',' && !is_quoted
            });
            let element = match comma {
                None => rest,
                Some(comma) => {
                    self.0 = Some(&rest[..comma]);
                    &rest[comma + 1..]
                }
            };
            let element = element.trim_ascii();
            if !element.is_empty() {
                return Some(element);
            }
        }
    }
}

/// Reads the `for` parameter of an element of `Forwarded`. It must occur exactly once.
fn parse_forwarded_for(element: &[u8]) -> Option<IpAddr> {
    // Values with escapes are not addresses, and make the ends of other values ambiguous.
    if element.contains(&b'\\') {
        return None;
    }
    let mut is_quoted = false;
    let pairs = element.split(|byte| {
        is_quoted ^= *byte == b'"';
        *byte == b';' && !is_quoted
    });
    let mut values = pairs.filter_map(|pair| {
        let equals = pair.iter().position(|byte| *byte == b'=')?;
        let (name, value) = (pair[..equals].trim_ascii(), pair[equals + 1..].trim_ascii());
        name.eq_ignore_ascii_case(b"for").then_some(value)
    });
    let value = values.next().filter(|_| values.next().is_none())?;
    let unquoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    parse_address(unquoted.unwrap_or(value))
}

/// Parses an address with or without a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`,
/// `[2001:db8::1]:80`. Returns `None` for placeholders (`unknown`, `_hidden`).
fn parse_address(node: &[u8]) -> Option<IpAddr> {
    let node = std::str::from_utf8(node).ok()?;
    let in_brackets = |text: &str| text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok();
    let address = node
        .parse()
        .ok()
        .or_else(|| in_brackets(node).map(IpAddr::V6))
        .or_else(|| node.parse::<SocketAddr>().ok().map(|address| address.ip()))
        // A port may be a name that begins with `_`.
        .or_else(|| {
            let (address, _) = node.rsplit_once(":_")?;
            address.parse().ok().filter(IpAddr::is_ipv4).or_else(|| in_brackets(address).map(IpAddr::V6))
        })?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(texts: &[&str]) -> Result<TrustedProxies, Vec<Problem>> {
        TrustedProxies::new(&HttpConfig::new().trusted_proxies(texts.iter().copied()))
    }

    fn client(proxies: &TrustedProxies, connection: ClientAddress, headers: &[(&str, &str)]) -> ClientAddress {
        let mut request = http::Request::builder();
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        proxies.client(connection, &request.body(()).unwrap().into_parts().0)
    }

    /// Returns the address that a request by a proxy at 10.0.0.1 counts against.
    fn behind(headers: &[(&str, &str)]) -> String {
        let proxies = proxies(&["10.0.0.0/8", "2001:db8::/32"]).unwrap();
        let connection = ClientAddress::Direct("10.0.0.1:4711".parse().unwrap());
        match client(&proxies, connection, headers) {
            ClientAddress::Forwarded { address: Some(address), by_socket: false, .. } => address.to_string(),
            other => panic!("{other:?}"),
        }
    }

    /// Returns the address that handlers see of the client of a proxy at 127.0.0.1.
    fn seen(headers: &[(&str, &str)]) -> Option<String> {
        let proxies = proxies(&["127.0.0.1", "10.0.0.0/8"]).unwrap();
        let connection = ClientAddress::Direct("127.0.0.1:4711".parse().unwrap());
        client(&proxies, connection, headers).address().map(|(address, port)| {
            assert_eq!(port, None);
            address.to_string()
        })
    }

    #[test]
    fn the_address_of_a_proxy_is_never_that_of_the_client() {
        let listed = |value: &str| seen(&[("x-forwarded-for", value)]);
        let forwarded = |value: &str| seen(&[("forwarded", value)]);
        assert_eq!(listed("127.0.0.1, 192.0.2.1").as_deref(), Some("192.0.2.1"));
        assert_eq!(listed("10.0.0.7, 10.0.0.8").as_deref(), Some("10.0.0.7"));
        assert_eq!(forwarded("for=\"[2001:dead::1]:443\"").as_deref(), Some("2001:dead::1"));
        for unknown in ["", " , ,", "unknown", "192.0.2.1, unknown", "192.0.2.1, _hidden, 10.0.0.8", "fe80::1%eth0"] {
            assert_eq!(listed(unknown), None, "{unknown:?}");
        }
        for unknown in ["", "for=unknown", "proto=https", "for=192.0.2.1;for=127.0.0.1", "for=x, for=10.0.0.8"] {
            assert_eq!(forwarded(unknown), None, "{unknown:?}");
        }
        assert_eq!(listed(&["10.0.0.8"; 1000].join(",")), None);
        assert_eq!(listed(&["10.0.0.8"; MAX_HOPS].join(",")).as_deref(), Some("10.0.0.8"));
        // A client sends the header that its proxy does not write, or has its proxy remove the other.
        for both in [("for=unknown", "192.0.2.1"), ("for=127.0.0.1", "192.0.2.1"), ("for=192.0.2.1", "unknown")] {
            assert_eq!(seen(&[("forwarded", both.0), ("x-forwarded-for", both.1)]), None, "{both:?}");
        }
        assert_eq!(seen(&[("forwarded", "for=unknown"), ("x-forwarded-for", "127.0.0.1")]), None);
        assert_eq!(seen(&[]), None);
    }

    #[test]
    fn the_first_untrusted_address_is_the_client() {
        for (value, expected) in [
            ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.9, 192.0.2.1", "192.0.2.1"),
            ("192.0.2.9,192.0.2.1 , 10.1.2.3,\t10.0.0.9", "192.0.2.1"),
            ("192.0.2.1:80", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("[2001:dead::1]:443", "2001:dead::1"),
            ("2001:dead::1", "2001:dead::1"),
            (" ,, 192.0.2.1,, ", "192.0.2.1"),
            ("192.0.2.1, ::ffff:10.0.0.9, 2001:db8::5", "192.0.2.1"),
            // If all elements are trusted, the client is the leftmost one.
            ("10.0.0.7, 10.0.0.8", "10.0.0.7"),
            // An element that is not an address counts as the proxy that forwarded it.
            ("", "10.0.0.1"),
            ("unknown", "10.0.0.1"),
            ("192.0.2.1, unknown", "10.0.0.1"),
            ("192.0.2.1, _hidden, 10.0.0.8", "10.0.0.8"),
            ("192.0.2.256", "10.0.0.1"),
            ("192.0.2.1:99999", "10.0.0.1"),
            ("fe80::1%eth0", "10.0.0.1"),
        ] {
            assert_eq!(behind(&[("x-forwarded-for", value)]), expected, "{value:?}");
        }
        for (value, expected) in [
            ("for=192.0.2.1", "192.0.2.1"),
            ("For=\"192.0.2.1:4711\";proto=https;by=10.0.0.1", "192.0.2.1"),
            ("for=\"192.0.2.1:_port\"", "192.0.2.1"),
            ("for=\"[2001:dead::1]:_port\"", "2001:dead::1"),
            ("by=10.0.0.1; for = \"[2001:dead::1]\" ;proto=http", "2001:dead::1"),
            ("for=192.0.2.9, for=192.0.2.1;host=\"a,b;for=192.0.2.7\", for=10.0.0.8", "192.0.2.1"),
            // An unclosed quote of a client does not hide the elements of a proxy.
            ("for=\"192.0.2.9, for=192.0.2.1", "192.0.2.1"),
            ("for=192.0.2.9;x=\"\\\", for=192.0.2.1", "192.0.2.1"),
            ("for=unknown", "10.0.0.1"),
            ("for=\"_hidden\"", "10.0.0.1"),
            ("proto=https", "10.0.0.1"),
            ("for=192.0.2.1;for=192.0.2.2", "10.0.0.1"),
            ("for=192.0.2.1;host=\"a\\\"b\"", "10.0.0.1"),
            ("192.0.2.1", "10.0.0.1"),
        ] {
            assert_eq!(behind(&[("forwarded", value)]), expected, "{value:?}");
        }
    }

    #[test]
    fn contradictory_forwarding_headers_are_ignored() {
        assert_eq!(behind(&[]), "10.0.0.1");
        let both = |forwarded, listed| behind(&[("forwarded", forwarded), ("x-forwarded-for", listed)]);
        assert_eq!(both("for=192.0.2.1", "192.0.2.9, 192.0.2.1, 10.0.0.8"), "192.0.2.1");
        assert_eq!(both("for=192.0.2.1", "192.0.2.2"), "10.0.0.1");
        assert_eq!(both("for=unknown", "192.0.2.2"), "10.0.0.1");
        // Several header fields form one list.
        assert_eq!(behind(&[("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", "192.0.2.2")]), "192.0.2.2");
        assert_eq!(behind(&[("x-forwarded-for", "192.0.2.1"), ("x-forwarded-for", "10.0.0.8")]), "192.0.2.1");
        let long = ["10.0.0.8"; 1000].join(",");
        assert_eq!(behind(&[("x-forwarded-for", &format!("192.0.2.1,{long}"))]), "10.0.0.8");
    }

    #[test]
    fn forwarding_headers_of_untrusted_peers_are_ignored() {
        let headers = [("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=192.0.2.1")];
        let at = |address: &str| ClientAddress::Direct(address.parse().unwrap());
        let key = |proxies: &TrustedProxies, connection| Peer::new(None, client(proxies, connection, &headers));
        let address = |text: &str| Some(Peer::Address(text.parse().unwrap()));
        let none = proxies(&[]).unwrap();
        assert_eq!(key(&none, at("127.0.0.1:1")), None);
        assert_eq!(key(&none, at("[::ffff:127.0.0.1]:1")), None);
        assert_eq!(key(&none, at("[::1]:1")), None);
        assert_eq!(key(&none, ClientAddress::UnixSocket), None);
        assert_eq!(key(&none, ClientAddress::Unknown), None);
        assert_eq!(key(&none, at("198.51.100.1:1")), address("198.51.100.1"));
        let some = proxies(&["127.0.0.1", "::1", "unix"]).unwrap();
        assert_eq!(key(&some, at("127.0.0.1:1")), address("192.0.2.1"));
        assert_eq!(key(&some, at("[::ffff:127.0.0.1]:1")), address("192.0.2.1"));
        assert_eq!(key(&some, at("[::1]:1")), address("192.0.2.1"));
        assert_eq!(key(&some, at("127.0.0.2:1")), None);
        assert_eq!(key(&some, ClientAddress::UnixSocket), address("192.0.2.1"));
        assert_eq!(key(&some, at("198.51.100.1:1")), address("198.51.100.1"));
        assert_eq!(Peer::new(None, client(&some, ClientAddress::UnixSocket, &[])), Some(Peer::Socket));
    }

    #[test]
    fn an_ipv6_client_counts_as_its_network() {
        let of = |text: &str| Peer::from_address(text.parse().unwrap());
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:2::"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:3::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
        let principal = |id| Peer::new(Some(&Arc::new(Principal::new(id))), ClientAddress::Unknown);
        assert_eq!(principal("ada"), principal("ada"));
        assert_ne!(principal("ada"), principal("bob"));
        assert_ne!(principal("192.0.2.1"), Some(of("192.0.2.1")));
    }

    #[test]
    fn an_embedding_server_can_supply_the_address() {
        let mut request = http::Request::new(());
        request.extensions_mut().insert::<SocketAddr>("[2001:dead::1]:80".parse().unwrap());
        let parts = request.into_parts().0;
        let client = proxies(&[]).unwrap().client(ClientAddress::Unknown, &parts);
        assert_eq!(Peer::new(None, client), Some(Peer::Address("2001:dead::".parse().unwrap())));
    }

    #[test]
    fn a_network_contains_exactly_its_addresses() {
        let network = |text| Network::parse(text);
        for (text, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"),
            ("192.0.2.0/31", "192.0.2.1", "192.0.2.2"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::1", "::1", "::2"),
            ("::ffff:10.0.0.0/104", "10.1.2.3", "11.0.0.0"),
            ("fe80::/10", "febf::1", "fec0::1"),
        ] {
            let network = network(text).unwrap();
            assert!(network.contains(inside.parse().unwrap()), "{text}");
            assert!(!network.contains(outside.parse().unwrap()), "{text}");
        }
        for text in ["", "localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/+8", "10.0.0", "::/129", "10.0.0.1:80", "*"]
        {
            assert!(network(text).unwrap_err().fix().contains("write an address or a network"), "{text}");
        }
        for text in ["0.0.0.0/0", "::/0", "::ffff:0.0.0.0/96"] {
            assert!(network(text).unwrap_err().text().contains("every address"), "{text}");
        }
        assert!(network("10.0.0.1/8").unwrap_err().text().contains("bits beyond its first 8"));
        assert_eq!(proxies(&["x", "y", "unix"]).unwrap_err().len(), 2);
    }
}
