//! Every component of a server: sorted by name, checked, and with its list pages serialised once.
//!
//! `inventory` promises no order and sees the tools of every crate that is linked, so the order is made
//! here and what clashes is refused with both places named.

mod pages;
mod tool;

use std::any::TypeId;
use std::collections::{BTreeMap, HashMap};

pub use pages::CacheScope;
use pages::Cursor;
pub(crate) use pages::ListConfig;
pub(crate) use tool::ToolEntry;

use crate::component::tool::ToolDefinition;
use crate::context::States;
use crate::protocol::Revision;
use crate::schema::suggest;

/// The components of a server. They do not change while it runs.
#[derive(Debug)]
pub(crate) struct Registry {
    tools: Vec<ToolEntry>,
    by_name: HashMap<&'static str, usize>,
    pages: pages::Pages,
}

impl Registry {
    /// Describes and checks the tools; each problem is told, not only the first.
    pub(crate) fn new(
        definitions: Vec<&'static ToolDefinition>,
        states: &States,
        lists: ListConfig,
        problems: &mut Vec<String>,
    ) -> Registry {
        let mut tools: Vec<ToolEntry> = definitions.into_iter().map(ToolEntry::new).collect();
        tools.sort_by_key(|tool| (tool.name(), tool.definition.location.file, tool.definition.location.line));
        for pair in tools.windows(2) {
            if pair[0].name() == pair[1].name() {
                problems.push(format!(
                    "two tools are named `{}`: at {} and at {}; rename one with `#[mcp::tool(name = \"…\")]`",
                    pair[0].name(),
                    pair[0].definition.location,
                    pair[1].definition.location
                ));
            }
        }
        for tool in &tools {
            for problem in &tool.described.problems {
                problems.push(format!("tool `{}` ({}): {problem}", tool.name(), tool.definition.location));
            }
        }
        check_states(&tools, states, problems);
        let by_name = tools.iter().enumerate().map(|(index, tool)| (tool.name(), index)).collect();
        Registry { tools, by_name, pages: pages::Pages::new(lists) }
    }

    pub(crate) fn tools(&self) -> &[ToolEntry] {
        &self.tools
    }

    pub(crate) fn tool(&self, name: &str) -> Option<&ToolEntry> {
        self.by_name.get(name).and_then(|&index| self.tools.get(index))
    }

    /// The tool that was meant by a name that no tool has.
    pub(crate) fn nearest_tool(&self, name: &str) -> Option<&'static str> {
        suggest::nearest(name, self.tools.iter().map(ToolEntry::name))
    }

    /// The result of `tools/list`, as JSON text; `None` for a cursor that this server did not make.
    pub(crate) fn list_tools(
        &self,
        revision: Revision,
        cursor: Option<&str>,
        server_info: &[u8],
    ) -> Option<std::sync::Arc<[u8]>> {
        let cursor = match cursor {
            Some(text) => Some(Cursor::parse(text)?),
            None => None,
        };
        self.pages.get(&self.tools, revision, cursor, server_info)
    }
}

/// Each state that is missing, once, with the tools that want it.
fn check_states(tools: &[ToolEntry], states: &States, problems: &mut Vec<String>) {
    let mut missing: BTreeMap<(&'static str, TypeId), Vec<String>> = BTreeMap::new();
    for tool in tools {
        for (id, name) in &tool.described.requirements.states {
            if !states.contains_key(id) {
                missing.entry((name, *id)).or_default().push(format!("`{}`", tool.name()));
            }
        }
    }
    for ((name, _), wanted_by) in missing {
        let noun = if wanted_by.len() == 1 { "tool" } else { "tools" };
        problems.push(format!(
            "the app has no state of type `{name}`, which the {noun} {} want: add `.state(…)` with such a value",
            wanted_by.join(", ")
        ));
    }
}
