//! The macros: [`#[mcp::tool]`](macro@tool), [`#[mcp::resource]`](macro@resource), [`#[mcp::prompt]`](macro@prompt),
//! [`#[mcp::server]`](macro@server), [`#[mcp::model]`](macro@model) and [`#[mcp::main]`](macro@main).
//!
//! `use fastmcp_rs::prelude::*;` brings this module into scope.

/// Makes a function a tool of every [`App`](crate::App) that is made by [`App::new`](crate::App::new).
///
/// The function stays what it is: it can be called, tested and navigated to. Its name is the tool's name,
/// its doc comment the description that a model reads, its parameters the input schema.
///
/// ```
/// use fastmcp_rs::prelude::*;
///
/// /// Looks up the price of an article.
/// ///
/// /// Use this when the user asks what something costs.
/// #[mcp::tool(read_only)]
/// async fn price(
///     /// The article's number, e.g. `A-17`.
///     article: &str,
///     /// How many.
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
/// # Where it runs
///
/// An `async fn` runs on the runtime. A `fn` runs on a pool of threads, where it may block for as long as
/// it likes without holding up another call; a quick one may say `inline` to run in place.
///
/// # Parameters
///
/// | type | what it is |
/// |---|---|
/// | anything with `Deserialize` and `JsonSchema` | an argument; `Option<T>` may be left out |
/// | `&str`, `&[T]`, `&T`, `Option<&T>` of these | an argument that the tool borrows |
/// | [`&Context`](crate::Context) | the call: progress, log messages, who asks |
/// | [`State<T>`](crate::State) | a value of the app |
/// | anything with [`FromContext`](crate::FromContext) | what you make of these |
///
/// `///` on a parameter is its description. `#[arg(…)]` takes:
///
/// | option | meaning |
/// |---|---|
/// | `default = 10` | a literal, used when the argument is left out or `null` |
/// | `min = 1`, `max = 100` | bounds of a number, inclusive |
/// | `min_length = 1`, `max_length = 20` | of a string in characters, of a list in items, of a map in members |
/// | `pattern = "^ORD-"` | a regular expression that must match somewhere ([`regex-lite`'s syntax](https://docs.rs/regex-lite)) |
/// | `rename = "order-id"` | the argument's name, if it is not the parameter's |
/// | `title = "Order number"` | a name for people: in the schema, and in the list of a prompt's arguments |
/// | `example = "ORD-101"` | a literal for the schema's `examples`; may be given several times |
/// | `header = "Region"` | clients that speak HTTP mirror it into the header `Mcp-Param-Region` |
///
/// Constraints are published in the schema **and** enforced. Whatever is wrong with a call is told to the
/// model at once: each argument with what was expected, what came and, for names, what was meant.
///
/// # Results
///
/// | type | the answer |
/// |---|---|
/// | `String`, `&str`, numbers, `bool`, `char` | text |
/// | `()` | no content |
/// | [`Content`](crate::Content), [`Image`](crate::Image), [`Audio`](crate::Audio), [`EmbeddedResource`](crate::EmbeddedResource), [`ResourceLink`](crate::ResourceLink), a `Vec` of them | blocks |
/// | anything with `Serialize` and `JsonSchema` | a structured value with an output schema, and its JSON as text |
/// | [`ToolResult`](crate::ToolResult) | as you compose it |
/// | `Option` of a content type | `None` is no content; of a structured type, `None` is `null` |
/// | `Result` of any of these | see [`ToolError`](crate::ToolError) for who reads the error |
///
/// # Options
///
/// | option | meaning |
/// |---|---|
/// | `name = "…"` | the tool's name: 1 to 128 of `A-Z a-z 0-9 _ . -` |
/// | `title = "…"` | a name for people; by default the name in words: `get_order` is "Get Order" |
/// | `description = "…"` | instead of the doc comment |
/// | `read_only`, `destructive`, `idempotent`, `open_world` | hints for clients; each may be `= false` |
/// | `tags = ["billing"]` | in `_meta.fastmcp.tags` |
/// | `icons = ["https://…/a.png", { src = "…", mime_type = "…", sizes = ["48x48"], theme = "dark" }]` | icons |
/// | `meta = { "team": "billing" }` | the tool's `_meta`: a JSON object |
/// | `structured` | a number, a `bool` or a text is structured content, too: see [`App::structured_numbers`](crate::App::structured_numbers) |
/// | `timeout = "30s"` | instead of [`App::timeout`](crate::App::timeout): `ms`, `s`, `m` or `h` |
/// | `inline` | a `fn` that is quick runs in place |
/// | `blocking` | an `async fn` that blocks runs on the pool of threads, where `Runtime::block_on`, `blocking_recv` and `reqwest::blocking` are allowed |
/// | `handle = GetOrder` | the type to register the tool by hand, if the function's name is taken by a type |
/// | `crate = path` | where fastmcp-rs is, if not at `::fastmcp_rs` |
///
/// # Errors
///
/// Mistakes are compile errors at the token to change: generics, an argument without a JSON form, a result
/// that cannot be sent, an unknown option, a default that does not fit, and more. What only the program as a
/// whole shows, such as two tools of one name, is an error when it starts.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/tools>
pub use fastmcp_rs_macros::tool;

/// Makes a struct or an enum a type that tools take and return.
///
/// It derives `Serialize`, `Deserialize` and `JsonSchema` through this crate, so that a program needs no
/// dependency on serde or schemars. Doc comments of fields become their descriptions, and fields take the
/// constraints of arguments: `#[arg(min = 1)]`, `max`, `min_length`, `max_length`, `pattern`, `default`,
/// `rename`, `title`, `example`. They are published, and enforced wherever such a value is read, at any depth.
///
/// `#[serde(…)]` and `#[schemars(…)]` attributes work as usual, and so do types that derive the three traits
/// by themselves.
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
/// # Unknown members
///
/// A call whose argument holds a member that the type does not have is refused, with the member that was probably
/// meant. Read from elsewhere, such as the answer of another service, the same type skips such members, as serde does.
/// `#[mcp::model(allow_unknown_fields)]` skips them in arguments too.
///
/// # Forms
///
/// A person can be asked for a struct whose fields are strings, numbers, booleans and enums of names: it is a
/// [`Form`](crate::Form). An enum whose variants hold nothing is one too, and a struct with one unnamed field
/// is what its field is. Which fields a form can have is said by [`FormField`](crate::FormField); a type with
/// others is no form, and may be used for everything else.
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
///     /// Where it goes.
///     #[arg(min_length = 1)]
///     city: String,
///     speed: Speed,
///     gift: Option<bool>,
/// }
///
/// fn can_be_asked_for<T: fastmcp_rs::Form>() {}
/// can_be_asked_for::<Shipping>();
/// ```
///
/// The option `crate = path` says where fastmcp-rs is, if not at `::fastmcp_rs`.
pub use fastmcp_rs_macros::model;

/// Makes an `async fn main` the program's `main`, on a small tokio runtime.
///
/// The runtime has `worker_threads = N` threads. By default that is one, beside the one that reads; with the feature
/// `http` it is one for each core but one, as there the workers do everything. The runtime ends with `main`, whatever
/// still runs then, so that a stuck tool cannot keep a process alive whose client has gone. `#[tokio::main]` works too, with
/// [`App::version`](crate::App::version).
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
/// The option `crate = path` says where fastmcp-rs is, if not at `::fastmcp_rs`.
pub use fastmcp_rs_macros::main;

/// Makes a function a resource, or a whole family of them, of every [`App`](crate::App) that is made by
/// [`App::new`](crate::App::new).
///
/// A resource is data that a client reads by its URI. With variables in it, the URI is a template of
/// [RFC 6570](https://www.rfc-editor.org/rfc/rfc6570), and each variable is a parameter of the function.
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
/// # Templates
///
/// | expression | matches |
/// |---|---|
/// | `{x}` | one segment: anything but `/`, `?` and `#` |
/// | `{+x}`, `{x*}` | anything, slashes included |
/// | `{/x}`, `{.x}`, `{#x}` | an optional segment, label or fragment, with what leads it |
/// | `{?x,y}`, `{&x}` | optional query parameters, at the end |
///
/// Values are percent-decoded, and read into the parameter's type: a string as it is, everything else as
/// JSON. A variable without a parameter, and a parameter that is neither a variable nor injected, are compile
/// errors. A value that could lead out of a directory (`..` as a segment, an absolute path, NUL) makes the
/// URI that of no resource, unless the variable is listed in `allow_traversal`. Of several templates that a
/// URI fits, the one that fixes most of it is read; a URI of its own comes before them all.
///
/// # Results
///
/// | type | what is read |
/// |---|---|
/// | `String`, `&str` | text, `text/plain` |
/// | `Vec<u8>`, `&[u8]` | bytes, `application/octet-stream` |
/// | [`ResourceContents`](crate::ResourceContents), a `Vec` of them | as you compose it |
/// | anything with `Serialize` | JSON, `application/json` |
/// | `Option` of these | `None`: there is no such resource, in the words of the client's revision |
/// | `Result` of these | see [`ToolError`](crate::ToolError) for who reads the error |
///
/// # Options
///
/// After the URI: `name`, `title`, `description`, `mime_type = "…"`, `size = 1234` (bytes, not for templates),
/// `audience = ["user", "assistant"]`, `priority = 0.8`, `last_modified = "2026-01-01T00:00:00Z"`,
/// `allow_traversal = ["path"]`, `ttl = "5m"` and `scope = "public"` (how long modern clients may keep what they
/// have read, and whether they may share it; as [`App::cache_resources`](crate::App::cache_resources) says
/// otherwise), and those of [`tool`](macro@tool) that are not about calls: `tags`, `icons`,
/// `meta`, `timeout`, `inline`, `blocking`, `handle`, `crate`. Variables take the `#[arg(…)]` of
/// [`tool`](macro@tool), but `header` and `title`; and `complete = function`, see [`Completing`](crate::Completing).
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/resources>
pub use fastmcp_rs_macros::resource;

/// Makes a function a prompt of every [`App`](crate::App) that is made by [`App::new`](crate::App::new).
///
/// A prompt is what a person picks from a menu and fills in, to begin a conversation with.
///
/// ```
/// use fastmcp_rs::prelude::*;
/// use fastmcp_rs::Completing;
///
/// fn order_ids(completing: Completing) -> Vec<String> {
///     vec!["ORD-101".into(), "ORD-102".into()]
/// }
///
/// /// Reviews whether an order should be refunded.
/// #[mcp::prompt]
/// fn refund_review(
///     /// The order reference, e.g. `ORD-101`.
///     #[arg(complete = order_ids)]
///     order_id: &str,
///     /// How many reasons to give.
///     #[arg(default = 3)]
///     reasons: u8,
/// ) -> String {
///     format!("Should order {order_id} be refunded? Give {reasons} reasons.")
/// }
/// ```
///
/// Arguments are strings to the protocol. A parameter of another type takes JSON inside of one, and its
/// schema is added to its description. A missing or wrong argument is the JSON-RPC error −32602, which names
/// it. `complete = function` suggests values while the person types (see [`Completing`](crate::Completing));
/// the variants of an enum are suggested by themselves.
///
/// The function returns a `String`, a [`Message`](crate::Message) or a `Vec` of them, or a `Result` of these.
/// Options are those of [`tool`](macro@tool) that are not about calls: `name`, `title`, `description`, `tags`,
/// `icons`, `meta`, `timeout`, `inline`, `blocking`, `handle`, `crate`.
///
/// Specification: <https://modelcontextprotocol.io/specification/2026-07-28/server/prompts>
pub use fastmcp_rs_macros::prompt;

/// Makes methods of a type tools, resources and prompts, which share what the type holds.
///
/// On a method goes `#[tool]`, `#[resource("…")]` or `#[prompt]`: all that [`tool`](macro@tool),
/// [`resource`](macro@resource) and [`prompt`](macro@prompt) say of functions holds for it. Methods without
/// one are not offered to clients.
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
/// # The state
///
/// `&self` is the [`State`](crate::State) of the block's type: the value that
/// [`App::state`](crate::App::state) was given. Calls share it and run at the same time, so what changes is
/// in a `Mutex`, an atomic or the like. A server without that value does not start. Functions without `self`
/// need none; a completion function, as in `#[arg(complete = Self::order_ids)]`, is such a function, and takes
/// `State<Self>`.
///
/// # Options
///
/// `crate = path` says where fastmcp-rs is, if not at `::fastmcp_rs`; it holds for the whole block. The
/// components' own option `handle` is not for methods: [`App::server`](crate::App::server) registers them.
///
/// # Errors
///
/// A type has one such block. A generic type, the methods of a trait, and any `self` but `&self` are compile
/// errors.
pub use fastmcp_rs_macros::server;
