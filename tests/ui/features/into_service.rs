use fastmcp_rs::prelude::*;

async fn router(app: App) -> impl Sized {
    app.into_service().await
}

fn main() {
    drop(router(App::new("orders")));
}
