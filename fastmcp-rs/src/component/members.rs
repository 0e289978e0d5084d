//! Members that a model does not have: refused in arguments, skipped everywhere else.
//!
//! serde's derive skips them by reading an `IgnoredAny`. `#[mcp::model]` derives through [`model_serde`], in which
//! that is [`UnknownMember`]. So a value whose members are all known is read as before, and the same type skips
//! them where it is read from elsewhere, such as the answer of another service.

use std::cell::Cell;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny};

thread_local! {
    /// Whether this thread reads arguments.
    static READS_ARGUMENTS: Cell<bool> = const { Cell::new(false) };
}

/// Lets models refuse members that they do not have, until it is dropped.
pub(super) struct Strict(());

impl Strict {
    #[inline]
    pub(super) fn begin() -> Strict {
        READS_ARGUMENTS.set(true);
        Strict(())
    }
}

impl Drop for Strict {
    // Arguments are not read within arguments.
    #[inline]
    fn drop(&mut self) {
        READS_ARGUMENTS.set(false);
    }
}

/// A value of a member that the type does not have.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct UnknownMember;

impl<'de> Deserialize<'de> for UnknownMember {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if READS_ARGUMENTS.get() {
            return Err(D::Error::custom("it has a member that is not known"));
        }
        IgnoredAny::deserialize(deserializer).map(|_| UnknownMember)
    }
}

/// The serde that the derives of models name.
#[doc(hidden)]
pub mod model_serde {
    pub use serde::*;

    pub mod de {
        pub use serde::de::*;

        pub use super::super::UnknownMember as IgnoredAny;
    }
}
