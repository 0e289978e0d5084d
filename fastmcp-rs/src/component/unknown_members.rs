//! Unknown members of models: rejected in arguments, skipped everywhere else.
//!
//! serde's derive skips unknown members by reading an `IgnoredAny`. `#[mcp::model]` derives through [`model_serde`],
//! where this name refers to [`UnknownMember`]. So a value without unknown members is read as usual, and the same type
//! still skips them in data from other sources, such as the response of another service.

use std::cell::Cell;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny};

thread_local! {
    /// True while this thread reads arguments.
    static READS_ARGUMENTS: Cell<bool> = const { Cell::new(false) };
}

/// A guard during which models reject unknown members.
pub(super) struct StrictGuard(());

impl StrictGuard {
    #[inline]
    pub(super) fn new() -> StrictGuard {
        READS_ARGUMENTS.set(true);
        StrictGuard(())
    }
}

impl Drop for StrictGuard {
    // Arguments are not read recursively.
    #[inline]
    fn drop(&mut self) {
        READS_ARGUMENTS.set(false);
    }
}

/// Returns true while this thread reads arguments.
pub(super) fn reads_arguments() -> bool {
    READS_ARGUMENTS.get()
}

/// The value of a member that the type does not have.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct UnknownMember;

impl<'de> Deserialize<'de> for UnknownMember {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if reads_arguments() {
            return Err(D::Error::custom("unknown member"));
        }
        IgnoredAny::deserialize(deserializer).map(|_| UnknownMember)
    }
}

/// The serde that the derives of models refer to.
#[doc(hidden)]
pub mod model_serde {
    pub use serde::*;

    pub mod de {
        pub use serde::de::*;

        pub use super::super::UnknownMember as IgnoredAny;
    }
}
