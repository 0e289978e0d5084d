use fastmcp_rs::mcp;

struct Service<'a, T, const N: usize>(&'a [T; N]);

#[mcp::server]
impl<'a, T: Sync, const N: usize> Service<'a, T, N>
where
    T: Send,
{
    /// Counts.
    #[tool]
    fn count(&self) -> usize {
        N
    }
}

fn main() {
    Service(&[1, 2]).count();
}
