//! A lock file of an app's tools, so that their contract does not change unnoticed.

use std::path::Path;

use serde_json::{Map, Value};
use similar::TextDiff;

use crate::app::App;

/// The environment variable with which a test writes the lock file instead of comparing with it.
const UPDATE: &str = "FASTMCP_UPDATE_SNAPSHOTS";

/// The members of a tool that are its contract, in the order of the lock file.
const CONTRACT: [&str; 6] = ["name", "title", "description", "annotations", "inputSchema", "outputSchema"];

/// Compares an app's tools with a lock file: names, titles, descriptions, annotations and schemas.
///
/// Models use tools by their descriptions, so a change of these texts and schemas changes behaviour; the lock file
/// makes the change visible in review. `$tools` is an [`App`](crate::App), which needs neither states nor a runtime for
/// this, or a list of tools from `client.list_tools().await?`. `$path` is the path of the lock file, relative to the
/// folder of the crate's manifest.
///
/// With `FASTMCP_UPDATE_SNAPSHOTS=1` in the environment the file is written instead.
///
/// # Panics
///
/// Panics if the tools differ from the file, and shows the lines that differ, or if the file does not exist.
///
/// # Example
///
/// ```
/// use fastmcp_rs::prelude::*;
/// use fastmcp_rs::testing::assert_tools_snapshot;
///
/// /// Doubles a number.
/// #[mcp::tool(read_only)]
/// fn double(number: i64) -> i64 {
///     number * 2
/// }
///
/// assert_tools_snapshot!(App::empty("numbers").tool::<double>(), "tests/snapshots/double.json");
/// ```
#[macro_export]
macro_rules! assert_tools_snapshot {
    ($tools:expr, $path:expr $(,)?) => {
        $crate::testing::__assert_tools_snapshot($tools, ::core::env!("CARGO_MANIFEST_DIR"), $path)
    };
}

/// Tools that [`assert_tools_snapshot!`](crate::assert_tools_snapshot) can check.
pub trait ToolsSnapshot {
    /// Returns the tools as a list of revision 2026-07-28 contains them.
    fn tools(self) -> Vec<Value>;
}

impl ToolsSnapshot for App {
    fn tools(self) -> Vec<Value> {
        self.listed_tools()
    }
}

impl ToolsSnapshot for Vec<Value> {
    fn tools(self) -> Vec<Value> {
        self
    }
}

impl ToolsSnapshot for &[Value] {
    fn tools(self) -> Vec<Value> {
        self.to_vec()
    }
}

#[doc(hidden)]
#[track_caller]
pub fn __assert_tools_snapshot(tools: impl ToolsSnapshot, folder: &str, path: &str) {
    let update = std::env::var_os(UPDATE).is_some_and(|value| !value.is_empty() && value != "0");
    if let Err(problem) = compare(tools.tools(), folder, path, update) {
        panic!("{problem}");
    }
}

fn compare(tools: Vec<Value>, folder: &str, path: &str, update: bool) -> Result<(), String> {
    let file = Path::new(folder).join(path);
    let now = lock_text(tools);
    let known = match std::fs::read_to_string(&file) {
        // A checkout may have changed the line endings.
        Ok(text) => Some(text.replace("\r\n", "\n")),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(format!("cannot read {}: {error}", file.display())),
    };
    if known.as_ref() == Some(&now) {
        return Ok(());
    }
    if update {
        let folder = file.parent().map_or(Ok(()), std::fs::create_dir_all);
        let written = folder.and_then(|()| std::fs::write(&file, now));
        return written.map_err(|error| format!("cannot write {}: {error}", file.display()));
    }
    let accept = format!("{UPDATE}=1 cargo test");
    let Some(known) = known else {
        return Err(format!("there is no lock file {}; to create it: {accept}", file.display()));
    };
    let diff = TextDiff::from_lines(&known, &now);
    let diff = diff.unified_diff().context_radius(3).header(path, "the tools now").to_string();
    Err(format!("the tools have changed:\n\n{diff}\nIf the change is intended, accept it: {accept}\n"))
}

/// Returns the text of the lock file for these tools.
fn lock_text(mut tools: Vec<Value>) -> String {
    tools.sort_by(|one, other| one["name"].as_str().cmp(&other["name"].as_str()));
    let contracts = tools.iter_mut().map(|tool| {
        let members = CONTRACT.iter().filter_map(|name| Some(((*name).to_owned(), tool.get_mut(*name)?.take())));
        Value::Object(members.collect::<Map<String, Value>>())
    });
    let contracts = Value::Array(contracts.collect());
    // Serializing a `Value` cannot fail.
    let mut text = serde_json::to_string_pretty(&contracts).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tools() -> Vec<Value> {
        let schema = json!({"type": "object", "properties": {"z": {"type": "string"}, "a": {"type": "integer"}}});
        vec![
            json!({"name": "write", "description": "Writes.", "inputSchema": schema, "_meta": {"x": 1}}),
            json!({"name": "read", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": true}}),
        ]
    }

    /// A folder for one test, deleted at its end.
    struct TestFolder(std::path::PathBuf);

    impl TestFolder {
        fn new(name: &str) -> TestFolder {
            let path = std::env::temp_dir().join(format!("fastmcp-rs-snapshot-{name}-{}", std::process::id()));
            std::fs::create_dir_all(&path).unwrap();
            TestFolder(path)
        }

        fn path(&self) -> &str {
            self.0.to_str().unwrap()
        }
    }

    impl Drop for TestFolder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn a_lock_file_is_sorted_and_keeps_the_order_of_arguments() {
        let text = lock_text(tools());
        let place = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part} in {text}"));
        assert!(place("\"read\"") < place("\"write\""));
        assert!(place("\"z\"") < place("\"a\""));
        assert!(place("\"description\"") < place("\"properties\""));
        assert!(!text.contains("_meta"), "{text}");
        assert!(text.ends_with("]\n"), "{text:?}");
    }

    #[test]
    fn a_missing_file_is_reported_and_created_on_request() {
        let folder = TestFolder::new("missing");
        let problem = compare(tools(), folder.path(), "new/tools.json", false).unwrap_err();
        assert!(
            problem.contains("tools.json") && problem.contains("FASTMCP_UPDATE_SNAPSHOTS=1 cargo test"),
            "{problem}"
        );
        compare(tools(), folder.path(), "new/tools.json", true).unwrap();
        compare(tools(), folder.path(), "new/tools.json", false).unwrap();
    }

    #[test]
    fn a_change_is_shown_line_by_line_until_it_is_accepted() {
        let folder = TestFolder::new("change");
        compare(tools(), folder.path(), "tools.json", true).unwrap();
        let mut changed = tools();
        changed[0]["description"] = "Writes at once.".into();
        let problem = compare(changed.clone(), folder.path(), "tools.json", false).unwrap_err();
        assert!(
            problem.contains("-    \"description\": \"Writes.\",\n+    \"description\": \"Writes at once.\","),
            "{problem}"
        );
        assert!(problem.contains("--- tools.json\n+++ the tools now\n"), "{problem}");
        assert!(!problem.contains("readOnlyHint"), "what is far from the change is not shown: {problem}");
        compare(changed.clone(), folder.path(), "tools.json", true).unwrap();
        compare(changed, folder.path(), "tools.json", false).unwrap();
    }

    #[test]
    fn other_line_endings_are_not_a_change() {
        let folder = TestFolder::new("lines");
        let text = lock_text(tools()).replace('\n', "\r\n");
        std::fs::write(folder.0.join("tools.json"), text).unwrap();
        compare(tools(), folder.path(), "tools.json", false).unwrap();
    }
}
