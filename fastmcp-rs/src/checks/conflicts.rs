//! Components that share a name or a URI.

use super::problem::{Location, Problem};

/// The words by which messages name the entries of a list.
pub(crate) struct EntryWording {
    /// The noun for one entry.
    pub(crate) noun: &'static str,
    /// The property that two entries must not share: "two tools are named …".
    pub(crate) share: &'static str,
    pub(crate) advice: &'static str,
}

/// The origin of a component that claims a name or a URI.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    pub(crate) location: Location,
    /// The place in the source that added the component, if it was created at run time: one helper function may create
    /// many.
    pub(crate) added: Option<Location>,
}

impl Claim {
    pub(crate) fn is_dynamic(self) -> bool {
        self.added.is_some()
    }

    /// Returns the place that added the component, if it is another one than the place that created it.
    fn other_place(self) -> Option<Location> {
        self.added.filter(|added| !added.is_same_line(self.location))
    }
}

/// Reports that a component that is added claims the key of another one, or is added again.
pub(crate) fn duplicate(wording: &EntryWording, key: &str, first: Claim, second: Claim) -> Problem {
    if !first.location.is_same_line(second.location) || first.is_dynamic() || second.is_dynamic() {
        return conflict(wording, key, first, second);
    }
    let fix = "`App::new` has it already, so remove the second registration, or use `App::empty`";
    let subject = format!("{} `{key}`", wording.noun);
    Problem::new(subject, "it is registered twice", fix).at(first.location.to_string())
}

/// Reports that a component cannot replace another one, because that one belongs to another app.
pub(crate) fn not_replaceable(wording: &EntryWording, key: &str, first: Claim, second: Claim) -> Problem {
    let noun = wording.noun;
    let text = format!("the {noun} at {} belongs to another app", first.location);
    let fix = "replace it with a handle of that app, or choose another name";
    Problem::new(format!("{noun} `{key}`"), text, fix).at(second.location.to_string())
}

/// Reports that two components claim one key.
pub(crate) fn conflict(wording: &EntryWording, key: &str, first: Claim, second: Claim) -> Problem {
    let EntryWording { noun, share, advice } = *wording;
    let subject = format!("{noun} `{key}`");
    let mut text = format!("two {noun}s are {share} `{key}`, the other at {}", first.location);
    if let Some(added) = first.other_place() {
        text.push_str(&format!(" (added at {added})"));
    }
    let fix = match first.is_dynamic() && second.is_dynamic() {
        true => format!("rename one, or remove the first with `AppHandle::remove_{noun}`"),
        false => advice.to_owned(),
    };
    let location = match second.other_place() {
        Some(added) => format!("{}, added at {added}", second.location),
        None => second.location.to_string(),
    };
    Problem::new(subject, text, fix).at(location)
}
