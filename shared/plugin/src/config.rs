//! The plugin configuration.

use crate::host::{self, Buffer, HostError};

/// The largest configuration that is read.
const MAX: usize = 8 << 20;

/// The plugin's configuration as its operator wrote it; empty without one.
///
/// # Errors
/// When the host does not hand it out.
pub fn plugin_configuration(size: usize) -> Result<Vec<u8>, HostError> {
    if size == 0 {
        return Ok(Vec::new());
    }
    host::buffer(Buffer::PluginConfiguration, 0, size.min(MAX))
}
