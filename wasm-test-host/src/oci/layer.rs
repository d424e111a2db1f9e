//! The layer of a compat image: a gzipped tar with `plugin.wasm`, the same bytes for the same module.

use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};

/// The file's name in the layer: Istio looks for this base name and no other.
pub const PLUGIN_WASM: &str = "plugin.wasm";

/// The tar and the gzip of one file, without anything that differs from run to run: no time, no owner, no name of a system.
/// `(tar, gzip)`; the compressor is the one that Cargo.lock pins.
pub fn tar_gzip(name: &str, content: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(tar::EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(content.len() as u64);
    let mut archive = tar::Builder::new(Vec::new());
    // Both write into memory; a name of more than 100 bytes is the only thing that they could refuse.
    let tar = archive
        .append_data(&mut header, name, content)
        .and_then(|()| archive.into_inner())
        .unwrap_or_default();
    let mut gzip = Vec::new();
    let mut encoder = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .read(tar.as_slice(), Compression::best());
    if encoder.read_to_end(&mut gzip).is_err() {
        gzip.clear();
    }
    (tar, gzip)
}

/// Why a layer has no module in it.
#[derive(Debug, thiserror::Error)]
pub(super) enum LayerError {
    #[error("the last layer is no gzipped tar: {0}")]
    Broken(io::Error),
    #[error("{PLUGIN_WASM} is not in the last layer")]
    NoPlugin,
    #[error("{PLUGIN_WASM} is larger than {0} bytes")]
    TooLarge(u64),
}

/// The first file with the base name `plugin.wasm` in a gzipped tar. Reads at most `limit` bytes of it, and never more than
/// 64 KiB plus twice as much of the tar.
pub(super) fn plugin_wasm(gzip: &[u8], limit: u64) -> Result<Vec<u8>, LayerError> {
    let unpacked = MultiGzDecoder::new(gzip).take(limit.saturating_mul(2).saturating_add(64 << 10));
    let mut archive = tar::Archive::new(unpacked);
    for entry in archive.entries().map_err(LayerError::Broken)? {
        let entry = entry.map_err(LayerError::Broken)?;
        let path = entry.path_bytes();
        // Go's filepath.Base, which the agent uses: what stands behind the last `/`.
        let is_plugin = Path::new(&*String::from_utf8_lossy(&path))
            .file_name()
            .is_some_and(|name| name == PLUGIN_WASM);
        if !is_plugin {
            continue;
        }
        if entry.size() > limit {
            return Err(LayerError::TooLarge(limit));
        }
        let mut wasm = Vec::new();
        entry
            .take(limit)
            .read_to_end(&mut wasm)
            .map_err(LayerError::Broken)?;
        return Ok(wasm);
    }
    Err(LayerError::NoPlugin)
}
