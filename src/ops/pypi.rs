//! Wheels: from a package's name to a locked file, and from there to the URLs of this machine's
//! package index.

use std::collections::BTreeMap;

use super::context::Context;
use super::error::Error;
use super::request::Demand;
use super::resolve::{Through, compare_versions, is_version, make_entry};
use crate::lockfile::{Artifact, Authenticated, Entry, Location};
use crate::recipe::{Expansion, Pypi};
use crate::sys::process::hermetic_command;
use crate::upstream::GetError;
use crate::upstream::pypi::config::{self, default_of_help};
use crate::upstream::pypi::page::File;
use crate::upstream::pypi::wheel::WheelName;
use crate::upstream::pypi::{PypiError, files, normal};
use crate::vocab::digest::Sha256;
use crate::vocab::triple::RustTriple;
use crate::vocab::url::Url;

/// The name under which settings give an index.
const MIRROR: &str = "pypi";

/// The mirrors of the settings, by archive.
type Mirrors = BTreeMap<String, Vec<Url>>;

/// The indexes of this machine and project, best first: the settings', then pip's own.
fn indexes(context: &Context<'_>, mirrors: &Mirrors) -> Result<Vec<Url>, Error> {
    if let Some(named) = mirrors.get(MIRROR).filter(|named| !named.is_empty()) {
        return Ok(named.clone());
    }
    let config = config::read(&context.ambient.variables, cfg!(target_os = "macos"))?;
    if config.no_index {
        return Err(Error::NoIndex { why: "pip is told to ask none (`no-index`)" });
    }
    let index = match config.index {
        Some(index) => index,
        None => default_of_pip(context).ok_or(Error::NoIndex {
            why: "pip is configured for none, and no `pip` on PATH says which is its default",
        })?,
    };
    let parse = |index: String| index.parse().map_err(Error::PipIndex);
    std::iter::once(index).chain(config.extra).map(parse).collect()
}

/// The index that pip itself takes where nobody names one, as its help says: no address of a
/// registry is written down in here.
fn default_of_pip(context: &Context<'_>) -> Option<String> {
    let mut programs = ["pip3", "pip"].into_iter().flat_map(|name| context.ambient.programs(name));
    programs.find_map(|program| {
        let mut command = hermetic_command(program);
        command.args(["--disable-pip-version-check", "install", "--help"]);
        let output = command.envs(&context.ambient.variables).output().ok()?;
        default_of_help(&String::from_utf8_lossy(&output.stdout))
    })
}

/// The files of a package in the first index that has it. One that is in trouble is not passed
/// over: the next may have another package of that name.
fn listed(context: &Context<'_>, mirrors: &Mirrors, package: &str) -> Result<Vec<File>, Error> {
    let fetcher = context.fetcher();
    let mut failed = None;
    for index in indexes(context, mirrors)? {
        match files(&Through(&fetcher), &index, package) {
            Ok(files) => return Ok(files),
            Err(source @ PypiError::Get { source: GetError::NotFound { .. }, .. }) => {
                failed = failed.or(Some(source));
            }
            Err(source) => return Err(Error::Pypi { package: package.to_owned(), source }),
        }
    }
    let source =
        failed.unwrap_or(PypiError::Gone { package: package.to_owned(), file: String::new() });
    Err(Error::Pypi { package: package.to_owned(), source })
}

/// A wheel that can be pinned.
struct Wheel<'a> {
    name: WheelName,
    file: &'a File,
    sha256: Sha256,
}

/// The entries of the components that are wheels: one version for all hosts. `held` is a version
/// that is locked already and stays, if all of them have it.
pub fn entries(
    context: &Context<'_>,
    mirrors: &Mirrors,
    demand: &Demand<'_>,
    expansions: &[Expansion<'_>],
    held: Option<&str>,
) -> Result<Vec<Entry>, Error> {
    let Some(pypi) = demand.selected.recipe.pypi.as_ref().filter(|_| !expansions.is_empty()) else {
        return Ok(Vec::new());
    };
    let files = listed(context, mirrors, &pypi.package)?;
    let wheels: Vec<Wheel<'_>> = files.iter().filter_map(|file| wheel(pypi, file)).collect();
    let mut hosts: Vec<&RustTriple> =
        expansions.iter().filter_map(|expansion| expansion.host.as_ref()).collect();
    hosts.sort();
    hosts.dedup();
    let wanted = demand.version.as_deref().or(pypi.version.as_deref());
    let version = held
        .and_then(|held| newest(&wheels, &hosts, Some(held)))
        .or_else(|| newest(&wheels, &hosts, wanted))
        .ok_or_else(|| no_wheel(pypi, &wheels, &hosts, wanted))?;
    let entry = |expansion: &Expansion<'_>| {
        let host = expansion.host.as_ref();
        let of_host = host.and_then(|host| best(&wheels, version, host));
        let wheel = of_host.ok_or_else(|| no_wheel(pypi, &wheels, &hosts, wanted))?;
        let artifact = Artifact {
            name: expansion.component.name.to_string(),
            version: version.to_owned(),
            location: Location::Pypi {
                package: pypi.package.clone(),
                file: wheel.file.name.clone(),
            },
            sha256: wheel.sha256,
            size: wheel.file.size,
            unpack: pypi.unpack.clone(),
            tree: None,
            minisign: None,
        };
        let how = Authenticated::PublishedDigest;
        Ok(make_entry(demand, expansion, version.to_owned(), how, vec![artifact]))
    };
    expansions.iter().map(entry).collect()
}

/// A file that is a wheel of the package, was not taken back and has a digest.
fn wheel<'a>(pypi: &Pypi, file: &'a File) -> Option<Wheel<'a>> {
    let name = WheelName::parse(&file.name)?;
    let sha256 = file.sha256.filter(|_| !file.yanked)?;
    (normal(&name.package) == normal(&pypi.package)).then_some(Wheel { name, file, sha256 })
}

/// The newest version that every host can have.
fn newest<'a>(
    wheels: &'a [Wheel<'_>],
    hosts: &[&RustTriple],
    wanted: Option<&str>,
) -> Option<&'a str> {
    versions(wheels).into_iter().find(|version| {
        wanted.is_none_or(|wanted| is_version(wanted, version))
            && hosts.iter().all(|host| best(wheels, version, host).is_some())
    })
}

/// The versions that there are, newest first.
fn versions<'a>(wheels: &'a [Wheel<'_>]) -> Vec<&'a str> {
    let mut versions: Vec<&str> = wheels.iter().map(|wheel| wheel.name.version.as_str()).collect();
    versions.sort_by(|a, b| compare_versions(b, a));
    versions.dedup();
    versions
}

fn best<'a, 'f>(
    wheels: &'a [Wheel<'f>],
    version: &str,
    host: &RustTriple,
) -> Option<&'a Wheel<'f>> {
    let of_version = wheels.iter().filter(|wheel| wheel.name.version == version);
    let rated = of_version.filter_map(|wheel| Some((wheel.name.suits(host)?, wheel)));
    // Of equal ones the name decides, so that every machine chooses alike.
    rated.max_by_key(|(rank, wheel)| (*rank, &wheel.file.name)).map(|(_, wheel)| wheel)
}

fn no_wheel(
    pypi: &Pypi,
    wheels: &[Wheel<'_>],
    hosts: &[&RustTriple],
    wanted: Option<&str>,
) -> Error {
    let hosts: Vec<&str> = hosts.iter().map(|host| host.as_str()).collect();
    let source = PypiError::NoWheel {
        package: pypi.package.clone(),
        wanted: wanted.map(str::to_owned),
        hosts: hosts.join(", "),
        seen: versions(wheels).into_iter().map(str::to_owned).collect(),
    };
    Error::Pypi { package: pypi.package.clone(), source }
}

/// The URLs of a locked file. What the index says of its digest is not asked again: the lock's is
/// checked against the bytes.
pub fn locate(
    context: &Context<'_>,
    mirrors: &Mirrors,
    package: &str,
    file: &str,
    pin: &Sha256,
) -> Result<Vec<Url>, Error> {
    let fetcher = context.fetcher();
    let (mut named, mut failed) = (Vec::new(), None);
    // Whichever has it: the pin says whether it is the one.
    for index in indexes(context, mirrors)? {
        match files(&Through(&fetcher), &index, package) {
            Ok(files) => named.extend(files.into_iter().filter(|listed| listed.name == file)),
            Err(source) => failed = failed.or(Some(source)),
        }
        if !named.is_empty() {
            break;
        }
    }
    // A second file of this name and another digest is another file.
    let (same, others): (Vec<&File>, Vec<&File>) =
        named.iter().partition(|file| file.sha256.is_none_or(|digest| digest == *pin));
    let urls: Vec<Url> = same.into_iter().chain(others).map(|file| file.url.clone()).collect();
    if urls.is_empty() {
        let (package, file) = (package.to_owned(), file.to_owned());
        let gone = PypiError::Gone { package: package.clone(), file };
        return Err(Error::Pypi { package, source: failed.unwrap_or(gone) });
    }
    Ok(urls)
}
