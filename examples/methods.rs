//! Methods: tools, resources and prompts that share the fields of a type.
//!
//! ```sh
//! cargo run --example methods
//! ```

use std::collections::BTreeMap;
use std::sync::Mutex;

use fastmcp_rs::prelude::*;

/// The notes of a team, by title.
#[derive(Default)]
struct Notebook {
    notes: Mutex<BTreeMap<String, String>>,
}

#[mcp::server]
impl Notebook {
    /// Writes a note, or replaces it.
    #[tool(idempotent)]
    async fn write_note(&self, #[arg(min_length = 1, max_length = 80)] title: &str, text: String) -> String {
        match self.notes().insert(title.to_owned(), text) {
            Some(_) => format!("{title} was replaced"),
            None => format!("{title} was written"),
        }
    }

    /// Lists the titles of all notes.
    #[tool(read_only)]
    async fn list_notes(&self) -> Vec<String> {
        self.notes().keys().cloned().collect()
    }

    /// A note, by its title.
    #[resource("notes://{title}")]
    async fn note(&self, #[arg(complete = Self::titles)] title: &str) -> Option<String> {
        self.notes().get(title).cloned()
    }

    /// Summarizes a note.
    #[prompt]
    async fn sum_up(&self, #[arg(complete = Self::titles)] title: &str) -> Result<String, ToolError> {
        match self.notes().get(title) {
            Some(text) => Ok(format!("Summarize this in one sentence:\n\n{text}")),
            None => Err(ToolError::new(format!("there is no note {title}"))),
        }
    }

    /// Suggests titles while a person types. Clients do not see this method.
    async fn titles(_: CompletionRequest, notebook: State<Self>) -> Vec<String> {
        notebook.notes().keys().cloned().collect()
    }

    fn notes(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, String>> {
        self.notes.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}

#[mcp::main]
async fn main() -> Result<(), fastmcp_rs::Error> {
    App::new("notebook").state(Notebook::default()).run_stdio().await
}
