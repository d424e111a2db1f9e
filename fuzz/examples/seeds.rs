//! Writes the seeds of one target into a folder, and the dictionary into a file: `seeds TARGET FOLDER DICTIONARY`.

use std::error::Error;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [target, folder, dictionary] = arguments.as_slice() else {
        return Err("usage: seeds TARGET FOLDER DICTIONARY".into());
    };
    fs::create_dir_all(folder)?;
    for (index, seed) in backstop_fuzz::seeds::of(target).iter().enumerate() {
        fs::write(Path::new(folder).join(format!("seed-{index:04}")), seed)?;
    }
    fs::write(dictionary, backstop_fuzz::seeds::dictionary())?;
    Ok(())
}
