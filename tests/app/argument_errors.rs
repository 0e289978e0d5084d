//! Refused arguments: each problem with its location, the expected value, and the value that was sent.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use fastmcp_rs::middleware::{self, Next, Operation};
use fastmcp_rs::prelude::*;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

use super::run;

#[mcp::model]
struct Slot {
    day: NaiveDate,
    from: Option<NaiveTime>,
    length: Option<jiff::SignedDuration>,
    price: Option<Decimal>,
    owner: Option<Uuid>,
    page: Option<Url>,
    booked_at: Option<DateTime<Utc>>,
    local: Option<NaiveDateTime>,
}

#[mcp::model]
struct Plan {
    slots: Vec<Slot>,
    by_name: Option<BTreeMap<String, Slot>>,
}

/// Plans a week.
#[mcp::tool]
async fn plan(plan: Plan, from: NaiveDate, id: Uuid) -> String {
    format!("{} {from} {id}", plan.slots.len() + plan.by_name.map_or(0, |slots| slots.len()))
}

#[mcp::model]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Payment {
    Card { number: String },
    Transfer { iban: String },
    Cash,
    Voucher(Voucher),
}

#[mcp::model]
struct Voucher {
    code: String,
}

#[mcp::model]
#[serde(tag = "t", content = "c")]
enum Event {
    Moved { to: String },
    Closed,
}

#[mcp::model]
enum Target {
    Everyone,
    One { name: String },
    Group(Vec<String>),
}

#[mcp::model]
#[serde(untagged)]
enum Amount {
    Whole { pieces: u32 },
    Weight { grams: f64 },
}

/// Pays.
#[mcp::tool]
async fn pay(
    payment: Option<Payment>,
    events: Option<Vec<Event>>,
    target: Option<Target>,
    amount: Option<Amount>,
) -> String {
    let payment = payment.map(|payment| match payment {
        Payment::Card { number } => number,
        Payment::Transfer { iban } => iban,
        Payment::Cash => "cash".into(),
        Payment::Voucher(voucher) => voucher.code,
    });
    let events: Vec<String> = events
        .unwrap_or_default()
        .into_iter()
        .map(|event| match event {
            Event::Moved { to } => to,
            Event::Closed => "closed".into(),
        })
        .collect();
    let target = target.map(|target| match target {
        Target::Everyone => "everyone".into(),
        Target::One { name } => name,
        Target::Group(names) => names.join("+"),
    });
    let amount = amount.map(|amount| match amount {
        Amount::Whole { pieces } => f64::from(pieces),
        Amount::Weight { grams } => grams,
    });
    format!("{payment:?} {events:?} {target:?} {amount:?}")
}

/// Of another crate: serde's own rules hold.
#[derive(Serialize, Deserialize, JsonSchema)]
struct Foreign {
    a: u8,
}

#[mcp::model(allow_unknown_fields)]
struct Open {
    a: u8,
}

#[mcp::model]
struct Address {
    street: String,
    #[arg(min = 1)]
    floor: Option<i8>,
}

#[mcp::model]
struct Customer {
    name: String,
    #[serde(flatten)]
    address: Address,
}

#[mcp::model]
struct Tagged {
    name: String,
    #[serde(flatten)]
    rest: BTreeMap<String, u8>,
}

#[mcp::model(allow_unknown_fields)]
struct OpenCustomer {
    name: String,
    #[serde(flatten)]
    address: Address,
}

#[mcp::model]
struct Loose {
    name: String,
    #[serde(flatten)]
    payment: Option<Payment>,
    #[serde(flatten)]
    rest: Value,
}

#[mcp::model]
struct Order {
    id: u8,
    #[serde(flatten)]
    payment: Payment,
}

/// Takes all kinds.
#[mcp::tool]
#[allow(clippy::too_many_arguments)]
async fn keep(
    address: Option<Address>,
    foreign: Option<Foreign>,
    open: Option<Open>,
    customer: Option<Customer>,
    tagged: Option<Tagged>,
    order: Option<Order>,
    loose: Option<Loose>,
    open_customer: Option<OpenCustomer>,
    #[arg(max = 10)] limit: Option<u8>,
) -> String {
    let address = address.map(|address| (address.street, address.floor));
    let customer = customer.map(|customer| (customer.name, customer.address.street));
    let tagged = tagged.map(|tagged| (tagged.name, tagged.rest));
    let order = order.map(|order| order.id);
    let _ = open_customer.map(|customer| (customer.name, customer.address.street));
    let _ = loose.map(|loose| (loose.name, loose.payment.is_some(), loose.rest));
    let open = open.map(|open| open.a);
    format!("{address:?} {:?} {open:?} {customer:?} {tagged:?} {order:?} {limit:?}", foreign.map(|foreign| foreign.a))
}

/// Tells the weather, as another service has it.
#[mcp::tool]
async fn weather() -> Result<Voucher, ToolError> {
    // Responses of other services have more members than the type reads.
    Ok(serde_json::from_str(r#"{"code": "sunny", "humidity": 3}"#)?)
}

fn app() -> App {
    App::empty("x").tool::<plan>().tool::<pay>().tool::<keep>().tool::<weather>()
}

/// The text of the result of a call.
fn call_of(app: App, tool: &str, arguments: Value) -> String {
    run(async {
        let client = app.test_client().await.expect("the app is valid");
        client.call(tool, arguments).await.map_or_else(|failure| failure.to_string(), |reply| reply.text())
    })
}

fn call(tool: &str, arguments: Value) -> String {
    call_of(app(), tool, arguments)
}

/// The problems of a call that is refused.
fn problems(tool: &str, arguments: Value) -> Vec<String> {
    let text = call(tool, arguments);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_eq!(lines.remove(0), format!("Invalid arguments for `{tool}`:"), "{text}");
    assert!(lines.pop().is_some_and(|last| last.starts_with("Nothing was done.")), "{text}");
    lines.iter().map(|line| line.trim_start_matches("- ").to_owned()).collect()
}

#[test]
fn every_wrong_rich_value_is_reported_with_location_and_expectation() {
    let wrong = json!({
        "from": "tomorrow",
        "id": "67e5",
        "plan": {
            "slots": [
                {"day": "2026-02-30"},
                {
                    "day": "2026-01-01", "from": "noon", "length": "long", "price": "a lot", "owner": "me",
                    "page": "example.com", "booked_at": "2026-01-01", "local": "2026-01-01T10:00:00Z"
                }
            ],
            "by_name": {"x": {"day": 5}}
        }
    });
    assert_eq!(
        problems("plan", wrong),
        [
            r#"`/from`: expected a date, such as "2026-01-31", got the string "tomorrow""#,
            r#"`/id`: expected a UUID, such as "67e55044-10b1-426f-9247-bb680e5fe0c8", got the string "67e5""#,
            r#"`/plan/slots/0/day`: expected a date, such as "2026-01-31", got the string "2026-02-30""#,
            r#"`/plan/slots/1/from`: expected a time, such as "12:30:00", got the string "noon""#,
            r#"`/plan/slots/1/length`: expected a duration, such as "PT1H30M", got the string "long""#,
            r#"`/plan/slots/1/price`: expected a decimal number, such as "12.50", got the string "a lot""#,
            r#"`/plan/slots/1/owner`: expected a UUID, such as "67e55044-10b1-426f-9247-bb680e5fe0c8", got the string "me""#,
            r#"`/plan/slots/1/page`: expected an absolute URL, such as "https://example.com/", got the string "example.com""#,
            r#"`/plan/slots/1/booked_at`: expected a date and time with an offset, such as "2026-01-31T12:30:00Z", got the string "2026-01-01""#,
            r#"`/plan/slots/1/local`: expected a date and time without an offset, such as "2026-01-31T12:30:00", got the string "2026-01-01T10:00:00Z""#,
            r#"`/plan/by_name/x/day`: expected a date, such as "2026-01-31", got 5"#,
        ]
    );
}

#[test]
fn problems_found_by_the_type_are_reported_with_location_and_value() {
    let wrong = json!({
        "from": "2026-01-01", "id": Uuid::nil(),
        "plan": {"slots": [{"day": "2026-01-01"}, {"day": "2026-01-01", "length": "1 fortnight"}]}
    });
    let told = problems("plan", wrong);
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("`/plan/slots/1/length`: "), "{told:?}");
    assert!(told[0].ends_with(r#"got the string "1 fortnight""#), "{told:?}");
}

#[test]
fn decimals_are_strings_and_numbers_are_accepted() {
    for price in [json!("12.50"), json!(12.5), json!(3), json!("1e3")] {
        let plan = json!({"slots": [{"day": "2026-01-01", "price": price}]});
        let text = call("plan", json!({"plan": plan, "from": "2026-01-01", "id": Uuid::nil()}));
        assert!(text.starts_with("1 2026"), "{price}: {text}");
    }
    // Even if another value has to be coerced.
    let plan = json!({"slots": [{"day": "2026-01-01", "price": 12.5}]}).to_string();
    assert!(call("plan", json!({"plan": plan, "from": "2026-01-01", "id": Uuid::nil()})).starts_with("1 2026"));
}

#[test]
fn a_wrong_tag_is_reported_with_its_location_and_the_valid_tags() {
    let kinds = r#"one of "card", "transfer", "cash", "voucher""#;
    for (payment, told) in [
        (
            json!({"kind": "crad", "number": "1"}),
            format!(r#"`/payment/kind`: expected {kinds}, got the string "crad"; did you mean "card"?"#),
        ),
        (json!({"kind": 5}), format!("`/payment/kind`: expected {kinds}, got 5")),
        (json!({"number": "1"}), format!("`/payment/kind`: missing; expected {kinds}")),
        (json!({"knd": "card"}), format!("`/payment/kind`: missing; expected {kinds}; did you misspell it as `knd`?")),
        (json!("card"), format!(r#"`/payment`: expected an object whose `kind` is {kinds}, got the string "card""#)),
        (json!({"kind": "card", "number": 1}), "`/payment/number`: expected a string, got 1".into()),
        (json!({"kind": "voucher"}), "`/payment/code`: missing; expected a string".into()),
    ] {
        assert_eq!(problems("pay", json!({"payment": payment})), [told]);
    }
    for (event, told) in [
        (
            json!({"t": "moved", "c": {"to": "x"}}),
            r#"`/events/0/t`: expected one of "Moved", "Closed", got the string "moved"; did you mean "Moved"?"#,
        ),
        (json!({"c": {"to": "x"}}), r#"`/events/0/t`: missing; expected one of "Moved", "Closed""#),
        (json!({"t": "Moved", "c": {"to": 1}}), "`/events/0/c/to`: expected a string, got 1"),
    ] {
        assert_eq!(problems("pay", json!({"events": [event]})), [told]);
    }
    let names = r#"one of "Everyone", "One", "Group""#;
    for (target, told) in [
        (
            json!("everyone"),
            format!(r#"`/target`: expected {names}, got the string "everyone"; did you mean "Everyone"?"#),
        ),
        (
            json!("One"),
            r#"`/target`: expected an object with the member `One` (an object), got the string "One""#.into(),
        ),
        (
            json!({"one": {"name": "x"}}),
            format!(r#"`/target/one`: unknown variant; expected {names}; did you mean `One`?"#),
        ),
        (json!({"One": {"name": 1}}), "`/target/One/name`: expected a string, got 1".into()),
        (json!({}), format!("`/target`: expected an object with one member, named {names}, got the object {{}}")),
    ] {
        assert_eq!(problems("pay", json!({"target": target})), [told]);
    }
}

#[test]
fn valid_alternatives_are_accepted() {
    let arguments = json!({
        "payment": {"kind": "cash"}, "events": [{"t": "Closed"}, {"t": "Moved", "c": {"to": "x"}}],
        "target": {"Group": ["a", "b"]}, "amount": {"grams": 1.5}
    });
    assert_eq!(call("pay", arguments), r#"Some("cash") ["closed", "x"] Some("a+b") Some(1.5)"#);
    // An object that was sent as a string.
    let text = json!({"kind": "voucher", "code": "c"}).to_string();
    assert_eq!(call("pay", json!({"payment": text, "target": "Everyone"})), r#"Some("c") [] Some("everyone") None"#);
}

#[test]
fn unknown_members_of_a_model_are_refused() {
    for (arguments, path) in [
        (json!({"address": {"street": "x", "flor": 1}}), "/address/flor"),
        (json!({"customer": {"name": "x", "street": "y", "city": "z"}}), "/customer/city"),
        (json!({"order": {"id": 1, "kind": "cash", "x": 1}}), "/order/x"),
        (json!({"order": {"id": 1, "kind": "card", "number": "1", "y": 1}}), "/order/y"),
        (json!({"order": {"id": 1, "kind": "card", "number": "1", "iban": "x"}}), "/order/iban"),
    ] {
        let told = problems("keep", arguments.clone());
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with(&format!("`{path}`: unknown member")), "{arguments}: {told:?}");
    }
    assert!(problems("keep", json!({"address": {"street": "x", "flor": 1}}))[0].ends_with("did you mean `floor`?"));
    for (arguments, path) in [
        (json!({"payment": {"kind": "card", "number": "1", "x": 1}}), "/payment/x"),
        (json!({"payment": {"kind": "cash", "x": 1}}), "/payment/x"),
        (json!({"payment": {"kind": "voucher", "code": "1", "x": 1}}), "/payment/x"),
        (json!({"events": [{"t": "Moved", "c": {"to": "1", "x": 1}}]}), "/events/0/c/x"),
        (json!({"events": [{"t": "Closed", "x": 1}]}), "/events/0/x"),
        (json!({"target": {"One": {"name": "1", "x": 1}}}), "/target/One/x"),
        (json!({"amount": {"pieces": 1, "x": 1}}), "/amount"),
    ] {
        let told = problems("pay", arguments.clone());
        assert!(told.len() == 1 && told[0].starts_with(&format!("`{path}`: ")), "{arguments}: {told:?}");
    }
}

#[mcp::model]
struct Parcel {
    id: u8,
    #[serde(flatten)]
    target: Target,
}

#[mcp::model]
#[serde(untagged)]
enum When {
    Day(NaiveDate),
    Days(Vec<NaiveDate>),
    Span { from: NaiveDate, to: NaiveDate },
    Week { week: u8, year: u16 },
}

/// Sends.
#[mcp::tool]
async fn send(
    parcel: Option<Parcel>,
    when: Option<When>,
    by_number: Option<BTreeMap<u8, NaiveDate>>,
    pairs: Option<Vec<(u8, Option<u8>)>>,
) -> String {
    let parcel = parcel.map(|Parcel { id, target }| match target {
        Target::Everyone => format!("{id} everyone"),
        Target::One { name } => format!("{id} {name}"),
        Target::Group(names) => format!("{id} {}", names.len()),
    });
    let when = when.map(|when| match when {
        When::Day(day) => format!("{day}"),
        When::Days(days) => format!("{days:?}"),
        When::Span { from, to } => format!("{from} {to}"),
        When::Week { week, year } => format!("{week} {year}"),
    });
    format!("{parcel:?} {when:?} {by_number:?} {pairs:?}")
}

fn problems_of_send(arguments: Value) -> Vec<String> {
    let text = call_of(App::empty("x").tool::<send>(), "send", arguments);
    text.lines().filter_map(|line| line.strip_prefix("- ")).map(str::to_owned).collect()
}

#[test]
fn a_wrong_tag_of_a_flattened_enum_is_reported() {
    let names = "`One`, `Group`, `Everyone`";
    let needed = format!("`/parcel`: needs one of the members {names}");
    for (parcel, told) in [
        (json!({"id": 1}), vec![needed.clone()]),
        (
            json!({"id": 1, "one": {"name": "x"}}),
            vec![needed, "`/parcel/one`: unknown member; did you mean `One`?".into()],
        ),
        (json!({"id": 1, "One": {"name": 1}}), vec!["`/parcel/One/name`: expected a string, got 1".into()]),
        (
            json!({"id": 1, "Everyone": null, "x": 1}),
            vec![format!("`/parcel/x`: unknown member; valid ones are `id`, {names}")],
        ),
    ] {
        assert_eq!(problems_of_send(json!({ "parcel": parcel })), told, "{parcel}");
    }
}

#[test]
fn problems_inside_an_untagged_alternative_have_their_location() {
    for (when, told) in [
        (
            json!({"from": "2026-01-01", "to": "soon"}),
            "`/when/to`: expected a date, such as \"2026-01-31\", got the string \"soon\"",
        ),
        (json!({"week": 300, "year": 2026}), "`/when/week`: expected an integer from 0 to 255, got 300"),
        (json!(["2026-01-01", "soon"]), "`/when/1`: expected a date, such as \"2026-01-31\", got the string \"soon\""),
        (
            json!(true),
            "`/when`: expected a date, such as \"2026-01-31\", or a list, or an object with `from`, `to`, or an object with `week`, `year`, got true",
        ),
    ] {
        assert_eq!(problems_of_send(json!({ "when": when })), [told]);
    }
}

#[test]
fn problems_of_member_names_and_lengths_are_explained() {
    let told = problems_of_send(json!({"by_number": {"one": "2026-01-01"}, "pairs": [[1], "x", [1, "y"]]}));
    assert_eq!(
        told,
        [
            r"`/by_number/one`: the name of the member must match the pattern `^\d+$`",
            "`/pairs/0`: must have at least 2 items, not 1",
            "`/pairs/1`: expected a list of 2 items, got the string \"x\"",
            "`/pairs/2/1`: expected an integer from 0 to 255, or null, got the string \"y\"",
        ]
    );
    assert_eq!(
        problems("pay", json!({"target": {"Everyone": {}}})),
        [r#"`/target`: expected only the string "Everyone", got the object {"Everyone":{}}"#]
    );
    assert_eq!(
        problems("pay", json!({"payment": {"kind": "cash", "x": 1}})),
        ["`/payment/x`: unknown member; the only valid one is `kind`"]
    );
}

#[test]
fn members_of_open_and_flattened_types_are_accepted() {
    let arguments = json!({
        "address": {"street": "x", "floor": 1},
        "foreign": {"a": 1, "x": 2},
        "open": {"a": 1, "x": 2},
        "customer": {"name": "x", "street": "y", "floor": 2},
        "tagged": {"name": "x", "y": 1},
        "order": {"id": 1, "kind": "card", "number": "1"},
        "loose": {"name": "x", "anything": [1]},
        "open_customer": {"name": "x", "street": "y", "x": 1}
    });
    let taken = call("keep", arguments);
    assert!(
        taken.starts_with(r#"Some(("x", Some(1))) Some(1) Some(1) Some(("x", "y")) Some(("x", {"y": 1})) Some(1)"#),
        "{taken}"
    );
    let voucher = json!({"order": {"id": 1, "kind": "voucher", "code": "c"}});
    assert!(call("keep", voucher).contains("Some(1)"), "what is strict alone is not where it is flattened");
    assert!(!call("weather", json!({})).contains("rror"), "only arguments are strict");
}

#[test]
fn the_text_null_for_an_optional_argument_is_refused_with_advice() {
    let told = problems("keep", json!({"limit": "null", "address": {"street": "x", "floor": "null"}}));
    assert_eq!(told.len(), 2);
    assert!(told.iter().all(|told| told.ends_with("omit it if it has no value")), "{told:?}");
}

fn schema(tool: &str, app: App) -> Value {
    run(async {
        let client = app.test_client().await.expect("the app is valid");
        let tools = client.list_tools().await.expect("they are listed");
        tools.iter().find(|listed| listed["name"] == tool).expect("it is there")["inputSchema"].clone()
    })
}

#[test]
fn published_schemas_mark_closed_objects() {
    let keep = schema("keep", app())["properties"].clone();
    for (argument, is_closed) in [
        ("address", true),
        ("foreign", false),
        ("open", false),
        ("customer", true),
        ("order", false),
        ("loose", false),
        ("open_customer", false),
    ] {
        assert_eq!(keep[argument]["additionalProperties"] == false, is_closed, "{argument}: {}", keep[argument]);
    }
    assert_eq!(keep["tagged"]["additionalProperties"]["type"], "integer");
    let pay = schema("pay", app())["properties"].clone();
    let branches = pay["payment"]["anyOf"].as_array().expect("alternatives");
    assert!(branches.iter().all(|branch| branch["additionalProperties"] == false), "{branches:?}");
    assert_eq!(branches[0]["properties"]["kind"], json!({"type": "string", "enum": ["card"]}));
    let text = json!([keep, pay]).to_string();
    assert!(!text.contains("x-fastmcp") && !text.contains("oneOf") && !text.contains("\"const\""), "{text}");
}

#[test]
fn arguments_added_by_clients_are_ignored() {
    let added = json!({"toolCallId": "1", "sessionId": "s", "action": "a", "chatInput": "c", "tool": "t"});
    assert!(call("keep", added).starts_with("None"));
    assert!(call("keep", json!({"wait_for_previous": true})).starts_with("None"));
    assert_eq!(problems("keep", json!({"action": "a"})).len(), 1, "a word of its own");
    let nested = json!({"address": {"street": "x", "toolCallId": 1}});
    assert_eq!(problems("keep", nested).len(), 1, "only at the top");
    assert_eq!(problems("keep", json!({"summary": "x"})).len(), 1);
    assert!(call_of(app().ignore_arguments(["summary"]), "keep", json!({"summary": "x"})).starts_with("None"));
    assert!(call_of(app().ignore_unknown_arguments(true), "keep", json!({"x": 1})).starts_with("None"));
    let schema = json!({"type": "object", "properties": {"toolCallId": {}}, "additionalProperties": false});
    let echo = DynamicTool::new("echo", schema, |arguments, _| async move {
        Ok::<_, ToolError>(Value::from(arguments).to_string())
    });
    let given = json!({"toolCallId": "1", "wait_for_previous": true, "sessionId": "s"});
    let text = call_of(App::empty("x").add_tool(echo), "echo", given.clone());
    assert!(text.contains("`/sessionId`"), "a declared `toolCallId` says nothing of the client: {text}");
}

#[test]
fn middleware_does_not_see_arguments_added_by_clients() {
    let app = app().layer(middleware::from_fn(|operation: Operation, next: Next| async move {
        assert!(!operation.arguments_json().contains("wait_for_previous"));
        next.run(operation).await
    }));
    assert!(call_of(app, "keep", json!({"wait_for_previous": true})).starts_with("None"));
}

#[mcp::model]
enum Step {
    Stop,
    Go { steps: u8 },
}

/// Takes alternatives.
#[mcp::tool]
async fn step(step: Step) -> u8 {
    match step {
        Step::Stop => 0,
        Step::Go { steps } => steps,
    }
}

#[test]
fn a_missing_argument_with_alternatives_is_described_by_them() {
    let text = call_of(App::empty("x").tool::<step>(), "step", json!({}));
    assert!(text.contains(r#"`/step`: missing; expected "Stop", or an object with `Go`"#), "{text}");
}

#[test]
fn a_long_value_is_not_parsed_again_to_be_quoted() {
    let nested = |street: String| json!({"address": {"street": street, "toolCallId": 1}});
    let text = call("keep", nested("x".repeat(2 << 20)));
    assert!(text.contains("`/address") && text.contains("unknown member\n"), "{}", text.len());
}
