//! Models as forms of elicitation: the schema that a client gets, and the content that reaches the handler.

use fastmcp_rs::prelude::*;
use fastmcp_rs::testing::RawClient;
use serde_json::{Value, json};

use crate::{list, run};

/// How a parcel travels.
#[mcp::model]
#[derive(Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Speed {
    /// Within three days.
    Standard,
    /// Over night.
    #[serde(rename = "express")]
    OverNight,
}

#[mcp::model]
#[derive(Debug)]
pub enum Extra {
    Insurance,
    Gift,
}

/// An address.
#[mcp::model]
#[derive(Debug)]
pub struct Email(#[arg(max_length = 40, pattern = "@")] String);

#[mcp::model]
#[derive(Debug)]
#[serde(rename_all = "camelCase")]
pub struct Shipping {
    /// The destination.
    #[arg(title = "City or town", min_length = 2)]
    city_name: String,
    #[arg(min = 1, max = 9, default = 1)]
    parcels: u8,
    speed: Speed,
    #[serde(default)]
    extras: Vec<Extra>,
    notify: Option<Email>,
    #[serde(skip)]
    cost: Vec<u32>,
}

/// Asks for all of it.
#[mcp::tool]
pub async fn ship(ctx: &Context) -> Result<String, ToolError> {
    Ok(format!("{:?}", ctx.elicit::<Shipping>("Where to?").await?))
}

/// Asks for one of the names.
#[mcp::tool]
pub async fn hurry(ctx: &Context) -> Result<String, ToolError> {
    Ok(format!("{:?}", ctx.elicit::<Speed>("How fast?").await?))
}

/// Takes what others are asked for.
#[mcp::tool]
pub fn book(shipping: Shipping, #[arg(title = "Paid by")] payer: &str) -> String {
    format!("{shipping:?} {payer} {}", shipping.cost.len())
}

/// Calls a tool, fills in its form, and returns the elicitation and the result.
async fn fill_in(wire: &mut RawClient, tool: &str, content: Value) -> (Value, Value) {
    let mut params = json!({
        "name": tool,
        "arguments": {},
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
        },
    });
    let mut request = async |params: &Value| -> Value {
        wire.send(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).to_string());
        serde_json::from_str(&wire.receive().await).expect("a frame")
    };
    let mut asked = request(&params).await;
    let question = asked["result"]["inputRequests"]["elicitation_1"]["params"]["requestedSchema"].take();
    params["requestState"] = asked["result"]["requestState"].take();
    params["inputResponses"] = json!({"elicitation_1": {"action": "accept", "content": content}});
    (question, request(&params).await)
}

fn app() -> App {
    App::empty("parcels").tool::<ship>().tool::<hurry>().tool::<book>()
}

#[test]
fn a_form_has_one_field_for_each_field_of_its_struct() {
    run(async {
        let mut wire = app().connect().await.expect("the app is valid");
        let content = json!({"cityName": "Bonn", "speed": "express", "extras": ["Gift"], "notify": "a@b.example"});
        let (question, answer) = fill_in(&mut wire, "ship", content).await;
        let expected = json!({
            "type": "object",
            "properties": {
                "cityName": {
                    "type": "string",
                    "title": "City or town",
                    "description": "The destination.",
                    "minLength": 2,
                },
                "parcels": {"type": "integer", "minimum": 1, "maximum": 9, "default": 1},
                "speed": {
                    "type": "string",
                    "description": "How a parcel travels.",
                    "oneOf": [
                        {"const": "standard", "title": "Within three days"},
                        {"const": "express", "title": "Over night"},
                    ],
                },
                "extras": {
                    "type": "array",
                    "items": {"type": "string", "enum": ["Insurance", "Gift"]},
                    "default": [],
                },
                "notify": {"type": "string", "description": "An address.", "maxLength": 40},
            },
            "required": ["cityName", "speed"],
        });
        assert_eq!(question, expected, "{question:#}");
        let text = answer["result"]["content"][0]["text"].as_str().unwrap_or_default();
        for part in ["Accepted", "\"Bonn\"", "parcels: 1", "OverNight", "[Gift]", "Email(\"a@b.example\")"] {
            assert!(text.contains(part), "{part} in {answer}");
        }
        // A rule that a form cannot express is checked by the type.
        let content = json!({"cityName": "Bonn", "speed": "express", "notify": "nowhere"});
        let (_, refused) = fill_in(&mut wire, "ship", content).await;
        assert!(refused.to_string().contains("notify"), "{refused}");
    });
}

#[test]
fn an_enum_of_names_is_a_form_of_one_field() {
    run(async {
        let mut wire = app().connect().await.expect("the app is valid");
        let (question, answer) = fill_in(&mut wire, "hurry", json!({"value": "standard"})).await;
        assert_eq!(question["required"], json!(["value"]));
        assert_eq!(question["properties"]["value"]["oneOf"][1]["const"], "express");
        assert_eq!(answer["result"]["content"][0]["text"], "Accepted(Standard)");
    });
}

#[test]
fn the_schemas_of_tools_have_titles() {
    let tools = list(app());
    let properties = &tools[0]["inputSchema"]["properties"];
    assert_eq!(properties["payer"], json!({"type": "string", "title": "Paid by"}));
    assert_eq!(properties["shipping"]["properties"]["cityName"]["title"], "City or town");
}
