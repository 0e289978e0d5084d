//! The attribute macros: [`#[mcp::tool]`](macro@tool), [`#[mcp::resource]`](macro@resource),
//! [`#[mcp::prompt]`](macro@prompt), [`#[mcp::server]`](macro@server), [`#[mcp::model]`](macro@model) and
//! [`#[mcp::main]`](macro@main), and the derive macro [`#[derive(mcp::ToolError)]`](derive@ToolError).
//!
//! `use fastmcp_rs::prelude::*;` brings this module into scope.

/// Registers a function as a tool of every [`App`](crate::App) that [`App::new`](crate::App::new) creates.
///
/// The function itself does not change: it can still be called, tested and navigated to. Its name becomes the tool's
/// name, its doc comment the description that a model reads, and its parameters the input schema.
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// /// Looks up the price of an article.
/// ///
/// /// Use this when the user asks for a price.
/// #[mcp::tool(read_only)]
/// async fn price(
///     /// The article's number, e.g. `A-17`.
///     article: &str,
///     /// The number of articles.
///     #[arg(default = 1, min = 1, max = 1000)]
///     quantity: u32,
/// ) -> Result<String, ToolError> {
///     if article != "A-17" {
///         return Err(ToolError::new(format!("there is no article {article}")));
///     }
///     Ok(format!("${:.2}", 9.95 * f64::from(quantity)))
/// }
/// ```
///
/// # Threads
///
/// An `async fn` runs on the runtime. A `fn` runs on a pool of threads, where it may block for any time without
/// delaying other calls. A quick `fn` can use the option `inline` to run on the runtime.
///
/// # Parameters
///
/// | type | meaning |
/// |---|---|
/// | any type with `Deserialize` and `JsonSchema` | an argument; `Option<T>` makes it optional |
/// | `&str`, `&Path`, `&[T]`, `&T`, `Option<&T>` of these | an argument that the tool borrows |
/// | [`&Context`](crate::Context) | the call: progress, log messages, the caller's identity |
/// | [`State<T>`](crate::State), `Option<State<T>>` | a value of the app |
/// | [`Extension<T>`](crate::handler::Extension), [`Headers`](crate::handler::Headers), [`ClientAddr`](crate::handler::ClientAddr) | facts about the HTTP request |
/// | any type with [`FromContext`](crate::handler::FromContext) | an extractor of your own |
///
/// An extractor can be destructured, as in `State(pool): State<Pool>`. An argument needs a name.
///
/// `///` on a parameter is its description. `#[arg(…)]` takes:
///
/// | option | meaning |
/// |---|---|
/// | `default = 10`, `default = LIMIT`, `default` | the value when the argument is left out or `null`: a literal, an expression of the argument's type, or `Default::default()` |
/// | `min = 1`, `max = 100` | bounds of a number, inclusive |
/// | `min_length = 1`, `max_length = 20` | bounds of a string in characters, of a list in items, of a map in members |
/// | `pattern = "^ORD-"` | a regular expression that must match somewhere ([`regex-lite`'s syntax](https://docs.rs/regex-lite)) |
/// | `rename = "order-id"` | the argument's name, if it differs from the parameter's |
/// | `title = "Order number"` | a name for people: in the schema, and in the list of a prompt's arguments |
/// | `example = "ORD-101"` | a literal for the schema's `examples`; may be given several times |
/// | `header = "Region"` | HTTP clients also send the argument as the header `Mcp-Param-Region` |
/// | `flatten` | the fields of a struct are arguments of their own |
///
/// A default is published in the schema, and checked against the argument's constraints when the server starts. It is
/// computed anew for each call without the argument.
///
/// [`Args<T>`](crate::handler::Args) takes a struct as the whole input, and `#[arg(flatten)]` a struct beside other
/// arguments:
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// const PAGE_SIZE: u32 = 20;
///
/// #[mcp::model]
/// struct Page {
///     /// The number of results.
///     #[arg(default = PAGE_SIZE, max = 100)]
///     limit: u32,
///     #[arg(default)]
///     offset: u32,
/// }
///
/// /// Finds orders.
/// #[mcp::tool(read_only, rename_all = "camelCase")]
/// async fn find_orders(article_number: &str, #[arg(flatten)] page: Page) -> String {
///     format!("{} orders of {article_number} from {}", page.limit, page.offset)
/// }
/// ```
///
/// Constraints are published in the schema **and** enforced. The model gets all faults of a call at once: for each
/// argument the expected and the actual value, and for a misspelt name the closest valid one.
///
/// # Results
///
/// | type | result of the call |
/// |---|---|
/// | `String`, `&str`, `char` | text |
/// | numbers, `bool` | structured content with an output schema, and its JSON as text |
/// | `()` | no content |
/// | [`Content`](crate::Content), [`Image`](crate::Image), [`Audio`](crate::Audio), [`EmbeddedResource`](crate::EmbeddedResource), [`ResourceLink`](crate::ResourceLink), a `Vec` of them | content blocks |
/// | any type with `Serialize` and `JsonSchema` | structured content with an output schema, and its JSON as text |
/// | [`Structured`](crate::content::Structured)`<T>` | structured content with the output schema of `T`, and a text or blocks of your own |
/// | [`ToolResult`](crate::ToolResult) | content, structured content and `_meta` as composed by the tool |
/// | `Option` of a content type or a structured type | `None` is no content for a content type, and `null` for a structured type |
/// | `Result` of any of these | [`ToolError`](crate::ToolError) decides whether the model or the operator reads the error, and [`#[derive(mcp::ToolError)]`](derive@ToolError) decides it for each variant of your own type |
///
/// # Options
///
/// | option | meaning |
/// |---|---|
/// | `name = "…"` | the tool's name: 1 to 128 of `A-Z a-z 0-9 _ . -` |
/// | `title = "…"` | a name for people; by default the name in words: `get_order` becomes "Get Order" |
/// | `description = "…"` | replaces the doc comment |
/// | `read_only`, `destructive`, `idempotent`, `open_world` | hints for clients; each may be `= false` |
/// | `tags = ["billing"]` | published as `_meta.fastmcp.tags` |
/// | `icons = ["https://…/a.png", { src = "…", mime_type = "…", sizes = ["48x48"], theme = "dark" }]` | icons |
/// | `meta = { "team": "billing" }` | the tool's `_meta`: a JSON object |
/// | `structured` | a text is structured content, too; `= false` sends a number or a `bool` as text alone: see [`App::structured_numbers`](crate::App::structured_numbers) and [`App::structured_texts`](crate::App::structured_texts) |
/// | `wrapped` | clients of 2026-07-28, too, get a result that is not an object inside an object: see [`App::wrapped_results`](crate::App::wrapped_results) |
/// | `result_content = "text"` | a structured result is sent as text alone; `"structured"` sends the value alone, `"both"` both: see [`App::result_content`](crate::App::result_content) |
/// | `output_schema = T` | the schema of `T` is published for a tool that returns [`ToolResult`](crate::ToolResult); a result whose structured content does not match is logged as an internal error |
/// | `link_text` | resource links without a text get one: see [`App::link_texts`](crate::App::link_texts) |
/// | `timeout = "30s"` | instead of [`App::timeout`](crate::App::timeout): `ms`, `s`, `m` or `h` |
/// | `middleware = Timing::new()`, `middleware = [a(), b()]` | layers around this tool, inside of those of the app: see [`middleware`](crate::middleware); created when an app takes the tool |
/// | `inline` | a `fn` that is quick runs in place |
/// | `blocking` | an `async fn` that blocks runs on the pool of threads, where `Runtime::block_on`, `blocking_recv` and `reqwest::blocking` are allowed |
/// | `rename_all = "camelCase"` | the names of the arguments: serde's `lowercase`, `UPPERCASE`, `PascalCase`, `camelCase`, `snake_case`, `SCREAMING_SNAKE_CASE`, `kebab-case` or `SCREAMING-KEBAB-CASE`; `#[arg(rename = "…")]` wins |
/// | `handle = GetOrder` | the type to register the tool by hand, if the function's name is taken by a type |
/// | `crate = path` | where fastmcp-rs is, if not at `::fastmcp_rs` |
///
/// # Errors
///
/// Mistakes are compile errors at the token to change: generics, an argument without a JSON form, a result that cannot
/// be sent, an unknown option, a default that does not fit, and more. Faults that show only in the whole program, such
/// as two tools with one name, are errors at start.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/tools>
pub use fastmcp_rs_macros::tool;

/// Makes a struct or an enum usable as an argument and a result of tools.
///
/// The macro derives `Serialize`, `Deserialize` and `JsonSchema` through this crate, so a program needs no dependency
/// on serde or schemars. Doc comments of fields become their descriptions, and fields take the constraints of
/// arguments: `#[arg(min = 1)]`, `max`, `min_length`, `max_length`, `pattern`, `default`, `rename`, `title`, `example`.
/// Constraints are published, and enforced wherever such a value is read, at any depth.
///
/// `#[serde(…)]` and `#[schemars(…)]` attributes work as usual. Types that derive the three traits without this macro
/// work too.
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// /// A line of an order.
/// #[mcp::model]
/// struct Item {
///     /// The article's number.
///     #[arg(pattern = "^A-[0-9]+$")]
///     article: String,
///     #[arg(min = 1, default = 1)]
///     quantity: u32,
/// }
///
/// #[mcp::model]
/// enum Priority {
///     Normal,
///     /// Within a day.
///     Express,
/// }
///
/// #[mcp::model]
/// struct Receipt {
///     articles: usize,
///     express: bool,
/// }
///
/// /// Places an order.
/// #[mcp::tool]
/// async fn place_order(items: Vec<Item>, priority: Priority) -> Receipt {
///     let articles = items.iter().map(|item| item.quantity as usize).sum();
///     Receipt { articles, express: matches!(priority, Priority::Express) }
/// }
/// ```
///
/// # Fields
///
/// The type of each field needs the same traits: put `#[mcp::model]` on your own types. The features `chrono`, `jiff`,
/// `uuid`, `url` and `decimal` add the types of these crates.
///
/// # Names
///
/// `#[mcp::model(rename_all = "camelCase")]` sets the names of fields or variants in JSON, as `#[serde(rename_all)]`
/// does, and `#[serde(rename = "…")]` the name of one of them.
///
/// An enum whose variants have no fields gets `as_str`, `Display` and `FromStr`, with the names that it has in JSON.
/// The error of `FromStr` is [`UnknownNameError`](crate::model::UnknownNameError), which lists the names and suggests
/// the nearest one. A default that is not one of the names is a compile error.
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// #[mcp::model(rename_all = "kebab-case")]
/// #[derive(Debug, PartialEq)]
/// enum Status {
///     InTransit,
///     Delivered,
/// }
///
/// assert_eq!(Status::InTransit.as_str(), "in-transit");
/// assert_eq!(format!("It is {}.", Status::Delivered), "It is delivered.");
/// assert_eq!("in-transit".parse(), Ok(Status::InTransit));
/// let error = "deliverd".parse::<Status>().unwrap_err();
/// assert_eq!(error.to_string(), "`deliverd` is not one of `in-transit` and `delivered` (did you mean `delivered`?)");
/// ```
///
/// `as_str = false`, `display = false` and `from_str = false` leave out one of them, for an implementation of your own.
/// `Display` is left out if the type derives a trait `Display` or `Error`, and `FromStr` if it derives `FromStr` or
/// `EnumString`.
///
/// # One direction
///
/// A model with a reference, such as `&'static str` or `&'a [Item]`, is a result only: it has `Serialize` and
/// `JsonSchema`, and no `Deserialize`. `#[mcp::model(output)]` says the same of any model, and `#[mcp::model(input)]`
/// derives no `Serialize`. Their fields need the traits of that direction only. The other use is a compile error.
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// #[mcp::model]
/// struct Unit {
///     name: &'static str,
/// }
///
/// /// Lists the units.
/// #[mcp::tool(read_only)]
/// async fn units() -> Vec<Unit> {
///     vec![Unit { name: "kilogram" }, Unit { name: "litre" }]
/// }
/// ```
///
/// # Attributes of serde
///
/// A field with `#[serde(with = "…")]` needs `#[schemars(with = "T")]` too, with a type that has the same JSON. A
/// misspelt option of serde is a compile error that suggests the right one.
///
/// # Unknown members
///
/// A call is rejected if an argument contains a member that the type does not have; the error names the member that was
/// probably meant. When the same type is read from another source, such as the response of another service, unknown
/// members are skipped, as serde does. `#[mcp::model(allow_unknown_fields)]` skips them in arguments too.
///
/// # Forms
///
/// A struct whose fields are strings, numbers, booleans and enums of unit variants is a
/// [`Form`](crate::elicitation::Form), which a handler can ask a person to fill in. An enum of unit variants is a form
/// too, and a struct with one unnamed field is the same form as its field. [`FormField`](crate::elicitation::FormField)
/// lists the types that a field can have; a type with other fields is not a form, and can be used for everything else.
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// #[mcp::model]
/// enum Speed {
///     /// Within three days.
///     Standard,
///     /// Over night.
///     Express,
/// }
///
/// #[mcp::model]
/// struct Shipping {
///     /// The destination.
///     #[arg(min_length = 1)]
///     city: String,
///     speed: Speed,
///     gift: Option<bool>,
/// }
///
/// fn can_be_asked_for<T: fastmcp_rs::elicitation::Form>() {}
/// can_be_asked_for::<Shipping>();
/// ```
///
/// The option `crate = path` gives the path of fastmcp-rs, if it is not `::fastmcp_rs`.
pub use fastmcp_rs_macros::model;

/// Decides for each variant of an error type whether the model reads it.
///
/// A handler can return such an error, or convert it to [`ToolError`](crate::ToolError) by `?`. A variant with
/// `#[mcp(visible)]` is for the model, which reads its `Display` text. Every other variant is internal: it is logged,
/// and the model reads only an id. The type must implement [`std::error::Error`], for example by the derive of
/// thiserror.
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// #[derive(Debug, thiserror::Error, mcp::ToolError)]
/// enum BookingError {
///     #[error("It is full on {day}. The next free day is {next}.")]
///     #[mcp(visible)]
///     Full { day: String, next: String },
///     #[error("cannot reach the database")]
///     Database(#[from] std::io::Error),
/// }
///
/// fn find_table(day: &str) -> Result<u32, BookingError> {
///     match day {
///         "2026-12-24" => Err(BookingError::Full { day: day.into(), next: "2026-12-27".into() }),
///         _ => Err(BookingError::Database(std::io::ErrorKind::ConnectionRefused.into())),
///     }
/// }
///
/// /// Books a table.
/// #[mcp::tool]
/// async fn book(day: &str) -> Result<u32, BookingError> {
///     find_table(day)
/// }
///
/// # #[mcp::main]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let client = App::empty("bookings").tool::<book>().test_client().await?;
/// let full = client.call("book", serde_json::json!({ "day": "2026-12-24" })).await?;
/// assert_eq!(full.text(), "It is full on 2026-12-24. The next free day is 2026-12-27.");
/// let failed = client.call("book", serde_json::json!({ "day": "2026-12-25" })).await?;
/// assert!(failed.text().starts_with("Internal error"));
/// # Ok(())
/// # }
/// ```
///
/// # Options
///
/// | attribute | on | meaning |
/// |---|---|---|
/// | `#[mcp(visible)]` | a variant, a struct, an enum | the model reads the `Display` text of the error |
/// | `#[mcp(visible = "It is full on {day}.")]` | a variant, a struct | the model reads this text, and `{day}` or `{0}` stands for a field |
/// | `#[mcp(visible = false)]` | a variant | the error is internal although the enum is visible |
/// | `#[mcp(crate = path)]` | the type | the path of fastmcp-rs, if it is not `::fastmcp_rs` |
///
/// # Errors of errors
///
/// With `#[error(transparent)]` of thiserror, an error is its field, so the rules of the field's type decide, also in a
/// visible enum: those of its own derive, or internal for an error of a library. `#[mcp(visible)]` on the variant itself
/// shows its text. An error of another kind that contains a visible one, such as
/// an `anyhow::Error`, is internal. A `Box<dyn Error + Send + Sync>` follows the rules of the type inside.
///
/// # Limits
///
/// A type with parameters or lifetimes is a compile error, because errors are recognised by their type while the server
/// runs.
pub use fastmcp_rs_macros::ToolError;

/// Makes an `async fn main` the program's `main`, on a small tokio runtime.
///
/// The runtime has `worker_threads = N` threads. The default is one, beside the thread that reads; with the feature
/// `http` it is one per core, less one core, because there the workers do all the work. The runtime ends when `main`
/// returns, even if tasks still run, so that a stuck tool cannot keep a process alive whose client has gone.
/// `#[tokio::main]` works too, with [`App::version`](crate::App::version).
///
/// The program's version becomes the server's, unless [`App::version`](crate::App::version) sets another.
///
/// ```no_run
/// use fastmcp_rs::prelude::*;
///
/// #[mcp::main]
/// async fn main() -> Result<(), fastmcp_rs::Error> {
///     App::new("orders").run_stdio().await
/// }
/// ```
///
/// The option `crate = path` gives the path of fastmcp-rs, if it is not `::fastmcp_rs`.
pub use fastmcp_rs_macros::main;

/// Registers a function as a resource, or as a resource template, of every [`App`](crate::App) that
/// [`App::new`](crate::App::new) creates.
///
/// A resource is data that a client reads by its URI. A URI with variables is a template of [RFC
/// 6570](https://www.rfc-editor.org/rfc/rfc6570); each variable is a parameter of the function.
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// /// The settings of this server.
/// #[mcp::resource("config://app", mime_type = "application/toml")]
/// fn config() -> &'static str {
///     "verbose = true"
/// }
///
/// #[mcp::model]
/// struct Order {
///     id: String,
///     total: f64,
/// }
///
/// /// An order, as JSON.
/// #[mcp::resource("orders://{order_id}")]
/// async fn order(order_id: &str) -> Option<Order> {
///     (order_id == "ORD-101").then(|| Order { id: order_id.into(), total: 120.5 })
/// }
///
/// /// The rows of a table.
/// #[mcp::resource("tables://{table}/rows{?limit,offset}")]
/// async fn rows(table: &str, #[arg(default = 10, max = 100)] limit: u32, offset: Option<u32>) -> Vec<String> {
///     (0..limit).map(|row| format!("{table} {}", row + offset.unwrap_or(0))).collect()
/// }
/// ```
///
/// The URI can be the name of a `const` instead, as in `#[mcp::resource(CONFIG_URI)]`, if it has no variables. Variables
/// in a constant are a compile error, because the macro cannot read its text.
///
/// # Templates
///
/// | expression | matches |
/// |---|---|
/// | `{x}` | one segment: any text without `/`, `?` and `#` |
/// | `{+x}`, `{x*}` | any text, including slashes |
/// | `{/x}`, `{.x}`, `{#x}` | an optional segment, label or fragment, with its leading character |
/// | `{?x,y}`, `{&x}` | optional query parameters, at the end |
///
/// Values are percent-decoded and read into the parameter's type: a string as it is, any other type as JSON. A variable
/// without a parameter, and a parameter that is neither a variable nor injected, are compile errors. A value that could
/// escape from a directory (`..` as a segment, an absolute path, NUL) makes the URI match no resource, unless
/// `allow_traversal` lists the variable. If several templates match a URI, the template with the most literal text is
/// read; a resource with exactly this URI takes precedence over all templates.
///
/// # Results
///
/// | type | contents |
/// |---|---|
/// | `String`, `&str` | text, `text/plain` |
/// | `Vec<u8>`, `&[u8]` | bytes, `application/octet-stream` |
/// | [`ResourceContents`](crate::ResourceContents), a `Vec` of them | contents as composed by the function |
/// | any type with `Serialize` | JSON, `application/json` |
/// | `Option` of these | `None` means that the resource does not exist; the error code is that of the client's revision |
/// | `Result` of these | [`ToolError`](crate::ToolError) decides whether the client or the operator reads the error |
///
/// # Options
///
/// The URI comes first. Options of resources are:
///
/// - `name`, `title`, `description` and `mime_type = "…"`;
/// - `size = 1234`, in bytes, not for templates;
/// - `audience = ["user", "assistant"]`, `priority = 0.8` and `last_modified = "2026-01-01T00:00:00Z"`;
/// - `allow_traversal = ["path"]`;
/// - `ttl = "5m"` and `scope = "public"`: how long modern clients may cache the contents, and whether they may share
///   them. They override [`App::cache_resources`](crate::App::cache_resources);
/// - `rename_all = "camelCase"`, for the names of the variables in the template; rules with hyphens are not possible;
/// - `tags`, `icons`, `meta`, `timeout`, `middleware`, `inline`, `blocking`, `handle` and `crate`, as for
///   [`tool`](macro@tool).
///
/// Variables take the `#[arg(…)]` of [`tool`](macro@tool), except `header`, `title` and `flatten`, and also
/// `complete = function`: see [`CompletionRequest`](crate::CompletionRequest).
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/resources>
pub use fastmcp_rs_macros::resource;

/// Registers a function as a prompt of every [`App`](crate::App) that [`App::new`](crate::App::new) creates.
///
/// A prompt is a template that a person picks from a menu and fills in to begin a conversation.
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// fn order_ids(request: CompletionRequest) -> Vec<String> {
///     vec!["ORD-101".into(), "ORD-102".into()]
/// }
///
/// /// Reviews whether an order should be refunded.
/// #[mcp::prompt]
/// fn refund_review(
///     /// The order reference, e.g. `ORD-101`.
///     #[arg(complete = order_ids)]
///     order_id: &str,
///     /// The number of reasons.
///     #[arg(default = 3)]
///     reasons: u8,
/// ) -> String {
///     format!("Should order {order_id} be refunded? Give {reasons} reasons.")
/// }
/// ```
///
/// In the protocol, arguments of prompts are strings. A parameter of another type is read from the JSON in its string,
/// and its schema is added to its description. A missing or wrong argument is the JSON-RPC error -32602, which names
/// the argument. `complete = function` suggests values while the person types (see
/// [`CompletionRequest`](crate::CompletionRequest)); the variants of an enum are suggested without it.
///
/// The function returns a `String`, a [`Message`](crate::Message) or a `Vec` of them, or a `Result` of these. Options
/// are `name`, `title`, `description`, `tags`, `icons`, `meta`, `timeout`, `middleware`, `inline`, `blocking`,
/// `rename_all`, `handle` and `crate`, as for [`tool`](macro@tool).
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/prompts>
pub use fastmcp_rs_macros::prompt;

/// Registers methods of a type as tools, resources and prompts, which share the value of that type.
///
/// Mark each method with `#[tool]`, `#[resource("…")]` or `#[prompt]`; the rules of [`tool`](macro@tool),
/// [`resource`](macro@resource) and [`prompt`](macro@prompt) apply. Methods without such an attribute are not offered
/// to clients.
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// struct OrderService {
///     orders: Vec<String>,
/// }
///
/// #[mcp::server]
/// impl OrderService {
///     /// Finds the orders whose reference begins so.
///     #[tool(read_only)]
///     async fn find_orders(&self, #[arg(min_length = 1)] start: &str) -> Vec<String> {
///         self.orders.iter().filter(|order| order.starts_with(start)).cloned().collect()
///     }
///
///     /// An order.
///     #[resource("orders://{order_id}")]
///     async fn order(&self, order_id: &str) -> Option<&str> {
///         self.orders.iter().map(String::as_str).find(|order| *order == order_id)
///     }
///
///     /// Reviews an order.
///     #[prompt]
///     async fn review(&self, order_id: &str) -> String {
///         format!("Which of these orders are like {order_id}? {}", self.orders.join(", "))
///     }
/// }
///
/// // `App::new` has them all; `App::empty` takes them by their type.
/// let service = OrderService { orders: vec!["ORD-101".into()] };
/// let app = App::empty("orders").server::<OrderService>().state(service);
/// assert_eq!(app.tool_names(), ["find_orders"]);
/// assert!(app.check().is_ok());
/// ```
///
/// # State
///
/// `&self` is the [`State`](crate::State) of the block's type: the value that was passed to
/// [`App::state`](crate::App::state). Calls share it and run at the same time, so values that change belong in a
/// `Mutex`, an atomic or the like. A server without that value does not start. Functions without `self` do not need it;
/// a completion function, as in `#[arg(complete = Self::order_ids)]`, is such a function, and takes `State<Self>`.
///
/// # Options
///
/// `rename_all = "camelCase"` sets the names of the arguments of all components in the block, and
/// `rename_tools = "kebab-case"` and `rename_prompts = "kebab-case"` the names of its tools and of its prompts, by the
/// rules of [`tool`](macro@tool). The options `rename_all` and `name` of a method win. A rule with hyphens does not apply
/// to the variables of URI templates.
///
/// `extend` marks a further block of the same type: a type has one block without it, and any number with it, in any
/// module. [`App::server`](crate::App::server) registers the components of all blocks.
///
/// ```
/// # use fastmcp_rs::prelude::*;
/// struct Orders;
///
/// #[mcp::server]
/// impl Orders {
///     /// Counts the orders.
///     #[tool]
///     fn count_orders(&self) -> u32 {
///         3
///     }
/// }
///
/// #[mcp::server(extend)]
/// impl Orders {
///     /// Deletes an order.
///     #[tool(destructive)]
///     fn delete_order(&self, id: &str) -> String {
///         format!("{id} is deleted")
///     }
/// }
///
/// let app = App::empty("orders").server::<Orders>().state(Orders);
/// assert_eq!(app.tool_names(), ["count_orders", "delete_order"]);
/// ```
///
/// `crate = path` gives the path of fastmcp-rs, if it is not `::fastmcp_rs`, for the whole block. Methods do not take
/// the option `handle`, because [`App::server`](crate::App::server) registers them.
///
/// # Errors
///
/// Two blocks of a type without `extend`, a generic type, the methods of a trait, and any `self` other than `&self` are
/// compile errors.
pub use fastmcp_rs_macros::server;
// Attributes of rmcp, which tell what to write instead.
#[doc(hidden)]
pub use fastmcp_rs_macros::{prompt_handler, prompt_router, tool_handler, tool_router};
