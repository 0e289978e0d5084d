//! Every mistake of one call is reported at once, with its fix.

use expect_test::{Expect, expect};
use proc_macro2::TokenStream;
use quote::quote;

use super::{messages, prompt, resource, tool};
use crate::run::{main, model};

fn check(expansion: TokenStream, expected: Expect) {
    let lines: Vec<String> = messages(expansion).iter().map(|message| format!("{message}\n")).collect();
    expected.assert_eq(&lines.concat());
}

#[test]
fn options() {
    let options = quote! {
        name = get_order, title, title = "twice", readonly, destructive("yes"), "text",
        tags = "orders", icons = ["ftp://x", { mime = "image/png" }, 3],
        meta = ["a"], inline = 1, timeout = 30, handle = "X", crate = "x",
        description = 5, idempotent =, frobnicate, = 2, open_world: true
    };
    check(
        tool(
            options,
            quote!(
                fn f() {}
            ),
        ),
        expect![[r#"
            `destructive` does not take parentheses: write `destructive = "yes"`
            an option is written `key = value`, as in `description = "text"`
            `idempotent =` needs a value
            expected the name of an option, as in `name = ".."`
            expected `=` or `,` after `open_world`: options are written `key = value`
            `name` takes a string literal, as in `name = "get_order"`
            `title` takes a string literal, as in `title = "Get an order"`
            `title` is given twice: remove one of the two
            `#[mcp::tool]` has no option `readonly` (did you mean `read_only`?)
            `tags` takes a list, as in `tags = ["orders"]`
            clients load icons from `https:`, `http:` and `data:` URLs only: host the picture, or embed it as `data:image/png;base64,..`
            an icon has no `mime`: it takes `src`, `mime_type`, `sizes` and `theme`
            an icon needs `src`: write `{ src = "https://..", .. }`
            an icon is a URL, or `{ src = "https://..", mime_type = "image/png", sizes = ["48x48"], theme = "dark" }`
            `meta` takes a JSON object, as in `meta = { "team": "billing" }`
            `inline` is on or off: write `inline` or `inline = false`
            `timeout` takes a string literal, as in `timeout = "30s"`
            `handle` takes the name of the type that stands for this tool, as in `handle = GetOrder`
            `crate` takes the path of fastmcp-rs as this crate names it, as in `crate = ::fastmcp_rs`
            `description` takes a string literal, as in `description = "Finds an order."`
            `#[mcp::tool]` has no option `frobnicate`: it takes `name`, `title`, `description`, `read_only`, `destructive`, `idempotent`, `open_world`, `structured`, `wrapped`, `link_text`, `tags`, `icons`, `meta`, `inline`, `blocking`, `timeout`, `handle`, `crate`
        "#]],
    );
}

#[test]
fn contradictions() {
    check(
        tool(
            quote!(read_only, destructive, inline, blocking, name = "get order", timeout = "soon"),
            quote!(
                async fn f() {}
            ),
        ),
        expect![[r#"
            `soon` is not a duration: write a whole number and a unit, as in `"500ms"`, `"30s"`, `"2m"`, `"1h"` or `"1m30s"`
            a tool's name holds ASCII letters, digits, `_`, `-` and `.` only, not ' ': choose another
            a `read_only` tool changes nothing, so it cannot be `destructive`: remove one of the two
            `inline` runs a tool where requests are read, `blocking` on a thread of its own: remove one of the two
            an `async fn` is always polled in place first: remove `inline`, which is for a plain `fn` that never waits
        "#]],
    );
    check(
        tool(
            quote!(name = ""),
            quote!(
                fn f() {}
            ),
        ),
        expect![[r#"
            a tool's name cannot be empty: write one, or remove `name` to use the function's
        "#]],
    );
    let long = "x".repeat(129);
    check(
        tool(
            quote!(name = #long),
            quote!(
                fn f() {}
            ),
        ),
        expect![[r#"
        a tool's name has at most 128 characters, and this one has 129: choose another
    "#]],
    );
    check(
        tool(
            quote!(),
            quote!(
                fn größe() {}
            ),
        ),
        expect![[r#"
        a tool's name holds ASCII letters, digits, `_`, `-` and `.` only, not 'ö': add `name = ".."` to `#[mcp::tool]`
    "#]],
    );
    check(
        tool(
            quote!(),
            quote!(
                fn str() {}
            ),
        ),
        expect![[r#"
        the type that stands for this tool would hide the primitive `str`: name it with `handle = ..`
    "#]],
    );
}

#[test]
fn signature() {
    let item = quote! {
        const unsafe extern "C" fn f<T: Clone, const N: usize>(
            self,
            (a, b): (u8, u8),
            Line { x, .. }: &order::Line,
            _: Option<HashMap<String, u8>>,
            c: &mut T,
            d: impl Fn(),
            e: Vec<impl Sized>,
            f: &dyn Display,
            g: Vec<&str>,
            h: *const u8,
            i: fn(u8),
            j: &Self,
            #[cfg(unix)] k: u8,
            #[serde(rename = "x")] l: u8,
            ...
        ) -> impl Display
        where
            T: Copy,
        {
        }
    };
    check(
        tool(quote!(), item),
        expect![[r#"
            an argument needs a name, which is its key in the input: write `value: (u8, u8)`, and take it apart in the body
            an argument needs a name, which is its key in the input: write `line: &order::Line`, and take it apart in the body
            an argument needs a name, which is its key in the input: write `value: Option<HashMap<String, u8>>`, or remove the argument
            a tool is called at run time: remove `const`, or call the `const fn` from a tool
            any client may call a tool with any arguments, so it has to be safe: remove this, and check in the body what an `unsafe` block needs
            a tool is a Rust function: remove the ABI
            a tool has a fixed list of arguments: take a `Vec<T>` instead of `...`
            a tool has one input schema, so it cannot be generic: replace `T` with the type that clients send
            a tool has one input schema, so it cannot be generic: replace `N` with its value
            a method is a tool only in an `impl` block with `#[mcp::server]`: put that on the block, or move the function out of it and take what it needs as `State<T>`
            a tool names the type that it returns, as its output schema is made from it: write the type instead of `impl ..`
            in an `impl` block, functions are tools only if the block has `#[mcp::server]`: put that on the block, or move the function out of it and write the type's name instead of `Self`
            a tool has the same arguments in every build: put `#[cfg]` on the function
            a parameter takes `#[arg(..)]` and doc comments, not `#[serde]`
            a tool cannot change its caller's arguments: take `&T`, or `T` by value
            an argument has one type, which its schema is made from: write the type instead of `impl ..`
            an argument has one type, which its schema is made from: write the type instead of `impl ..`
            an argument has one type, which its schema is made from: write the type instead of `dyn ..`
            only an argument itself, or the inside of its `Option`, can be a reference: use an owned type here, as in `&[String]`
            an argument comes from JSON, which has no pointers: take `&T`, or `T` by value
            an argument comes from JSON, which has no functions
        "#]],
    );
}

#[test]
fn arguments() {
    let item = quote! {
        fn f(
            #[arg(min = 5, max = -1, min_length = 1, pattern = "x")] a: u32,
            #[arg(min = 1, max_length = 2, min_length = 3)] b: Option<&str>,
            #[arg(pattern = r, min_length = -1, default = None, ge = 1)] c: Vec<u8>,
            #[arg(rename = "a", header = "Region")] d: String,
            #[arg(header = "region", min = true)] e: bool,
            #[arg(header = "my header", default = 1.5)] g: f64,
            #[arg(default = 256)] h: u8,
            #[arg(default = 0, min = 1)] i: u8,
            #[arg(default = "abc", max_length = 2)] j: String,
            #[arg(desc = "x", exmaple = 1)] k: String,
            #[arg = 1] l: String,
            #[args(min = 1)] m: String,
        ) {
        }
    };
    check(
        tool(quote!(), item),
        expect![[r#"
            `pattern` takes a string literal, as in `pattern = "^ORD-[0-9]+$"`
            `min_length` cannot be negative: write 0 or more
            `default` takes a literal: a string, a number, `true` or `false`, as in `default = 10`
            `#[arg]` has no option `ge` (did you mean `min`?)
            `min` takes a number, as in `min = 1`
            `#[arg]` has no option `desc`: write it as a `///` comment
            `#[arg]` has no option `exmaple` (did you mean `example`?)
            options go in parentheses, as in `#[arg(default = 10)]`
            a parameter takes `#[arg(..)]` and doc comments, not `#[args]` (did you mean `arg`?)
            `min` is above `max = -1`, so no value fits: swap the two
            `max = -1` is beyond this type, which holds 0 to 4294967295: remove it, or take a larger type
            `min_length` bounds a length, and this is an integer: to bound its value, write `min`
            `pattern` is for strings, and this is an integer: remove it, or take a `String`
            `min_length` is above `max_length = 2`, so no value fits: swap the two
            `min` bounds a number, and this is a string: to bound its length, write `min_length`
            a header's name holds ASCII letters, digits and !#$%&'*+-.^_`|~ only (RFC 9110), not ' '
            `header` sends a string, an integer or a boolean, and this is a float: remove it
            this default does not fit its type, which holds 0 to 255
            this default is below `min = 1`: change one of the two
            this default's length is above `max_length = 2`: change one of the two
            two arguments are called `a`: rename one of them
            two arguments have the header `region`, whatever its case: rename one of them
        "#]],
    );
}

#[test]
fn items() {
    let of = |item| tool(quote!(), item);
    check(
        of(quote!(
            pub struct Order {
                id: u8,
            }
        )),
        expect![[r#"
        `#[mcp::tool]` goes on a `fn` or an `async fn`, and this is a struct: on a type that tools take or return, put `#[mcp::model]`
    "#]],
    );
    check(
        of(quote!(impl Order { fn f() {} })),
        expect![[r#"
            `#[mcp::tool]` goes on a `fn` or an `async fn`, and this is an `impl` block: put `#[mcp::server]` on it, and `#[tool]` on each method
        "#]],
    );
    check(
        of(quote!(
            mod tools {}
        )),
        expect![[r#"
        `#[mcp::tool]` goes on a `fn` or an `async fn`, and this is a module: put it on each function inside
    "#]],
    );
    check(
        of(quote!(
            const X: u8 = 1;
        )),
        expect![[r#"
        `#[mcp::tool]` goes on a `fn` or an `async fn`, and this is a constant: remove it, or write a function
    "#]],
    );
    check(
        of(quote!(
            fn f();
        )),
        expect![[r#"
        a tool needs a body: this function is only declared
    "#]],
    );
    check(
        tool(
            quote!(read_only),
            quote!(
                #[mcp::tool(title = "x")]
                fn f() {}
            ),
        ),
        expect![[r#"
            this function is a tool already: put all options into one `#[mcp::tool(..)]`
        "#]],
    );
}

#[test]
fn models() {
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
    check(
        model(quote!(deny_unknown_fields), item),
        expect![[r#"
            `#[mcp::model]` has no option `deny_unknown_fields` (did you mean `allow_unknown_fields`?): it takes `allow_unknown_fields` and `crate`, and options of the whole type are serde's, as in `#[serde(rename_all = "camelCase")]`
            `#[mcp::model]` derives `Serialize` already: remove this one
            `#[mcp::model]` derives `JsonSchema` already: remove this one
            `#[arg(..)]` goes on a field
            `min` is above `max = 1`, so no value fits: swap the two
            `header` is for the arguments of a tool, not for the fields inside them: remove it
            `min` bounds a number, and this is a string: to bound its length, write `min_length`
        "#]],
    );
    check(
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
    check(
        model(quote!(), quote!(union U { a: u8 })),
        expect![[r#"
        a union does not know which of its fields it holds: make it an `enum`
    "#]],
    );
    check(
        model(
            quote!(),
            quote!(
                fn f() {}
            ),
        ),
        expect![[r#"
        `#[mcp::model]` goes on a struct or an enum, and this is a function: on a function, put `#[mcp::tool]`
    "#]],
    );
}

#[test]
fn mains() {
    check(
        main(
            quote!(worker_threads = 0, flavor = "x"),
            quote!(
                unsafe fn main<T>(args: Args) {}
            ),
        ),
        expect![[r#"
            a server needs at least one worker thread: write 1 or more
            `#[mcp::main]` has no option `flavor`: it takes `worker_threads` and `crate`
            `#[mcp::main]` starts the async runtime: write `async fn`, or remove the attribute
            `main` takes no arguments: read the command line with `std::env::args()`
            `main` cannot be generic: remove the parameters
            `main` is a plain `async fn`: remove this
        "#]],
    );
    check(
        main(
            quote!(),
            quote!(
                struct Main;
            ),
        ),
        expect![[r#"
        `#[mcp::main]` goes on `async fn main()`, and this is a struct
    "#]],
    );
}

#[test]
fn resources() {
    let check_options = |options, expected: Expect| {
        let item = quote!(
            fn f(id: &str) -> String {}
        );
        check(resource(options, item), expected);
    };
    check_options(
        quote!(),
        expect![[r#"
        a resource needs its URI: write it first in the parentheses, as in `#[mcp::resource("config://app")]`, or a template, as in `#[mcp::resource("orders://{order_id}")]`
    "#]],
    );
    check_options(
        quote!(name = "x"),
        expect![[r#"
        a resource needs its URI: write it before this option, as in `#[mcp::resource("config://app")]`, or a template, as in `#[mcp::resource("orders://{order_id}")]`
    "#]],
    );
    check_options(
        quote!(inline, "s://{id}"),
        expect![[r#"
        the URI stands first in the parentheses, and the options follow it
    "#]],
    );
    check_options(
        quote!(uri = "s://{id}", inline),
        expect![[r#"
        the URI stands first and has no key: write only its string literal
    "#]],
    );
    check_options(
        quote!(uri = URI),
        expect![[r#"
            the URI stands first and has no key: write only its string literal
        "#]],
    );
    check_options(
        quote!(URI),
        expect![[r#"
        the URI of a resource is a string literal, as its variables are checked against the parameters: write it out
    "#]],
    );
    check_options(
        quote!(concat!("s://", "{id}")),
        expect![[r#"
        the URI of a resource is a string literal, as its variables are checked against the parameters: write it out
    "#]],
    );
    check_options(
        quote!(b"s://{id}"),
        expect![[r#"
        the URI of a resource is a string literal, as its variables are checked against the parameters: write it out
    "#]],
    );
    check_options(
        quote!(
            "s://{id}",
            "again",
            mimetype = "text/plain",
            size = 1,
            audience = ["users", "nobody", 1],
            priority = 1.5,
            last_modified = "yesterday",
            allow_traversal = ["ids", "path"],
            ttl = "5",
            scope = "publik",
            cache_ttl = 1,
            cacheScope = "public",
            name = "",
            read_only,
            permissions = "x",
            uri = "s://y"
        ),
        expect![[r#"
            an option is written `key = value`, as in `description = "again"`
            `#[mcp::resource]` has no option `mimetype` (did you mean `mime_type`?)
            `audience` holds string literals only, as in `audience = ["user"]`
            `5` has no unit: write a whole number and a unit, as in `"500ms"`, `"30s"`, `"2m"`, `"1h"` or `"1m30s"`
            `#[mcp::resource]` has no option `cache_ttl` (did you mean `ttl`?)
            `#[mcp::resource]` has no option `cacheScope` (did you mean `scope`?)
            `#[mcp::resource]` has no option `read_only`, which is for a tool: remove it
            `#[mcp::resource]` has no option `permissions`: it takes `name`, `title`, `description`, `mime_type`, `size`, `audience`, `priority`, `last_modified`, `allow_traversal`, `ttl`, `scope`, `tags`, `icons`, `meta`, `inline`, `blocking`, `timeout`, `handle`, `crate`
            the URI stands first and has no key: remove this
            a resource's name cannot be empty: write one, or remove `name` to use the function's
            `size` is that of one resource, and a template stands for many: remove it
            the template has no variable `ids` (did you mean `id`?): `allow_traversal` names those whose values may hold `..` or be an absolute path
            the template has no variable `path`: `allow_traversal` names those whose values may hold `..` or be an absolute path
            `users` is no audience (did you mean `user`?): there are `"user"` and `"assistant"`
            `nobody` is no audience: there are `"user"` and `"assistant"`
            `publik` is no scope (did you mean `public`?): what was read may be kept by whoever read it (`"private"`), or shared with everybody (`"public"`)
            a priority is a number from 0, which is optional, to 1, which is required
            `last_modified` is a date and a time with their offset (RFC 3339), as in `2026-01-31T12:00:00Z`
        "#]],
    );
    check_options(
        quote!(
            "s://x",
            ttl = 5,
            scope,
            mime_type = "json",
            size = -1,
            priority = "high",
            allow_traversal = ["id"],
            inline,
            blocking
        ),
        expect![[r#"
            `ttl` takes a string literal, as in `ttl = "5m"`
            `scope` takes a string literal, as in `scope = "public"`
            `size` cannot be negative: write 0 or more
            `priority` takes a number, as in `priority = 1`
            this URI has no variables: `allow_traversal` names those whose values may hold `..` or be an absolute path
            a MIME type is a type and a subtype, as in `application/json` or `text/plain; charset=utf-8`
            `inline` runs a resource where requests are read, `blocking` on a thread of its own: remove one of the two
            the URI has no variable `id`, and nothing else gives this parameter a value: write `{id}` or `{?id}` into the URI, or remove the parameter
        "#]],
    );
    check_options(
        quote!("s://{;id}{", allow_traversal = ["path"]),
        expect![[r#"
        `{;id}` is a path-style parameter, which templates here do not have: there are `{x}`, `{+x}`, `{x*}`, `{/x}`, `{.x}`, `{#x}`, `{?x,y}` and `{&x,y}`
        the brace of `{` is not closed: write `}` behind the variable's name
    "#]],
    );
}

#[test]
fn variables() {
    let check_uri = |uri: &str, item, expected| check(resource(quote!(#uri), item), expected);
    let item = quote! {
        fn f(
            order: &str,
            limit: Option<u32>,
            db: State<Pool>,
            own: Vec<Own>,
            context: &Context,
            #[arg(header = "X", complete = "ids")] id: u8,
            #[arg(rename = "id")] other: u8,
            #[arg(default = 1)] from: u32,
            to: u32,
            kind: Kind,
            _: u8,
        ) -> String {
        }
    };
    check_uri(
        "orders://{order_id}/{id}{?page,from,to,kind}",
        item.clone(),
        expect![[r#"
            `complete` takes the path of a function, as in `complete = order_ids`
            an argument needs a name, which is that of a variable of the URI: write `value: u8`, or remove the argument
            `header` is for the arguments of a tool, not for those of a resource: remove it
            two arguments are called `id`: rename one of them
            the template has `{order_id}`, but the function has no parameter `order_id`: add one, as in `order_id: &str`, or take the variable out
            the template has `{?page}`, but the function has no parameter `page`: add one, as in `page: Option<&str>`, or take the variable out
            a URI need not have `{?to}`: make this an `Option`, or add `#[arg(default = ..)]`
            the URI has no variable `order`, and nothing else gives this parameter a value: write `{order}` or `{?order}` into the URI, or remove the parameter
            the URI has no variable `limit`, and nothing else gives this parameter a value: write `{limit}` or `{?limit}` into the URI, or remove the parameter
            the URI has no variable `own`, and nothing else gives this parameter a value: write `{own}` or `{?own}` into the URI, or remove the parameter
        "#]],
    );
    let misspelled = quote!(
        fn f(orderid: &str, limit: u32) -> String {}
    );
    check_uri(
        "orders://{order_id}",
        misspelled,
        expect![[r#"
        the template has `{order_id}`, but the function has no parameter `order_id` (did you mean `orderid`?): add one, as in `order_id: &str`, or take the variable out
        the URI has no variable `limit`, and nothing else gives this parameter a value: write `{limit}` or `{?limit}` into the URI, or remove the parameter
    "#]],
    );
    check_uri(
        "orders://all",
        item,
        expect![[r#"
            `complete` takes the path of a function, as in `complete = order_ids`
            an argument needs a name, which is that of a variable of the URI: write `value: u8`, or remove the argument
            `header` is for the arguments of a tool, not for those of a resource: remove it
            two arguments are called `id`: rename one of them
            the URI has no variable `order`, and nothing else gives this parameter a value: write `{order}` or `{?order}` into the URI, or remove the parameter
            the URI has no variable `limit`, and nothing else gives this parameter a value: write `{limit}` or `{?limit}` into the URI, or remove the parameter
            the URI has no variable `own`, and nothing else gives this parameter a value: write `{own}` or `{?own}` into the URI, or remove the parameter
            the URI has no variable `id`, and nothing else gives this parameter a value: write `{id}` or `{?id}` into the URI, or remove the parameter
            the URI has no variable `id`, and nothing else gives this parameter a value: write `{id}` or `{?id}` into the URI, or remove the parameter
            the URI has no variable `from`, and nothing else gives this parameter a value: write `{from}` or `{?from}` into the URI, or remove the parameter
            the URI has no variable `to`, and nothing else gives this parameter a value: write `{to}` or `{?to}` into the URI, or remove the parameter
        "#]],
    );
    let item = quote!(
        async fn f<T>(&self, path: &mut str, other: *const u8) -> impl Display {}
    );
    check_uri(
        "s://{path}/{other}",
        item,
        expect![[r#"
            a resource has one type for each variable of its URI, so it cannot be generic: replace `T` with the type that clients send
            a method is a resource only in an `impl` block with `#[mcp::server]`: put that on the block, or move the function out of it and take what it needs as `State<T>`
            a resource names the type that it returns, as its MIME type may follow from it: write the type instead of `impl ..`
            a resource cannot change its caller's arguments: take `&T`, or `T` by value
            an argument comes from a URI, which has no pointers: take `&T`, or `T` by value
        "#]],
    );
}

#[test]
fn prompts() {
    let item = quote! {
        #[mcp::prompt]
        #[mcp::tool]
        const fn u8<const N: usize>(
            #[arg(header = "X", complete = |c| c, complete = x)] a: String,
            _: u8,
            #[cfg(unix)] b: fn(),
        ) -> Box<dyn Display> {
        }
    };
    check(
        prompt(quote!("review", name = "", uri = "x", mime_type = "x", handle = 1), item),
        expect![[r#"
        an option is written `key = value`, as in `description = "review"`
        `#[mcp::prompt]` has no option `uri`: it takes `name`, `title`, `description`, `tags`, `icons`, `meta`, `inline`, `blocking`, `timeout`, `handle`, `crate`
        `#[mcp::prompt]` has no option `mime_type`, which is for a resource: remove it
        `handle` takes the name of the type that stands for this prompt, as in `handle = GetOrder`
        this function is a prompt already: put all options into one `#[mcp::prompt(..)]`
        this function is a prompt already: write another function for the tool, which calls this one
        `complete` takes the path of a function, as in `complete = order_ids`
        `complete` is given twice: remove one of the two
        an argument needs a name, which is the one that clients know it by: write `value: u8`, or remove the argument
        a prompt's name cannot be empty: write one, or remove `name` to use the function's
        the type that stands for this prompt would hide the primitive `u8`: name it with `handle = ..`
        a prompt is called at run time: remove `const`, or call the `const fn` from a prompt
        a prompt has one type for each argument, so it cannot be generic: replace `N` with its value
        a prompt has the same arguments in every build: put `#[cfg]` on the function
        `header` is for the arguments of a tool, not for those of a prompt: remove it
        an argument comes from a client, which has no functions
    "#]],
    );
    let of = |item| prompt(quote!(), item);
    check(
        of(quote!(
            struct Order {}
        )),
        expect![[r#"
            `#[mcp::prompt]` goes on a `fn` or an `async fn`, and this is a struct: on a type that prompts take or return, put `#[mcp::model]`
        "#]],
    );
    check(
        of(quote!(
            fn f() -> String;
        )),
        expect![[r#"
            a prompt needs a body: this function is only declared
        "#]],
    );
    check(
        tool(
            quote!(),
            quote!(
                fn f(#[arg(complete = x)] a: u8) {}
            ),
        ),
        expect![[r#"
            clients ask for completions of a prompt's arguments and of a URI template's variables, never of a tool's argument: remove `complete`
        "#]],
    );
    check(
        crate::run::model(
            quote!(),
            quote!(
                struct Order {
                    #[arg(complete = x)]
                    a: u8,
                }
            ),
        ),
        expect![[r#"
            clients ask for completions of a prompt's arguments and of a URI template's variables, never of a field inside them: remove `complete`
        "#]],
    );
}
