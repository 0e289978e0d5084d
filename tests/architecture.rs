//! Holds the library to `docs/ARCHITECTURE.md`: the order of its rooms, the map of its files, the paths that the
//! documentation names, and the seams for revisions and methods.
//!
//! A room is a folder of `fastmcp-rs/src`. It may use the rooms below it on the map, and none above. Test modules are
//! not read, as they may use anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex_lite::Regex;

/// Files at the top of `src` that only re-export, or that every room may use.
const FACES: [&str; 6] = ["lib.rs", "mcp.rs", "prelude.rs", "private.rs", "error.rs", "fuzzing.rs"];

/// The sources of the macros.
const MACROS: &str = "fastmcp-rs-macros/src";

/// The modules of the macros, the last phase first. The phases share the last four modules.
const PHASES: [&str; 12] = [
    "pipeline",
    "expand",
    "validate",
    "server",
    "model",
    "handler",
    "serde_options",
    "parse",
    "types",
    "errors",
    "component",
    "shared",
];

/// The limit of names that `lib.rs` re-exports, without its modules. Names of one subject belong in its module.
const MAX_ROOT_NAMES: usize = 40;

/// The compile-error cases with several errors: one for each of several mistakes, unless a comment says otherwise.
const CASES_WITH_SEVERAL_ERRORS: [(&str, usize); 66] = [
    ("arg_bound_beyond_alias", 6),
    ("arg_bound_beyond_type", 9),
    ("arg_default_out_of_range", 2),
    ("arg_pattern_invalid", 2),
    ("arg_unknown", 2),
    ("argument_model_nested_without_traits", 2),
    ("complete_not_a_completion", 4),
    ("complete_not_a_path", 2),
    ("default_does_not_fit", 2),
    // rustc also reports the default.
    ("default_in_signature", 2),
    ("default_of_a_type_without_default", 2),
    ("default_of_another_type", 2),
    ("description_missing_on_many", 2),
    // rustc also reports the default.
    ("fastmcp_context_default", 2),
    ("flatten_of_no_struct", 2),
    ("flatten_with_other_options", 2),
    ("flatten_without_model", 2),
    ("form_enum_with_data", 2),
    ("form_list_of_strings", 2),
    ("form_tuple", 2),
    // rustc reports the function and its type, and the trait of the type.
    ("function_name_twice", 3),
    ("generic_beside_other_mistakes", 3),
    ("icon_key", 2),
    ("icon_scheme", 2),
    ("macro_rules_types", 2),
    ("many_mistakes", 7),
    ("many_mistakes_of_both_kinds", 5),
    ("many_mistakes_with_defaults", 5),
    ("many_type_mistakes", 5),
    ("meta_not_json", 2),
    ("model_conversion_option", 2),
    ("model_enum_default_unknown", 2),
    ("model_many_unfit_fields", 8),
    ("model_serde_misspelt", 2),
    ("model_type_missing", 2),
    ("option_wrong_kind", 3),
    ("prompt_option_unknown", 2),
    ("prompt_return_not_a_message", 2),
    ("rename_all_collision", 2),
    ("rename_all_unknown_rule", 3),
    ("resource_caching", 5),
    ("resource_description_missing", 2),
    ("resource_many_mistakes", 12),
    ("resource_many_type_mistakes", 6),
    ("resource_option_unknown", 2),
    ("resource_variable_is_injected", 2),
    ("resource_variable_may_be_missing", 2),
    ("resource_variable_without_parameter", 2),
    ("resource_without_body", 2),
    ("result_content_mistakes", 4),
    ("return_bytes", 6),
    ("self_outside_impl", 2),
    ("server_generic", 3),
    ("server_many_mistakes", 8),
    ("server_many_mistakes_of_both_kinds", 2),
    ("server_method_options", 8),
    ("server_name_twice", 2),
    ("server_on_reference", 2),
    ("server_self", 4),
    ("state_with_wrong_function", 5),
    ("template_operator", 2),
    ("tool_error_unknown_option", 2),
    // rustc also reports the attribute, twice.
    ("tool_on_closure", 3),
    ("type_missing", 4),
    ("uri_missing", 2),
    ("uri_without_scheme", 2),
];

/// A module, as the names of its path from the root of the crate.
type Module = Vec<String>;

#[test]
fn no_room_uses_a_room_above_it() {
    let rooms = Map::read().rooms;
    let library = Library::read();
    let mut wrong = Vec::new();
    for (module, used) in library.uses() {
        let Some(own) = rooms.iter().position(|room| *room == module[0]) else { continue };
        for target in used {
            match rooms.iter().position(|room| *room == target[0]) {
                Some(other) if other < own => wrong.push(format!("{} uses {}", module.join("/"), target.join("/"))),
                _ => {}
            }
        }
    }
    assert!(wrong.is_empty(), "the map has these rooms in another order:\n{}", wrong.join("\n"));
}

/// The public modules of `lib.rs` and the prelude re-export from all rooms, so a path through them would hide its room.
#[test]
fn rooms_name_items_by_the_path_of_their_room() {
    let files = Library::read().files;
    let module = Regex::new(r"(?m)^pub mod (\w+) \{").unwrap();
    let mut faces: BTreeSet<&str> =
        module.captures_iter(&files["lib.rs"]).map(|found| found.get(1).expect("a name").as_str()).collect();
    assert!(faces.contains("handler"), "`lib.rs` has another form: {faces:?}");
    faces.extend(["prelude", "mcp", "__private"]);
    let path = Regex::new(r"\bcrate::(\{|\w+)").unwrap();
    let mut wrong = Vec::new();
    for (file, text) in files.iter().filter(|(file, _)| !FACES.contains(&file.as_str())) {
        for found in path.captures_iter(text) {
            let end = found.get(0).expect("the whole match").end();
            let leaves = if &found[1] == "{" { expand("", block(&text[end..])) } else { vec![found[1].to_owned()] };
            let first = leaves.iter().map(|leaf| leaf.split("::").next().unwrap_or_default());
            wrong.extend(first.filter(|name| faces.contains(name)).map(|name| format!("{file} uses crate::{name}")));
        }
    }
    assert!(wrong.is_empty(), "name the room that defines the item:\n{}", wrong.join("\n"));
}

#[test]
fn no_phase_of_the_macros_uses_a_later_phase() {
    let mut wrong = Vec::new();
    for (module, used) in Library::read_from(&root().join(MACROS)).uses() {
        let own = PHASES.iter().position(|phase| *phase == module[0]);
        let own = own.unwrap_or_else(|| panic!("`{}` has no place among the phases", module.join("/")));
        let later = used.into_iter().filter(|target| PHASES[..own].contains(&target[0].as_str()));
        wrong.extend(later.map(|target| format!("{} uses {}", module.join("/"), target.join("/"))));
    }
    assert!(wrong.is_empty(), "the phases have another order:\n{}", wrong.join("\n"));
}

#[test]
fn files_have_no_cycles() {
    let mut circles: Vec<String> = Vec::new();
    for graph in [Library::read().uses(), Library::read_from(&root().join(MACROS)).uses()] {
        for start in graph.keys() {
            if let Some(circle) = circle_through(&graph, start) {
                let mut names: Vec<String> = circle.iter().map(|module| module.join("/")).collect();
                names.sort();
                circles.push(names.join(", "));
            }
        }
    }
    circles.sort();
    circles.dedup();
    assert!(circles.is_empty(), "these files use each other:\n{}", circles.join("\n"));
}

#[test]
fn the_map_lists_exactly_the_existing_files() {
    let map = Map::read();
    let listed: BTreeSet<String> = map.files.into_keys().collect();
    let files: BTreeSet<String> = Library::read().files.into_keys().collect();
    let missing: Vec<_> = files.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&files).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not on the map: {missing:?}; on the map, but not there: {gone:?}");
}

#[test]
fn the_map_describes_files_as_their_headers_do() {
    let plain = |text: &str| text.replace(['[', ']', '`', '#', '.'], "");
    let link = Regex::new(r"\]\([^)]*\)").unwrap();
    let mut wrong = Vec::new();
    for (file, description) in Map::read().files.iter().filter(|(_, description)| !description.is_empty()) {
        let text = read(&source().join(file));
        let header = text.lines().map_while(|line| line.strip_prefix("//!")).take_while(|line| !line.is_empty());
        let header = link.replace_all(&header.map(str::trim).collect::<Vec<_>>().join(" "), "]").into_owned();
        if !plain(&header).starts_with(&plain(description)) {
            wrong.push(format!("{file}: \"{description}\", and its header: \"{header}\""));
        }
    }
    assert!(wrong.is_empty(), "the map describes these files in other words than they do:\n{}", wrong.join("\n"));
}

/// A row of the table names files, and functions and types in them.
#[test]
fn the_table_of_changes_names_what_its_files_have() {
    let page = read(&root().join("docs/ARCHITECTURE.md"));
    let table = page.split("## Where to change what").nth(1).and_then(|rest| rest.split("\n## ").next());
    let rows: Vec<&str> =
        table.expect("the page has the table").lines().filter(|line| line.starts_with("| ")).collect();
    assert!(rows.len() > 12, "the table has {} rows", rows.len());
    let bases = [source(), root().join(MACROS), root()];
    let quoted = Regex::new(r"`([^`]+)`").unwrap();
    let name = Regex::new(r"^(?:\w+::)*(\w+)$").unwrap();
    let mut wrong = Vec::new();
    for row in rows {
        let pieces: Vec<&str> =
            quoted.captures_iter(row).map(|found| found.get(1).expect("a piece").as_str()).collect();
        let mut texts = String::new();
        for file in pieces.iter().filter(|piece| piece.ends_with(".rs")) {
            let found: Vec<PathBuf> = bases.iter().map(|base| base.join(file)).filter(|path| path.exists()).collect();
            if found.is_empty() {
                wrong.push(format!("`{file}` does not exist: {row}"));
            }
            texts.extend(found.iter().map(|path| read(path)));
        }
        for piece in pieces {
            let Some(found) = name.captures(piece) else { continue };
            if !texts.split(|letter: char| letter != '_' && !letter.is_alphanumeric()).any(|word| word == &found[1]) {
                wrong.push(format!("`{piece}` is in none of the files: {row}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_faces_are_at_the_top_of_the_library() {
    let files = Library::read().files;
    let top: Vec<_> = files.keys().filter(|file| !file.contains('/') && !FACES.contains(&file.as_str())).collect();
    assert!(top.is_empty(), "these belong into a room: {top:?}");
}

#[test]
fn the_root_of_the_library_has_few_names() {
    let names: Vec<String> = Library::read().exports().into_keys().collect();
    assert!(
        names.len() <= MAX_ROOT_NAMES,
        "{} names at the root, and at most {MAX_ROOT_NAMES} may be there; put names of one subject into its module: {names:?}",
        names.len()
    );
}

#[test]
fn every_room_has_an_introduction() {
    for room in Map::read().rooms {
        let text = read(&source().join(&room).join("mod.rs"));
        let header: Vec<&str> = text.lines().take_while(|line| line.starts_with("//!")).collect();
        assert!(header.len() >= 3, "`{room}/mod.rs` says too little of the room: {header:?}");
    }
}

#[test]
fn every_path_that_the_documentation_names_exists() {
    let root = root();
    let pattern = Regex::new(r"`([A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.*-]+)*\.(?:rs|md|toml|json|stderr|sh))`").unwrap();
    let mut documents = files_below(&root.join("docs"), "md");
    documents.extend(["README.md", "CONTRIBUTING.md", "tests/clients/README.md"].map(|name| root.join(name)));
    documents.extend(files_below(&source(), "rs"));
    let mut missing = Vec::new();
    for document in documents {
        let text = read(&document);
        let is_source = document.extension().is_some_and(|extension| extension == "rs");
        let folder = document.parent().unwrap_or(&root).to_path_buf();
        let bases = [
            root.clone(),
            root.join("fastmcp-rs"),
            source(),
            root.join("fastmcp-rs-macros/src"),
            root.join("tests"),
            folder,
        ];
        for line in text.lines().filter(|line| !is_source || line.trim_start().starts_with("//")) {
            for found in pattern.captures_iter(line) {
                let path = &found[1];
                // Except in headers of sources, a bare name is that of an example or of a file of the reader's project.
                let is_hidden = path.starts_with('.') && !path.starts_with(".ci/");
                let is_ours = !is_hidden
                    && (path.contains('/') || is_source && line.starts_with("//!") && path.ends_with(".rs"))
                    && !path.contains('*')
                    && FOREIGN.iter().all(|start| !path.starts_with(start));
                if is_ours && !bases.iter().any(|base| base.join(path).exists()) {
                    missing.push(format!("{}: `{path}`", document.strip_prefix(&root).unwrap_or(&document).display()));
                }
            }
        }
    }
    assert!(missing.is_empty(), "these paths do not exist:\n{}", missing.join("\n"));
}

#[test]
fn only_the_protocol_room_names_revisions() {
    // `Revision::LATEST`, `Revision::ALL` and `Revision::latest_with` name no revision, and revisions have no order.
    let named = Regex::new(r"\bV\d{4}_\d{2}_\d{2}\b").unwrap();
    // Dates on their own: a text about the protocol may have one in a sentence.
    let date = Regex::new(r#""20\d{2}-\d{2}-\d{2}""#).unwrap();
    // `LATEST` is another revision after the next release, so a comparison with it would change its meaning.
    let compared = Regex::new(r"[=!]=\s*(?:\w+::)*Revision::|\bRevision::\w+(?:\([^)]*\))?\s*[=!]=").unwrap();
    let mut found = Vec::new();
    let macros = Library::read_from(&root().join(MACROS));
    for (file, text) in Library::read().files.iter().chain(&macros.files) {
        if file.starts_with("protocol/") {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            if named.is_match(line) || date.is_match(line) || line.contains("Revision::") && compared.is_match(line) {
                found.push(format!("{file}, line {} without tests: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "ask `Revision::has` for a feature of its table instead:\n{}", found.join("\n"));
}

#[test]
fn only_the_protocol_room_spells_methods() {
    let files = Library::read().files;
    // The table has a line per method: `CallTool = "tools/call",`.
    let row = Regex::new(r#"(?m)^\s+\w+ = "([a-zA-Z/_]+)",$"#).unwrap();
    let methods: Vec<&str> =
        row.captures_iter(&files["protocol/method.rs"]).map(|found| found.get(1).expect("a name").as_str()).collect();
    assert!(methods.len() > 20 && methods.contains(&"tools/call"), "the table has another form: {methods:?}");
    // Whole literals, and templates of frames. Messages may name a method between backticks.
    let literals: Vec<String> = methods.iter().map(|method| format!("\"{method}\"")).collect();
    let is_spelled = |line: &str| {
        let line = line.replace("\\\"", "\"");
        literals.iter().any(|literal| line.contains(literal))
            || line.replace("`notifications/", "").contains("notifications/")
    };
    let mut found = Vec::new();
    for (file, text) in files.iter().filter(|(file, _)| !file.starts_with("protocol/")) {
        for (number, line) in text.lines().enumerate() {
            if is_spelled(line) {
                found.push(format!("{file}, line {} without tests: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "use `ProtocolMethod` instead:\n{}", found.join("\n"));
}

/// One mistake is one error, and no message names the hidden module of the macros.
#[test]
fn every_compile_error_is_reported_once_and_names_no_hidden_module() {
    let root = root();
    let several: BTreeMap<&str, usize> = CASES_WITH_SEVERAL_ERRORS.into_iter().collect();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for folder in ["tests/ui/fail", "tests/ui/features"] {
        for path in files_below(&root.join(folder), "stderr") {
            let text = read(&path);
            let case = path.file_stem().expect("it has a name").to_string_lossy().into_owned();
            let errors = text.lines().filter(|line| line.starts_with("error")).count();
            let expected = several.get(&*case).copied().unwrap_or(1);
            if errors != expected {
                wrong.push(format!("{case} has {errors} errors, not {expected}"));
            }
            for hidden in ["__private", "__p::", "fastmcp_rs::component", "fastmcp_rs::error::"] {
                // rustc names a method by the module of its `impl` block, if that is not the module of the type.
                if text.lines().any(|line| line.contains(hidden) && !line.contains("<impl ")) {
                    wrong.push(format!("{case} names `{hidden}`"));
                }
            }
            seen.insert(case);
        }
    }
    wrong.extend(several.keys().filter(|case| !seen.contains(**case)).map(|case| format!("there is no case {case}")));
    assert!(seen.len() > 200, "{} cases were found", seen.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn comments_are_written_in_plain_english() {
    for source in ["fastmcp-rs/src", MACROS] {
        let prose = Prose::read(&root().join(source));
        let per_thousand = |words: usize| 1000.0 * words as f64 / prose.words as f64;
        let (what, persons) = (per_thousand(prose.what), per_thousand(prose.persons));
        println!("{source}: {what:.2} what, {persons:.2} persons per 1,000 words");
        assert!(
            prose.question_openings.is_empty(),
            "these doc comments begin with a question word; begin with a verb in the third person, or with the noun that \
             the item is:\n{}",
            prose.question_openings.join("\n")
        );
        assert!(what <= 2.0, "{source}: {what:.2} of 1,000 words are \"what\": name the thing");
        assert!(persons <= 0.5, "{source}: {persons:.2} of 1,000 words are \"who\" or \"nobody\": name the actor");
    }
}

/// The comments of a crate, counted.
#[derive(Default)]
struct Prose {
    words: usize,
    what: usize,
    /// "who", "whoever", "somebody" and "nobody".
    persons: usize,
    /// The first lines of doc comments that begin with a question word, with their files.
    question_openings: Vec<String>,
}

impl Prose {
    fn read(source: &Path) -> Prose {
        let comment = Regex::new(r"^\s*//[/!]?(.*)").unwrap();
        let mut prose = Prose::default();
        let is_tested = |path: &PathBuf| {
            let name = path.strip_prefix(source).expect("it is below");
            !is_test(&format!("/{}", name.to_string_lossy().replace('\\', "/")))
        };
        for path in files_below(source, "rs").into_iter().filter(is_tested) {
            let mut was_doc = false;
            for line in without_tests(&read(&path)).lines() {
                let is_doc = ["///", "//!"].iter().any(|start| line.trim_start().starts_with(start));
                let text = comment.captures(line).map(|found| found[1].to_lowercase()).unwrap_or_default();
                prose.words += text.split_whitespace().count();
                for word in text.split(|letter: char| !letter.is_alphanumeric()) {
                    prose.what += usize::from(word == "what");
                    prose.persons += usize::from(["who", "whoever", "somebody", "nobody"].contains(&word));
                }
                if is_doc && !was_doc {
                    let first = text.split_whitespace().next().unwrap_or_default();
                    if ["what", "how", "who", "where", "when", "why"].contains(&first) {
                        prose.question_openings.push(format!("{}: {}", path.display(), line.trim()));
                    }
                }
                was_doc = is_doc;
            }
        }
        prose
    }
}

/// Beginnings of paths in the projects of readers.
const FOREIGN: [&str; 2] = ["src/", "~/"];

/// The code map of `docs/ARCHITECTURE.md`.
struct Map {
    /// From top to bottom.
    rooms: Vec<String>,
    /// The description of each file. The line of a room describes its `mod.rs`.
    files: BTreeMap<String, String>,
}

impl Map {
    /// Reads the block that begins with the file `lib.rs`. A room stands at the beginning of a line; its files are
    /// indented below it.
    fn read() -> Map {
        let text = read(&root().join("docs/ARCHITECTURE.md"));
        let block =
            text.split("```text\n").find(|rest| rest.starts_with("lib.rs ")).and_then(|rest| rest.split("```").next());
        let (mut rooms, mut files) = (Vec::new(), BTreeMap::new());
        let mut introduction = None;
        for line in block.expect("the page has a map").lines() {
            let (name, description) = line.trim().split_once(' ').unwrap_or((line.trim(), ""));
            let description = description.trim().to_owned();
            if let (Some(room), false) = (name.strip_suffix('/'), line.starts_with(' ')) {
                rooms.push(room.to_owned());
                introduction = Some(description);
            } else if name.ends_with(".rs") {
                let room = if line.starts_with(' ') { rooms.last().map(|room| format!("{room}/")) } else { None };
                let description = if name == "mod.rs" { introduction.take().unwrap_or_default() } else { description };
                files.insert(format!("{}{name}", room.unwrap_or_default()), description);
            }
        }
        Map { rooms, files }
    }
}

/// The sources of a crate.
struct Library {
    /// The text of each file, without comments and test modules, by its path below `src`.
    files: BTreeMap<String, String>,
}

impl Library {
    fn read() -> Library {
        Library::read_from(&source())
    }

    fn read_from(source: &Path) -> Library {
        let files = files_below(source, "rs").into_iter().map(|path| {
            let name = path.strip_prefix(source).expect("it is below").to_string_lossy().replace('\\', "/");
            (name, without_tests(&without_comments(&read(&path))))
        });
        Library { files: files.filter(|(name, _)| !is_test(&format!("/{name}"))).collect() }
    }

    /// Returns the modules that each module names. The folder of a module and its own files are left out.
    fn uses(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let modules: BTreeSet<Module> =
            self.files.keys().filter(|file| *file != "lib.rs").map(|file| module_of(file)).collect();
        let exported = self.exports();
        let path = Regex::new(r"\b(crate|super|self)::((?:\w+::)*(?:\w+|\{))").unwrap();
        let mut uses: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
        for (file, text) in &self.files {
            let module = module_of(file);
            if FACES.contains(&file.as_str()) {
                continue;
            }
            let used = uses.entry(module.clone()).or_default();
            for found in path.captures_iter(text) {
                let end = found.get(0).expect("the whole match").end();
                let leaves = match found[2].strip_suffix('{') {
                    Some(prefix) => expand(prefix, block(&text[end..])),
                    None => vec![found[2].to_owned()],
                };
                for leaf in leaves {
                    let full = resolve(&found[1], &leaf, &module, &exported);
                    let target = (1..=full.len()).rev().map(|length| full[..length].to_vec());
                    if let Some(target) = target.into_iter().find(|target| modules.contains(target))
                        && !module.starts_with(&target)
                        && !target.starts_with(&module)
                    {
                        used.insert(target);
                    }
                }
            }
        }
        uses
    }

    /// Returns the module that defines each name at the root of the crate.
    fn exports(&self) -> BTreeMap<String, Module> {
        let statement = Regex::new(r"(?m)^pub use ([^;]+);").unwrap();
        let mut exported = BTreeMap::new();
        for found in statement.captures_iter(&self.files["lib.rs"]) {
            let leaves = match found[1].split_once('{') {
                Some((prefix, rest)) => expand(prefix, block(rest)),
                None => vec![found[1].to_owned()],
            };
            for leaf in leaves {
                let mut parts: Module = leaf.split("::").map(str::to_owned).collect();
                let name = parts.pop().expect("a path has a last part");
                exported.insert(name, parts);
            }
        }
        exported
    }
}

/// Returns the path of a name from the root of the crate.
fn resolve(start: &str, path: &str, module: &Module, exported: &BTreeMap<String, Module>) -> Module {
    let mut parts: Vec<&str> = path.split("::").filter(|part| !part.is_empty() && *part != "self").collect();
    let mut full: Module = match start {
        "crate" => match parts.first().and_then(|name| exported.get(*name)) {
            Some(module) => module.clone(),
            None => Module::new(),
        },
        "super" => module[..module.len() - 1].to_vec(),
        _ => module.clone(),
    };
    while parts.first() == Some(&"super") {
        parts.remove(0);
        full.pop();
    }
    full.extend(parts.into_iter().map(str::to_owned));
    full
}

/// Returns the text up to the brace that closes a block.
fn block(text: &str) -> &str {
    let mut depth = 1;
    for (at, letter) in text.char_indices() {
        depth += match letter {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        if depth == 0 {
            return &text[..at];
        }
    }
    text
}

/// Returns the paths of a group of imports, such as `a::{b, c::{d, e}}`.
fn expand(prefix: &str, group: &str) -> Vec<String> {
    let (mut paths, mut depth, mut start) = (Vec::new(), 0, 0);
    let ends = group.char_indices().chain([(group.len(), ',')]);
    for (at, letter) in ends {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                let part = group[start..at].trim();
                start = (at + 1).min(group.len());
                match part.split_once('{') {
                    Some((inner, rest)) => paths.extend(expand(&format!("{prefix}{inner}"), block(rest))),
                    None if !part.is_empty() => {
                        paths.push(format!("{prefix}{}", part.split(" as ").next().unwrap_or(part)));
                    }
                    None => {}
                }
            }
            _ => {}
        }
    }
    paths
}

/// Returns the modules of a circle that begins and ends with `start`.
fn circle_through(graph: &BTreeMap<Module, BTreeSet<Module>>, start: &Module) -> Option<Vec<Module>> {
    let mut came_from: BTreeMap<&Module, &Module> = BTreeMap::new();
    let mut open = vec![start];
    while let Some(module) = open.pop() {
        for next in graph.get(module).into_iter().flatten() {
            if next == start {
                let mut circle = vec![start.clone()];
                let mut at = module;
                while at != start {
                    circle.push(at.clone());
                    at = came_from[at];
                }
                return Some(circle);
            }
            if !came_from.contains_key(next) {
                came_from.insert(next, module);
                open.push(next);
            }
        }
    }
    None
}

/// Returns true if a file is compiled for tests only.
fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

fn module_of(file: &str) -> Module {
    let name = file.trim_end_matches(".rs");
    name.strip_suffix("/mod").unwrap_or(name).split('/').map(str::to_owned).collect()
}

fn without_comments(text: &str) -> String {
    text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// Cuts out the modules that are compiled for tests only.
fn without_tests(text: &str) -> String {
    let start =
        Regex::new(r"#\[cfg\((?:all\()?test[^\]]*\)\]\s*(?:#\[[^\n]*\]\s*)*(?:pub\(crate\) )?mod \w+ \{").unwrap();
    let (mut kept, mut rest) = (String::new(), text);
    while let Some(found) = start.find(rest) {
        kept.push_str(&rest[..found.start()]);
        let after = &rest[found.end()..];
        rest = &after[block(after).len()..];
    }
    kept + rest
}

fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.expect("the folder can be read").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> PathBuf {
    // The tests are a package in a folder of the workspace.
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it is in the workspace").to_path_buf()
}

fn source() -> PathBuf {
    root().join("fastmcp-rs/src")
}
