//! Generated items have the spans of the user's source, so that editors and error messages point there.

use proc_macro2::{LineColumn, TokenStream, TokenTree};
use quote::quote;

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
    assert!(expansion.starts_with(&written), "{expansion}\n{written}");
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
