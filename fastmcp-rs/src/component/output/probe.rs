//! The traits by which method resolution inspects a return type.
//!
//! Their counterpart for parameters is [`parameter::probe`](crate::component::parameter::probe).

use std::borrow::Cow;
use std::marker::PhantomData;

use super::own_content::{StructuredWithContent, UncheckedWithContent};
use super::{
    ContentOutput, ConvertedError, ErrorType, Fallible, Infallible, IntoContent, Output, RawBytes, RefusedBytes,
    RefusedError, RefusedModel, Scalar, ScalarOutput, StructuredKind, StructuredOutput, UncheckedStructured, ValueType,
    VisibleError,
};
use crate::component::model::InputOnly;
use crate::error::ToolError;

pub trait FallibleType<T, E> {
    fn split(&self) -> Fallible<T, E>;
}
impl<T, E> FallibleType<T, E> for Output<Result<T, E>> {
    fn split(&self) -> Fallible<T, E> {
        Fallible(PhantomData)
    }
}
pub trait InfallibleType<T> {
    fn split(&self) -> Infallible<T>;
}
impl<T> InfallibleType<T> for &Output<T> {
    fn split(&self) -> Infallible<T> {
        Infallible(PhantomData)
    }
}

/// The trait for scalars. They are content too, so this trait comes first.
pub trait ScalarType<T> {
    fn kind(&self) -> ScalarOutput<T>;
}
impl<T: Scalar> ScalarType<T> for &&&ValueType<T> {
    fn kind(&self) -> ScalarOutput<T> {
        ScalarOutput(PhantomData)
    }
}
/// The trait for structured values with content of their own. They are content too, so this trait comes first.
pub trait WithContentType<T> {
    fn kind(&self) -> UncheckedWithContent<T>;
}
impl<T: StructuredWithContent> WithContentType<T> for &&&ValueType<T> {
    fn kind(&self) -> UncheckedWithContent<T> {
        UncheckedWithContent(PhantomData)
    }
}
pub trait ContentType {
    fn kind(&self) -> ContentOutput;
}
impl<T: IntoContent> ContentType for &&ValueType<T> {
    fn kind(&self) -> ContentOutput {
        ContentOutput
    }
}
/// The trait for bytes. They are not content, and their JSON form is useless to a model.
pub trait BytesType<T> {
    fn kind(&self) -> RefusedBytes<T>;
}
impl<T: RawBytes> BytesType<T> for &&ValueType<T> {
    fn kind(&self) -> RefusedBytes<T> {
        RefusedBytes(PhantomData)
    }
}
/// The trait for models that are only arguments. They have no content of their own.
pub trait InputOnlyType<T> {
    fn kind(&self) -> RefusedModel<T>;
}
impl<T: InputOnly> InputOnlyType<T> for &&ValueType<T> {
    fn kind(&self) -> RefusedModel<T> {
        RefusedModel(PhantomData)
    }
}
pub trait StructuredType<T> {
    fn kind(&self) -> StructuredKind<T>;
}
impl<T: StructuredOutput> StructuredType<T> for &ValueType<T> {
    fn kind(&self) -> StructuredKind<T> {
        StructuredKind(PhantomData)
    }
}
/// The trait for all other types, which no tool can return.
pub trait OtherType<T> {
    fn kind(&self) -> UncheckedStructured<T>;
}
impl<T> OtherType<T> for ValueType<T> {
    fn kind(&self) -> UncheckedStructured<T> {
        UncheckedStructured(PhantomData)
    }
}

/// Errors of known types: a [`ToolError`] is shown, and texts are rejected, because their audience is unknown.
pub trait KnownErrorType {
    type Kind;
    fn kind(&self) -> Self::Kind;
}
impl KnownErrorType for &&ErrorType<ToolError> {
    type Kind = VisibleError;
    fn kind(&self) -> VisibleError {
        VisibleError
    }
}
impl<'a> KnownErrorType for &&ErrorType<Cow<'a, str>> {
    type Kind = RefusedError<Cow<'a, str>>;
    fn kind(&self) -> RefusedError<Cow<'a, str>> {
        RefusedError(PhantomData)
    }
}
impl KnownErrorType for &&ErrorType<String> {
    type Kind = RefusedError<String>;
    fn kind(&self) -> RefusedError<String> {
        RefusedError(PhantomData)
    }
}
impl<'a> KnownErrorType for &&ErrorType<&'a str> {
    type Kind = RefusedError<&'a str>;
    fn kind(&self) -> RefusedError<&'a str> {
        RefusedError(PhantomData)
    }
}
pub trait ConvertedErrorType {
    fn kind(&self) -> ConvertedError;
}
impl<E: Into<ToolError>> ConvertedErrorType for &ErrorType<E> {
    fn kind(&self) -> ConvertedError {
        ConvertedError
    }
}
pub trait OtherErrorType<E> {
    fn kind(&self) -> RefusedError<E>;
}
impl<E> OtherErrorType<E> for ErrorType<E> {
    fn kind(&self) -> RefusedError<E> {
        RefusedError(PhantomData)
    }
}
