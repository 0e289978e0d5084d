//! The keys that an operator passes to every process of a service.

use std::fmt;

use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{Engine as _, alphabet};
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::checks::problem::Problem;
use crate::error::Error;

const LENGTH: usize = 32;

/// A secret key that seals the state which a client carries for the server between two requests.
///
/// A call with a client request ends with that request, and continues in another request of the client, which may reach
/// another process. So processes that serve the same clients need the same keys, which are passed to
/// [`App`](crate::App::sealing_keys); a server of one process makes its own. On HTTP, the id of an older client's
/// session contains the session if there are such keys, so that it outlives the process. To replace a key, first put
/// the new key behind the old key in every process, then before it, and remove the old key when everything that it has
/// sealed has expired.
///
/// Keys are random: `openssl rand -base64 32` makes one. The `Debug` form does not show the key.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr>
///
/// # Example
///
/// ```
/// use fastmcp_rs::SealingKey;
///
/// # fn example() -> Result<(), fastmcp_rs::Error> {
/// let key = SealingKey::from_base64(&std::env::var("SEALING_KEY").unwrap_or_default())?;
/// # Ok(())
/// # }
/// let error = SealingKey::from_base64("c2hvcnQ=").unwrap_err();
/// assert_eq!(error.to_string(), "`SealingKey`: a sealing key must have 32 bytes, not 5: create one with `openssl rand -base64 32`");
/// ```
#[derive(Clone)]
#[must_use]
pub struct SealingKey([u8; LENGTH]);

impl SealingKey {
    /// Creates a key from these 32 random bytes.
    pub const fn new(bytes: [u8; 32]) -> SealingKey {
        SealingKey(bytes)
    }

    /// Creates a key from 32 random bytes in Base64, in the standard or the URL-safe alphabet, with or without padding.
    /// Surrounding white space is ignored.
    ///
    /// # Errors
    ///
    /// Returns a [configuration error](Error::is_configuration) if the text is not the Base64 of 32 bytes. The error
    /// does not contain the text.
    pub fn from_base64(text: &str) -> Result<SealingKey, Error> {
        let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
        let usual: String = text
            .trim()
            .chars()
            .map(|letter| match letter {
                '-' => '+',
                '_' => '/',
                other => other,
            })
            .collect();
        let refused = |text: &str| {
            Problem::new("`SealingKey`", text.to_owned(), "create one with `openssl rand -base64 32`").into()
        };
        let bytes = GeneralPurpose::new(&alphabet::STANDARD, config)
            .decode(usual)
            .map_err(|_| refused("a sealing key must be Base64"))?;
        let key = bytes.as_slice().try_into();
        key.map(SealingKey)
            .map_err(|_| refused(&format!("a sealing key must have {LENGTH} bytes, not {}", bytes.len())))
    }

    pub(super) fn random(random: &SystemRandom) -> Option<SealingKey> {
        let mut bytes = [0; LENGTH];
        random.fill(&mut bytes).ok()?;
        Some(SealingKey(bytes))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SealingKey(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_parsed_in_every_encoding() {
        let bytes = [0xfb; LENGTH];
        let usual = "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s";
        for text in [usual.to_owned(), format!("{usual}=\n"), usual.replace('+', "-").replace('/', "_")] {
            assert_eq!(SealingKey::from_base64(&text).unwrap().bytes(), bytes, "{text}");
        }
        for bad in ["", "secret!", usual.trim_end_matches('s'), &format!("{usual}AAAA")] {
            let error = SealingKey::from_base64(bad).unwrap_err();
            assert!(error.is_configuration());
            assert!(bad.is_empty() || !error.to_string().contains(bad), "{error}");
        }
        assert_eq!(format!("{:?}", SealingKey::new(bytes)), "SealingKey(..)");
    }
}
