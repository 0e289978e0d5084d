//! The order in which suggestions are offered.

/// The maximum number of candidates in a response.
pub(crate) const MAX_VALUES: usize = 100;

/// The maximum length, in bytes, of texts whose similarity is computed: this takes time in proportion to the product of
/// their lengths.
pub(crate) const MAX_LIKE: usize = 256;

/// The dissimilarity, in thousandths, at which a candidate is no longer offered.
pub(crate) const UNLIKENESSES: usize = 300;

/// Sorts matching candidates by rank: first those that begin with the text, then those that contain it, then similar
/// ones, the most similar first; candidates of equal rank keep their order. All others are removed.
pub(crate) fn rank(candidates: Vec<String>, text: &str) -> Vec<String> {
    if text.is_empty() {
        return candidates;
    }
    let text = text.to_lowercase();
    let mut by_rank = vec![Vec::new(); 2 + UNLIKENESSES];
    for candidate in candidates {
        let lower = candidate.to_lowercase();
        let rank = match () {
            () if lower.starts_with(&text) => 0,
            () if lower.contains(&text) => 1,
            () if text.len().max(lower.len()) > MAX_LIKE => continue,
            // A higher similarity gives a lower rank.
            () => 2 + ((1.0 - strsim::jaro_winkler(&text, &lower)) * 1000.0) as usize,
        };
        if let Some(group) = by_rank.get_mut(rank) {
            group.push(candidate);
        }
    }
    by_rank.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::rank;

    #[test]
    fn candidates_with_the_prefix_come_first() {
        let words = ["ORD-101", "ORD-102", "XORD-1", "0RD-101", "banana"].map(String::from).to_vec();
        assert_eq!(rank(words.clone(), "ord-1"), ["ORD-101", "ORD-102", "XORD-1", "0RD-101"]);
        assert_eq!(rank(words.clone(), ""), words);
    }

    #[test]
    fn a_long_text_is_completed_quickly() {
        let words: Vec<String> = (0..1000).map(|number| format!("{number:0300}")).collect();
        let start = std::time::Instant::now();
        assert!(rank(words.clone(), &"1".repeat(1 << 20)).is_empty());
        assert_eq!(rank(words, &"0".repeat(299)).len(), 10);
        assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
    }
}
