//! The ids of the last requests of a session.
//!
//! If several processes serve a session, a cancellation may reach a process that never received the request, and is
//! refused there. A cancellation of a request that has just ended is common, and accepted. The ids tell them apart.

use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;

use crate::protocol::id::{Id, IdKey};
use crate::util::sync::Mutex;

/// The maximum number of requests that are remembered.
const MAX: usize = 256;

/// Hashes of the ids of the last requests of a session.
#[derive(Default)]
pub(crate) struct SeenRequests(Mutex<RequestWindow>);

#[derive(Default)]
struct RequestWindow {
    hashes: Vec<u32>,
    /// The index of the oldest hash, once there are [`MAX`] hashes.
    next: usize,
    /// Set after requests have arrived without their ids being read.
    is_incomplete: bool,
}

impl SeenRequests {
    /// Records the id of a request.
    pub(crate) fn insert(&self, id: Id<'_>) {
        let hash = hash(id);
        let mut recent = self.0.lock();
        if recent.hashes.len() < MAX {
            recent.hashes.push(hash);
            return;
        }
        let next = recent.next;
        recent.hashes[next] = hash;
        recent.next = (next + 1) % MAX;
    }

    /// Records requests without their ids: from now on, any id may have been seen.
    pub(crate) fn insert_unknown(&self) {
        self.0.lock().is_incomplete = true;
    }

    /// Returns false if no request with that id has arrived, or more than [`MAX`] others have arrived since.
    pub(crate) fn may_contain(&self, id: Id<'_>) -> bool {
        let hash = hash(id);
        let recent = self.0.lock();
        recent.is_incomplete || recent.hashes.contains(&hash)
    }
}

/// Returns the same hash for two spellings of one id.
fn hash(id: Id<'_>) -> u32 {
    let text = id.as_str();
    let plain = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).filter(|text| !text.contains('\\'));
    let hash = match plain {
        Some(text) => hash_of(text),
        None => match id.key() {
            IdKey::Integer(number) => hash_of(number),
            IdKey::Text(text) => hash_of(&*text),
        },
    };
    (hash >> 32) as u32
}

fn hash_of(value: impl Hash) -> u64 {
    FixedState::default().hash_one(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::object::Raw;

    fn with_id<T>(text: &str, use_id: impl FnOnce(Id<'_>) -> T) -> T {
        let raw: Box<serde_json::value::RawValue> = serde_json::from_str(text).unwrap();
        use_id(Id::parse(Raw::from(&*raw)).unwrap())
    }

    #[test]
    fn recent_requests_are_found_in_every_spelling_of_their_ids() {
        let seen = SeenRequests::default();
        with_id("1", |id| seen.insert(id));
        with_id(r#""a""#, |id| seen.insert(id));
        for (text, is_seen) in
            [("1", true), ("1.0", true), (r#""1""#, false), ("2", false), (r#""a""#, true), (r#""\u0061""#, true)]
        {
            assert_eq!(with_id(text, |id| seen.may_contain(id)), is_seen, "{text}");
        }
        for id in 100..100 + MAX {
            with_id(&id.to_string(), |id| seen.insert(id));
        }
        assert!(!with_id("1", |id| seen.may_contain(id)), "that was long ago");
        assert!(with_id("100", |id| seen.may_contain(id)) && with_id("355", |id| seen.may_contain(id)));
        assert!(seen.0.lock().hashes.capacity() <= MAX, "bounded");
        seen.insert_unknown();
        assert!(with_id("1", |id| seen.may_contain(id)));
    }
}
