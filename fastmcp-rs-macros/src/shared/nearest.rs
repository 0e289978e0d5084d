//! Finds the name that a misspelt name most likely stands for.

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
