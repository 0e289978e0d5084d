//! Methods as tools, resources and prompts, in all shapes.

use std::sync::Mutex;

use fastmcp_rs::prelude::*;

#[derive(Default)]
pub struct Orders {
    ids: Vec<String>,
    log: Mutex<Vec<String>>,
}

#[mcp::model]
pub struct Order {
    id: String,
}

#[mcp::server]
impl Orders {
    const LIMIT: usize = 3;

    /// Finds an order.
    #[tool(read_only, title = "Find")]
    pub async fn find(
        &self,
        /// Its number.
        #[arg(min_length = 1)]
        id: &str,
        context: &Context,
    ) -> Result<Order, ToolError> {
        let _ = context;
        self.first(id).map(|id| Order { id: id.clone() }).ok_or_else(|| ToolError::new("no such order"))
    }

    /// The first order, borrowed.
    #[mcp::tool]
    async fn first_id(&self) -> Option<&str> {
        self.ids.first().map(String::as_str)
    }

    /// The longest, on a thread that may block.
    #[fastmcp_rs::mcp::tool]
    fn longest<'a>(&'a self, least: Option<usize>) -> &'a str {
        let least = least.unwrap_or(Self::LIMIT);
        self.ids.iter().map(String::as_str).find(|id| id.len() > least).unwrap_or_default()
    }

    /// At once.
    #[tool(inline)]
    fn count(&self) -> usize {
        self.ids.len()
    }

    /// Blocks.
    #[tool(blocking)]
    async fn remember(&self, text: String) {
        self.log.lock().unwrap().push(text);
    }

    /// Without a state.
    #[tool]
    fn double(n: u32) -> u32 {
        n * 2
    }

    /// Looks at the type from outside.
    #[tool]
    fn sizes(orders: State<Self>, lengths: [u16; Self::LIMIT]) -> Vec<u16> {
        orders.ids.iter().map(|id| id.len() as u16).chain(lengths).collect()
    }

    #[cfg(any())]
    #[tool]
    fn left_out(&self, unknown: Unknown) {}

    /// An order.
    #[resource("orders://{id}{?self}")]
    fn order(&self, #[arg(complete = Self::suggest)] id: String, #[arg(rename = "self")] own: Option<u8>) -> Option<Order> {
        let _ = own;
        self.first(&id).map(|id| Order { id: id.clone() })
    }

    /// All orders.
    #[mcp::resource("orders://all", mime_type = "text/plain")]
    async fn all(&self) -> String {
        self.ids.join("\n")
    }

    /// Reviews an order.
    #[prompt]
    fn review(&self, #[arg(complete = Self::suggest)] id: &str) -> Vec<Message> {
        vec![Message::user(format!("{id} of {}", self.ids.len()))]
    }

    async fn suggest(_: CompletionRequest, orders: State<Self>) -> Vec<String> {
        orders.ids.clone()
    }

    fn first(&self, id: &str) -> Option<&String> {
        self.ids.iter().find(|known| *known == id)
    }
}

/// A type with arguments is one type.
pub struct Pair<T>(T);

#[mcp::server]
#[allow(deprecated)]
impl Pair<u8> {
    // No description: allowed above.
    #[tool]
    fn pair(&self) -> u8 {
        self.0
    }
}

macro_rules! server {
    ($ty:ty, $name:ident) => {
        #[mcp::server]
        impl $ty {
            /// Named by a macro.
            #[tool]
            fn $name(&self, number: u8) -> u8 {
                number
            }
        }
    };
}

pub struct Generated;
server!(Generated, generated);

fn main() {
    struct Inner;

    #[mcp::server]
    impl Inner {
        /// In a function body.
        #[tool]
        fn inner(&self) -> u8 {
            Self::number()
        }

        fn number() -> u8 {
            7
        }
    }

    assert_eq!(Inner.inner(), 7);
    let orders = Orders { ids: vec!["ORD-1".into()], ..Orders::default() };
    assert_eq!(orders.longest(None), "ORD-1");
    let app = App::empty("orders").server::<Orders>();
    assert_eq!(app.tool_names(), ["count", "double", "find", "first_id", "longest", "remember", "sizes"]);
    let missing = app.check().unwrap_err().to_string();
    assert!(missing.contains("Orders"), "{missing}");
    let all = || App::new("all").state(Pair(1_u8)).state(Generated).state(Inner);
    all().state(orders).check().unwrap();
    let missing = all().check().unwrap_err().to_string();
    assert!(missing.contains("Orders") && missing.contains("first_id") && !missing.contains("double"), "{missing}");
}
