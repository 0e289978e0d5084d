//! Generated items carry the spans of what the user wrote, so that editors and messages lead there.

use proc_macro2::{LineColumn, TokenStream, TokenTree};
use quote::quote;

use super::{resource, tool};

/// Where each identifier of this name stands in the source.
pub(super) fn places(tokens: TokenStream, name: &str) -> Vec<LineColumn> {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(ident) if ident == name => vec![ident.span().start()],
            TokenTree::Group(group) => places(group.stream(), name),
            _ => Vec::new(),
        })
        .collect()
}

/// Parsed from text, as tokens of `quote!` have no places.
pub(super) fn parse(source: &str) -> TokenStream {
    source.parse().expect("the source is made of tokens")
}

#[test]
fn the_handle_and_the_call_stand_at_the_functions_name() {
    let source = "/// Finds.\nasync fn find_order(\n    id: String,\n) -> Order {}";
    let written = places(parse(source), "find_order");
    let expansion = tool(quote!(), parse(source));
    let generated = places(expansion.clone(), "find_order");
    assert!(generated.len() > 3, "{expansion}");
    assert!(generated.iter().all(|place| *place == written[0]));
    // A future that is not `Send` is reported where it is run.
    assert_eq!(places(expansion.clone(), "run"), written);
    // Besides the field of this name there is the `line!()` that gives the function's line.
    assert!(places(expansion, "line").contains(&written[0]));
}

#[test]
fn types_are_checked_where_they_are_written() {
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
fn the_function_is_emitted_as_it_was_written() {
    let source = "/// Finds.\npub async fn find(mut id: String, #[allow(unused)] n: u8) -> Order { id.clear(); Order }";
    let expansion = tool(quote!(read_only), parse(source)).to_string();
    let written = parse(source).to_string();
    assert!(expansion.starts_with(&written), "{expansion}\n{written}");
}

#[test]
fn parameters_of_a_resource_are_judged_where_they_are_written() {
    let source = "/// Reads.\nfn read(\n    #[arg(complete = ids)] id: Id,\n    other: Other,\n) -> Order {}";
    let expansion = resource(quote!("orders://{id}"), parse(source));
    assert_eq!(places(expansion.clone(), "variable_for"), [LineColumn { line: 3, column: 31 }]);
    assert_eq!(places(expansion.clone(), "injected_for"), [LineColumn { line: 4, column: 11 }]);
    // A function that cannot complete is reported at its path, a result that cannot be read at its type.
    let path = LineColumn { line: 3, column: 21 };
    assert_eq!(places(expansion.clone(), "__completing"), [path, path]);
    assert_eq!(places(expansion, "resource_kind"), [LineColumn { line: 5, column: 5 }]);
}
