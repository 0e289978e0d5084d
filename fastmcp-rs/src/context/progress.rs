//! The values that a report of progress takes: numbers, a total that may be missing, and a message that may be missing.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// A number of [`Context::progress`](crate::Context::progress): any integer or float.
///
/// Other crates cannot implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a number of `progress`",
    label = "not an integer or a float",
    note = "the first value of `progress` is a number, as in `ctx.progress(3, 10, \"third\")`"
)]
pub trait ProgressNumber: Copy + sealed::Number {}

/// A total of [`Context::progress`](crate::Context::progress): any integer or float, `None`, or an `Option` of a number
/// of the same type as the first value.
///
/// Only one kind of `Option` is accepted, so that `None` needs no type annotation. Other crates cannot implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the total of progress that is counted in `{N}`",
    label = "not a number, `None` or `Option<{N}>`",
    note = "convert the number in the `Option`, as in `total.map(|total| total as {N})`, or write `None` without one"
)]
pub trait ProgressTotal<N>: sealed::Total<N> {}

/// A message of [`Context::progress`](crate::Context::progress): a string of any kind, `format_args!(…)`, `None` or
/// `Option<&str>`.
///
/// Only one kind of `Option` is accepted, so that `None` needs no type annotation. Other crates cannot implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be the message of progress",
    label = "not a string, `None` or `Option<&str>`",
    note = "for an `Option<String>`, write `.as_deref()`; for a value with `Display`, write `format!(\"{{value}}\")`"
)]
pub trait ProgressMessage: sealed::Message {}

pub(super) mod sealed {
    use super::*;

    #[doc(hidden)]
    pub trait Number {
        fn to_f64(self) -> f64;
    }

    #[doc(hidden)]
    pub trait Total<N> {
        fn to_total(self) -> Option<f64>;
    }

    /// A message that is read only if the client asked for progress.
    #[doc(hidden)]
    pub trait Message {
        fn text(&self) -> Option<Cow<'_, str>>;
    }
}

macro_rules! numbers {
    ($($ty:ty),*) => {$(
        #[diagnostic::do_not_recommend]
        impl ProgressNumber for $ty {}
        impl sealed::Number for $ty {
            #[inline]
            fn to_f64(self) -> f64 {
                self as f64
            }
        }

        #[diagnostic::do_not_recommend]
        impl<N> ProgressTotal<N> for $ty {}
        impl<N> sealed::Total<N> for $ty {
            #[inline]
            fn to_total(self) -> Option<f64> {
                Some(self as f64)
            }
        }
    )*};
}

numbers!(i8, i16, i32, i64, i128, isize, u8, u16, u32, u64, u128, usize, f32, f64);

#[diagnostic::do_not_recommend]
impl<N: ProgressNumber> ProgressTotal<N> for Option<N> {}
impl<N: ProgressNumber> sealed::Total<N> for Option<N> {
    #[inline]
    fn to_total(self) -> Option<f64> {
        self.map(sealed::Number::to_f64)
    }
}

macro_rules! messages {
    ($([$($generics:tt)*] $ty:ty => |$message:ident| $text:expr;)*) => {$(
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> ProgressMessage for $ty {}
        impl<$($generics)*> sealed::Message for $ty {
            fn text(&self) -> Option<Cow<'_, str>> {
                let $message = self;
                $text
            }
        }
    )*};
}

messages! {
    ['a] Option<&'a str> => |message| message.map(Cow::Borrowed);
    ['a, T: AsRef<str> + ?Sized] &'a T => |message| Some(Cow::Borrowed((**message).as_ref()));
    [] String => |message| Some(Cow::Borrowed(message));
    [] Box<str> => |message| Some(Cow::Borrowed(message));
    [] Arc<str> => |message| Some(Cow::Borrowed(message));
    ['a] Cow<'a, str> => |message| Some(Cow::Borrowed(message));
    ['a] fmt::Arguments<'a> => |message| Some(message.as_str().map_or_else(|| message.to_string().into(), Cow::Borrowed));
}
