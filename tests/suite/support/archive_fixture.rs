//! A toolchain of shell scripts: archives of a few hundred bytes whose programs answer as the real
//! ones would, so that everything around compilers can be tried in milliseconds.

use std::collections::BTreeMap;

use xprov::vocab::digest::Sha256;

use super::sandbox::host;

/// The target that the toolchain serves beside the host; foreign on every machine that runs tests.
pub const TARGET: &str = "armv7-unknown-linux-gnueabihf";

/// The versions of Rust that there are.
pub const VERSIONS: [&str; 2] = ["1.95.0", "1.96.0"];

/// Prints where it is told to stop, and what it was given.
const CARGO: &str = r#"#!/bin/sh
for word; do
    case $word in
    metadata)
        [ ! -f "$HOME/metadata.json" ] || exec /bin/cat "$HOME/metadata.json"
        echo '{ "packages": [] }'
        exit
        ;;
    fetch) /bin/mkdir -p "$CARGO_HOME/registry/src"; exit "${FAKE_FETCH_EXIT:-0}" ;;
    esac
done
echo "cargo runs $1 for ${XPROV_TARGET:-its target}" >&2
case $FAKE_EXIT in
signal-*) kill -s "${FAKE_EXIT#signal-}" $$ ;;
esac
exit "${FAKE_EXIT:-0}"
"#;

/// A component in one version: its archive.
pub struct Archive {
    /// The component, with the triple it is for where there are several.
    pub name: String,
    /// The version.
    pub version: String,
    /// The bytes, a tar archive packed with gzip.
    pub bytes: Vec<u8>,
}

impl Archive {
    /// The file's name.
    pub fn file(&self) -> String {
        format!("{}-{}.tar.gz", self.name, self.version)
    }

    /// The pin of what it is now.
    pub fn sha256(&self) -> String {
        Sha256::of(&self.bytes).to_string()
    }
}

/// A tar archive, packed with gzip, of (path, mode, contents).
pub fn tar_gz(files: &[(&str, u32, &str)]) -> Vec<u8> {
    let mut builder =
        tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for (path, mode, contents) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(*mode);
        header.set_size(contents.len() as u64);
        header.set_cksum();
        builder.append_data(&mut header, path, contents.as_bytes()).expect("memory");
    }
    builder.into_inner().and_then(flate2::write::GzEncoder::finish).expect("memory")
}

/// The prefix of the C tools of a triple.
pub fn tool_prefix(triple: &str) -> String {
    let triple: xprov::vocab::triple::RustTriple = triple.parse().expect("a known triple");
    triple.tool_prefix()
}

/// Every archive of the toolchain, by name and version.
pub fn toolchain() -> Vec<Archive> {
    let mut archives = Vec::new();
    let mut add = |name: &str, version: &str, files: &[(&str, u32, &str)]| {
        let bytes = tar_gz(files);
        archives.push(Archive { name: name.to_owned(), version: version.to_owned(), bytes });
    };
    for version in VERSIONS {
        let rustc = format!(
            "#!/bin/sh\nprintf 'rustc {version}\\nhost: {}\\nrelease: {version}\\n'\n",
            host()
        );
        add(
            "rustc",
            version,
            &[("usr/bin/rustc", 0o755, &rustc), ("usr/bin/rustdoc", 0o755, &rustc)],
        );
        add("cargo", version, &[("usr/bin/cargo", 0o755, CARGO)]);
        for triple in [TARGET, &host()] {
            let path = format!("usr/lib/rustlib/{triple}/lib/libstd.rlib");
            add(&format!("rust-std-{triple}"), version, &[(&path, 0o644, version)]);
        }
    }
    for triple in [TARGET, &host()] {
        let prefix = tool_prefix(triple);
        let tools: BTreeMap<String, String> = ["gcc", "g++", "ar"]
            .map(|tool| {
                (format!("usr/bin/{prefix}-{tool}"), format!("#!/bin/sh\necho {tool} \"$@\"\n"))
            })
            .into();
        let files: Vec<(&str, u32, &str)> =
            tools.iter().map(|(path, text)| (path.as_str(), 0o755, text.as_str())).collect();
        add(&format!("gcc-{triple}"), "12.2.0", &files);
    }
    let shell = "#!/bin/sh\nexec /bin/sh \"$@\"\n";
    add("tools", "1.0.0", &[("bin/sh", 0o755, shell), ("bin/data", 0o644, "no program\n")]);
    let emulator = "#!/bin/sh\necho emulated \"$@\"\n";
    add("qemu", "7.2.0", &[("usr/bin/qemu-arm", 0o755, emulator)]);
    archives
}
