//! The traits by which method resolution inspects a return type.
//!
//! Their counterpart for parameters is [`parameter::probe`](crate::component::parameter::probe).

use std::error::Error as StdError;
use std::marker::PhantomData;

use super::{
    ContentOutput, ErrorType, Fallible, Infallible, IntoContent, LoggedError, Output, RawBytes, RefusedBytes,
    RefusedError, RefusedModel, Scalar, ScalarOutput, UncheckedStructured, ValueType, VisibleError,
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
    fn kind(&self) -> UncheckedStructured<T>;
}
impl<T> StructuredType<T> for &ValueType<T> {
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
pub trait LoggedErrorType {
    fn kind(&self) -> LoggedError;
}
impl<E: Into<Box<dyn StdError + Send + Sync>>> LoggedErrorType for &ErrorType<E> {
    fn kind(&self) -> LoggedError {
        LoggedError
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
