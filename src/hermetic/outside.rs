//! What the cargo configuration outside of a project says (the user's home, directories above): how
//! to reach registries, which is kept, and what would change a build, which the user is told. One
//! reading of each file serves both.

use super::Error;
use super::build_inputs::{BuildInput, of_root};
use super::cargo_config::{ConfigFile, parse};
use super::network::Network;

/// What the files say.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// The way to registries.
    pub network: Network,
    /// The keys that would change a build, file by file.
    pub inputs: Vec<BuildInput>,
}

impl Outside {
    /// Reads configuration files and `credentials.toml`, highest precedence first.
    pub fn read(files: &[ConfigFile]) -> Result<Self, Error> {
        let mut roots = Vec::with_capacity(files.len());
        let mut inputs = Vec::new();
        for file in files {
            let root = parse(file)?;
            inputs.extend(of_root(file, root.get_ref()));
            roots.push((file, root));
        }
        Ok(Self { network: Network::of(roots), inputs })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reading_gives_the_network_and_the_build_inputs() {
        let file = |text| ConfigFile::new("/h/.cargo/config.toml", text);
        let files = [file("net.retry = 3\nbuild.rustc = 'x'\n"), file("[env]\nA = 'b'\n")];
        let outside = Outside::read(&files).expect("TOML");
        assert_eq!(outside.network.config, "[net]\nretry = 3\n");
        let found: Vec<_> = outside.inputs.iter().map(|i| (i.key.as_str(), i.place.line)).collect();
        assert_eq!(found, [("build.rustc", 2), ("env.A", 2)]);
        assert!(Outside::read(&[file("a = ")]).is_err());
    }
}
