//! Generated items have the spans of the user's source, so that editors and error messages point there.

use proc_macro2::{LineColumn, TokenStream, TokenTree};
use quote::{ToTokens, quote};

use super::{resource, server, tool};

/// Returns the place of each identifier of this name.
fn places(tokens: TokenStream, name: &str) -> Vec<LineColumn> {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(ident) if ident == name => vec![ident.span().start()],
            TokenTree::Group(group) => places(group.stream(), name),
            _ => Vec::new(),
        })
        .collect()
}

/// Parses source text, because tokens of `quote!` have no places.
fn parse(source: &str) -> TokenStream {
    source.parse().expect("the source is made of tokens")
}

#[test]
fn the_handle_and_the_call_have_the_span_of_the_functions_name() {
    let source = "/// Finds.\nasync fn find_order(\n    id: String,\n) -> Order {}";
    let written = places(parse(source), "find_order");
    let expansion = tool(quote!(), parse(source));
    let generated = places(expansion.clone(), "find_order");
    assert!(generated.len() > 3, "{expansion}");
    assert!(generated.iter().all(|place| *place == written[0]));
    // A future that is not `Send` is reported where it is run.
    assert_eq!(places(expansion.clone(), "run"), written);
    // One is the field of this name, and the other is the `line!()` of the function.
    assert!(places(expansion, "line").contains(&written[0]));
}

#[test]
fn each_type_is_checked_at_its_own_span() {
    let source = "/// Finds.\nfn find(\n    #[arg(default = 3)] id:   Id,\n) -> Result<Order, Failure> {}";
    let expansion = tool(quote!(), parse(source));
    let ty = LineColumn { line: 3, column: 30 };
    assert_eq!(places(expansion.clone(), "slot_for"), [ty]);
    assert_eq!(places(expansion.clone(), "Input"), [ty]);
    let option = LineColumn { line: 3, column: 10 };
    assert_eq!(places(expansion.clone(), "configurable"), [option]);
    let default = LineColumn { line: 3, column: 20 };
    assert_eq!(places(expansion.clone(), "DefaultOf"), [default]);
    let value = LineColumn { line: 4, column: 12 };
    assert_eq!(places(expansion.clone(), "Output"), [value]);
    let error = LineColumn { line: 4, column: 19 };
    assert_eq!(places(expansion, "checked"), [value, error]);
}

#[test]
fn the_function_is_emitted_as_written() {
    let source = "/// Finds.\npub async fn find(mut id: String, #[allow(unused)] n: u8) -> Order { id.clear(); Order }";
    let expansion = tool(quote!(read_only), parse(source)).to_string();
    let written = parse(source).to_string();
    assert!(expansion.contains(&written), "{expansion}\n{written}");
}

/// rust-analyzer looks up a name at the tokens of the expansion that have its span.
#[test]
fn options_are_imports_with_the_span_of_their_source() {
    let options = |text: &str| text.parse().expect("the options are tokens");
    let source = "/// Finds.\nfn find(#[arg(defaul)] id: Id) -> Order {}";
    // Unknown names too, because an editor completes them. The source of the attribute begins at line 1 as well.
    let expansion = tool(options("title = \"Find\", read_onl"), parse(source));
    let text = expansion.to_string();
    assert!(text.contains(":: options :: tool :: { title as _ , read_onl as _ }"), "{text}");
    assert!(text.contains(":: options :: arg :: { defaul as _ }"), "{text}");
    assert_eq!(places(expansion.clone(), "read_onl"), [LineColumn { line: 1, column: 16 }]);
    assert_eq!(places(expansion, "defaul"), [LineColumn { line: 2, column: 14 }]);
}

/// rust-analyzer compares the expansions of an unfinished and a finished name, and expects the same text in front.
#[test]
fn the_options_are_first_even_beside_mistakes() {
    let source = "/// Finds.\nfn find(id: Id) -> Order {}";
    for expansion in [tool(quote!(read_only), parse(source)), tool(quote!(unknown), parse(source))] {
        let text = expansion.to_string();
        assert!(text.starts_with("# [allow (unexpected_cfgs)] const _ : () = { # [cfg (rust_analyzer)]"), "{text}");
    }
}

/// The checks have the spans of types and options, which would lead to functions of the library.
#[test]
fn editors_see_no_check() {
    let source = "/// Finds.\nfn find(#[arg(default)] id: Id) -> Order {}";
    let text = tool(quote!(), parse(source)).to_string();
    let (seen, hidden) =
        text.split_once("# [cfg (not (rust_analyzer))] const _ : () = {").expect("the checks are hidden");
    assert!(!seen.contains("__invoke") && hidden.contains("__invoke"), "{text}");
    assert!(!hidden.contains(":: core :: line") && !hidden.contains(":: core :: default"), "{text}");
}

/// An editor shows the documentation of these items.
#[test]
fn every_option_has_an_item_with_documentation() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../fastmcp-rs/src/component/option_docs.rs");
    let file = syn::parse_file(&std::fs::read_to_string(path).expect("the file exists")).expect("it is Rust");
    let mut names = std::collections::BTreeSet::new();
    for item in &file.items {
        let syn::Item::Mod(module) = item else { continue };
        for item in module.content.iter().flat_map(|(_, items)| items) {
            match item {
                syn::Item::Const(option) => {
                    let is_documented = option.attrs.iter().any(|attribute| attribute.path().is_ident("doc"));
                    assert!(is_documented, "{}::{} has no documentation", module.ident, option.ident);
                    names.insert(format!("{}::{}", module.ident, option.ident));
                }
                syn::Item::Use(import) if matches!(import.vis, syn::Visibility::Public(_)) => {
                    let tokens = import.to_token_stream().to_string();
                    let words = tokens.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
                    names.extend(words.map(|word| format!("{}::{word}", module.ident)));
                }
                _ => {}
            }
        }
    }
    let expected = crate::parse::option_names();
    assert!(expected.len() > 60, "{expected:?}");
    let missing: Vec<_> = expected.iter().filter(|name| !names.contains(*name)).collect();
    assert!(missing.is_empty(), "these options have no item: {missing:?}");
}

/// An editor shows the documentation of these functions on the attributes.
#[test]
fn the_summary_of_each_attribute_lists_its_options() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs")).expect("the file exists");
    let (mut documentation, mut summaries) = (String::new(), std::collections::BTreeMap::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("pub fn ") {
            let name = rest.split('(').next().unwrap_or_default();
            summaries.insert(name.to_owned(), std::mem::take(&mut documentation));
        }
        documentation.push_str(line);
        documentation.push('\n');
    }
    let missing: Vec<_> = crate::parse::option_names()
        .into_iter()
        .filter(|option| {
            let (attribute, name) = option.split_once("::").expect("it has two parts");
            let name = format!("`{name}`");
            // `#[arg(..)]` is not a macro.
            let places = if attribute == "arg" { &["tool", "model", "prompt"] } else { &[attribute][..] };
            !places.iter().any(|place| summaries.get(*place).is_some_and(|summary| summary.contains(&name)))
        })
        .collect();
    assert!(missing.is_empty(), "no summary has these options: {missing:?}");
}

#[test]
fn each_parameter_of_a_resource_is_checked_at_its_own_span() {
    let source = "/// Reads.\nfn read(\n    #[arg(complete = ids)] id: Id,\n    other: Other,\n) -> Order {}";
    let expansion = resource(quote!("orders://{id}"), parse(source));
    assert_eq!(places(expansion.clone(), "variable_for"), [LineColumn { line: 3, column: 31 }]);
    assert_eq!(places(expansion.clone(), "injected_for"), [LineColumn { line: 4, column: 11 }]);
    // A wrong completion function is reported at its path, and an unusable result at its type.
    let path = LineColumn { line: 3, column: 21 };
    assert_eq!(places(expansion.clone(), "__completing"), [path, path]);
    assert_eq!(places(expansion, "resource_kind"), [LineColumn { line: 5, column: 5 }]);
}

#[test]
fn the_parts_of_a_method_have_the_spans_of_its_source() {
    let source = "impl Orders {\n    /// Counts.\n    #[tool]\n    fn count(&self) -> Self {}\n}";
    let expansion = server(quote!(), parse(source));
    let receiver = LineColumn { line: 4, column: 14 };
    assert_eq!(places(expansion.clone(), "receiver"), [receiver]);
    let output = LineColumn { line: 4, column: 23 };
    assert_eq!(places(expansion.clone(), "Output"), [output]);
    assert_eq!(places(expansion.clone(), "__Self").last(), Some(&LineColumn { line: 4, column: 14 }));
    let block = LineColumn { line: 1, column: 5 };
    assert_eq!(places(expansion.clone(), "ServerBlockWithoutExtend"), [block]);
    let name = LineColumn { line: 4, column: 7 };
    assert!(places(expansion.clone(), "__count").iter().chain(&places(expansion, "count")).all(|place| *place == name));
}
