//! Suggestions for misspelt names: "Did you mean …?"

/// Returns the candidate that is most similar to `given`, if one is similar enough.
pub(crate) fn find_nearest<'a>(given: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A peer may send a long text; valid names are shorter.
    if given.len() > 256 {
        return None;
    }
    let given = given.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| (strsim::jaro_winkler(&given, &candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, candidate)| candidate)
}

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
