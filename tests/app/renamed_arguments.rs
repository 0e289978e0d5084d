//! `rename_all`, `rename_tools` and `rename_prompts`: the names that clients see.

use fastmcp_rs::prelude::*;
use serde_json::{Value, json};

use super::{ask, call, list, run};

/// Finds orders.
#[mcp::tool(rename_all = "camelCase")]
async fn find_orders(
    order_id: &str,
    #[arg(default = 1)] page_size: u8,
    #[arg(rename = "zip")] postal_code: &str,
) -> String {
    format!("{order_id} {page_size} {postal_code}")
}

/// Returns an order.
#[mcp::resource("shop://{orderId}{?withLines}", rename_all = "camelCase")]
async fn order(order_id: u32, with_lines: Option<bool>) -> String {
    format!("{order_id} {with_lines:?}")
}

struct Shop;

#[mcp::server(rename_all = "kebab-case", rename_tools = "kebab-case")]
impl Shop {
    /// Orders an article.
    #[tool]
    async fn place_order(&self, article_number: u32) -> u32 {
        article_number
    }

    /// Cancels an order.
    #[tool(name = "cancel", rename_all = "PascalCase")]
    async fn cancel_order(&self, order_id: u32) -> u32 {
        order_id
    }

    /// Explains an order.
    #[prompt]
    async fn explain_order(&self, order_id: u32) -> String {
        format!("Explain {order_id}.")
    }

    /// Returns an article.
    #[resource("articles://{article_number}")]
    async fn article(&self, article_number: u32) -> String {
        format!("article {article_number}")
    }
}

/// The state of a parcel.
#[mcp::model(rename_all = "kebab-case")]
enum ParcelState {
    InTransit,
    Delivered,
}

#[mcp::model(rename_all = "camelCase")]
struct Parcel {
    tracking_number: u32,
    #[serde(rename = "state")]
    parcel_state: ParcelState,
}

struct Parcels;

#[mcp::server(rename_prompts = "kebab-case")]
impl Parcels {
    /// Sends a parcel.
    #[tool]
    async fn send_parcel(&self, parcel: Parcel) -> Parcel {
        parcel
    }

    /// Explains a delay.
    #[prompt]
    async fn explain_delay(&self) -> &'static str {
        "Explain it."
    }

    /// Writes to the customer.
    #[prompt(name = "write")]
    async fn write_to_customer(&self) -> &'static str {
        "Write to the customer."
    }
}

fn names(tool: &Value) -> Vec<&str> {
    tool["inputSchema"]["properties"].as_object().expect("properties").keys().map(String::as_str).collect()
}

#[test]
fn arguments_of_a_tool_follow_its_rule_and_an_own_name_wins() {
    let app = || App::empty("x").tool::<find_orders>();
    assert_eq!(names(&list(app())[0]), ["orderId", "pageSize", "zip"]);
    let result = call(app(), "find_orders", json!({"orderId": "A", "zip": "12345"}), Value::Null);
    assert_eq!(result["content"][0]["text"], "A 1 12345");
    let refused = call(app(), "find_orders", json!({"order_id": "A", "zip": "1"}), Value::Null);
    let text = refused["content"][0]["text"].as_str().expect("a text");
    assert!(text.contains("`/orderId`") && text.contains("`/order_id`"), "{text}");
}

#[test]
fn variables_of_a_template_follow_the_rule() {
    run(async {
        let mut wire = App::empty("x").resource::<order>().connect().await.expect("the app is valid");
        let answer = ask(&mut wire, "resources/read", json!({"uri": "shop://7?withLines=true"}), Value::Null).await;
        assert_eq!(answer["result"]["contents"][0]["text"], "7 Some(true)", "{answer}");
    });
}

#[test]
fn the_rules_of_a_server_apply_to_its_components_unless_they_have_their_own() {
    let app = || App::empty("x").server::<Shop>().state(Shop);
    let tools = list(app());
    assert_eq!((&tools[0]["name"], &tools[1]["name"]), (&json!("cancel"), &json!("place-order")));
    assert_eq!((names(&tools[0]), names(&tools[1])), (vec!["OrderId"], vec!["article-number"]));
    run(async {
        let mut wire = app().connect().await.expect("the app is valid");
        let params = json!({"name": "place-order", "arguments": {"article-number": 5}});
        let answer = ask(&mut wire, "tools/call", params, Value::Null).await;
        assert_eq!(answer["result"]["structuredContent"], 5, "{answer}");
        let params = json!({"name": "explain_order", "arguments": {"order-id": "6"}});
        let answer = ask(&mut wire, "prompts/get", params, Value::Null).await;
        assert_eq!(answer["result"]["messages"][0]["content"]["text"], "Explain 6.", "{answer}");
        let answer = ask(&mut wire, "resources/read", json!({"uri": "articles://8"}), Value::Null).await;
        assert_eq!(answer["result"]["contents"][0]["text"], "article 8", "variables have no hyphens: {answer}");
    });
}

#[test]
fn prompts_follow_the_rule_of_a_server_for_them_and_an_own_name_wins() {
    run(async {
        let app = App::empty("x").server::<Parcels>().state(Parcels);
        assert_eq!(app.tool_names(), ["send_parcel"]);
        let mut wire = app.connect().await.expect("the app is valid");
        let listed = ask(&mut wire, "prompts/list", json!({}), Value::Null).await;
        let prompts = listed["result"]["prompts"].as_array().expect("prompts");
        let names: Vec<&Value> = prompts.iter().map(|prompt| &prompt["name"]).collect();
        assert_eq!(names, ["explain-delay", "write"]);
    });
}

#[test]
fn fields_and_variants_of_a_model_follow_its_rule_and_an_own_name_wins() {
    let app = || App::empty("x").server::<Parcels>().state(Parcels);
    let parcel = json!({"trackingNumber": 7, "state": "in-transit"});
    let sent = call(app(), "send_parcel", json!({"parcel": parcel}), Value::Null);
    assert_eq!(sent["structuredContent"], parcel);
    let schema = list(app())[0]["inputSchema"].to_string();
    assert!(schema.contains(r#""trackingNumber""#) && schema.contains(r#"["in-transit","delivered"]"#), "{schema}");
    assert_eq!(ParcelState::Delivered.as_str(), "delivered");
}
