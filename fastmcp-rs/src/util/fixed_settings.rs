//! The settings that a program sets in its code, which operators cannot change unless the program allows it.
//!
//! Without the feature `settings` nothing is recorded.

/// The names of the settings that code has set.
#[derive(Clone, Debug, Default)]
pub(crate) struct FixedSettings {
    #[cfg(feature = "settings")]
    names: Vec<&'static str>,
}

impl FixedSettings {
    /// Records that code has set the setting of this name.
    #[inline]
    #[cfg_attr(not(feature = "settings"), allow(unused_variables))]
    pub(crate) fn add(&mut self, name: &'static str) {
        #[cfg(feature = "settings")]
        self.names.push(name);
    }

    /// Returns true if code has set the setting.
    #[cfg(feature = "settings")]
    pub(crate) fn contains(&self, name: &str) -> bool {
        self.names.contains(&name)
    }
}
