//! Resources: data that a client reads by its URI.

use std::marker::PhantomData;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;
use serde_json::{Map, Value};

use super::answer::Answer;
use super::description::Description;
use super::invocation::{Invocation, Invoked};
use super::output::{OutputDescription, OutputKind, ValueType};
use super::tool::{Execution, IconDefinition, Location};
use crate::error::ToolError;
use crate::protocol::CacheScope;
use crate::protocol::text_of_json::to_string;

/// A function that was made a resource by `#[mcp::resource]`.
///
/// The macro implements it for a type of the function's name, so that a resource can be registered by hand:
/// `App::empty("x").resource::<config>()`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a resource",
    note = "put `#[mcp::resource(\"scheme://…\")]` on a function and name that function here"
)]
pub trait Resource {
    /// What the macro knows of the resource.
    #[doc(hidden)]
    const DEFINITION: &'static ResourceDefinition;
}

/// Everything that is known of a resource at compile time.
#[doc(hidden)]
#[derive(Debug)]
pub struct ResourceDefinition {
    pub uri: &'static str,
    pub name: &'static str,
    pub title: Option<&'static str>,
    pub description: &'static str,
    pub mime_type: Option<&'static str>,
    pub size: Option<u64>,
    pub annotations: ResourceAnnotations,
    pub tags: &'static [&'static str],
    pub icons: &'static [IconDefinition],
    pub meta: Option<&'static str>,
    pub allow_traversal: &'static [&'static str],
    pub ttl: Option<Duration>,
    pub scope: Option<CacheScope>,
    pub timeout: Option<Duration>,
    pub execution: Execution,
    pub location: Location,
    pub invoke: fn(Invocation<'_>) -> Invoked,
}

#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct ResourceAnnotations {
    pub audience: &'static [&'static str],
    pub priority: Option<f64>,
    pub last_modified: Option<&'static str>,
}

/// A resource that registered itself.
#[doc(hidden)]
pub struct RegisteredResource(pub &'static ResourceDefinition);

inventory::collect!(RegisteredResource);

/// One item of what reading a resource gives: text or bytes.
///
/// Most resources return a text, bytes or a value; this is for several items, and for a URI, a MIME type or
/// `_meta` of an item's own.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/resources#resource-contents>
///
/// # Example
///
/// ```
/// use fastmcp_rs::prelude::*;
/// use fastmcp_rs::ResourceContents;
///
/// /// The reports of a year.
/// #[mcp::resource("reports://{year}")]
/// fn reports(year: u16) -> Vec<ResourceContents> {
///     vec![
///         ResourceContents::text("# Summary").mime_type("text/markdown"),
///         ResourceContents::blob(b"%PDF").mime_type("application/pdf").uri(format!("reports://{year}/print")),
///     ]
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ResourceContents {
    pub(crate) uri: Option<String>,
    pub(crate) mime_type: Option<String>,
    pub(crate) body: Body,
    pub(crate) meta: Map<String, Value>,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Body {
    Text(String),
    /// As Base64.
    Blob(String),
}

impl ResourceContents {
    fn with(body: Body) -> ResourceContents {
        ResourceContents { uri: None, mime_type: None, body, meta: Map::new() }
    }

    /// An item of text.
    pub fn text(text: impl Into<String>) -> ResourceContents {
        ResourceContents::with(Body::Text(text.into()))
    }

    /// An item of bytes. They are encoded as Base64 here.
    pub fn blob(bytes: impl AsRef<[u8]>) -> ResourceContents {
        ResourceContents::with(Body::Blob(BASE64_STANDARD.encode(bytes)))
    }

    /// An item of JSON, as text of type `application/json`.
    ///
    /// # Errors
    ///
    /// Fails if a part of the value has no JSON form: a float that is NaN or infinite, or a key of a map that is no
    /// string, number or boolean. The error names the place of that part.
    pub fn json(value: &impl Serialize) -> Result<ResourceContents, serde_json::Error> {
        Ok(ResourceContents::text(to_string(value)?).mime_type("application/json"))
    }

    /// The item's text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match &self.body {
            Body::Text(text) => Some(text),
            Body::Blob(_) => None,
        }
    }

    /// The item's bytes, if it has bytes rather than text.
    pub fn bytes(&self) -> Option<Vec<u8>> {
        match &self.body {
            Body::Text(_) => None,
            Body::Blob(blob) => BASE64_STANDARD.decode(blob).ok(),
        }
    }

    /// The item's URI, if it is not the one that was read: a part of it, for instance.
    pub fn uri(mut self, uri: impl Into<String>) -> ResourceContents {
        self.uri = Some(uri.into());
        self
    }

    /// The item's MIME type, if it is not the resource's.
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> ResourceContents {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// A member of the item's `_meta`; peers before 2025-06-18 do not see it.
    pub fn meta(mut self, key: impl Into<String>, value: impl Into<Value>) -> ResourceContents {
        self.meta.insert(key.into(), value.into());
        self
    }
}

/// A type that a resource returns as it is: texts, bytes, [`ResourceContents`], and `Option`s of these
/// (`None`: there is no such resource). Any other type with `serde::Serialize` is returned as JSON.
///
/// Implement it for a type of yours that has a better form.
pub trait IntoResource: Sized {
    /// What was read, or `None` if there is no such resource.
    fn into_contents(self) -> Option<Vec<ResourceContents>>;

    /// The MIME type that such values have, unless the resource says another.
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

/// A type that a resource can return as JSON: anything with `serde::Serialize`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a resource cannot return `{Self}`",
    label = "neither text, nor bytes, nor a value with a JSON form",
    note = "return `String`, `Vec<u8>`, `ResourceContents` or a `Vec` of it, or any type with `serde::Serialize` (`#[mcp::model]` derives it); each may stand in a `Result` or an `Option`"
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

    fn write(&self, value: V, answer: &mut Answer<'_>) {
        answer.contents(value.into_contents());
    }

    fn render(&self, value: V) -> Result<Self::Rendered, ToolError> {
        Ok(value.into_contents())
    }

    fn write_rendered(contents: Self::Rendered, answer: &mut Answer<'_>) {
        answer.contents(contents);
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

    fn write(&self, value: V, answer: &mut Answer<'_>) {
        match self.render(value) {
            Ok(contents) => answer.contents(contents),
            Err(error) => answer.error(error),
        }
    }

    fn render(&self, value: V) -> Result<Self::Rendered, ToolError> {
        // `null` is what an absent value looks like, and an absent resource is one that is not found.
        let contents = ResourceContents::json(&value)?;
        Ok(if contents.body == Body::Text("null".into()) { None } else { Some(vec![contents]) })
    }

    fn write_rendered(contents: Self::Rendered, answer: &mut Answer<'_>) {
        answer.contents(contents);
    }
}

/// Writes what was read already.
pub(crate) struct RawContents;

impl OutputDescription for RawContents {
    fn describe(&self, _: &mut Description) {}
}

impl OutputKind<Option<Vec<ResourceContents>>> for RawContents {
    type Rendered = Option<Vec<ResourceContents>>;

    fn write(&self, contents: Option<Vec<ResourceContents>>, answer: &mut Answer<'_>) {
        answer.contents(contents);
    }

    fn render(&self, contents: Option<Vec<ResourceContents>>) -> Result<Self::Rendered, ToolError> {
        Ok(contents)
    }

    fn write_rendered(contents: Self::Rendered, answer: &mut Answer<'_>) {
        answer.contents(contents);
    }
}

/// The traits that let method resolution look at a return type; see
/// [the parameters' counterpart](super::parameter::probe).
#[doc(hidden)]
#[allow(unreachable_pub)] // They are exported without their names.
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
