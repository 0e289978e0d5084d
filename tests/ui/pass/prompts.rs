//! Every kind of argument and of result.

use fastmcp_rs::{CompletionRequest, Content, Context, Image, Message, State, ToolError, mcp};

#[mcp::model]
struct Order {
    id: String,
}

macro_rules! prompts {
    ($($name:ident -> $ty:ty = $value:expr;)*) => {$(
        /// Asks.
        #[mcp::prompt]
        async fn $name() -> $ty {
            $value
        }
    )*};
}

prompts! {
    text -> String = String::new();
    slice -> &'static str = "text";
    message -> Message = Message::user("text");
    messages -> Vec<Message> = Vec::new();
    content -> Content = Content::text("text");
    fallible -> Result<Vec<Message>, ToolError> = Err(ToolError::new("no"));
    masked -> Result<String, std::io::Error> = Ok(String::new());
}

struct Shop;

impl Shop {
    fn ids(_: CompletionRequest) -> Vec<String> {
        Vec::new()
    }
}

async fn reasons(completing: CompletionRequest, shop: State<Shop>, context: Context) -> Result<Vec<String>, ToolError> {
    let _ = (shop, context);
    Ok(completing.argument("id").map(str::to_owned).into_iter().collect())
}

fn of<const N: usize>(_: CompletionRequest) -> Vec<String> {
    vec![String::new(); N]
}

/// Every option there is.
#[mcp::prompt(
    name = "refund/review",
    title = "Review",
    description = "Reviews a refund.",
    tags = ["refunds"],
    icons = [{ src = "https://example.com/icon.png", theme = "light" }],
    meta = { "n": 1 },
    timeout = "1m",
    blocking,
    handle = Review,
    crate = fastmcp_rs,
)]
fn refund_review(
    /// The reference.
    #[arg(complete = Shop::ids, max_length = 20, pattern = "^ORD", example = "ORD-1", rename = "orderId")]
    id: &str,
    #[arg(complete = reasons, default = "late")] reason: String,
    #[arg(complete = of::<3>)] level: Option<u8>,
    lines: &[Order],
    context: &Context,
    shop: State<Shop>,
) -> Vec<Message> {
    let _ = (context, shop);
    vec![Message::user(format!("{id} {reason} {level:?} {}", lines.len())), Message::assistant(Image::new([0], "image/png"))]
}

/// Lends.
#[mcp::prompt(inline)]
fn lend(id: &str) -> &str {
    id
}

/// Lends later.
#[mcp::prompt]
async fn lend_later<'a>(id: &'a str) -> Result<&'a str, ToolError> {
    Ok(id)
}

fn main() {
    assert_eq!(lend("a"), "a");
    let _ = fastmcp_rs::App::empty("x").prompt::<Review>().prompt::<lend>();
}
