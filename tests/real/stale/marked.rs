//! Compilers of the archive with a mark in their own files: the same programs and versions at the
//! same paths of their trees, and other results.

use std::fs;
use std::path::Path;

use xprov::vocab::digest::Sha256;
use xprov::vocab::triple::RustTriple;

use crate::machine::base;

/// What a compiler adds to every compilation, and to every link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marks {
    /// `-DMARK=<this>`.
    pub compiler: u8,
    /// `--build-id=0x0<this>`.
    pub linker: u8,
}

/// Makes the built-in C compiler for `target` one with marks, for the project in `dir`.
pub fn mark(dir: &Path, host: &RustTriple, target: &RustTriple, marks: Marks) {
    let prefix = target.tool_prefix();
    let of_gcc = if host == target { "gcc" } else { "gcc-cross" };
    // gcc reads this file if it is there; `+` appends to what it knows.
    let specs = format!(
        "*cc1:\n+ -DMARK={}\n\n*link:\n+ --build-id=0x0{}\n\n",
        marks.compiler, marks.linker
    );
    let name = format!("marks-{prefix}-{}-{}.tar", marks.compiler, marks.linker);
    let path = format!("usr/lib/{of_gcc}/{prefix}/12/specs");
    let artifact = artifact(&name, &[(path, specs.into_bytes())]);
    let component = format!(
        "[[variant.component]]\nname = \"marks\"\nruns = \"on-host-for-target\"\n\n{artifact}\n"
    );
    let name = format!("gcc-{prefix}");
    let recipe = built_in(&name);
    let marked: Vec<String> = recipe
        .split("[[variant]]")
        .map(|variant| {
            let ours = variant.contains(&format!("hosts = [\"{host}\"]"));
            let provides = if ours { variant.find("[variant.provides]") } else { None };
            match provides {
                Some(at) => format!("{}{component}{}", &variant[..at], &variant[at..]),
                None => variant.to_owned(),
            }
        })
        .collect();
    let marked = marked.join("[[variant]]");
    assert_ne!(marked, recipe, "the recipe has no variant for {host}");
    write_recipe(dir, &name, &marked);
}

/// Makes `files` the host's standard library, for the project in `dir`, whose lock with the
/// built-in recipe this is.
pub fn std_of(dir: &Path, lock: &str, host: &RustTriple, name: &str, files: &[(String, Vec<u8>)]) {
    let recipe = built_in("rust-debian");
    let packages = "packages = [\"libstd-rust-web-dev\"]\nexclude = [\"*\"]\n";
    // The compiler's package brings the library along; only what it runs with stays.
    let of_rustc = "packages = [\"rustc-web\"]\nexclude = [";
    let runtime = lock
        .split('"')
        .find(|word| word.starts_with("libstd-rust-web-") && !word.ends_with("-dev"))
        .expect("the compiler's own libraries");
    let without =
        format!("packages = [\"rustc-web\", \"{runtime}\"]\nexclude = [\"libstd-rust-web-dev\", ");
    let own = format!("\n{}target = \"{host}\"\n", artifact(name, files));
    assert!(recipe.contains(packages) && recipe.contains(of_rustc), "the recipe is another one");
    let own = recipe.replace(packages, &own).replace(of_rustc, &without);
    write_recipe(dir, "rust-debian", &own);
}

fn built_in(name: &str) -> String {
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("recipes");
    fs::read_to_string(recipes.join(format!("{name}.toml"))).expect("a recipe")
}

fn write_recipe(dir: &Path, name: &str, text: &str) {
    fs::create_dir_all(dir.join("recipes")).expect("a folder");
    fs::write(dir.join("recipes").join(format!("{name}.toml")), text).expect("written");
}

/// Writes an archive of `files`; returns its lines in a recipe.
fn artifact(name: &str, files: &[(String, Vec<u8>)]) -> String {
    let mut archive = tar::Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        archive.append_data(&mut header, path, bytes.as_slice()).expect("memory");
    }
    let bytes = archive.into_inner().expect("memory");
    let path = base().join("artifacts").join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    fs::write(&path, &bytes).expect("written");
    format!(
        "[[variant.component.artifact]]\nversion = \"1\"\nurls = [\"file://{}\"]\n\
         sha256 = \"{}\"\nstatus = \"verified-bytes\"\n",
        path.display(),
        Sha256::of(&bytes)
    )
}
