//! Problems of an app, as `Error::problems` returns them.

use fastmcp_rs::Problem;
use fastmcp_rs::prelude::*;
use serde_json::json;

fn problems(app: App) -> Vec<Problem> {
    app.check().map_or_else(|error| error.problems().to_vec(), |()| Vec::new())
}

fn tool(name: &str) -> DynamicTool {
    DynamicTool::new(name, json!({"type": "object"}), |_, _| async { Ok::<_, ToolError>("") })
}

#[test]
fn a_problem_names_its_subject_its_place_and_its_fix() {
    let found = problems(App::empty("").add_tool(tool("a b")));
    let [server, name] = &found[..] else { panic!("{found:?}") };
    assert_eq!((server.subject(), server.location(), server.text()), ("the server", None, "it has no name"));
    assert_eq!(name.subject(), "tool `a b`");
    let location = name.location().expect("a component has a place");
    assert!(location.contains("problems.rs:"), "{location}");
    assert_eq!(name.to_string(), format!("tool `a b` ({location}): {}: {}", name.text(), name.fix()));
}

#[test]
fn an_error_that_is_no_configuration_has_no_problems() {
    assert_eq!(fastmcp_rs::Error::other("the disk is full").problems(), []);
}
