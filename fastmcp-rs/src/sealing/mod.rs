//! Data that a client carries for the server between two requests, sealed.
//!
//! These are the state of a call between its rounds (`state.rs`), and the session of a legacy client in its id
//! (`session.rs`). An operator who passes the same keys (`key.rs`) to several processes lets each of them open the data
//! of the others.
//!
//! The text comes back from a client, which may be an attacker: it is encrypted and authenticated, bound to the caller,
//! the call and its arguments, and expires. Nothing of it is read before all of that is verified, and every fault gives
//! the same response.
//!
//! Each text has a key of its own, derived from a key of the ring and random bytes, so that keys may be used for any
//! time: 192 random bits do not repeat, which the 96 bits of AES-GCM alone might.
//!
//! The room knows no call and no connection: its callers pass the values that a text is bound to (`binding.rs`).

mod binding;
mod key;
#[cfg(feature = "http")]
mod session;
mod state;

use std::fmt;
use std::sync::OnceLock;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use binding::AssociatedData;
#[cfg(fuzzing)]
pub(crate) use binding::check_digest;
pub(crate) use binding::{Binding, digest, digest_of_json};
pub use key::SealingKey;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};
#[cfg(feature = "http")]
pub(crate) use session::{CarriedSession, SessionBinding};
pub(crate) use state::RequestState;
#[cfg(feature = "http")]
pub(crate) use state::milliseconds;

/// The default limit of a sealed text, in bytes: a client has to carry it, and the server decodes texts of strangers.
pub(crate) const DEFAULT_MAX_TEXT: usize = 512 << 10;
/// The minimum limit of [`Sealer::set_max_text`], in bytes.
pub(crate) const MIN_MAX_TEXT: usize = 1024;

const VERSION: u8 = 1;
const ID_LENGTH: usize = 4;
const SALT_LENGTH: usize = 12;
const NONCE_LENGTH: usize = 12;
const TAG_LENGTH: usize = 16;
/// The offset of the ciphertext: it follows the version, the key's id, the salt and the nonce.
const HEADER_LENGTH: usize = 1 + ID_LENGTH + SALT_LENGTH + NONCE_LENGTH;

/// The reason that nothing could be sealed. It is for the operator, not for the client.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealError {
    #[error("the sealed text would have {length} bytes; the limit is {limit} bytes")]
    TooLong { length: usize, limit: usize },
    #[error("the system's random number generator failed")]
    NoRandomNumbers,
}

/// Seals and opens with a ring of keys: the first key seals, and each key opens.
pub(crate) struct Sealer {
    purpose: Purpose,
    keys: Vec<RingKey>,
    /// A key of this process alone, if no key was configured. It is made on first use.
    own: OnceLock<RingKey>,
    random: SystemRandom,
    /// The maximum length of a text to seal or open, in bytes.
    max_text: usize,
}

struct RingKey {
    id: [u8; ID_LENGTH],
    secret: hmac::Key,
}

/// The purpose of a sealed text. A text that is sealed for one purpose opens for no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    RequestState,
    #[cfg(feature = "http")]
    SessionId,
}

impl Purpose {
    /// Returns the labels from which the id of a key and its secret are derived.
    const fn labels(self) -> [&'static str; 2] {
        match self {
            Purpose::RequestState => ["fastmcp-rs request state: key id", "fastmcp-rs request state: secret"],
            #[cfg(feature = "http")]
            Purpose::SessionId => ["fastmcp-rs session id: key id", "fastmcp-rs session id: secret"],
        }
    }
}

impl RingKey {
    fn new(key: &SealingKey, purpose: Purpose) -> RingKey {
        // The keys of the ring are used only to derive others, each for one purpose.
        let master = hmac::Key::new(hmac::HMAC_SHA256, key.bytes());
        let [id_label, secret_label] = purpose.labels();
        let mut id = [0; ID_LENGTH];
        id.copy_from_slice(&hmac::sign(&master, id_label.as_bytes()).as_ref()[..ID_LENGTH]);
        let secret = hmac::sign(&master, secret_label.as_bytes());
        RingKey { id, secret: hmac::Key::new(hmac::HMAC_SHA256, secret.as_ref()) }
    }

    /// Derives the key of one text.
    fn derive(&self, salt: &[u8]) -> Option<LessSafeKey> {
        let key = hmac::sign(&self.secret, salt);
        UnboundKey::new(&AES_256_GCM, key.as_ref()).ok().map(LessSafeKey::new)
    }
}

impl Sealer {
    /// Creates a sealer with these keys. Without any key it makes its own, and no other process can open its texts.
    pub(crate) fn new(keys: &[SealingKey]) -> Sealer {
        Sealer::for_purpose(Purpose::RequestState, keys, DEFAULT_MAX_TEXT)
    }

    fn for_purpose(purpose: Purpose, keys: &[SealingKey], max_text: usize) -> Sealer {
        let keys = keys.iter().map(|key| RingKey::new(key, purpose)).collect();
        Sealer { purpose, keys, own: OnceLock::new(), random: SystemRandom::new(), max_text }
    }

    /// Sets the maximum length of a text to seal or open, in bytes; at least [`MIN_MAX_TEXT`].
    pub(crate) fn set_max_text(&mut self, bytes: usize) {
        self.max_text = bytes.max(MIN_MAX_TEXT);
    }

    /// Seals bytes to be opened with the same binding.
    ///
    /// # Errors
    ///
    /// See [`SealError`].
    pub(crate) fn seal(&self, plaintext: &[u8], binding: &impl AssociatedData) -> Result<String, SealError> {
        let length = text_length(plaintext.len());
        if length > self.max_text {
            return Err(SealError::TooLong { length, limit: self.max_text });
        }
        let key = self.sealing_key()?;
        let mut header = [0; HEADER_LENGTH];
        header[0] = VERSION;
        header[1..][..ID_LENGTH].copy_from_slice(&key.id);
        self.random.fill(&mut header[1 + ID_LENGTH..]).map_err(|_| SealError::NoRandomNumbers)?;
        let (salt, nonce) = salt_and_nonce(&header);
        let mut text = plaintext.to_vec();
        key.derive(salt)
            .and_then(|key| key.seal_in_place_append_tag(nonce?, associated_data(&header, binding), &mut text).ok())
            .ok_or(SealError::NoRandomNumbers)?;
        let mut sealed = header.to_vec();
        sealed.append(&mut text);
        Ok(BASE64_URL_SAFE_NO_PAD.encode(sealed))
    }

    /// Returns the bytes that were sealed with this binding and one of the keys. All failures return the same `None`.
    pub(crate) fn open(&self, text: &str, binding: &impl AssociatedData) -> Option<Vec<u8>> {
        if text.len() > self.max_text {
            return None;
        }
        let mut sealed = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        if sealed.len() < HEADER_LENGTH + TAG_LENGTH || sealed[0] != VERSION {
            return None;
        }
        let mut text = sealed.split_off(HEADER_LENGTH);
        let key = self.keys.iter().chain(self.own.get()).find(|key| key.id == sealed[1..][..ID_LENGTH])?;
        let (salt, nonce) = salt_and_nonce(&sealed);
        let length = key.derive(salt)?.open_in_place(nonce?, associated_data(&sealed, binding), &mut text).ok()?.len();
        text.truncate(length);
        Some(text)
    }

    fn sealing_key(&self) -> Result<&RingKey, SealError> {
        match self.keys.first().or_else(|| self.own.get()) {
            Some(key) => Ok(key),
            None => {
                let key = SealingKey::random(&self.random).ok_or(SealError::NoRandomNumbers)?;
                Ok(self.own.get_or_init(|| RingKey::new(&key, self.purpose)))
            }
        }
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Sealer").field("keys", &self.keys.len()).finish_non_exhaustive()
    }
}

/// Returns the length of the sealed text for a number of bytes; it is Base64 without padding.
fn text_length(plaintext: usize) -> usize {
    let sealed = plaintext.saturating_add(HEADER_LENGTH + TAG_LENGTH);
    (sealed / 3).saturating_mul(4).saturating_add((sealed % 3 * 4).div_ceil(3))
}

fn salt_and_nonce(header: &[u8]) -> (&[u8], Option<Nonce>) {
    let (salt, nonce) = header[1 + ID_LENGTH..].split_at(SALT_LENGTH);
    (salt, Nonce::try_assume_unique_for_key(nonce).ok())
}

/// Returns the authenticated data beside the text: the header, and the binding of the text.
fn associated_data(header: &[u8], binding: &impl AssociatedData) -> Aad<Vec<u8>> {
    let mut bytes = header.to_vec();
    binding.write(&mut bytes);
    Aad::from(bytes)
}

/// Returns a random text of 22 characters that cannot be guessed.
///
/// # Errors
///
/// [`SealError::NoRandomNumbers`].
pub(crate) fn random_id() -> Result<String, SealError> {
    let mut bytes = [0; 16];
    SystemRandom::new().fill(&mut bytes).map_err(|_| SealError::NoRandomNumbers)?;
    Ok(BASE64_URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The maximum number of bytes that fit by default.
    const MAX_PLAINTEXT: usize = DEFAULT_MAX_TEXT / 4 * 3 - HEADER_LENGTH - TAG_LENGTH;

    fn key(byte: u8) -> SealingKey {
        SealingKey::new([byte; 32])
    }

    fn binding<'a>() -> Binding<'a> {
        let arguments = digest_of_json("{}");
        Binding { server: "shop", principal: Some("ada"), method: "tools/call", component: "pay", arguments }
    }

    #[test]
    fn sealed_data_can_be_opened() {
        let sealer = Sealer::new(&[key(1)]);
        for plaintext in [&b""[..], b"hello", &vec![7; MAX_PLAINTEXT]] {
            let text = sealer.seal(plaintext, &binding()).unwrap();
            assert_eq!(text.len(), text_length(plaintext.len()));
            assert!(text.len() <= DEFAULT_MAX_TEXT, "{}", text.len());
            assert_eq!(sealer.open(&text, &binding()).as_deref(), Some(plaintext));
            assert_ne!(sealer.seal(plaintext, &binding()).unwrap(), text, "texts differ even if their contents do not");
        }
        let too_long = SealError::TooLong { length: DEFAULT_MAX_TEXT + 2, limit: DEFAULT_MAX_TEXT };
        assert_eq!(sealer.seal(&vec![0; MAX_PLAINTEXT + 1], &binding()), Err(too_long));
        let text = sealer.seal(b"an unlikely text", &binding()).unwrap();
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&text).unwrap();
        assert!(!bytes.windows(8).any(|window| window == b"unlikely"), "it is encrypted");
    }

    #[test]
    fn every_changed_byte_is_detected() {
        let sealer = Sealer::new(&[key(1)]);
        let text = sealer.seal(b"hello", &binding()).unwrap();
        let sealed = BASE64_URL_SAFE_NO_PAD.decode(&text).unwrap();
        assert_eq!(sealed[0], VERSION);
        for at in 0..sealed.len() {
            for bit in 0..8 {
                let mut forged = sealed.clone();
                forged[at] ^= 1 << bit;
                let forged = BASE64_URL_SAFE_NO_PAD.encode(forged);
                assert_eq!(sealer.open(&forged, &binding()), None, "byte {at}, bit {bit}");
            }
        }
        for length in 0..sealed.len() {
            let cut = BASE64_URL_SAFE_NO_PAD.encode(&sealed[..length]);
            assert_eq!(sealer.open(&cut, &binding()), None, "{length} bytes");
        }
        let longer = BASE64_URL_SAFE_NO_PAD.encode([&sealed[..], &[0]].concat());
        for other in [longer, format!("{text}="), format!("{text} "), String::new(), "ü".into(), "A".repeat(100)] {
            assert_eq!(sealer.open(&other, &binding()), None, "{other}");
        }
    }

    #[test]
    fn sealed_data_opens_only_in_its_own_context() {
        let sealer = Sealer::new(&[key(1)]);
        let text = sealer.seal(b"hello", &binding()).unwrap();
        let arguments = digest_of_json(r#"{"a":1}"#);
        for other in [
            Binding { server: "shop2", ..binding() },
            Binding { server: "", ..binding() },
            Binding { server: "shopada", principal: Some(""), ..binding() },
            Binding { principal: Some("bob"), ..binding() },
            Binding { principal: Some(""), ..binding() },
            Binding { principal: None, ..binding() },
            Binding { method: "prompts/get", ..binding() },
            Binding { component: "refund", ..binding() },
            // The same letters, split at another place.
            Binding { method: "tools/callp", component: "ay", ..binding() },
            Binding { principal: Some("adatools"), method: "/call", ..binding() },
            Binding { arguments, ..binding() },
        ] {
            assert_eq!(sealer.open(&text, &other), None, "{other:?}");
        }
        let nobody = Binding { principal: None, ..binding() };
        let text = sealer.seal(b"hello", &nobody).unwrap();
        assert_eq!(sealer.open(&text, &Binding { principal: Some(""), ..binding() }), None);
        assert_eq!(sealer.open(&text, &nobody).as_deref(), Some(&b"hello"[..]));
    }

    #[test]
    fn keys_can_be_rotated() {
        let before = Sealer::new(&[key(1)]);
        let between = Sealer::new(&[key(2), key(1)]);
        let after = Sealer::new(&[key(2)]);
        let old = before.seal(b"old", &binding()).unwrap();
        let new = between.seal(b"new", &binding()).unwrap();
        assert_eq!(between.open(&old, &binding()).as_deref(), Some(&b"old"[..]));
        assert_eq!(after.open(&new, &binding()).as_deref(), Some(&b"new"[..]), "another process with the key");
        assert_eq!(after.open(&old, &binding()), None);
        assert_eq!(before.open(&new, &binding()), None);
    }

    #[test]
    fn a_process_without_keys_generates_its_own() {
        let (one, other) = (Sealer::new(&[]), Sealer::new(&[]));
        assert_eq!(one.open("", &binding()), None);
        let text = one.seal(b"hello", &binding()).unwrap();
        assert_eq!(one.open(&text, &binding()).as_deref(), Some(&b"hello"[..]));
        assert_eq!(other.open(&text, &binding()), None);
        other.seal(b"hello", &binding()).unwrap();
        assert_eq!(other.open(&text, &binding()), None);
    }

    #[test]
    fn data_too_long_or_of_another_version_is_refused() {
        let sealer = Sealer::new(&[key(1)]);
        assert_eq!(sealer.open(&"A".repeat(DEFAULT_MAX_TEXT + 1), &binding()), None);
        assert_eq!(sealer.open(&"A".repeat(1 << 20), &binding()), None);
        let text = sealer.seal(b"hello", &binding()).unwrap();
        let mut sealed = BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
        for version in (0..=u8::MAX).filter(|version| *version != VERSION) {
            sealed[0] = version;
            assert_eq!(sealer.open(&BASE64_URL_SAFE_NO_PAD.encode(&sealed), &binding()), None);
        }
    }

    #[test]
    fn ids_are_unique() {
        let ids: std::collections::BTreeSet<String> = (0..100).map(|_| random_id().unwrap()).collect();
        assert_eq!(ids.len(), 100);
        assert!(ids.iter().all(|id| id.len() == 22));
    }
}
