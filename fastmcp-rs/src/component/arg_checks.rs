//! Compile-time checks of the options of `#[arg(…)]` against a parameter's type.
//!
//! A wrong default or header is a compile error for standard types, including their aliases; for all other types it is
//! an error when the server starts, when schemas are known.
//!
//! The implementations are written out one by one, because rustc would show the macro call that generates them.

use std::marker::PhantomData;

use crate::component::extract::State;
use crate::component::request_extractors::Extension;
use crate::schema::number::Number;

/// No type implements this trait: it provides the error message for `#[arg(…)]` on an injected parameter.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is injected, so `#[arg(…)]` has no effect here",
    label = "this value never comes from the client",
    note = "remove the `#[arg(…)]`"
)]
pub trait ConfigurableArgument {}

/// No type implements this trait: it provides the error message for a URI variable whose parameter is injected.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is injected, so it cannot be a variable of the URI",
    label = "this value never comes from the client",
    note = "give the variable another name, or take it as a type that can be an argument"
)]
pub trait TemplateVariable {}

/// No type implements this trait: it provides the error message for a parameter that is neither in the URI nor
/// injected.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a parameter of type `{Self}` is neither in the resource's URI nor injected",
    label = "this parameter has no value",
    note = "put the parameter's name into the URI, as in `orders://{{order_id}}`, or at its end if it is optional, as in `{{?limit}}`",
    note = "injected types are `&Context`, `State<T>`, `Extension<T>`, and your own types that implement `FromContext`"
)]
pub trait InjectedParameter {}

/// No argument implements this trait: it provides the error message for an argument with a pattern instead of a name.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "an argument needs a name, which clients use: write `name: {Self}`, and destructure it in the body",
    label = "`{Self}` comes from the client",
    note = "a pattern in the signature is for injected types: `State<T>`, `Extension<T>`, and your own types that implement `FromContext`"
)]
pub trait NamedArgument {}

// With an unsuitable `T`, these are not injected, and rustc reports the bound of `T` instead of the missing name.
impl<T: Send + Sync + 'static> NamedArgument for State<T> {}
impl<T: ExtensionValue> NamedArgument for Extension<T> {}

/// A type that can be an extension.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an extension",
    label = "each call gets a clone of it",
    note = "put `#[derive(Clone)]` on the type, or wrap it in an `Arc`; it also has to be `Send` and `Sync`"
)]
pub trait ExtensionValue {}
#[diagnostic::do_not_recommend]
impl<T: Clone + Send + Sync + 'static> ExtensionValue for T {}

/// A type for which a literal can be checked at compile time.
#[doc(hidden)]
pub trait Primitive {}

impl Primitive for i8 {}
impl Primitive for i16 {}
impl Primitive for i32 {}
impl Primitive for i64 {}
impl Primitive for i128 {}
impl Primitive for isize {}
impl Primitive for u8 {}
impl Primitive for u16 {}
impl Primitive for u32 {}
impl Primitive for u64 {}
impl Primitive for u128 {}
impl Primitive for usize {}
impl Primitive for f32 {}
impl Primitive for f64 {}
impl Primitive for str {}
impl Primitive for String {}
impl Primitive for char {}
impl Primitive for bool {}
impl<T: Primitive> Primitive for Option<T> {}
impl<T> Primitive for Vec<T> {}
impl<T> Primitive for [T] {}

/// A type that accepts an integer literal as its default.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "an integer cannot be the default of an argument of type `{Self}`",
    label = "not a value of `{Self}`",
    note = "write the default as a literal of the argument's own type"
)]
pub trait IntegerDefault {}
#[diagnostic::do_not_recommend]
impl IntegerDefault for i8 {}
#[diagnostic::do_not_recommend]
impl IntegerDefault for i16 {}
#[diagnostic::do_not_recommend]
impl IntegerDefault for i32 {}
#[diagnostic::do_not_recommend]
impl IntegerDefault for i64 {}
#[diagnostic::do_not_recommend]
impl IntegerDefault for i128 {}
#[diagnostic::do_not_recommend]
impl IntegerDefault for isize {}
#[diagnostic::do_not_recommend]
impl IntegerDefault for u8 {}
#[diagnostic::do_not_recommend]
impl IntegerDefault for u16 {}
#[diagnostic::do_not_recommend]
impl IntegerDefault for u32 {}
#[diagnostic::do_not_recommend]
impl IntegerDefault for u64 {}
#[diagnostic::do_not_recommend]
impl IntegerDefault for u128 {}
#[diagnostic::do_not_recommend]
impl IntegerDefault for usize {}
#[diagnostic::do_not_recommend]
impl IntegerDefault for f32 {}
#[diagnostic::do_not_recommend]
impl IntegerDefault for f64 {}
#[diagnostic::do_not_recommend]
impl<T: IntegerDefault> IntegerDefault for Option<T> {}

/// A type that accepts a float literal as its default.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a float cannot be the default of an argument of type `{Self}`",
    label = "not a value of `{Self}`",
    note = "write the default as a literal of the argument's own type"
)]
pub trait FloatDefault {}
#[diagnostic::do_not_recommend]
impl FloatDefault for f32 {}
#[diagnostic::do_not_recommend]
impl FloatDefault for f64 {}
#[diagnostic::do_not_recommend]
impl<T: FloatDefault> FloatDefault for Option<T> {}

/// A type that accepts a string literal as its default.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a string cannot be the default of an argument of type `{Self}`",
    label = "not a value of `{Self}`",
    note = "write the default as a literal of the argument's own type"
)]
pub trait TextDefault {}
#[diagnostic::do_not_recommend]
impl TextDefault for str {}
#[diagnostic::do_not_recommend]
impl TextDefault for String {}
#[diagnostic::do_not_recommend]
impl TextDefault for char {}
#[diagnostic::do_not_recommend]
impl<T: TextDefault> TextDefault for Option<T> {}

/// A type that accepts a boolean literal as its default.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a boolean cannot be the default of an argument of type `{Self}`",
    label = "not a value of `{Self}`",
    note = "write the default as a literal of the argument's own type"
)]
pub trait FlagDefault {}
#[diagnostic::do_not_recommend]
impl FlagDefault for bool {}
#[diagnostic::do_not_recommend]
impl<T: FlagDefault> FlagDefault for Option<T> {}

/// A type that accepts a list as its default.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a list cannot be the default of an argument of type `{Self}`",
    label = "not a value of `{Self}`",
    note = "write the default as a literal of the argument's own type"
)]
pub trait ListDefault {}
#[diagnostic::do_not_recommend]
impl<T> ListDefault for Vec<T> {}
#[diagnostic::do_not_recommend]
impl<T> ListDefault for [T] {}
#[diagnostic::do_not_recommend]
impl<T: ListDefault> ListDefault for Option<T> {}

/// The type of a parameter with a default.
#[doc(hidden)]
pub struct DefaultOf<T: ?Sized>(PhantomData<fn() -> Box<T>>);

impl<T: ?Sized> DefaultOf<T> {
    pub const NEW: Self = DefaultOf(PhantomData);
}

#[doc(hidden)]
pub struct KnownDefault<T: ?Sized>(PhantomData<fn() -> Box<T>>);

impl<T: ?Sized> KnownDefault<T> {
    pub fn integer(self)
    where
        T: IntegerDefault,
    {
    }

    pub fn float(self)
    where
        T: FloatDefault,
    {
    }

    pub fn text(self)
    where
        T: TextDefault,
    {
    }

    pub fn flag(self)
    where
        T: FlagDefault,
    {
    }

    pub fn list(self)
    where
        T: ListDefault,
    {
    }
}

/// A type that is known only from its schema, so it is checked when the server starts.
#[doc(hidden)]
pub struct UnknownType;

impl UnknownType {
    pub fn integer(self) {}

    pub fn float(self) {}

    pub fn text(self) {}

    pub fn flag(self) {}

    pub fn list(self) {}

    pub fn check(self) {}
}

/// The values of a type, as far as constraints need them.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub enum ValueSet {
    Integers {
        min: i128,
        max: i128,
    },
    /// 32-bit floats.
    Singles,
    /// Strings or lists of this length.
    OfLength(u64),
    Any,
}

impl ValueSet {
    /// Returns true if a `min` or a `max` is one of these values.
    pub const fn reach(self, bound: Number) -> bool {
        match (self, bound) {
            (ValueSet::Integers { min, max }, Number::Integer(bound)) => min <= bound && bound <= max,
            (ValueSet::Integers { min, max }, Number::Float(bound)) => {
                let whole = bound as i128;
                whole as f64 == bound && min <= whole && whole <= max
            }
            (ValueSet::Singles, Number::Float(bound)) => bound >= f32::MIN as f64 && bound <= f32::MAX as f64,
            _ => true,
        }
    }

    /// Returns true if values can have a length of at least `min` and at most `max`.
    pub const fn have_length(self, min: u64, max: u64) -> bool {
        match self {
            ValueSet::OfLength(length) => min <= length && length <= max,
            _ => true,
        }
    }
}

/// A type whose values are known at compile time.
#[doc(hidden)]
pub trait BoundedType {
    const VALUES: ValueSet;
}

macro_rules! bounded {
    ($($ty:ty => $values:expr;)*) => {$(
        impl BoundedType for $ty {
            const VALUES: ValueSet = $values;
        }
    )*};
}

const fn integers(min: i128, max: i128) -> ValueSet {
    ValueSet::Integers { min, max }
}

bounded! {
    i8 => integers(i8::MIN as i128, i8::MAX as i128);
    i16 => integers(i16::MIN as i128, i16::MAX as i128);
    i32 => integers(i32::MIN as i128, i32::MAX as i128);
    i64 => integers(i64::MIN as i128, i64::MAX as i128);
    isize => integers(isize::MIN as i128, isize::MAX as i128);
    i128 => integers(i128::MIN, i128::MAX);
    u8 => integers(0, u8::MAX as i128);
    u16 => integers(0, u16::MAX as i128);
    u32 => integers(0, u32::MAX as i128);
    u64 => integers(0, u64::MAX as i128);
    usize => integers(0, usize::MAX as i128);
    u128 => integers(0, i128::MAX);
    std::num::NonZeroU8 => integers(1, u8::MAX as i128);
    std::num::NonZeroU16 => integers(1, u16::MAX as i128);
    std::num::NonZeroU32 => integers(1, u32::MAX as i128);
    std::num::NonZeroU64 => integers(1, u64::MAX as i128);
    std::num::NonZeroUsize => integers(1, usize::MAX as i128);
    f32 => ValueSet::Singles;
    char => ValueSet::OfLength(1);
}

impl<T, const N: usize> BoundedType for [T; N] {
    const VALUES: ValueSet = ValueSet::OfLength(N as u64);
}

impl<T: BoundedType> BoundedType for Option<T> {
    const VALUES: ValueSet = T::VALUES;
}

impl<T: BoundedType + ?Sized> BoundedType for Box<T> {
    const VALUES: ValueSet = T::VALUES;
}

/// The values of a type: an inherent constant for known types, the constant of [`probe::AnyBounds`] for all others.
#[doc(hidden)]
pub struct BoundsOf<T: ?Sized>(PhantomData<fn() -> Box<T>>);

impl<T: BoundedType + ?Sized> BoundsOf<T> {
    pub const VALUES: ValueSet = T::VALUES;
}

/// A type that can be mirrored into an HTTP header.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a parameter of type `{Self}` cannot be copied into a header",
    label = "not a string, an integer or a bool",
    note = "a header is compared as text, so `header` needs a string, an integer or a bool; remove it, or change the type"
)]
pub trait HeaderValue {}
#[diagnostic::do_not_recommend]
impl HeaderValue for i8 {}
#[diagnostic::do_not_recommend]
impl HeaderValue for i16 {}
#[diagnostic::do_not_recommend]
impl HeaderValue for i32 {}
#[diagnostic::do_not_recommend]
impl HeaderValue for i64 {}
#[diagnostic::do_not_recommend]
impl HeaderValue for isize {}
#[diagnostic::do_not_recommend]
impl HeaderValue for u8 {}
#[diagnostic::do_not_recommend]
impl HeaderValue for u16 {}
#[diagnostic::do_not_recommend]
impl HeaderValue for u32 {}
#[diagnostic::do_not_recommend]
impl HeaderValue for u64 {}
#[diagnostic::do_not_recommend]
impl HeaderValue for usize {}
#[diagnostic::do_not_recommend]
impl HeaderValue for str {}
#[diagnostic::do_not_recommend]
impl HeaderValue for String {}
#[diagnostic::do_not_recommend]
impl HeaderValue for char {}
#[diagnostic::do_not_recommend]
impl HeaderValue for bool {}
#[diagnostic::do_not_recommend]
impl<T: HeaderValue> HeaderValue for Option<T> {}

/// The type of a parameter that is mirrored into a header.
#[doc(hidden)]
pub struct Header<T: ?Sized>(PhantomData<fn() -> Box<T>>);

impl<T: ?Sized> Header<T> {
    pub const NEW: Self = Header(PhantomData);
}

#[doc(hidden)]
pub struct KnownHeader<T: ?Sized>(PhantomData<fn() -> Box<T>>);

impl<T: ?Sized> KnownHeader<T> {
    pub fn check(self)
    where
        T: HeaderValue,
    {
    }
}

/// The traits by which method resolution inspects a type; see [the parameters' probe](super::parameter::probe).
#[doc(hidden)]
#[allow(unreachable_pub)] // They are exported as `_`.
pub mod probe {
    use super::*;

    pub trait AnyBounds {
        const VALUES: ValueSet = ValueSet::Any;
    }
    impl<T: ?Sized> AnyBounds for BoundsOf<T> {}

    pub trait KnownDefaultType<T: ?Sized> {
        fn kind(&self) -> KnownDefault<T>;
    }
    impl<T: Primitive + ?Sized> KnownDefaultType<T> for DefaultOf<T> {
        fn kind(&self) -> KnownDefault<T> {
            KnownDefault(PhantomData)
        }
    }
    pub trait UnknownDefaultType {
        fn kind(&self) -> UnknownType;
    }
    impl<T: ?Sized> UnknownDefaultType for &DefaultOf<T> {
        fn kind(&self) -> UnknownType {
            UnknownType
        }
    }

    pub trait KnownHeaderType<T: ?Sized> {
        fn kind(&self) -> KnownHeader<T>;
    }
    impl<T: Primitive + ?Sized> KnownHeaderType<T> for Header<T> {
        fn kind(&self) -> KnownHeader<T> {
            KnownHeader(PhantomData)
        }
    }
    pub trait UnknownHeaderType {
        fn kind(&self) -> UnknownType;
    }
    impl<T: ?Sized> UnknownHeaderType for &Header<T> {
        fn kind(&self) -> UnknownType {
            UnknownType
        }
    }
}
