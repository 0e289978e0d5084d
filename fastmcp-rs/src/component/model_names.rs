//! The names of enums: their conversion from text, and defaults that are none of them.

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;

use crate::schema::suggest::find_nearest;

/// The error of parsing a text that is not a name of an enum with [`#[mcp::model]`](crate::mcp::model).
///
/// Its text has the accepted names, and the nearest one if there is one.
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// /// The state of an order.
/// #[mcp::model]
/// #[derive(Debug)]
/// #[serde(rename_all = "lowercase")]
/// enum Status {
///     Paid,
///     Shipped,
/// }
///
/// let error = "shiped".parse::<Status>().unwrap_err();
/// assert_eq!(error.to_string(), "`shiped` is not one of `paid` and `shipped` (did you mean `shipped`?)");
/// assert_eq!(error.names(), ["paid", "shipped"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownNameError {
    given: String,
    names: &'static [&'static str],
}

impl UnknownNameError {
    /// Returns the text that is not a name.
    pub fn given(&self) -> &str {
        &self.given
    }

    /// Returns the names that the enum has.
    pub fn names(&self) -> &'static [&'static str] {
        self.names
    }
}

impl fmt::Display for UnknownNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not ", self.given)?;
        match self.names {
            [] => f.write_str("a name, because there are none")?,
            [only] => write!(f, "`{only}`")?,
            [first, middle @ .., last] => {
                write!(f, "one of `{first}`")?;
                for name in middle {
                    write!(f, ", `{name}`")?;
                }
                write!(f, " and `{last}`")?;
            }
        }
        match find_nearest(&self.given, self.names.iter().copied()) {
            Some(nearest) => write!(f, " (did you mean `{nearest}`?)"),
            None => Ok(()),
        }
    }
}

impl Error for UnknownNameError {}

/// Creates the error for a text that is not a name.
#[doc(hidden)]
#[cold]
pub fn unknown_name(given: &str, names: &'static [&'static str]) -> UnknownNameError {
    UnknownNameError { given: given.to_owned(), names }
}

/// An enum of names, whose defaults are checked at compile time.
#[doc(hidden)]
pub trait NamedVariants {
    /// The names of the variants.
    const NAMES: &'static [&'static str];
    /// Further names that the enum reads.
    const ALIASES: &'static [&'static str];
    /// The error message for a default that is none of them.
    const UNFIT_DEFAULT: &'static str;
}

impl<T: NamedVariants> NamedVariants for Option<T> {
    const NAMES: &'static [&'static str] = T::NAMES;
    const ALIASES: &'static [&'static str] = T::ALIASES;
    const UNFIT_DEFAULT: &'static str = T::UNFIT_DEFAULT;
}

/// The names of a type. The fallback in [`probe`] accepts any text.
#[doc(hidden)]
pub struct NamesOf<T: ?Sized>(PhantomData<fn() -> Box<T>>);

impl<T: NamedVariants> NamesOf<T> {
    pub const ACCEPTED: Option<[&'static [&'static str]; 2]> = Some([T::NAMES, T::ALIASES]);
    pub const UNFIT_DEFAULT: &'static str = T::UNFIT_DEFAULT;
}

/// Returns true if the text is one of the names, or if there is no list of names.
#[doc(hidden)]
pub const fn is_accepted(names: Option<[&[&str]; 2]>, text: &str) -> bool {
    match names {
        Some([names, aliases]) => contains(names, text) || contains(aliases, text),
        None => true,
    }
}

const fn contains(names: &[&str], text: &str) -> bool {
    let mut index = 0;
    while index < names.len() {
        if is_equal(names[index].as_bytes(), text.as_bytes()) {
            return true;
        }
        index += 1;
    }
    false
}

const fn is_equal(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let mut index = 0;
    while index < left.len() {
        if left[index] != right[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// The fallback for types without names.
#[doc(hidden)]
#[allow(unreachable_pub)] // It is exported as `_`.
pub mod probe {
    use super::*;

    pub trait NamelessType {
        const ACCEPTED: Option<[&'static [&'static str]; 2]> = None;
        const UNFIT_DEFAULT: &'static str = "";
    }
    impl<T: ?Sized> NamelessType for NamesOf<T> {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_error_lists_the_names_and_suggests_the_nearest() {
        let text = |given, names| unknown_name(given, names).to_string();
        assert_eq!(
            text("hihg", &["low", "normal", "high"]),
            "`hihg` is not one of `low`, `normal` and `high` (did you mean `high`?)"
        );
        assert_eq!(text("xyz", &["low", "high"]), "`xyz` is not one of `low` and `high`");
        assert_eq!(text("xyz", &["on"]), "`xyz` is not `on`");
    }

    #[test]
    fn only_listed_names_are_accepted() {
        assert!(is_accepted(Some([&["low", "high"], &["urgent"]]), "high"));
        assert!(is_accepted(Some([&["low", "high"], &["urgent"]]), "urgent"));
        assert!(!is_accepted(Some([&["low", "high"], &["urgent"]]), "hihg"));
        assert!(is_accepted(None, "anything"));
    }
}
