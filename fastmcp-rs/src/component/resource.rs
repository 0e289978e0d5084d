//! Resources: data that a client reads by its URI.

use std::marker::PhantomData;
use std::time::Duration;

use serde::Serialize;

use crate::component::describe::Description;
use crate::component::metadata::ComponentDefinition;
use crate::component::output::{OutputDescription, OutputKind, ValueType};
use crate::component::result_writer::ResultWriter;
use crate::content::resource_contents::{ContentsData, ResourceContents};
use crate::error::ToolError;
use crate::protocol::CacheScope;

/// A function that `#[mcp::resource]` turned into a resource.
///
/// The macro implements it for a type with the function's name, so that a resource can be registered by hand:
/// `App::empty("x").resource::<config>()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a resource",
    label = "not a function with `#[mcp::resource]`",
    note = "put `#[mcp::resource(\"scheme://…\")]` on a function and name that function here",
    note = "`.tool::<..>()` and `.prompt::<..>()` register the other components, and `.server::<Type>()` all methods of a type"
)]
pub trait Resource: ResourceHandle {}

#[diagnostic::do_not_recommend]
impl<T: ResourceHandle> Resource for T {}

/// The type that stands for a resource. Only `#[mcp::resource]` implements it, which seals [`Resource`].
#[doc(hidden)]
pub trait ResourceHandle {
    /// The macro's data about the resource.
    const DEFINITION: &'static ResourceDefinition;
}

/// The static definition of a resource, known at compile time.
#[doc(hidden)]
#[derive(Debug)]
pub struct ResourceDefinition {
    pub component: ComponentDefinition,
    pub uri: &'static str,
    pub mime_type: Option<&'static str>,
    pub size: Option<u64>,
    pub annotations: ResourceAnnotations,
    pub allow_traversal: &'static [&'static str],
    pub ttl: Option<Duration>,
    pub scope: Option<CacheScope>,
}

impl ResourceDefinition {
    pub const EMPTY: ResourceDefinition = ResourceDefinition {
        component: ComponentDefinition::EMPTY,
        uri: "",
        mime_type: None,
        size: None,
        annotations: ResourceAnnotations::EMPTY,
        allow_traversal: &[],
        ttl: None,
        scope: None,
    };
}

/// Checks the URI in a constant, whose text the macro cannot read.
///
/// # Panics
///
/// Panics if the URI has variables. The macro calls it in a constant, so the panic is a compile error.
#[doc(hidden)]
#[track_caller]
pub const fn check_constant_uri(uri: &'static str) {
    let bytes = uri.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        assert!(
            !matches!(bytes[index], b'{' | b'}'),
            "a URI with variables must be a string literal in the attribute, because its variables are checked against the parameters"
        );
        index += 1;
    }
}

#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct ResourceAnnotations {
    pub audience: &'static [&'static str],
    pub priority: Option<f64>,
    pub last_modified: Option<&'static str>,
}

impl ResourceAnnotations {
    pub const EMPTY: ResourceAnnotations = ResourceAnnotations { audience: &[], priority: None, last_modified: None };
}

/// The registration of a resource by its macro.
#[doc(hidden)]
pub struct RegisteredResource(pub &'static ResourceDefinition);

inventory::collect!(RegisteredResource);

/// A type that a resource can return without conversion to JSON: texts, bytes, [`ResourceContents`] or a `Vec` of it,
/// and `Option`s of these (`None` means that there is no such resource). Any other type with `serde::Serialize` is
/// returned as JSON.
///
/// Implement it for your own type if JSON is not its best form.
pub trait IntoResource: Sized {
    /// Converts the value into contents, or `None` if there is no such resource.
    fn into_contents(self) -> Option<Vec<ResourceContents>>;

    /// Returns the MIME type of such values. The MIME type of the resource takes precedence.
    fn mime_type() -> Option<&'static str> {
        None
    }
}

macro_rules! texts {
    ($($ty:ty),*) => {$(
        impl IntoResource for $ty {
            fn into_contents(self) -> Option<Vec<ResourceContents>> {
                Some(vec![ResourceContents::text(self)])
            }

            fn mime_type() -> Option<&'static str> {
                Some("text/plain")
            }
        }
    )*};
}
texts!(String, &str, std::borrow::Cow<'_, str>);

macro_rules! bytes {
    ($($ty:ty),*) => {$(
        impl IntoResource for $ty {
            fn into_contents(self) -> Option<Vec<ResourceContents>> {
                Some(vec![ResourceContents::blob(self)])
            }

            fn mime_type() -> Option<&'static str> {
                Some("application/octet-stream")
            }
        }
    )*};
}
bytes!(Vec<u8>, &[u8]);

impl IntoResource for ResourceContents {
    fn into_contents(self) -> Option<Vec<ResourceContents>> {
        Some(vec![self])
    }
}

impl IntoResource for Vec<ResourceContents> {
    fn into_contents(self) -> Option<Vec<ResourceContents>> {
        Some(self)
    }
}

impl<T: IntoResource> IntoResource for Option<T> {
    fn into_contents(self) -> Option<Vec<ResourceContents>> {
        self.and_then(T::into_contents)
    }

    fn mime_type() -> Option<&'static str> {
        T::mime_type()
    }
}

/// A type that a resource can return as JSON: every type with `serde::Serialize`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a resource cannot return `{Self}`",
    label = "neither text, nor bytes, nor a value with a JSON form",
    note = "return `String`, `Vec<u8>`, `ResourceContents` or a `Vec` of it, or any type with `serde::Serialize` (`#[mcp::model]` derives it); each can be in a `Result` or an `Option`"
)]
pub trait JsonResource: Serialize {}

#[diagnostic::do_not_recommend]
impl<T: Serialize> JsonResource for T {}

#[doc(hidden)]
pub struct ContentsOutput<T>(PhantomData<fn() -> T>);

impl<T> ContentsOutput<T> {
    pub fn checked(self) -> Self {
        self
    }
}

impl<T: IntoResource> OutputDescription for ContentsOutput<T> {
    fn describe(&self, description: &mut Description) {
        description.mime_type(T::mime_type());
    }
}

impl<T: IntoResource, V: IntoResource> OutputKind<V> for ContentsOutput<T> {
    type Rendered = Option<Vec<ResourceContents>>;

    fn write(&self, value: V, writer: &mut ResultWriter<'_>) {
        writer.contents(value.into_contents());
    }

    fn render(&self, value: V) -> Result<Self::Rendered, ToolError> {
        Ok(value.into_contents())
    }

    fn write_rendered(contents: Self::Rendered, writer: &mut ResultWriter<'_>) {
        writer.contents(contents);
    }
}

#[doc(hidden)]
pub struct UncheckedJson<T>(PhantomData<fn() -> T>);

impl<T> UncheckedJson<T> {
    pub fn checked(self) -> JsonOutput
    where
        T: JsonResource,
    {
        JsonOutput
    }
}

#[doc(hidden)]
pub struct JsonOutput;

impl OutputDescription for JsonOutput {
    fn describe(&self, description: &mut Description) {
        description.mime_type(Some("application/json"));
    }
}

impl<V: JsonResource> OutputKind<V> for JsonOutput {
    type Rendered = Option<Vec<ResourceContents>>;

    fn write(&self, value: V, writer: &mut ResultWriter<'_>) {
        match self.render(value) {
            Ok(contents) => writer.contents(contents),
            Err(error) => writer.error(error),
        }
    }

    fn render(&self, value: V) -> Result<Self::Rendered, ToolError> {
        // `null` is the JSON of an absent value, and an absent resource is reported as not found.
        let contents = ResourceContents::json(&value)?;
        Ok(if contents.body == ContentsData::Text("null".into()) { None } else { Some(vec![contents]) })
    }

    fn write_rendered(contents: Self::Rendered, writer: &mut ResultWriter<'_>) {
        writer.contents(contents);
    }
}

/// Writes contents that have already been read.
pub(crate) struct RawContents;

impl OutputDescription for RawContents {
    fn describe(&self, _: &mut Description) {}
}

impl OutputKind<Option<Vec<ResourceContents>>> for RawContents {
    type Rendered = Option<Vec<ResourceContents>>;

    fn write(&self, contents: Option<Vec<ResourceContents>>, writer: &mut ResultWriter<'_>) {
        writer.contents(contents);
    }

    fn render(&self, contents: Option<Vec<ResourceContents>>) -> Result<Self::Rendered, ToolError> {
        Ok(contents)
    }

    fn write_rendered(contents: Self::Rendered, writer: &mut ResultWriter<'_>) {
        writer.contents(contents);
    }
}

/// The traits by which method resolution inspects a return type; see [the parameters' probe](super::parameter::probe).
#[doc(hidden)]
#[allow(unreachable_pub)] // They are exported as `_`.
pub mod probe {
    use super::*;

    pub trait ContentsType<T> {
        fn resource_kind(&self) -> ContentsOutput<T>;
    }
    impl<T: IntoResource> ContentsType<T> for &&ValueType<T> {
        fn resource_kind(&self) -> ContentsOutput<T> {
            ContentsOutput(PhantomData)
        }
    }
    pub trait JsonType<T> {
        fn resource_kind(&self) -> UncheckedJson<T>;
    }
    impl<T> JsonType<T> for &ValueType<T> {
        fn resource_kind(&self) -> UncheckedJson<T> {
            UncheckedJson(PhantomData)
        }
    }
}
