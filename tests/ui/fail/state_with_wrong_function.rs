//! State factories and shutdown hooks are async functions of states.

use fastmcp_rs::prelude::*;

struct Pool;

fn not_async() -> Result<Pool, std::io::Error> {
    Ok(Pool)
}

async fn infallible() -> Pool {
    Pool
}

async fn takes_what_is_no_state(_: Pool) -> Result<Pool, std::io::Error> {
    Ok(Pool)
}

async fn fails_with_a_text() -> Result<(), String> {
    Ok(())
}

fn main() {
    let _ = App::empty("x").state_with(not_async);
    let _ = App::empty("x").state_with(infallible);
    let _ = App::empty("x").state_with(takes_what_is_no_state);
    let _ = App::empty("x").on_shutdown(fails_with_a_text);
    let _ = App::empty("x").on_shutdown(|_: State<Pool>| ());
}
