//! Problems of an app, as `Error::problems` returns them, and the rule for names that both crates have.

use fastmcp_rs::prelude::*;
use fastmcp_rs::{DynamicTool, Problem};
use serde_json::json;

#[path = "../../fastmcp-rs-macros/src/validate/tool_name.rs"]
mod tool_name;

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

#[test]
fn macros_and_tools_of_run_time_have_one_rule_for_names() {
    let (longest, too_long) = ("x".repeat(128), "x".repeat(129));
    let characters = (0..=255_u8).map(|byte| format!("a{}b", char::from(byte)));
    for name in characters.chain(["é", "get_order", "a.b-c", &longest, &too_long].map(str::to_owned)) {
        let is_refused = !problems(App::empty("x").add_tool(tool(&name))).is_empty();
        assert_eq!(tool_name::find_tool_name_problem(&name).is_some(), is_refused, "{name:?}");
    }
}
