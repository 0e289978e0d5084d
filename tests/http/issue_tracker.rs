//! The port of an issue tracker, with its users and roles.

use serde_json::{Value, json};

use super::client::{Request, call, modern, modern_with_meta};
use super::processes::Process;

fn by(user: &str, request: Request) -> Request {
    request.with("Authorization", &format!("Bearer {user}-token"))
}

/// Calls a tool as a user. Returns its result.
async fn result(tracker: &Process, user: &str, tool: &str, arguments: Value) -> Value {
    let response = tracker.server.send(&by(user, call(1, tool, arguments))).await;
    assert_eq!(response.status, 200, "{}", response.text());
    response.answer("tools/call")["result"].clone()
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().expect("a text")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_issue_tracker_serves_users_by_their_roles() {
    let tracker = Process::start("issue_tracker", &["127.0.0.1:0"]);
    assert_eq!(tracker.server.send(&call(1, "list_issues", json!({}))).await.status, 401);
    assert_eq!(tracker.server.send(&by("eve", call(1, "list_issues", json!({})))).await.status, 401);

    let opened = result(&tracker, "bob", "open_issue", json!({"title": "It crashes", "labels": ["bug"]})).await;
    assert_eq!(text(&opened), "Issue 1 is open.");
    let issue = json!({
        "id": 1, "title": "It crashes", "body": "", "priority": "normal", "labels": ["bug"], "status": "open",
        "author": "bob", "assignee": null, "comments": [],
    });
    assert_eq!(opened["structuredContent"], issue);
    let refused = result(&tracker, "bob", "open_issue", json!({"title": "", "priority": "urgent"})).await;
    assert_eq!(refused["isError"], true);
    assert!(text(&refused).contains("`/title`"), "{refused}");

    let imported = json!({"issues": [{"title": "Slow start", "priority": "high"}, {"title": "Typo"}]});
    assert_eq!(text(&result(&tracker, "ada", "import_issues", imported).await), "2 issues are open.");
    let page = result(&tracker, "bob", "list_issues", json!({"limit": 2})).await["structuredContent"].clone();
    let ids = |page: &Value| page["issues"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_eq!((ids(&page), &page["total"], &page["next"]), (vec![json!(3), json!(2)], &json!(3), &json!(2)));
    let found = json!({"label": "bug", "query": "CRASH", "status": "open"});
    assert_eq!(ids(&result(&tracker, "bob", "list_issues", found).await["structuredContent"]), [1]);
    assert_eq!(
        ids(&result(&tracker, "bob", "list_issues", json!({"priority": "high"})).await["structuredContent"]),
        [2]
    );

    let commented = result(&tracker, "bob", "comment", json!({"id": 1, "text": "Since 1.2."})).await;
    assert_eq!(commented["structuredContent"]["comments"], json!([{"author": "bob", "text": "Since 1.2."}]));
    let change = json!({"id": 1, "status": "closed", "assignee": "ada"});
    let forbidden = result(&tracker, "bob", "update_issue", change.clone()).await;
    assert_eq!(forbidden["isError"], true);
    assert_eq!(text(&forbidden), "bob is not a maintainer: ask ada, or comment on the issue");
    let changed = result(&tracker, "ada", "update_issue", change).await["structuredContent"].clone();
    assert_eq!((&changed["status"], &changed["assignee"]), (&json!("closed"), &json!("ada")));
    let unknown = result(&tracker, "ada", "update_issue", json!({"id": 1, "assignee": "eve"})).await;
    assert_eq!(text(&unknown), "there is no user eve: choose ada or bob");
    let missing = result(&tracker, "ada", "get_issue", json!({"id": 9})).await;
    assert_eq!(text(&missing), "there is no issue 9: list_issues shows all of them");

    let read = |uri: &'static str| by("bob", modern(1, "resources/read", json!({"uri": uri})));
    let open = tracker.server.send(&read("issues://open")).await.answer("resources/read");
    let open: Value = serde_json::from_str(open["result"]["contents"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(open.as_array().map(Vec::len), Some(2), "issue 1 is closed");
    let one = tracker.server.send(&read("issues://1")).await.answer("resources/read");
    assert!(one["result"]["contents"][0]["text"].as_str().unwrap().contains("Since 1.2."), "{one}");
    let triage = by("bob", modern(1, "prompts/get", json!({"name": "triage", "arguments": {"id": "2"}})));
    let triage = tracker.server.send(&triage).await.answer("prompts/get");
    let issue = &triage["result"]["messages"][0]["content"]["resource"];
    assert_eq!((&issue["uri"], &issue["mimeType"]), (&json!("issues://2"), &json!("application/json")));
    assert!(issue["text"].as_str().unwrap().contains("Slow start"), "{issue}");
    let missing = by("bob", modern(1, "prompts/get", json!({"name": "triage", "arguments": {"id": "9"}})));
    let missing = tracker.server.send(&missing).await.answer("prompts/get");
    assert_eq!(missing["error"]["message"], "there is no issue 9: list_issues shows all of them");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issue_is_deleted_only_after_a_confirmation() {
    let tracker = Process::start("issue_tracker", &["127.0.0.1:0"]);
    result(&tracker, "bob", "open_issue", json!({"title": "Typo"})).await;
    for (delete, left) in [(false, "Issue 1 is kept."), (true, "Issue 1 is deleted.")] {
        let mut params = json!({"name": "delete_issue", "arguments": {"id": 1}});
        let meta = json!({"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}});
        let asked = by("ada", modern_with_meta(1, "tools/call", params.clone(), meta.clone()));
        let asked = tracker.server.send(&asked).await;
        let asked = asked.answer("tools/call")["result"].clone();
        assert_eq!(asked["resultType"], "input_required", "{asked}");
        let (key, request) = asked["inputRequests"].as_object().unwrap().iter().next().unwrap();
        assert!(request["params"]["message"].as_str().unwrap().contains("\"Typo\""), "{request}");
        params["inputResponses"] = json!({key: {"action": "accept", "content": {"delete": delete}}});
        params["requestState"] = asked["requestState"].clone();
        let answer = tracker.server.send(&by("ada", modern_with_meta(2, "tools/call", params, meta))).await;
        assert_eq!(text(&answer.answer("tools/call")["result"]), left);
    }
}
