//! Resources that are created at run time.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::panic::Location as Place;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{DynamicHandler, HandlerFn};
use crate::checks::templates;
use crate::component::arguments::text_values;
use crate::component::definition::DefinitionText;
use crate::component::describe::{ArgumentInfo, ComponentInterface};
use crate::component::icon::Icon;
use crate::component::invocation::box_call;
use crate::component::metadata::{ComponentBase, metadata_methods};
use crate::component::resource::{IntoResource, RawContents};
use crate::component::template::Template;
use crate::content::resource_contents::ResourceContents;
use crate::content::{Annotations, files};
use crate::context::{Context, blocking};
use crate::error::ToolError;
use crate::protocol::CacheScope;

/// A resource, or a family of resources, that is created at run time: from a URI or a URI template and a closure.
///
/// The closure gets the values of the template's variables by name (none for a plain URI; no value for an optional
/// variable that the URI does not have) and the call's [`Context`]. It returns a value that implements
/// [`IntoResource`]: a text, bytes, [`ResourceContents`] or a `Vec` of it, or an `Option` of these (`None` means that
/// there is no such resource). For JSON, return [`ResourceContents::json`].
///
/// Add it with [`App::add_resource`](crate::App::add_resource), or with
/// [`AppHandle::add_resource`](crate::AppHandle::add_resource) while the server runs.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/resources>
///
/// # Example
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// let order = DynamicResource::new("orders://{id}", |variables, _ctx| async move {
///     Ok::<_, ToolError>((variables["id"] == "ORD-101").then(|| "shipped".to_owned()))
/// })
/// .name("order")
/// .description("The state of an order.");
///
/// let app = App::empty("orders").add_resource(order);
/// assert!(app.check().is_ok());
/// ```
#[must_use = "a resource does nothing until it is added"]
pub struct DynamicResource {
    pub(crate) base: ComponentBase,
    pub(crate) uri: String,
    pub(crate) mime_type: Option<String>,
    pub(crate) size: Option<u64>,
    pub(crate) annotations: Option<Annotations>,
    pub(crate) allow_traversal: Vec<String>,
    pub(crate) ttl: Option<Duration>,
    pub(crate) scope: Option<CacheScope>,
    default_mime_type: Option<&'static str>,
    handler: HandlerFn<BTreeMap<String, String>, Option<Vec<ResourceContents>>>,
}

metadata_methods!(DynamicResource);

impl DynamicResource {
    /// Creates a resource from a URI, such as `config://app`, or from a template (RFC 6570: `{x}`, `{+x}`, `{x*}`,
    /// `{/x}`, `{.x}`, `{#x}`, `{?x,y}` and `{&x,y}`), such as `orders://{id}`.
    #[track_caller]
    pub fn new<F, W, R, E>(uri: impl Into<String>, handler: F) -> DynamicResource
    where
        F: Fn(BTreeMap<String, String>, Context) -> W + Send + Sync + 'static,
        W: Future<Output = Result<R, E>> + Send + 'static,
        R: IntoResource,
        E: Into<ToolError>,
    {
        let uri = uri.into();
        DynamicResource {
            base: ComponentBase::new(uri.clone(), Place::caller()),
            uri,
            mime_type: None,
            size: None,
            annotations: None,
            allow_traversal: Vec::new(),
            ttl: None,
            scope: None,
            default_mime_type: R::mime_type(),
            handler: Box::new(move |variables, context| {
                let work = handler(variables, context);
                Box::pin(async move { work.await.map(R::into_contents).map_err(Into::into) })
            }),
        }
    }

    /// Creates a resource from a file, which each read reads again. The name is the file's name. The MIME type follows
    /// the extension, and the contents are text if the file is UTF-8. If the file does not exist, neither does the
    /// resource.
    ///
    /// # Example: the files of a folder
    ///
    /// ```
    /// use fastmcp_rs::prelude::*;
    ///
    /// fn with_reports(mut app: App) -> std::io::Result<App> {
    ///     for entry in std::fs::read_dir("reports")? {
    ///         let path = entry?.path();
    ///         let day = path.file_stem().unwrap_or_default().to_string_lossy();
    ///         app = app.add_resource(DynamicResource::from_file(format!("reports://{day}"), path));
    ///     }
    ///     Ok(app)
    /// }
    /// ```
    #[track_caller]
    pub fn from_file(uri: impl Into<String>, path: impl Into<PathBuf>) -> DynamicResource {
        let path = path.into();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let mime_type = files::guess_mime_type(&path).map(str::to_owned);
        let read = move |_, context| {
            let path = path.clone();
            async move {
                match blocking::run_blocking(context, move || ResourceContents::from_file(path)).await? {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                    contents => Ok::<_, ToolError>(Some(contents?)),
                }
            }
        };
        let mut resource = DynamicResource { mime_type, ..DynamicResource::new(uri, read) };
        if let Some(name) = name {
            resource = resource.name(name);
        }
        resource
    }

    /// Sets the name. Default: the URI.
    pub fn name(mut self, name: impl Into<String>) -> DynamicResource {
        self.base.metadata.name = DefinitionText::Owned(name.into());
        self
    }

    /// Sets the MIME type of the contents. Default: the MIME type of the closure's return type, if it has one.
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> DynamicResource {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// Sets the size of the contents in bytes, before any encoding. A template cannot have a size.
    pub fn size(mut self, bytes: u64) -> DynamicResource {
        self.size = Some(bytes);
        self
    }

    /// Sets hints for clients: audience, priority and the time of the last change.
    pub fn annotations(mut self, annotations: Annotations) -> DynamicResource {
        self.annotations = Some(annotations);
        self
    }

    /// Accepts every value of a variable. By default, absolute paths, `..` and NUL are rejected. Call it once per
    /// variable.
    pub fn allow_traversal(mut self, variable: impl Into<String>) -> DynamicResource {
        self.allow_traversal.push(variable.into());
        self
    }

    /// Sets the time for which modern clients may cache the contents. Default: the value of
    /// [`App::cache_resources`](crate::App::cache_resources).
    ///
    /// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching>
    pub fn ttl(mut self, ttl: Duration) -> DynamicResource {
        self.ttl = Some(ttl);
        self
    }

    /// Sets the clients that may share cached contents. Default: the value of
    /// [`App::cache_resources`](crate::App::cache_resources).
    pub fn scope(mut self, scope: CacheScope) -> DynamicResource {
        self.scope = Some(scope);
        self
    }

    /// Returns the parts that a server stores.
    pub(crate) fn into_parts(self) -> (ComponentBase, ComponentInterface, DynamicHandler) {
        let mut problems = self.base.check("resource");
        Template::check(&self.uri, &mut problems);
        let variables: Vec<String> = Template::parse(&self.uri).variables().map(str::to_owned).collect();
        let DynamicResource { uri, size, allow_traversal, .. } = &self;
        templates::check_resource_options(uri, &variables, size.is_some(), allow_traversal, &mut problems);
        let properties: Map<String, Value> =
            variables.iter().map(|name| (name.clone(), json!({ "type": "string" }))).collect();
        let input = json!({ "type": "object", "properties": properties });
        let argument = |name: String| ArgumentInfo {
            name: DefinitionText::Owned(name),
            title: None,
            description: DefinitionText::default(),
            complete: None,
        };
        let parameters = variables.into_iter().map(argument).collect();
        let handler = self.handler;
        let closure = move |arguments, context| box_call(RawContents, handler(text_values(&arguments), context));
        let described = ComponentInterface {
            mime_type: self.default_mime_type,
            parameters,
            ..ComponentInterface::for_dynamic(input, problems)
        };
        (self.base, described, DynamicHandler::new(closure))
    }
}
