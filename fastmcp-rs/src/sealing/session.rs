//! Seals the session of a legacy client into its id, so that other processes can restore it.
//!
//! The id contains the agreements of `initialize`, and nothing that changed later. Each part is bounded, because every
//! request carries the id.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::binding::write_parts;
use super::state::milliseconds;
use super::{AssociatedData, Purpose, SealError, Sealer, SealingKey};
use crate::json::object::{self, MemberMap};
use crate::protocol::client_facts::ClientDeclaration;
use crate::protocol::{Feature, Revision};

/// The maximum length of an id in bytes.
const MAX_ID: usize = 2 << 10;
/// The longest name and the longest title of a client that an id holds, in bytes of JSON; the rest is cut off.
const MAX_NAME: usize = 256;
/// The maximum length of the client version that an id holds, in bytes of JSON.
const MAX_VERSION: usize = 128;
/// The maximum length of capabilities that an id holds unchanged, in bytes of JSON. Longer ones are reduced to
/// [`REQUEST_CAPABILITIES`].
const MAX_CAPABILITIES: usize = 768;
/// The maximum time by which the clock of the process that issued an id may be ahead of this one.
const MAX_SKEW: Duration = Duration::from_secs(60);
/// The version of the sealed bytes, which is the first of them.
const FORMAT: u8 = 1;
/// The members of [`ClientInfo`](crate::context::ClientInfo) and the longest text of each.
const INFO: [(&str, usize); 3] = [("name", MAX_NAME), ("version", MAX_VERSION), ("title", MAX_NAME)];
/// The capabilities that decide which requests a client can get, and the parts of each.
const REQUEST_CAPABILITIES: [(&str, &[&str]); 3] =
    [("elicitation", &["form", "url"]), ("sampling", &["tools", "context"]), ("roots", &[])];

/// The session that an id carries.
#[derive(Debug)]
pub(crate) struct CarriedSession {
    pub(crate) revision: Revision,
    pub(crate) client: ClientDeclaration,
    /// The time of issue, in milliseconds since 1970.
    issued: u64,
    /// The lifetime in milliseconds.
    lifetime: u64,
}

/// The associated data of an id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionBinding<'a> {
    /// The name of the server.
    pub(crate) server: &'a str,
    /// The path that the server is configured with.
    pub(crate) configured_path: &'a str,
    /// The path of the request, which differs from the configured one inside another server.
    pub(crate) path: &'a str,
    /// The id of the principal that owns the session, if the server authenticates its clients.
    pub(crate) principal: Option<&'a str>,
}

impl AssociatedData for SessionBinding<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        let parts = [self.server.as_bytes(), self.configured_path.as_bytes(), self.path.as_bytes()];
        write_parts(out, self.principal, &parts);
    }
}

impl Sealer {
    /// Creates a sealer of session ids.
    pub(crate) fn for_sessions(keys: &[SealingKey]) -> Sealer {
        Sealer::for_purpose(Purpose::SessionId, keys, MAX_ID)
    }

    /// Seals a session. The sealed text is the id of the session.
    ///
    /// # Errors
    ///
    /// See [`SealError`].
    pub(crate) fn seal_session(
        &self,
        session: &CarriedSession,
        binding: &SessionBinding<'_>,
    ) -> Result<String, SealError> {
        self.seal(&session.to_bytes(), binding)
    }

    /// Returns the session that an id carries, if it was sealed for this binding. Its lifetime may have ended.
    pub(crate) fn open_session(&self, id: &str, binding: &SessionBinding<'_>) -> Option<CarriedSession> {
        CarriedSession::from_bytes(&self.open(id, binding)?)
    }
}

impl CarriedSession {
    /// Creates a session that begins now, with as much of its client's description as an id holds.
    pub(crate) fn new(
        revision: Revision,
        client: &ClientDeclaration,
        lifetime: Duration,
        now: SystemTime,
    ) -> CarriedSession {
        let info = client.info.as_deref().and_then(bounded_info);
        let capabilities = client.capabilities.as_deref().map(bounded_capabilities);
        CarriedSession {
            revision,
            client: ClientDeclaration { info, capabilities },
            issued: milliseconds(now),
            lifetime: u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// Returns the end of the lifetime, in milliseconds since 1970; `None` if it has ended or not begun. `limit` is the
    /// lifetime that this process allows, which may be shorter than that of the process that issued the id.
    pub(crate) fn expires(&self, limit: Duration, now: SystemTime) -> Option<u64> {
        let limit = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        let expires = self.issued.saturating_add(self.lifetime.min(limit));
        let now = milliseconds(now);
        let skew = self.issued.saturating_sub(now);
        (u128::from(skew) <= MAX_SKEW.as_millis() && now < expires).then_some(expires)
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![FORMAT];
        bytes.extend_from_slice(&self.issued.to_le_bytes());
        bytes.extend_from_slice(&self.lifetime.to_le_bytes());
        let texts = [Some(self.revision.as_str()), self.client.info.as_deref(), self.client.capabilities.as_deref()];
        for text in texts {
            // Zero represents an absent text.
            let length = text.map_or(0, |text| u16::try_from(text.len() + 1).unwrap_or(u16::MAX));
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(text.unwrap_or_default().as_bytes());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<CarriedSession> {
        let mut rest = bytes;
        let [FORMAT] = *take_array(&mut rest)? else { return None };
        let (issued, lifetime) =
            (u64::from_le_bytes(*take_array(&mut rest)?), u64::from_le_bytes(*take_array(&mut rest)?));
        let (revision, info, capabilities) = (take_text(&mut rest)?, take_text(&mut rest)?, take_text(&mut rest)?);
        let revision =
            Revision::parse(revision?).filter(|revision| revision.has(Feature::Sessions) && rest.is_empty())?;
        let client = ClientDeclaration { info: info.map(Into::into), capabilities: capabilities.map(Into::into) };
        Some(CarriedSession { revision, client, issued, lifetime })
    }
}

fn take_array<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (first, others) = rest.split_first_chunk()?;
    *rest = others;
    Some(first)
}

/// Reads a text that may be absent; `None` if it is malformed.
fn take_text<'a>(rest: &mut &'a [u8]) -> Option<Option<&'a str>> {
    let length = u16::from_le_bytes(*take_array(rest)?);
    let Some(length) = length.checked_sub(1) else { return Some(None) };
    let (text, others) = rest.split_at_checked(length.into())?;
    *rest = others;
    std::str::from_utf8(text).ok().map(Some)
}

/// Returns the name, the version and the title of a client, each within its limit; `None` if all are absent.
fn bounded_info(info: &str) -> Option<Box<str>> {
    let MemberMap(members) = object::read_members(info).ok()?;
    let text = |name: &str| serde_json::from_str::<String>(members.get(name)?).ok();
    let mut kept = Map::new();
    for (name, limit) in INFO {
        if let Some(text) = text(name) {
            kept.insert(name.into(), cut(&text, limit).into());
        }
    }
    (!kept.is_empty()).then(|| Value::from(kept).to_string().into())
}

/// Returns the longest prefix of a text whose JSON has at most `limit` bytes, apart from the quotes.
fn cut(text: &str, limit: usize) -> &str {
    let mut left = limit;
    let end = text.char_indices().find(|(_, character)| {
        let size = match character {
            '"' | '\\' => 2,
            '\0'..='\x1f' => 6,
            other => other.len_utf8(),
        };
        let fits = size <= left;
        left = left.saturating_sub(size);
        !fits
    });
    end.map_or(text, |(at, _)| &text[..at])
}

/// Returns short capabilities unchanged, and reduces longer ones to [`REQUEST_CAPABILITIES`].
fn bounded_capabilities(capabilities: &str) -> Box<str> {
    if capabilities.len() <= MAX_CAPABILITIES {
        return capabilities.into();
    }
    let MemberMap(members) = object::read_members(capabilities).unwrap_or_default();
    let mut kept = Map::new();
    for (name, parts) in REQUEST_CAPABILITIES {
        let Some(MemberMap(members)) = members.get(name).and_then(|text| object::read_members(text).ok()) else {
            continue;
        };
        // A part that is not an object is not declared, but a client that names parts declares no others by default.
        let part = |text: &String| if text.starts_with('{') { Map::new().into() } else { Value::Bool(false) };
        let parts = parts.iter().filter_map(|name| Some(((*name).to_owned(), part(members.get(*name)?))));
        kept.insert(name.into(), parts.collect::<Map<_, _>>().into());
    }
    Value::from(kept).to_string().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sealing::{Binding, digest_of_json};

    const DAY: Duration = Duration::from_secs(86_400);

    fn keys() -> [SealingKey; 1] {
        [SealingKey::new([7; 32])]
    }

    fn binding() -> SessionBinding<'static> {
        SessionBinding { server: "shop", configured_path: "/mcp", path: "/mcp", principal: Some("ada") }
    }

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_785_000_000)
    }

    fn facts(info: &str, capabilities: &str) -> ClientDeclaration {
        ClientDeclaration { info: Some(info.into()), capabilities: Some(capabilities.into()) }
    }

    fn carried(client: &ClientDeclaration) -> CarriedSession {
        CarriedSession::new(Revision::V2025_11_25, client, DAY, now())
    }

    #[test]
    fn a_session_id_restores_the_negotiated_session() {
        let sealer = Sealer::for_sessions(&keys());
        let client =
            facts(r#"{"name":"Zoë","version":"1.2","title":"Z","icons":[]}"#, r#"{"elicitation": {"url":{}}}"#);
        let id = sealer.seal_session(&carried(&client), &binding()).unwrap();
        assert!(id.bytes().all(|byte| byte.is_ascii_graphic()), "{id}");
        let opened = sealer.open_session(&id, &binding()).unwrap();
        assert_eq!(opened.revision, Revision::V2025_11_25);
        assert_eq!(opened.client.info.as_deref(), Some(r#"{"name":"Zoë","version":"1.2","title":"Z"}"#));
        assert_eq!(opened.client.capabilities, client.capabilities);
        let silent = carried(&ClientDeclaration::default());
        let opened = sealer.open_session(&sealer.seal_session(&silent, &binding()).unwrap(), &binding()).unwrap();
        assert_eq!((opened.client.info, opened.client.capabilities), (None, None));
    }

    #[test]
    fn a_session_id_is_bounded_for_every_client() {
        let sealer = Sealer::for_sessions(&keys());
        for text in ["x", "\0", "\"", "é", "\u{10ffff}", "\\", "\u{7f}"] {
            let long = text.repeat(10_000);
            let info = serde_json::json!({ "name": long, "version": long, "title": long });
            let capabilities = format!(r#"{{"{}":{{}}}}"#, "y".repeat(MAX_CAPABILITIES - 7));
            let id = sealer.seal_session(&carried(&facts(&info.to_string(), &capabilities)), &binding()).unwrap();
            assert!(id.len() <= MAX_ID, "{} bytes for {text:?}", id.len());
            let opened = sealer.open_session(&id, &binding()).unwrap();
            let info: Value = serde_json::from_str(opened.client.info.as_deref().unwrap()).unwrap();
            let name = info["name"].as_str().unwrap();
            assert!(long.starts_with(name) && name.len() >= MAX_NAME / 6 - 4, "{name:?}");
        }
    }

    #[test]
    fn long_capabilities_are_reduced_to_those_of_client_requests() {
        let other = format!(r#""experimental":{{"x":"{}"}}"#, "y".repeat(MAX_CAPABILITIES));
        for (said, kept) in [
            (r#""elicitation":{"form":{"a":1},"url":{}}"#, r#"{"elicitation":{"form":{},"url":{}}}"#),
            (r#""elicitation":{}"#, r#"{"elicitation":{}}"#),
            (r#""elicitation":{"form":true}"#, r#"{"elicitation":{"form":false}}"#),
            (r#""elicitation":true,"roots":{"listChanged":true}"#, r#"{"roots":{}}"#),
            (r#""sampling":{"tools":{},"context":1}"#, r#"{"sampling":{"tools":{},"context":false}}"#),
        ] {
            assert_eq!(&*bounded_capabilities(&format!("{{{said},{other}}}")), kept);
            let short = format!("{{{said}}}");
            assert_eq!(&*bounded_capabilities(&short), short);
        }
        assert_eq!(&*bounded_capabilities(&format!("[{}]", " ".repeat(MAX_CAPABILITIES))), "{}");
    }

    #[test]
    fn an_id_opens_only_for_its_own_binding() {
        let sealer = Sealer::for_sessions(&keys());
        let id = sealer.seal_session(&carried(&ClientDeclaration::default()), &binding()).unwrap();
        for other in [
            SessionBinding { server: "shop2", ..binding() },
            SessionBinding { configured_path: "/", ..binding() },
            SessionBinding { path: "/other", ..binding() },
            SessionBinding { configured_path: "/mcp/m", path: "cp", ..binding() },
            SessionBinding { principal: Some("eve"), ..binding() },
            SessionBinding { principal: None, ..binding() },
        ] {
            assert!(sealer.open_session(&id, &other).is_none(), "{other:?}");
        }
        let bound = Binding {
            server: "shop",
            principal: Some("ada"),
            method: "/mcp",
            component: "/mcp",
            arguments: digest_of_json("{}"),
        };
        let states = Sealer::new(&keys());
        assert!(states.open(&id, &binding()).is_none() && states.open(&id, &bound).is_none());
        let state = states.seal(&carried(&ClientDeclaration::default()).to_bytes(), &binding()).unwrap();
        assert!(sealer.open_session(&state, &binding()).is_none());
    }

    #[test]
    fn an_id_has_one_spelling() {
        let sealer = Sealer::for_sessions(&keys());
        for extra in 0..3 {
            let client = facts(&format!(r#"{{"name":"{}"}}"#, "n".repeat(extra)), "{}");
            let id = sealer.seal_session(&carried(&client), &binding()).unwrap();
            for at in 0..id.len() {
                for bit in 0..7 {
                    let mut forged = id.clone().into_bytes();
                    forged[at] ^= 1 << bit;
                    let forged = String::from_utf8(forged).unwrap();
                    assert!(sealer.open_session(&forged, &binding()).is_none(), "byte {at}, bit {bit}");
                }
            }
            for length in 0..id.len() {
                assert!(sealer.open_session(&id[..length], &binding()).is_none());
            }
            assert!(sealer.open_session(&format!("{id}="), &binding()).is_none());
        }
        assert!(sealer.open_session(&"A".repeat(MAX_ID + 1), &binding()).is_none());
    }

    #[test]
    fn a_lifetime_is_absolute_and_the_shorter_one_counts() {
        let session = carried(&ClientDeclaration::default());
        let second = Duration::from_secs(1);
        assert!(session.expires(DAY, now()).is_some());
        assert!(session.expires(DAY, now() + DAY - second).is_some());
        assert!(session.expires(DAY, now() + DAY).is_none());
        assert!(session.expires(DAY * 2, now() + DAY).is_none(), "the lifetime that was sealed");
        assert!(session.expires(DAY / 2, now() + DAY / 2).is_none(), "the lifetime of this process");
        assert!(session.expires(DAY, now() - MAX_SKEW).is_some(), "clocks differ a little");
        assert!(session.expires(DAY, now() - MAX_SKEW - second).is_none());
    }

    #[test]
    fn text_that_is_not_a_session_is_refused() {
        let good = carried(&facts("{}", "{}")).to_bytes();
        assert!(CarriedSession::from_bytes(&good).is_some());
        for length in 0..good.len() {
            assert!(CarriedSession::from_bytes(&good[..length]).is_none(), "{length} bytes");
        }
        assert!(CarriedSession::from_bytes(&[&good[..], &[0]].concat()).is_none());
        let mut other = good.clone();
        other[0] = FORMAT + 1;
        assert!(CarriedSession::from_bytes(&other).is_none());
        let modern = CarriedSession { revision: Revision::V2026_07_28, ..carried(&ClientDeclaration::default()) };
        assert!(CarriedSession::from_bytes(&modern.to_bytes()).is_none());
    }
}
