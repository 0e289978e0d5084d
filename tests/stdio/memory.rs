//! The port of the reference memory server, in every revision.

use serde_json::{Value, json};

use crate::support::{Folder, Frame, Revision, Server};

fn memory(folder: &Folder, revision: Revision) -> Server {
    let file = folder.path().join("memory.jsonl");
    let mut server = Server::setup("memory").env("MEMORY_FILE_PATH", file.to_str().expect("a path in UTF-8")).start();
    server.open(revision);
    server
}

fn entity(name: &str, observations: &[&str]) -> Value {
    json!({"name": name, "entityType": "person", "observations": observations})
}

fn relation(from: &str, to: &str) -> Value {
    json!({"from": from, "to": to, "relationType": "knows"})
}

/// The value of a result, from its text in revisions without structured content.
fn value(frame: &Frame) -> Value {
    assert!(!frame.is_tool_error(), "{}", frame.text);
    match frame.result().get("structuredContent") {
        Some(value) => value.clone(),
        None => serde_json::from_str(frame.content_text()).expect("the text is JSON"),
    }
}

#[test]
fn the_memory_server_keeps_a_graph_in_every_revision() {
    for revision in Revision::ALL {
        let folder = Folder::new();
        let mut server = memory(&folder, revision);
        assert_eq!(value(&server.call("read_graph", json!({}))), json!({"entities": [], "relations": []}));
        let (ada, bob) = (entity("Ada", &["writes programs"]), entity("Bob", &[]));
        let created = server.call("create_entities", json!({"entities": [ada, bob]}));
        assert_eq!(value(&created), json!({"entities": [ada, bob]}));
        let again = server.call("create_entities", json!({"entities": [ada, entity("Cid", &[])]}));
        assert_eq!(value(&again), json!({"entities": [entity("Cid", &[])]}), "a known entity is not created again");
        let relations = json!({"relations": [relation("Ada", "Bob"), relation("Bob", "Cid")]});
        assert_eq!(value(&server.call("create_relations", relations.clone())), relations);
        assert_eq!(value(&server.call("create_relations", relations)), json!({"relations": []}));

        let additions = json!({"observations": [{"entityName": "Ada", "contents": ["likes tea", "writes programs"]}]});
        let added = server.call("add_observations", additions);
        assert_eq!(value(&added), json!({"results": [{"entityName": "Ada", "addedObservations": ["likes tea"]}]}));
        let unknown =
            json!({"observations": [{"entityName": "Ada", "contents": ["x"]}, {"entityName": "Dan", "contents": []}]});
        let refused = server.call("add_observations", unknown);
        assert!(refused.is_tool_error(), "{}", refused.text);
        assert_eq!(refused.content_text(), "Entity with name Dan not found");

        let found = value(&server.call("search_nodes", json!({"query": "TEA"})));
        let ada = entity("Ada", &["writes programs", "likes tea"]);
        assert_eq!(
            found,
            json!({"entities": [ada], "relations": [relation("Ada", "Bob")]}),
            "the refused call changed nothing"
        );
        let opened = value(&server.call("open_nodes", json!({"names": ["Cid", "nobody"]})));
        assert_eq!(opened, json!({"entities": [entity("Cid", &[])], "relations": [relation("Bob", "Cid")]}));

        // Another process reads the same file.
        drop(server);
        let mut server = memory(&folder, revision);
        let deletions = json!({"deletions": [{"entityName": "Ada", "observations": ["likes tea"]}]});
        for (tool, arguments, text) in [
            ("delete_observations", deletions, "Observations deleted successfully"),
            ("delete_relations", json!({"relations": [relation("Bob", "Cid")]}), "Relations deleted successfully"),
            ("delete_entities", json!({"entityNames": ["Bob"]}), "Entities deleted successfully"),
        ] {
            let deleted = server.call(tool, arguments);
            assert_eq!(deleted.content_text(), text);
            if let Some(structured) = deleted.result().get("structuredContent") {
                assert_eq!(structured, &json!({"success": true, "message": text}));
            }
        }
        let left = json!({"entities": [entity("Ada", &["writes programs"]), entity("Cid", &[])], "relations": []});
        assert_eq!(value(&server.call("read_graph", json!({}))), left);
        let read = server.ask("resources/read", json!({"uri": "memory://knowledge-graph"}));
        let contents = &read.result()["contents"][0];
        assert_eq!(contents["mimeType"], "application/json");
        assert_eq!(serde_json::from_str::<Value>(contents["text"].as_str().expect("a text")).expect("JSON"), left);
    }
}

#[test]
fn subscribers_of_the_graph_are_notified_of_changes() {
    let folder = Folder::new();
    let mut server = memory(&folder, Revision::NEWEST);
    let filter = json!({"notifications": {"resourceSubscriptions": ["memory://knowledge-graph"]}});
    server.send(&Revision::NEWEST.request("graph", "subscriptions/listen", filter));
    assert_eq!(server.receive().value["method"], "notifications/subscriptions/acknowledged");
    server.send(&Revision::NEWEST.request(
        1,
        "tools/call",
        json!({"name": "create_entities", "arguments": {"entities": [entity("Ada", &[])]}}),
    ));
    let frames = [server.receive(), server.receive()];
    let updated = frames.iter().find(|frame| frame.value["method"] == "notifications/resources/updated");
    assert_eq!(updated.expect("a notification").value["params"]["uri"], "memory://knowledge-graph");
}
