//! Metadata of apps and components: icons, titles, tags, and cache hints.

use std::time::Duration;

use fastmcp_rs::prelude::*;
use fastmcp_rs::{CacheScope, Icon, IconTheme};
use serde_json::{Value, json};

use super::run;
use super::validated_client::validated;
use crate::support::Revision;

/// Changes now and then.
#[mcp::resource("kept://long", ttl = "5m", scope = "public")]
fn long() -> &'static str {
    "long"
}

/// Changes at any time.
#[mcp::resource("kept://{never}", ttl = "0s")]
fn never(never: &str) -> String {
    never.to_owned()
}

/// Says nothing of it.
#[mcp::resource("kept://as/the/app")]
fn as_the_app() -> &'static str {
    "app"
}

fn app() -> App {
    App::empty("x")
        .cache_resources(Duration::from_secs(30), CacheScope::Public)
        .resource::<long>()
        .resource::<never>()
        .resource::<as_the_app>()
}

#[test]
fn a_resource_has_its_own_ttl_and_cache_scope() {
    for revision in Revision::ALL {
        run(async {
            let client = validated(app().test_client(), revision).await.unwrap();
            for (uri, ttl, scope) in
                [("kept://long", 300_000, "public"), ("kept://x", 0, "public"), ("kept://as/the/app", 30_000, "public")]
            {
                let read = client.read(uri).await.unwrap();
                let expected =
                    if revision.is_modern() { (json!(ttl), json!(scope)) } else { (Value::Null, Value::Null) };
                assert_eq!((read.json()["ttlMs"].clone(), read.json()["cacheScope"].clone()), expected, "{uri}");
            }
        });
    }
    run(async {
        // With a visibility function nothing is shared, even if a resource has the public scope.
        let client = app().visible_if(|_, _| true).test_client().await.unwrap();
        let read = client.read("kept://long").await.unwrap();
        assert_eq!((&read.json()["ttlMs"], &read.json()["cacheScope"]), (&json!(300_000), &json!("private")));
    });
}

#[test]
fn the_icons_of_a_server_are_sent_only_with_its_description() {
    for revision in Revision::ALL {
        run(async {
            let icon = Icon::new("data:image/png;base64,AAAA").mime_type("image/png").size("16x16");
            let app = app().icon(icon).icon(Icon::new("https://example.com/x.svg").theme(IconTheme::Dark));
            let client = validated(app.test_client(), revision).await.unwrap();
            let told = client.discover().await.unwrap();
            let info = match revision.is_modern() {
                true => &told["_meta"]["io.modelcontextprotocol/serverInfo"],
                false => &told["serverInfo"],
            };
            assert_eq!(info["name"], "x");
            let icons = json!([
                {"src": "data:image/png;base64,AAAA", "mimeType": "image/png", "sizes": ["16x16"]},
                {"src": "https://example.com/x.svg", "theme": "dark"}
            ]);
            assert_eq!(
                info["icons"],
                if revision >= Revision::V2025_11_25 { icons } else { Value::Null },
                "{revision:?}"
            );
            let list = client.request("resources/list", json!({})).await.unwrap();
            assert!(!list.to_string().contains("data:image/png"), "{list}");
        });
    }
    run(async {
        let told =
            app().icon(Icon::new("https://x")).hide_server_info(true).test_client().await.unwrap().discover().await;
        assert!(told.unwrap().get("_meta").is_none());
    });
    let text = app().icon(Icon::new("file:///x.png").size("big")).check().unwrap_err().to_string();
    assert!(text.contains("icon of the server: clients load icons") && text.contains("`big` is not"), "{text}");
}

#[test]
fn the_default_title_is_the_name_in_words() {
    let tool = |name: &str| DynamicTool::new(name, json!({"type": "object"}), |_, _| async { Ok::<_, ToolError>("") });
    let app = || {
        let app = App::empty("x").add_tool(tool("get_order_details")).add_tool(tool("ship.now-__please"));
        app.add_tool(tool("said").title("What it says"))
    };
    run(async {
        for (revision, expected) in [
            (Revision::V2026_07_28, [json!("Get Order Details"), json!("What it says"), json!("Ship Now Please")]),
            (Revision::V2025_06_18, [json!("Get Order Details"), json!("What it says"), json!("Ship Now Please")]),
            (Revision::V2025_03_26, [const { Value::Null }; 3]),
        ] {
            let client = validated(app().test_client(), revision).await.unwrap();
            let titles: Vec<Value> =
                client.list_tools().await.unwrap().iter().map(|tool| tool["title"].clone()).collect();
            assert_eq!(titles, expected, "{revision}");
        }
    });
}

#[test]
fn tags_need_an_object_at_fastmcp_in_the_meta() {
    let tool = DynamicTool::new("t", json!({"type": "object"}), |_, _| async { Ok::<_, ToolError>("") });
    let text = App::empty("x").add_tool(tool.tag("a").meta("fastmcp", 1)).check().unwrap_err().to_string();
    assert!(text.contains("`fastmcp` of `_meta` must be an object"), "{text}");
}
