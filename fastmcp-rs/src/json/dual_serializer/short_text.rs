//! A short ASCII text without escapes.

use crate::json::reader::special;

/// A short ASCII text without escapes. Most names and values are such texts, and for them appending the maximum number
/// of bytes costs less than computing their number.
#[derive(Clone, Copy)]
pub(super) struct ShortText {
    bytes: u128,
    length: usize,
}

impl ShortText {
    /// The maximum length of a text, which leaves room for three bytes before it.
    const MAX: usize = size_of::<u128>() - 3;

    #[inline]
    pub(super) fn plain(text: &str) -> Option<ShortText> {
        let text = text.as_bytes();
        let length = text.len();
        // The first bytes and the last bytes, which may overlap.
        if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
            let (first, last) = (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
            if length > ShortText::MAX || special::<false>(first) | special::<false>(last) != 0 {
                return None;
            }
            return Some(ShortText { bytes: u128::from(first) | u128::from(last) << (8 * (length - 8)), length });
        }
        let (bytes, word) = if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
            let (first, last) = (u64::from(u32::from_le_bytes(*first)), u64::from(u32::from_le_bytes(*last)));
            (first | last << (8 * (length - 4)), first | last << 32)
        } else {
            let bytes = text.iter().rev().fold(0, |bytes, &byte| bytes << 8 | u64::from(byte));
            // Missing bytes count as spaces.
            (bytes, bytes | (u64::MAX / 255 * 0x20) << (8 * length))
        };
        (special::<false>(word) == 0).then_some(ShortText { bytes: bytes.into(), length })
    }

    #[inline]
    pub(super) fn after<const N: usize>(self, before: &[u8; N]) -> ShortText {
        let start = before.iter().rev().fold(0, |bytes, &byte| bytes << 8 | u128::from(byte));
        ShortText { bytes: start | self.bytes << (8 * N), length: N + self.length }
    }

    #[inline]
    pub(super) fn append(self, out: &mut Vec<u8>) {
        let end = out.len() + self.length;
        out.extend_from_slice(&self.bytes.to_le_bytes());
        out.truncate(end);
    }
}
