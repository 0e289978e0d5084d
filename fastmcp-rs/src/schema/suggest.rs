//! Suggestions for misspelt names: "did you mean …?"
//!
//! The source is `fastmcp-rs-macros/src/shared/nearest.rs`, so that compile errors and responses suggest alike.

fastmcp_rs_macros::shared_source!(nearest);

#[cfg(test)]
mod tests {
    use super::find_nearest;

    #[test]
    fn only_similar_names_are_suggested() {
        let names = ["get_order_details", "list_orders_by_status", "check_refund_eligibility"];
        assert_eq!(find_nearest("get_order_detail", names), Some("get_order_details"));
        assert_eq!(find_nearest("getOrderDetails", names), Some("get_order_details"));
        assert_eq!(find_nearest("shiped", ["SHIPPED", "PROCESSING"]), Some("SHIPPED"));
        assert_eq!(find_nearest("zzz", names), None);
    }
}
