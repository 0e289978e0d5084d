//! Types under `#[mcp::model]`.

use expect_test::expect;
use quote::quote;

use super::check_messages;
use crate::tests::model;

#[test]
fn every_mistake_in_a_struct_is_reported() {
    let item = quote! {
        #[derive(Debug, serde::Serialize, JsonSchema)]
        #[arg(min = 1)]
        struct Line {
            #[arg(header = "X", min = 2, max = 1)]
            count: u32,
            #[arg(min = 1)]
            code: String,
        }
    };
    check_messages(
        model(quote!(deny_unknown_fields), item),
        expect![[r#"
            `#[mcp::model]` has no option `deny_unknown_fields`: it takes `output`, `input`, `rename_all`, `allow_unknown_fields`, `as_str`, `display`, `from_str`, `crate`, and other options of the whole type are serde's, as in `#[serde(tag = "kind")]`
            `#[mcp::model]` derives `Serialize` already: remove this one
            `#[mcp::model]` derives `JsonSchema` already: remove this one
            `#[arg(..)]` goes on a field
            `min` is above `max = 1`, so no value fits: swap the two
            `header` is an option of arguments of tools, not of the fields inside them: remove it
            `min` bounds a number, and this is a string: to bound its length, write `min_length`
        "#]],
    );
}

#[test]
fn a_generic_type_cannot_have_constraints() {
    check_messages(
        model(
            quote!(),
            quote!(
                struct Page<T> {
                    #[arg(min = 1)]
                    size: u32,
                    items: Vec<T>,
                }
            ),
        ),
        expect![[r#"
            a generic type cannot have constraints or defaults: remove the parameters, or put the constrained fields in a type of their own
        "#]],
    );
}

#[test]
fn a_union_cannot_be_a_model() {
    check_messages(
        model(quote!(), quote!(union U { a: u8 })),
        expect![[r#"
        a union does not store which of its fields is set: make it an `enum`
    "#]],
    );
}

#[test]
fn misspelt_options_of_serde_are_reported_once() {
    let item = quote! {
        #[serde(rename_al = "camelCase", rename_all_fields = "kebab_case")]
        enum Payment {
            #[serde(alias = "card", flatten)]
            Card {
                #[serde(rename(serialize = "n"), defualt, with = "number")]
                number: String,
                #[serde(with = "cents", skip_serialising_if = "x")]
                #[schemars(with = "u64")]
                cents: u64,
            },
        }
    };
    check_messages(
        model(quote!(), item),
        expect![[r#"
        serde has no option `rename_al` for the type (did you mean `rename_all`?)
        serde has no rule `kebab_case` for names (did you mean `kebab-case`?)
        serde's `flatten` goes on a field, not on a variant: move it there
        serde has no option `defualt` for a field (did you mean `default`?)
        `with` changes the JSON of this field, so its schema is not that of its type: add `#[schemars(with = "String")]` with the type that has the same JSON
        serde has no option `skip_serialising_if` for a field (did you mean `skip_serializing_if`?)
    "#]],
    );
}

#[test]
fn options_of_names_are_for_enums_of_names() {
    let item = quote!(
        enum Payment {
            Cash,
            Card(String),
        }
    );
    check_messages(
        model(quote!(input, output = true, as_str = false, display), item),
        expect![[r#"
        a model is for arguments and results if it has neither `input` nor `output`: remove both
        `as_str` is an option of an enum whose variants have no fields and are all names in JSON: remove it
        `display` is an option of an enum whose variants have no fields and are all names in JSON: remove it
    "#]],
    );
}

#[test]
fn a_result_has_no_defaults_and_patterns_are_valid() {
    let item = quote!(
        struct Report {
            title: &'static str,
            #[arg(default = 1)]
            pages: u8,
            #[arg(pattern = "(?=x)")]
            code: String,
        }
    );
    check_messages(
        model(quote!(), item),
        expect![[r#"
        this model is only a result, and a result has no defaults: remove `default`, or make the model readable by owning its data and without `output`
        this pattern is not valid (look-around is not supported): patterns have the syntax of the crate `regex-lite`, without look-around, back-references and `\p{..}`
    "#]],
    );
}
