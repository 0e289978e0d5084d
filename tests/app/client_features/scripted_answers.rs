//! Scripts of a test client that respond for the user and the model, in every revision.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use fastmcp_rs::prelude::*;
use fastmcp_rs::testing::{ClientReply, TestClientBuilder};
use serde_json::{Value, json};

use crate::run;
use crate::support::Revision;
use crate::validated_client::validated;

/// Deletes a file, if the user wants it.
#[mcp::tool(destructive)]
async fn delete(path: &str, ctx: &Context) -> Result<&'static str, ToolError> {
    Ok(match ctx.elicit::<bool>(format!("Delete {path}?")).await? {
        ElicitationResult::Accepted(true) => "deleted",
        ElicitationResult::Accepted(false) | ElicitationResult::Declined => "kept",
        ElicitationResult::Cancelled => "not decided",
    })
}

/// Asks the model and the user at once, where the files are that the client has.
#[mcp::tool]
async fn name_files(ctx: &Context) -> Result<String, ToolError> {
    let roots = ctx.roots().await?;
    let name = ctx.sample(SamplingRequest::new("Which name?").max_tokens(10));
    let number = ctx.elicit::<i64>("Which number?").key("number");
    let (name, number) = tokio::join!(name.into_future(), number.into_future());
    let number = number?.accepted().unwrap_or_default();
    Ok(format!("{}/{}{number}", roots[0].uri, name?.text()))
}

/// Waits for an hour at the most.
#[mcp::tool]
async fn patient(ctx: &Context) -> Result<&'static str, ToolError> {
    match ctx.elicit::<bool>("Well?").timeout(Duration::from_secs(3_600)).await {
        Err(ClientRequestError::TimedOut { .. }) => Ok("nobody answered"),
        answer => answer.map(|_| "answered").map_err(ToolError::from),
    }
}

/// A diary that needs a confirmation.
#[mcp::resource("diary://{day}")]
async fn diary(day: u32, ctx: &Context) -> Result<String, ToolError> {
    let answer = ctx.elicit::<bool>(format!("Show day {day}?")).await?;
    Ok(format!("{answer:?}"))
}

/// Asks for the tone.
#[mcp::prompt]
async fn letter(ctx: &Context) -> Result<String, ToolError> {
    let tone = ctx.elicit::<String>("Which tone?").await?;
    Ok(format!("Write a letter: {}", tone.accepted().unwrap_or_default()))
}

fn client() -> TestClientBuilder {
    App::from_module("scripts", module_path!()).test_client()
}

/// The revisions that have elicitation.
fn asking() -> impl Iterator<Item = Revision> {
    Revision::ALL.into_iter().filter(|revision| *revision >= Revision::V2025_06_18)
}

#[test]
fn a_script_answers_elicitations_in_every_revision() {
    for revision in asking() {
        for (answer, expected) in [
            (ClientReply::accept(json!({"value": true})), "deleted"),
            (ClientReply::accept(json!({"value": false})), "kept"),
            (ClientReply::decline(), "kept"),
            (ClientReply::cancel(), "not decided"),
        ] {
            run(async {
                let client = validated(client(), revision).on_elicitation(move |question| {
                    assert_eq!(question.message, "Delete a.txt?");
                    assert_eq!(question.schema["properties"]["value"]["type"], "boolean");
                    assert_eq!(question.key.is_some(), revision.is_modern());
                    answer.clone()
                });
                let client = client.await.unwrap();
                assert_eq!(client.call("delete", json!({"path": "a.txt"})).await.unwrap().text(), expected);
                assert_eq!(client.notifications(), []);
            });
        }
    }
}

#[test]
fn a_script_answers_resources_and_prompts() {
    for revision in asking() {
        run(async {
            let client = validated(client(), revision).on_elicitation(|question| {
                let is_tone = question.message == "Which tone?";
                ClientReply::accept(json!({"value": if is_tone { json!("warm") } else { json!(true) }}))
            });
            let client = client.await.unwrap();
            assert_eq!(client.read("diary://7").await.unwrap().text(), "Accepted(true)");
            assert_eq!(client.get_prompt("letter", json!({})).await.unwrap().text(), "Write a letter: warm");
        });
    }
}

#[test]
fn a_script_answers_several_requests_of_one_round() {
    for revision in asking() {
        run(async {
            let asked = Arc::new(AtomicU32::new(0));
            let count = Arc::clone(&asked);
            let client = validated(client(), revision).roots(["file:///srv"]).on_elicitation(move |question| {
                assert_eq!(question.key.as_deref(), revision.is_modern().then_some("number"));
                count.fetch_add(1, Ordering::Relaxed);
                ClientReply::accept(json!({"value": 7}))
            });
            let client = client.on_sampling(|question| {
                assert_eq!((question.prompt(), question.max_tokens), ("Which name?", 10));
                ClientReply::message("report")
            });
            let client = client.await.unwrap();
            assert_eq!(client.call("name_files", json!({})).await.unwrap().text(), "file:///srv/report7");
            assert_eq!(asked.load(Ordering::Relaxed), 1, "{revision}");
        });
    }
}

#[test]
fn without_a_script_the_client_has_no_capability() {
    for revision in Revision::ALL {
        run(async {
            let client = validated(client(), revision).await.unwrap();
            match client.call("delete", json!({"path": "a.txt"})).await {
                Ok(reply) => assert!(!revision.is_modern() && reply.is_error(), "{revision}: {}", reply.text()),
                Err(failure) => assert_eq!((revision, failure.code()), (Revision::V2026_07_28, -32021)),
            }
        });
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_in_a_timeout_or_an_unanswered_failure() {
    for revision in asking() {
        let begin = tokio::time::Instant::now();
        let client = validated(client(), revision).on_elicitation(|_| ClientReply::silence()).await.unwrap();
        match client.call("patient", json!({})).await {
            Ok(reply) => {
                assert_eq!(reply.text(), "nobody answered");
                assert_eq!(begin.elapsed().as_secs(), 3_600, "{revision}");
                assert_eq!(client.notifications()[0].method, "notifications/cancelled");
            }
            Err(failure) => assert!(revision.is_modern() && failure.is_unanswered(), "{revision}: {failure}"),
        }
    }
}

#[test]
fn a_script_of_a_session_can_refuse_with_an_error() {
    run(async {
        let client = validated(client(), Revision::V2025_11_25).on_elicitation(|_| ClientReply::refuse(-1, "away"));
        let reply = client.await.unwrap().call("patient", json!({})).await.unwrap();
        assert!(reply.is_error() && reply.text().contains("away"), "{}", reply.text());
    });
}

#[test]
fn a_round_can_be_continued_by_hand() {
    run(async {
        let client = validated(client(), Revision::V2026_07_28).capabilities(json!({"elicitation": {}}));
        let client = client.await.unwrap();
        let mut params = json!({"name": "delete", "arguments": {"path": "a.txt"}});
        let asked = client.request("tools/call", &params).await.unwrap();
        assert_eq!(asked["resultType"], "input_required");
        let (key, _) = asked["inputRequests"].as_object().and_then(|asked| asked.iter().next()).expect("a question");
        params["inputResponses"] = json!({key: {"action": "decline"}});
        params["requestState"] = asked["requestState"].clone();
        let done: Value = client.request("tools/call", &params).await.unwrap();
        assert_eq!(done["content"][0]["text"], "kept");
        params["arguments"]["path"] = "b.txt".into();
        assert_eq!(client.request("tools/call", &params).await.unwrap_err().code(), -32602);
    });
}
