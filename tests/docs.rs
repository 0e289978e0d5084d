//! The pages of `docs/`: all of them are in the book, all of their code is compiled, no link is dead, and
//! their statements about schemas and texts are true.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read(path: &Path) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pages of the book, as paths from the root; its table of contents is not one.
fn pages() -> BTreeSet<PathBuf> {
    fn collect(folder: &Path, pages: &mut BTreeSet<PathBuf>) {
        for entry in fs::read_dir(root().join(folder)).expect("a folder") {
            let entry = entry.expect("an entry");
            let path = folder.join(entry.file_name());
            if entry.file_type().expect("a type").is_dir() {
                collect(&path, pages);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.insert(path);
            }
        }
    }
    let mut pages = BTreeSet::new();
    collect(Path::new("docs"), &mut pages);
    assert!(pages.remove(Path::new("docs/SUMMARY.md")), "the book has a table of contents");
    assert!(pages.len() > 10, "{pages:?}");
    pages
}

/// The pages of the book and the other documents with links.
fn documents() -> BTreeSet<PathBuf> {
    let mut documents = pages();
    documents.extend(["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/SUMMARY.md"].map(PathBuf::from));
    documents
}

/// A fenced block: what stands behind its fence, and the line where it begins.
struct Block {
    language: String,
    line: usize,
    text: String,
}

/// Takes a page apart: the text outside of fenced blocks, with its lines where they were, and the blocks.
fn split(page: &str) -> (String, Vec<Block>) {
    let (mut prose, mut blocks) = (String::new(), Vec::new());
    let mut open: Option<(String, Block)> = None;
    for (index, line) in page.lines().enumerate() {
        let fence: String = line.trim_start().chars().take_while(|character| *character == '`').collect();
        match &mut open {
            Some((end, _)) if fence.len() >= end.len() && line.trim() == fence => {
                blocks.extend(open.take().map(|(_, block)| block))
            }
            Some((_, block)) => block.text.extend([line, "\n"]),
            None if fence.len() >= 3 => {
                let language = line.trim().trim_start_matches('`').to_owned();
                open = Some((fence, Block { language, line: index + 1, text: String::new() }));
            }
            None => prose.push_str(line),
        }
        prose.push('\n');
    }
    assert!(open.is_none(), "a block is not closed");
    (prose, blocks)
}

/// The text without its code spans, which may look like links.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("``")
}

/// The targets of the links in a page, each with its line.
fn links(page: &str) -> Vec<(usize, String)> {
    let (prose, _) = split(page);
    let mut links = Vec::new();
    for (index, line) in prose.lines().enumerate() {
        // A code span may be the text of a link, so what it holds goes and the link stays.
        let line = without_code(line);
        let mut rest = line.as_str();
        while let Some((_, after)) = rest.split_once("](") {
            let (target, after) = after.split_once(')').unwrap_or((after, ""));
            links.push((index + 1, target.trim().to_owned()));
            rest = after;
        }
    }
    links
}

/// The anchors of a page's headings, as mdBook and GitHub make them.
fn anchors(page: &str) -> BTreeSet<String> {
    let (prose, _) = split(page);
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    let mut anchors = BTreeSet::new();
    for line in prose.lines() {
        let heading = line.trim_start_matches('#');
        if heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let kept = heading.trim().chars().filter(|character| character.is_alphanumeric() || "_- ".contains(*character));
        let anchor: String = kept.map(|character| if character == ' ' { '-' } else { character }).collect();
        let anchor = anchor.to_lowercase();
        let before = count.entry(anchor.clone()).or_default();
        anchors.insert(if *before == 0 { anchor } else { format!("{anchor}-{before}") });
        *before += 1;
    }
    anchors
}

/// `docs/reference/../tools.md` is `docs/tools.md`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => assert!(normal.pop(), "{} leads out of the repository", path.display()),
            component => normal.push(component),
        }
    }
    normal
}

#[test]
fn the_table_of_contents_has_every_page_once() {
    let entries: Vec<PathBuf> =
        links(&read(Path::new("docs/SUMMARY.md"))).into_iter().map(|(_, page)| Path::new("docs").join(page)).collect();
    let listed: BTreeSet<PathBuf> = entries.iter().cloned().collect();
    assert_eq!(listed.len(), entries.len(), "a page is listed twice: {entries:?}");
    assert_eq!(listed, pages());
}

#[test]
fn the_code_of_every_page_is_compiled() {
    let source = read(Path::new("tests/pages.rs"));
    let included: BTreeSet<PathBuf> = source
        .split("include_str!(\"../")
        .skip(1)
        .map(|rest| PathBuf::from(rest.split('"').next().unwrap_or_default()))
        .collect();
    let mut expected = pages();
    expected.insert("README.md".into());
    // Its snippets are parts of one program, which `tests/book/follow` builds step by step.
    assert!(expected.remove(Path::new("docs/tutorial.md")));
    assert!(read(Path::new("tests/book/follow")).contains("\"docs/tutorial.md\""));
    assert_eq!(included, expected);
}

#[test]
fn every_code_block_has_a_language() {
    for path in documents() {
        for block in split(&read(&path)).1 {
            let place = format!("{}:{}", path.display(), block.line);
            match block.language.as_str() {
                "rust" | "rust,no_run" => assert!(!block.text.trim().is_empty(), "{place} is empty"),
                "dockerfile" | "json" | "python" | "sh" | "text" | "toml" | "yaml" => {}
                // Among them `ignore`: code that is not compiled soon becomes wrong.
                other => panic!("{place}: a block of {other:?}; see tests/docs.rs for what there is"),
            }
        }
    }
}

#[test]
fn json_blocks_are_json() {
    for path in documents() {
        for block in split(&read(&path)).1.into_iter().filter(|block| block.language == "json") {
            if let Err(error) = serde_json::from_str::<serde_json::Value>(&block.text) {
                panic!("{}:{}: {error}", path.display(), block.line);
            }
        }
    }
}

#[test]
fn every_link_has_a_target() {
    let mut seen = 0;
    for path in documents() {
        let page = read(&path);
        for (line, link) in links(&page) {
            let place = format!("{}:{line}: {link}", path.display());
            if link.starts_with("https://") || link.starts_with("http://") {
                continue;
            }
            seen += 1;
            let (target, anchor) =
                link.split_once('#').map_or((link.as_str(), None), |(target, anchor)| (target, Some(anchor)));
            let target = if target.is_empty() { path.clone() } else { normal(&path.with_file_name(target)) };
            assert!(root().join(&target).exists(), "{place}: there is no {}", target.display());
            if let Some(anchor) = anchor {
                let anchors = anchors(&read(&target));
                assert!(anchors.contains(anchor), "{place}: {} has only {anchors:?}", target.display());
            }
        }
    }
    assert!(seen > 50, "only {seen} links were found");
}

#[test]
fn no_page_installs_the_foreign_crate_fastmcp() {
    for path in documents() {
        for (index, line) in read(&path).lines().enumerate() {
            assert!(!line.contains("cargo add fastmcp"), "{}:{}: {line}", path.display(), index + 1);
        }
    }
}

#[test]
fn the_parser_of_pages_finds_code_and_links() {
    let page = "# A page: `x`\n\nSee [one](a.md#b), [`two`](b.md), `[three](c.md)`.\n\n```text\n[four](d.md)\n```\n\n## A page x\n\n## Twice\n\n## Twice\n";
    let targets: Vec<String> = links(page).into_iter().map(|(_, target)| target).collect();
    assert_eq!(targets, ["a.md#b", "b.md"]);
    let expected = ["a-page-x", "a-page-x-1", "twice", "twice-1"].map(String::from);
    assert_eq!(anchors(page), BTreeSet::from(expected));
    let blocks = split(page).1;
    assert_eq!((blocks[0].language.as_str(), blocks[0].line, blocks[0].text.as_str()), ("text", 5, "[four](d.md)\n"));
    assert_eq!(normal(Path::new("docs/reference/../tools.md")), Path::new("docs/tools.md"));
}

#[test]
fn the_list_for_models_has_every_page() {
    let list = read(Path::new("llms.txt"));
    assert!(list.starts_with("# fastmcp-rs\n\n> "), "llmstxt.org: a title, then a summary as a quotation");
    let listed: BTreeSet<PathBuf> = links(&list).into_iter().map(|(_, page)| PathBuf::from(page)).collect();
    assert_eq!(listed, pages(), "run tests/book/llms");
}

#[test]
fn each_recipe_has_a_complete_program_and_names_its_crates() {
    let page = read(Path::new("docs/recipes.md"));
    let recipes: Vec<&str> = page.split("\n## ").skip(1).collect();
    assert_eq!(recipes.len(), 12);
    for recipe in recipes {
        let (name, (_, blocks)) = (recipe.lines().next().unwrap_or_default(), split(recipe));
        let programs: Vec<&Block> = blocks.iter().filter(|block| block.language.starts_with("rust")).collect();
        assert_eq!(programs.len(), 1, "{name}");
        assert!(programs[0].text.contains("async fn main() -> Result"), "{name}");
        assert!(!programs[0].text.lines().any(|line| line.starts_with("# ")), "{name}: all lines are visible");
        for used in ["sqlx", "tokio", "serde_json", "axum", "ureq"] {
            let (is_used, added) = (programs[0].text.contains(&format!("{used}::")), format!(" {used}"));
            let commands = blocks.iter().filter(|block| block.language == "sh").flat_map(|block| block.text.lines());
            let is_added = commands.filter(|line| line.starts_with("cargo add")).any(|line| line.contains(&added));
            assert!(!is_used || is_added, "{name}: no command adds {used}");
        }
    }
}

#[test]
fn the_page_for_assistants_has_messages_of_the_compiler() {
    let mut said = String::new();
    for case in fs::read_dir(root().join("tests/ui/fail")).expect("a folder") {
        let path = case.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "stderr") {
            said.push_str(&fs::read_to_string(path).expect("a text"));
        }
    }
    let page = read(Path::new("docs/for-assistants.md"));
    let rows = page.split_once("\n## The ten commonest mistakes\n").expect("the heading").1;
    let rows = rows.lines().filter(|line| line.starts_with("| ") && line.contains("`error"));
    let messages: Vec<&str> = rows
        .filter_map(|row| row.split(" | ").nth(1))
        // Two backticks and a space stand around a span that has a backtick itself.
        .map(|cell| cell.trim_start_matches('`').trim_end_matches("``").trim_end())
        .collect();
    assert_eq!(messages.len(), 10, "{messages:?}");
    for message in messages {
        let is_plain = !message.contains("``") && message.starts_with("error");
        let message = message.strip_suffix('`').filter(|_| message.matches('`').count() % 2 == 1).unwrap_or(message);
        assert!(is_plain && said.contains(message), "no UI case has the message {message:?}");
    }
}

/// The code spans in the first cells of a page's tables, below a heading.
fn listed(page: &str, heading: &str) -> BTreeSet<String> {
    let page = format!("\n{}", read(page.as_ref()));
    let below = page.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("there is no {heading:?}")).1;
    let level = heading.split(' ').next().unwrap_or_default().len();
    let is_next = |line: &str| line.starts_with('#') && line.split(' ').next().unwrap_or_default().len() <= level;
    let rows = below.lines().take_while(|line| !is_next(line)).filter(|line| line.starts_with("| `"));
    let cells = rows.map(|row| row[2..].split(" | ").next().unwrap_or_default().to_owned());
    cells.flat_map(|cell| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>()).collect()
}

/// The string literals of a constant list in a source file.
fn constant(path: &str, name: &str) -> BTreeSet<String> {
    let source = read(path.as_ref());
    let list = source.split_once(&format!("const {name}: &[&str] =")).expect("the constant").1;
    let list = list.split_once("];").expect("its end").0;
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_reference_has_every_option() {
    let options = "fastmcp-rs-macros/src/parse/option_keys.rs";
    let resource = constant(options, "RESOURCE_KEYS");
    let common = &constant(options, "FIRST_KEYS") | &constant(options, "LAST_KEYS");
    let heading = "## Options of the attribute";
    assert_eq!(listed("docs/reference/tools.md", heading), &common | &constant(options, "TOOL_KEYS"));
    assert_eq!(listed("docs/reference/resources.md", heading), &common | &resource);
    // `complete` is documented with completions.
    let mut arguments = constant("fastmcp-rs-macros/src/parse/arg.rs", "ARG_KEYS");
    assert!(arguments.remove("complete"));
    assert_eq!(listed("docs/reference/tools.md", "## Options of an argument"), arguments);
}

#[test]
fn the_reference_has_every_feature() {
    let manifest = read("fastmcp-rs/Cargo.toml".as_ref());
    let features = manifest.split_once("\n[features]\n").expect("features").1;
    let features = features.lines().take_while(|line| !line.starts_with('['));
    let names = features.filter(|line| !line.starts_with('#')).filter_map(|line| Some(line.split_once(" = ")?.0));
    let mut names: BTreeSet<String> = names.map(str::to_owned).collect();
    assert!(names.remove("default"));
    assert_eq!(listed("docs/reference/features.md", "# Features"), names);
}

#[test]
fn the_command_of_an_example_names_the_features_that_it_requires() {
    let manifest: toml::Value = toml::from_str(&read("Cargo.toml".as_ref())).expect("TOML");
    let names = |list: &toml::Value| -> Vec<String> {
        list.as_array().expect("a list").iter().map(|name| name.as_str().expect("a name").to_owned()).collect()
    };
    let mut seen = 0;
    for example in manifest["example"].as_array().expect("a list") {
        let name = example["name"].as_str().expect("a name");
        let required = example.get("required-features").map(names).unwrap_or_default();
        let path = example.get("path").map(|path| path.as_str().expect("a path").to_owned());
        for line in read(path.unwrap_or_else(|| format!("examples/{name}.rs")).as_ref()).lines() {
            if !(line.starts_with("//! cargo ") && line.contains("--example")) {
                continue;
            }
            seen += 1;
            let feature = line.split("--features ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
            let enabled = manifest["features"].get(feature).map(names).unwrap_or_default();
            let is_complete = required.iter().all(|name| name == feature || enabled.contains(name));
            assert!(is_complete, "{name} requires {required:?}: {line}");
        }
    }
    assert_eq!(seen, 8, "commands");
}

#[test]
fn the_reference_has_every_method_of_app_and_context() {
    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            match path.is_dir() {
                true => sources(&path, found),
                false => found.push(path),
            }
        }
    }
    let mut files = Vec::new();
    sources(&root().join("fastmcp-rs/src"), &mut files);
    let page = read("docs/reference/app.md".as_ref());
    let mut seen = 0;
    for ty in ["App", "Context"] {
        for source in files.iter().map(|file| read(file)) {
            let opening = format!("\nimpl {ty} {{\n");
            let blocks = source.split(opening.as_str()).skip(1);
            let blocks = blocks.map(|rest| rest.split("\n}\n").next().unwrap_or_default());
            for block in blocks {
                let mut is_hidden = false;
                for line in block.lines().map(str::trim_start) {
                    is_hidden |= line == "#[doc(hidden)]";
                    let Some(function) = line.strip_prefix("pub async fn ").or(line.strip_prefix("pub fn ")) else {
                        continue;
                    };
                    let name = function.split(['(', '<']).next().unwrap_or_default();
                    if !std::mem::take(&mut is_hidden) {
                        seen += 1;
                        let is_told = ["(", "`", "::<"].iter().any(|end| page.contains(&format!("{name}{end}")));
                        assert!(is_told, "`{ty}::{name}` is not in docs/reference/app.md");
                    }
                }
            }
        }
    }
    assert!(seen > 50, "only {seen} methods were found");
}

/// The clients of `README.md`, `docs/clients.md` and `docs/models.md`.
mod clients {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::Path;
    use std::{fs, iter};

    use serde_json::{Map, Value};

    use super::{Block, read, root, split};

    const PAGE: &str = "docs/clients.md";

    /// A client that keeps its servers in a file: the key above them, and the keys of a server on standard input and
    /// output and of one on HTTP.
    struct Client {
        name: &'static str,
        key: &'static str,
        stdio: &'static [&'static str],
        http: &'static [&'static str],
    }

    const fn client(
        name: &'static str,
        key: &'static str,
        stdio: &'static [&'static str],
        http: &'static [&'static str],
    ) -> Client {
        Client { name, key, stdio, http }
    }

    /// The files as the commands of the clients wrote them.
    const CLIENTS: [Client; 11] = [
        client("Claude Code", "mcpServers", &["args", "command", "env", "type"], &["headers", "type", "url"]),
        client("Codex", "mcp_servers", &["command", "env"], &["bearer_token_env_var", "url"]),
        client("Gemini CLI", "mcpServers", &["args", "command", "env"], &["headers", "type", "url"]),
        client(
            "Copilot CLI",
            "mcpServers",
            &["args", "command", "env", "tools", "type"],
            &["headers", "tools", "type", "url"],
        ),
        client("opencode", "mcp", &["command", "environment", "type"], &["headers", "type", "url"]),
        client("Qwen Code", "mcpServers", &["args", "command", "env"], &["headers", "httpUrl"]),
        client("Cline CLI", "mcpServers", &["transport"], &["transport"]),
        client(
            "Continue CLI",
            "mcpServers",
            &["args", "command", "env", "name"],
            &["name", "requestOptions", "type", "url"],
        ),
        client("Amp", "amp.mcpServers", &["command", "env"], &["headers", "url"]),
        client(
            "Mistral Vibe",
            "mcp_servers",
            &["command", "env", "name", "transport"],
            &["auth", "name", "transport", "url"],
        ),
        client(
            "OpenHands CLI",
            "mcpServers",
            &["args", "command", "enabled", "env", "transport"],
            &["enabled", "headers", "transport", "url"],
        ),
    ];

    /// The packages by which tests install clients.
    const PACKAGES: [(&str, &str); 9] = [
        ("@anthropic-ai/claude-code", "Claude Code"),
        ("@openai/codex", "Codex"),
        ("@google/gemini-cli", "Gemini CLI"),
        ("@github/copilot", "Copilot CLI"),
        ("opencode-ai", "opencode"),
        ("@qwen-code/qwen-code", "Qwen Code"),
        ("cline", "Cline CLI"),
        ("@continuedev/cli", "Continue CLI"),
        ("@modelcontextprotocol/inspector", "Inspector"),
    ];

    /// The text from a heading to the next one of its level.
    fn section<'page>(page: &'page str, heading: &str) -> &'page str {
        let start = format!("\n{heading}\n");
        let below = page.split_once(start.as_str()).unwrap_or_else(|| panic!("there is no {heading:?}")).1;
        let next = format!("\n{} ", heading.split(' ').next().unwrap_or_default());
        below.split(next.as_str()).next().unwrap_or_default()
    }

    /// The rows of the first table in a text, without its head.
    fn table(text: &str) -> Vec<Vec<String>> {
        let rows = text.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
        rows.skip(2).map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
    }

    /// A cell without the target of a link.
    fn name(cell: &str) -> String {
        cell.trim_start_matches('[').split(']').next().unwrap_or_default().to_owned()
    }

    /// The clients and versions in the first table of a text.
    fn versions(text: &str) -> BTreeMap<String, String> {
        table(text).into_iter().map(|row| (name(&row[0]), row[1].clone())).collect()
    }

    fn clients_of_the_page() -> BTreeMap<String, String> {
        versions(section(&read(Path::new(PAGE)), "## Clients that were run"))
    }

    /// Reads the YAML of the pages: maps and lists of maps, indented by two spaces, with plain scalars and `[]`.
    fn yaml(text: &str) -> Value {
        fn node(lines: &mut [(usize, String)], at: &mut usize) -> Value {
            let indent = lines[*at].0;
            let (mut list, mut map) = (Vec::new(), Map::new());
            while *at < lines.len() && lines[*at].0 == indent {
                if let Some(item) = lines[*at].1.strip_prefix("- ").map(str::to_owned) {
                    lines[*at] = (indent + 2, item);
                    list.push(node(lines, at));
                    continue;
                }
                let (key, value) =
                    lines[*at].1.split_once(':').map(|(key, value)| (key.to_owned(), value.to_owned())).expect("a key");
                *at += 1;
                let value = match value.trim() {
                    "" => {
                        assert_eq!(lines[*at].0, indent + 2, "{key} has nothing below it");
                        node(lines, at)
                    }
                    "[]" => Value::Array(Vec::new()),
                    text => {
                        let is_plain = text.starts_with(|first: char| first.is_alphanumeric() || first == '/');
                        assert!(is_plain && !text.contains(": ") && !text.contains(" #"), "{text:?} needs quotes");
                        text.into()
                    }
                };
                assert!(map.insert(key, value).is_none(), "a key stands twice");
            }
            assert!(list.is_empty() || map.is_empty(), "a list and a map");
            if list.is_empty() { Value::Object(map) } else { Value::Array(list) }
        }
        let line = |line: &str| (line.len() - line.trim_start().len(), line.trim_start().to_owned());
        let mut lines: Vec<_> = text.lines().map(line).collect();
        let (mut at, count) = (0, lines.len());
        let value = node(&mut lines, &mut at);
        assert_eq!(at, count, "a line is indented otherwise than its neighbours");
        value
    }

    /// Reads a block of a configuration, if it is one.
    fn configuration(block: &Block) -> Option<Value> {
        match block.language.as_str() {
            "json" => Some(serde_json::from_str(&block.text).expect("JSON")),
            "toml" => Some(toml::from_str(&block.text).unwrap_or_else(|error| panic!("line {}: {error}", block.line))),
            "yaml" => Some(yaml(&block.text)),
            _ => None,
        }
    }

    /// The servers of a configuration by their names, whether it has them as a map or as a list.
    fn servers(configuration: &Value, key: &str) -> BTreeMap<String, Value> {
        match &configuration[key] {
            Value::Object(servers) => servers.iter().map(|(name, server)| (name.clone(), server.clone())).collect(),
            Value::Array(servers) => servers
                .iter()
                .map(|server| (server["name"].as_str().expect("a name").to_owned(), server.clone()))
                .collect(),
            other => panic!("{key} is {other}"),
        }
    }

    /// All strings in a value.
    fn strings(value: &Value) -> Vec<&str> {
        match value {
            Value::String(text) => vec![text],
            Value::Array(values) => values.iter().flat_map(strings).collect(),
            Value::Object(members) => members.values().flat_map(strings).collect(),
            _ => Vec::new(),
        }
    }

    fn keys(server: &Value) -> Vec<&str> {
        let mut keys: Vec<&str> = server.as_object().expect("an object").keys().map(String::as_str).collect();
        keys.sort_unstable();
        keys
    }

    /// Checks that a server has the placeholders that a reader has to replace.
    fn check_server(name: &str, server: &Value, program: &str) {
        match name {
            "orders" => {
                assert!(strings(server).contains(&program), "{server}");
                assert!(server.to_string().contains(r#""DATABASE_URL":"/absolute/path/to/orders.db""#), "{server}");
            }
            "orders-http" => assert!(strings(server).contains(&"http://127.0.0.1:8000/mcp"), "{server}"),
            other => panic!("a server is called {other:?}"),
        }
    }

    #[test]
    fn the_readme_and_the_page_of_clients_name_the_same_clients_and_versions() {
        let listed = versions(section(&read(Path::new("README.md")), "## Connect a client"));
        assert!(listed.len() > 10, "{listed:?}");
        assert_eq!(listed, clients_of_the_page());
    }

    #[test]
    fn clients_that_tests_install_are_listed_in_the_versions_that_are_installed() {
        let listed = clients_of_the_page();
        let mut seen = 0;
        for folder in fs::read_dir(root().join("tests/clients")).expect("a folder") {
            let Ok(manifest) = fs::read_to_string(folder.expect("an entry").path().join("package.json")) else {
                continue;
            };
            let manifest: Value = serde_json::from_str(&manifest).expect("JSON");
            for (package, client) in PACKAGES {
                let Some(version) = manifest["dependencies"][package].as_str() else { continue };
                seen += 1;
                assert_eq!(listed[client], version, "{client}");
            }
        }
        assert!(seen > 0, "no client is installed");
    }

    #[test]
    fn each_command_of_the_readme_is_on_the_page_of_clients() {
        let page = read(Path::new(PAGE));
        let mut seen = 0;
        for row in table(section(&read(Path::new("README.md")), "## Connect a client")) {
            let section = section(&page, &format!("## {}", row[0]));
            let blocks = split(section).1;
            let commands: BTreeSet<&str> =
                blocks.iter().filter(|block| block.language == "sh").flat_map(|block| block.text.lines()).collect();
            for cell in &row[2..] {
                let spans = cell.split('`').skip(1).step_by(2);
                for command in spans.filter(|span| span.contains('$')) {
                    seen += 1;
                    assert!(commands.contains(command), "{command:?} is not among {commands:?}");
                }
            }
        }
        assert!(seen > 15, "only {seen} commands were found");
    }

    #[test]
    fn configurations_of_clients_have_the_keys_that_the_clients_wrote() {
        let page = read(Path::new(PAGE));
        for client in CLIENTS {
            let blocks = split(section(&page, &format!("## {}", client.name))).1;
            let found: Vec<Value> = blocks.iter().filter_map(configuration).collect();
            assert_eq!(found.len(), 1, "{} has one file", client.name);
            let servers = servers(&found[0], client.key);
            assert_eq!(servers.len(), 2, "{}: {servers:?}", client.name);
            for (name, server) in &servers {
                let expected = if name == "orders" { client.stdio } else { client.http };
                assert_eq!(keys(server), expected, "{}: {name}", client.name);
                check_server(name, server, "/absolute/path/to/target/release/orders");
            }
        }
        let rest = split(section(&page, "## Clients that were not run")).1;
        let rest: Vec<Value> = rest.iter().filter_map(configuration).collect();
        for (configuration, key) in iter::zip(&rest, ["mcpServers", "servers"]) {
            for (name, server) in servers(configuration, key) {
                check_server(&name, &server, "/absolute/path/to/target/release/orders");
            }
        }
        assert_eq!(rest.len(), 2);
    }

    #[test]
    fn the_configuration_of_the_readme_is_that_of_claude_code() {
        let readme = read(Path::new("README.md"));
        let found: Vec<Value> =
            split(section(&readme, "## Connect a client")).1.iter().filter_map(configuration).collect();
        assert_eq!(found.len(), 1);
        let (claude, servers) = (&CLIENTS[0], servers(&found[0], CLIENTS[0].key));
        assert_eq!(keys(&servers["orders"]), claude.stdio);
        assert_eq!(keys(&servers["orders-http"]), ["type", "url"]);
        for (name, server) in servers {
            check_server(&name, &server, "/absolute/path/to/target/release/examples/order_manager");
        }
    }

    #[test]
    fn each_client_with_a_model_is_on_the_page_of_models() {
        let page = read(Path::new("docs/models.md"));
        for heading in ["## Tool definitions", "## Tool results"] {
            let seen: BTreeSet<String> = table(section(&page, heading)).iter().map(|row| row[0].clone()).collect();
            for client in clients_of_the_page().into_keys() {
                // Amp was not run with a model, and the Inspector has none.
                let is_expected = !["Amp", "Inspector"].contains(&client.as_str());
                assert_eq!(seen.contains(&client), is_expected, "{client} in {heading:?}");
            }
        }
    }

    #[test]
    fn the_rmcp_page_names_the_compiled_version() {
        let lock = read(Path::new("Cargo.lock"));
        let version = lock.split_once("name = \"rmcp\"\nversion = \"").expect("rmcp is locked").1;
        let version = version.split('"').next().unwrap_or_default();
        assert!(read(Path::new("docs/coming-from-rmcp.md")).contains(&format!("rmcp {version},")), "{version}");
    }

    #[test]
    fn the_parser_of_yaml_reads_the_pages_subset() {
        let text = "servers:\n  - name: a\n    args: []\n    env:\n      KEY: /b:c\n  - name: d\n";
        let expected =
            serde_json::json!({"servers": [{"name": "a", "args": [], "env": {"KEY": "/b:c"}}, {"name": "d"}]});
        assert_eq!(yaml(text), expected);
        for wrong in ["a:\nb: c\n", "a: b: c\n", "a: b\n  c: d\n", "a: @b\n", "a: b\na: c\n", "a: b\n- c: d\n"] {
            assert!(std::panic::catch_unwind(|| yaml(wrong)).is_err(), "{wrong:?}");
        }
    }
}

/// Claims of the pages about schemas and texts, checked with a server.
mod facts {
    use std::collections::{BTreeMap, HashSet};

    use fastmcp_rs::prelude::*;
    use serde_json::{Value, json};

    use super::{read, split};

    #[mcp::model]
    struct Address {
        #[arg(min_length = 1)]
        street: String,
        /// Two letters, e.g. `DE`.
        #[arg(pattern = "^[A-Z]{2}$", example = "DE")]
        country: String,
        floor: Option<u8>,
    }

    /// Changes the delivery address of an order.
    #[mcp::tool]
    async fn redirect(order_id: &str, address: Address) -> String {
        format!("{order_id} goes to {}, {}, {:?}", address.street, address.country, address.floor)
    }

    #[mcp::model]
    #[serde(rename_all = "lowercase")]
    enum Status {
        Processing,
        Shipped,
        Cancelled,
    }

    /// Lists orders.
    #[mcp::tool(read_only)]
    async fn list_orders(status: Option<Status>, #[arg(default = 20, min = 1, max = 100)] limit: usize) -> String {
        let status = match status {
            Some(Status::Processing) => "processing",
            Some(Status::Shipped) => "shipped",
            Some(Status::Cancelled) => "cancelled",
            None => "any",
        };
        format!("{limit} {status}")
    }

    /// Takes one of each.
    #[allow(clippy::too_many_arguments)]
    #[mcp::tool]
    fn types(
        text: String,
        letter: char,
        flag: bool,
        small: u16,
        signed: i32,
        large: u64,
        size: usize,
        long: i64,
        float: f32,
        list: Vec<String>,
        set: HashSet<String>,
        pair: (u8, String),
        array: [bool; 3],
        map: BTreeMap<String, f64>,
        status: Status,
        maybe: Option<i64>,
        maybes: Vec<Option<i64>>,
        anything: Value,
    ) -> Option<f64> {
        let _ = (text, letter, flag, small, signed, large, size, long, float, list, set, pair, array, map);
        let _ = (status, maybe, maybes, anything);
        None
    }

    fn ask(method: &str, mut params: Value) -> Value {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        });
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
        runtime.block_on(async move {
            let app = App::empty("facts").tool::<redirect>().tool::<list_orders>().tool::<types>();
            let mut wire = app.connect().await.expect("the app is valid");
            wire.send(request.to_string());
            let frame: Value = serde_json::from_str(&wire.receive().await).expect("a frame is JSON");
            frame["result"].clone()
        })
    }

    fn tool(name: &str) -> Value {
        let tools = ask("tools/list", json!({}));
        let tools = tools["tools"].as_array().expect("a list");
        tools.iter().find(|tool| tool["name"] == name).expect("the tool").clone()
    }

    fn call(name: &str, arguments: Value) -> String {
        let result = ask("tools/call", json!({"name": name, "arguments": arguments}));
        result["content"][0]["text"].as_str().expect("a text").to_owned()
    }

    #[test]
    fn the_schema_in_the_reference_is_the_published_one() {
        let (_, blocks) = split(&read("docs/reference/types.md".as_ref()));
        let block = blocks.iter().find(|block| block.language == "json").expect("a schema");
        let expected: Value = serde_json::from_str(&block.text).expect("JSON");
        assert_eq!(tool("redirect")["inputSchema"], expected);
    }

    #[test]
    fn each_type_has_the_schema_in_the_reference() {
        let types = tool("types");
        let schema = &types["inputSchema"];
        let expected = json!({
            "text": {"type": "string"},
            "letter": {"type": "string", "minLength": 1, "maxLength": 1},
            "flag": {"type": "boolean"},
            "small": {"type": "integer", "minimum": 0, "maximum": 65535},
            "signed": {"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX},
            "large": {"type": "integer", "minimum": 0},
            "size": {"type": "integer", "minimum": 0},
            "long": {"type": "integer"},
            "float": {"type": "number"},
            "list": {"type": "array", "items": {"type": "string"}},
            "set": {"type": "array", "items": {"type": "string"}},
            "pair": {
                "type": "array",
                "prefixItems": [{"type": "integer", "minimum": 0, "maximum": 255}, {"type": "string"}],
                "items": {"anyOf": [{"type": "integer", "minimum": 0, "maximum": 255}, {"type": "string"}]},
                "minItems": 2,
                "maxItems": 2,
            },
            "array": {"type": "array", "items": {"type": "boolean"}, "minItems": 3, "maxItems": 3},
            "map": {"type": "object", "additionalProperties": {"type": "number"}},
            "status": {"type": "string", "enum": ["processing", "shipped", "cancelled"]},
            "maybe": {"type": "integer"},
            "maybes": {"type": "array", "items": {"type": ["integer", "null"]}},
            "anything": {},
        });
        for (name, expected) in expected.as_object().expect("an object") {
            assert_eq!(schema["properties"][name], *expected, "{name}");
        }
        let required = schema["required"].as_array().expect("a list");
        assert!(!required.contains(&"maybe".into()) && required.contains(&"anything".into()), "{required:?}");
        assert_eq!(types["outputSchema"], json!({"type": ["number", "null"]}));
    }

    #[test]
    fn the_tutorial_shows_the_texts_that_a_model_reads() {
        let told = call("list_orders", json!({"limit": 500, "status": "SHIPED"}));
        let (_, blocks) = split(&read("docs/tutorial.md".as_ref()));
        assert!(blocks.iter().any(|block| block.language == "text" && block.text.trim() == told), "{told}");
    }

    #[test]
    fn unambiguous_arguments_are_coerced() {
        assert_eq!(call("list_orders", json!({"limit": "10"})), "10 any");
        assert_eq!(call("list_orders", json!({"limit": 1.0, "status": null})), "1 any");
        assert_eq!(call("list_orders", json!({"limit": null})), "20 any");
        let address = json!({"street": "Am Markt", "country": "DE"});
        let expected = "O goes to Am Markt, DE, None";
        assert_eq!(call("redirect", json!({"order_id": "O", "address": address})), expected);
        let problem = call("redirect", json!({"order_id": "O", "address": address, "adress": 1}));
        assert!(problem.contains("unknown argument"), "{problem}");
        let elsewhere = json!({"street": "Am Markt", "country": "DE", "planet": "Earth"});
        let problem = call("redirect", json!({"order_id": "O", "address": elsewhere}));
        assert!(problem.contains("`/address/planet`: unknown member"), "{problem}");
    }
}
