//! The settings of the operator in a build without the feature `settings`: there are none.

use super::App;
use crate::error::Error;

impl App {
    #[inline]
    pub(super) fn apply_settings(&mut self) -> Result<(), Error> {
        Ok(())
    }

    #[cfg(any(feature = "stdio", feature = "http"))]
    #[inline]
    pub(super) fn apply_settings_to_serve(&mut self) -> Result<(), Error> {
        Ok(())
    }

    #[cfg(feature = "http")]
    #[inline]
    pub(super) fn has_settings(&self) -> bool {
        false
    }

    #[inline]
    pub(super) fn log_settings(&mut self) {}
}
