//! Hash tables whose keys come from the program itself, such as the names of tools.
//!
//! Peers look such keys up but cannot add any, so they cannot force collisions. A hash function that protects against
//! that costs more than the rest of a look-up.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A hash table that only the program fills.
pub(crate) type KnownKeys<K, V> = HashMap<K, V, BuildHasherDefault<KnownKeyHasher>>;

/// A hash function that multiplies word by word.
#[derive(Clone, Copy, Debug, Default)]
pub struct KnownKeyHasher(u64);

impl KnownKeyHasher {
    /// Mixes a word into the hash. Hash tables use the lowest and the highest bits, and a product mixes best in the
    /// bits above its middle, so the result is rotated.
    #[inline]
    fn word(&mut self, word: u64) {
        self.0 = (self.0 ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23);
    }
}

impl Hasher for KnownKeyHasher {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((word, after)) = rest.split_first_chunk::<8>() {
            self.word(u64::from_le_bytes(*word));
            rest = after;
        }
        if !rest.is_empty() {
            // For inputs of 8 bytes or more, the last word overlaps the word before it.
            self.word(match bytes.last_chunk::<8>() {
                Some(last) => u64::from_le_bytes(*last),
                None => rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)),
            });
        }
    }

    #[inline]
    fn write_u8(&mut self, number: u8) {
        self.word(number.into());
    }

    #[inline]
    fn write_u64(&mut self, number: u64) {
        self.word(number);
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::hash::Hash;

    use super::*;

    fn hash(key: impl Hash) -> u64 {
        let mut hasher = KnownKeyHasher::default();
        key.hash(&mut hasher);
        hasher.finish()
    }

    #[test]
    fn hashes_of_numbers_and_types_differ() {
        assert_eq!((0..1_000u64).map(hash).collect::<HashSet<u64>>().len(), 1_000);
        assert_ne!(hash(std::any::TypeId::of::<u8>()), hash(std::any::TypeId::of::<u16>()));
    }

    #[test]
    fn hashes_of_similar_names_are_spread() {
        let numbered = (0..10_000).map(|number| format!("tool_{number}"));
        let lengths = (0..64).map(|length| "a".repeat(length));
        let names: Vec<String> = numbered.chain(lengths).collect();
        let hashes: HashSet<u64> = names.iter().map(hash).collect();
        // Repeated letters past the first word hash equally, which costs one comparison.
        assert!(hashes.len() > names.len() - 64, "{} of {}", hashes.len(), names.len());
        // Hash tables use the lowest bits for the position and the highest seven for a first comparison.
        for bits in [|hash: u64| hash & 0x3FFF, |hash: u64| hash >> 50] {
            let places: HashSet<u64> = hashes.iter().map(|&hash| bits(hash)).collect();
            // A random function would fill 7,490 of 16,384.
            assert!(places.len() > 6_500, "{} places", places.len());
        }
    }
}
