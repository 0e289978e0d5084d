//! Extractors that are destructured in the signature, and extractors in an `Option`.

use std::convert::Infallible;
use std::sync::Arc;

use fastmcp_rs::handler::{FromContext, OptionalFromContext};
use fastmcp_rs::prelude::*;

pub struct Pool {
    size: usize,
}

/// Not `Clone`, and not `Sized`.
pub trait Clock: Send + Sync {
    fn now(&self) -> u64;
}

pub struct Tenant {
    id: u32,
    name: String,
}

impl FromContext for Tenant {
    type Error = Infallible;

    async fn from_context(_: &Context) -> Result<Self, Infallible> {
        Ok(Tenant { id: 1, name: "acme".into() })
    }
}

impl OptionalFromContext for Tenant {
    type Error = std::io::Error;

    async fn optional_from_context(_: &Context) -> Result<Option<Self>, std::io::Error> {
        Ok(None)
    }
}

#[derive(Clone)]
pub struct User {
    name: String,
}

type Shared = State<Pool>;

/// All kinds of patterns.
#[mcp::tool]
pub async fn all(
    State(pool): Shared,
    Tenant { id, ref name }: Tenant,
    Extension(User { name: user }): Extension<User>,
    _: &Context,
    _: State<Box<dyn Clock>>,
    text: &str,
    mut count: u8,
) -> String {
    let pool: Arc<Pool> = pool;
    count += 1;
    format!("{} {id} {name} {user} {text} {count}", pool.size)
}

/// On a thread of its own.
#[mcp::tool]
pub fn blocking(State(clock): State<Box<dyn Clock>>, tenant: Option<Tenant>) -> u64 {
    clock.now() + tenant.map_or(0, |tenant| u64::from(tenant.id))
}

/// Optional values.
#[mcp::resource("optional://{id}")]
pub fn optional(pool: Option<State<Pool>>, Extension(user): Extension<User>, id: u8) -> Option<String> {
    pool.map(|State(pool)| format!("{} {} {id}", pool.size, user.name))
}

/// As a prompt.
#[mcp::prompt]
pub fn prompt(State(pool): State<Pool>, user: Option<Extension<User>>) -> String {
    format!("{} {}", pool.size, user.is_some())
}

#[mcp::server]
impl Pool {
    /// In a method.
    #[tool]
    pub async fn method(&self, State(pool): State<Self>, State(other): State<Pool>) -> usize {
        self.size + pool.size + other.size
    }
}

fn main() {
    let pool = State::new(Pool { size: 2 });
    let State(inner) = pool.clone();
    assert_eq!((pool.size, inner.size), (2, 2));
    struct Now;
    impl Clock for Now {
        fn now(&self) -> u64 {
            7
        }
    }
    assert_eq!(blocking(State::new(Box::new(Now)), None), 7);
    let app = App::empty("patterns").server::<Pool>().tool::<all>().resource::<optional>().prompt::<prompt>();
    let missing = app.check().unwrap_err().to_string();
    assert!(missing.contains("Pool") && missing.contains("Clock"), "{missing}");
}
