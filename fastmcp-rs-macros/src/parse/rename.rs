//! The naming rules of `rename_all`, which are those of serde.

use super::entry::Entry;
use super::value;
use crate::errors::Errors;
use crate::shared::nearest::find_nearest;

/// A rule that makes the name clients see from a name in snake case.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum RenameRule {
    Lower,
    Upper,
    Pascal,
    Camel,
    Snake,
    ScreamingSnake,
    Kebab,
    ScreamingKebab,
}

const RULES: [(&str, RenameRule); 8] = [
    ("lowercase", RenameRule::Lower),
    ("UPPERCASE", RenameRule::Upper),
    ("PascalCase", RenameRule::Pascal),
    ("camelCase", RenameRule::Camel),
    ("snake_case", RenameRule::Snake),
    ("SCREAMING_SNAKE_CASE", RenameRule::ScreamingSnake),
    ("kebab-case", RenameRule::Kebab),
    ("SCREAMING-KEBAB-CASE", RenameRule::ScreamingKebab),
];

impl RenameRule {
    /// Reads `key = "camelCase"`. Reports a word that is not a rule.
    pub(super) fn parse(entry: &Entry, errors: &mut Errors) -> Option<Self> {
        let literal = value::parse_string(entry, "\"camelCase\"", errors)?;
        let word = literal.value();
        let rule = Self::from_word(&word);
        if rule.is_none() {
            let words = RULES.map(|(word, _)| word);
            let suggestion = suggest_word(&word).map(|word| format!(" (did you mean `{word}`?)")).unwrap_or_default();
            let key = &entry.key;
            errors.at(
                literal,
                format!("`{word}` is not a rule of `{key}`{suggestion}: it takes `{}`", words.join("`, `")),
            );
        }
        rule
    }

    pub(crate) fn from_word(word: &str) -> Option<Self> {
        RULES.into_iter().find(|(other, _)| *other == word).map(|(_, rule)| rule)
    }

    /// Returns serde's word for the rule.
    pub(crate) fn word(self) -> &'static str {
        RULES.into_iter().find(|(_, rule)| *rule == self).map(|(word, _)| word).unwrap_or_default()
    }

    /// Renames a name in snake case, as serde renames a field.
    pub(crate) fn apply(self, name: &str) -> String {
        let pascal = || {
            let words = name.split('_').map(|word| {
                let mut characters = word.chars();
                let first = characters.next().map(|first| first.to_ascii_uppercase());
                first.into_iter().chain(characters).collect::<String>()
            });
            words.collect::<String>()
        };
        match self {
            RenameRule::Lower | RenameRule::Snake => name.to_owned(),
            RenameRule::Upper | RenameRule::ScreamingSnake => name.to_ascii_uppercase(),
            RenameRule::Pascal => pascal(),
            RenameRule::Camel => {
                let pascal = pascal();
                let mut characters = pascal.chars();
                let first = characters.next().map(|first| first.to_ascii_lowercase());
                first.into_iter().chain(characters).collect()
            }
            RenameRule::Kebab => name.replace('_', "-"),
            RenameRule::ScreamingKebab => name.to_ascii_uppercase().replace('_', "-"),
        }
    }

    /// Returns whether names of this rule can have a hyphen, which variables of a URI template cannot have.
    pub(crate) fn has_hyphens(self) -> bool {
        matches!(self, RenameRule::Kebab | RenameRule::ScreamingKebab)
    }
}

/// Returns the rule that a wrong word most likely stands for. The rules differ mostly in case and in `_` and `-`, so the
/// one that has these as the word does is preferred.
fn suggest_word(word: &str) -> Option<&'static str> {
    let same_letters = |other: &&str| other.eq_ignore_ascii_case(word);
    let words = || RULES.iter().map(|(word, _)| *word);
    words()
        .find(same_letters)
        .or_else(|| {
            let plain = |text: &str| text.replace(['_', '-', ' '], "").to_ascii_lowercase();
            words().find(|other| plain(other) == plain(word))
        })
        .or_else(|| find_nearest(word, words()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_renamed_as_serde_renames_them() {
        let names = |name: &str| RULES.map(|(_, rule)| rule.apply(name));
        assert_eq!(
            names("order_id"),
            ["order_id", "ORDER_ID", "OrderId", "orderId", "order_id", "ORDER_ID", "order-id", "ORDER-ID"]
        );
        assert_eq!(names("id"), ["id", "ID", "Id", "id", "id", "ID", "id", "ID"]);
        assert_eq!(RenameRule::Camel.apply("_"), "");
    }

    #[test]
    fn a_wrong_word_gets_the_nearest_rule() {
        for (word, nearest) in [
            ("camel_case", "camelCase"),
            ("camelcase", "camelCase"),
            ("Kebab-Case", "kebab-case"),
            ("snakeCase", "snake_case"),
            ("SCREAMING_KEBAB_CASE", "SCREAMING-KEBAB-CASE"),
            ("pascal", "PascalCase"),
        ] {
            assert_eq!(suggest_word(word), Some(nearest), "{word}");
        }
        assert_eq!(suggest_word("dots"), None);
    }
}
