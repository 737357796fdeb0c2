//! Making locked artifacts exist in the store: look up, or fetch, unpack, verify and publish.

use std::io::Read;
use std::num::NonZero;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::composition::left_out_note;
use super::context::Context;
use super::error::Error;
use super::resolve::{servers, signed};
use crate::archive;
use crate::fetch::{Fetcher, Pin};
use crate::lockfile::{Artifact, Location};
use crate::store::{IndexKey, Object};
use crate::upstream::debian::{self, Bases};
use crate::vocab::digest::TreeHash;
use crate::vocab::event::Event;
use crate::vocab::relpath::RelPath;
use crate::vocab::url::Url;

/// What it took.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Realised {
    /// The objects, in the order of the artifacts.
    pub objects: Vec<Object>,
    /// How many of them had to be fetched.
    pub fetched: usize,
    /// The bytes of those.
    pub fetched_bytes: u64,
}

impl Realised {
    /// Adds what something else took.
    pub fn add(&mut self, other: Self) {
        self.objects.extend(other.objects);
        self.fetched += other.fetched;
        self.fetched_bytes += other.fetched_bytes;
    }
}

/// Realises `artifacts` on all cores, largest first.
pub fn realise(
    context: &Context<'_>,
    artifacts: &[&Artifact],
    bases: &dyn Fn() -> Result<Bases, Error>,
) -> Result<Realised, Error> {
    let mut objects: Vec<Option<Object>> = Vec::with_capacity(artifacts.len());
    for artifact in artifacts {
        objects.push(find(context, artifact)?);
    }
    let mut missing: Vec<usize> =
        (0..artifacts.len()).filter(|&index| objects[index].is_none()).collect();
    if missing.is_empty() {
        let objects = objects.into_iter().flatten().collect();
        return Ok(Realised { objects, ..Realised::default() });
    }
    missing.sort_by_key(|&index| std::cmp::Reverse(artifacts[index].size));
    let bytes = missing.iter().filter_map(|&index| artifacts[index].size).sum();
    say_first_use(context, bytes);
    let bases = bases()?;
    let work = Work { context, fetcher: context.fetcher(), bases };
    let made = work.all(artifacts, &missing)?;
    for (index, object) in made {
        objects[index] = Some(object);
    }
    Ok(Realised {
        objects: objects.into_iter().flatten().collect(),
        fetched: missing.len(),
        fetched_bytes: bytes,
    })
}

/// Says once where things are kept, before the first of them comes.
fn say_first_use(context: &Context<'_>, bytes: u64) {
    if context.store.layout().objects_dir().is_dir() {
        return;
    }
    let root = context.dirs.root().display();
    let megabytes = bytes / 1_000_000;
    context.observer.event(Event::Note(format!(
        "toolchains are kept in {root} ({megabytes} MB to fetch, unpacked about six times that); \
         XPROV_HOME moves it, deleting it undoes everything"
    )));
}

/// The object that the artifact of this digest came to before. The tree hash in the lock must
/// agree, and does not stand in for the digest.
pub fn find(context: &Context<'_>, artifact: &Artifact) -> Result<Option<Object>, Error> {
    let found = context.store.find(&index_key(artifact))?;
    match (&found, artifact.tree) {
        (Some(object), Some(expected)) if object.path.tree_hash() != expected => {
            let (artifact, actual) = (label(artifact), object.path.tree_hash());
            Err(Error::TreeMismatch { artifact, expected, actual })
        }
        _ => Ok(found),
    }
}

/// The tree hash of an artifact that this store has; what the lock says already stays.
pub fn known_tree(context: &Context<'_>, artifact: &Artifact) -> Result<Option<TreeHash>, Error> {
    if artifact.tree.is_some() {
        return Ok(artifact.tree);
    }
    let object = context.store.find(&index_key(artifact))?;
    Ok(object.map(|object| object.path.tree_hash()))
}

fn label(artifact: &Artifact) -> String {
    format!("{} {}", artifact.name, artifact.version)
}

fn index_key(artifact: &Artifact) -> IndexKey<'_> {
    IndexKey::Unpacked {
        artifact: &artifact.sha256,
        strip: artifact.unpack.strip,
        keep: artifact.unpack.keep.as_deref(),
    }
}

struct Work<'a> {
    context: &'a Context<'a>,
    fetcher: Fetcher,
    bases: Bases,
}

impl Work<'_> {
    /// Each thread takes the next artifact; the first error stops the others after theirs.
    fn all(
        &self,
        artifacts: &[&Artifact],
        missing: &[usize],
    ) -> Result<Vec<(usize, Object)>, Error> {
        let next = AtomicUsize::new(0);
        let made = Mutex::new(Vec::new());
        let failed = Mutex::new(None);
        let worker = || {
            while let Some(&index) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
                match self.one(artifacts[index]) {
                    Ok(object) => lock(&made).push((index, object)),
                    Err(error) => {
                        next.store(missing.len(), Ordering::Relaxed);
                        lock(&failed).get_or_insert(error);
                    }
                }
            }
        };
        // One more than there are cores: a thread that waits for the network computes nothing.
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        thread::scope(|scope| {
            for _ in 0..(cores + 1).min(missing.len()) {
                scope.spawn(worker);
            }
        });
        match failed.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner) {
            Some(error) => Err(error),
            None => Ok(made.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)),
        }
    }

    fn one(&self, artifact: &Artifact) -> Result<Object, Error> {
        let Context { store, observer, .. } = self.context;
        let label = label(artifact);
        let _lock = store.lock(&artifact.sha256.to_string(), || {
            let what = format!("another xprov, which fetches {label}");
            observer.event(Event::Waiting(what));
        })?;
        // While we waited, the other process may have done it.
        if let Some(object) = find(self.context, artifact)? {
            return Ok(object);
        }
        let partial = store.layout().partial(&artifact.sha256);
        if let Some(parent) = partial.parent() {
            crate::sys::fs::create_dir(parent)?;
        }
        let staging = store.stage()?;
        let root = staging.dir().join("tree");
        let folding = self.context.folding(staging.dir())?;
        let pin = Pin { sha256: artifact.sha256, size: artifact.size };
        let urls = self.urls(artifact)?;
        let unpack = |bytes: &mut (dyn Read + Send)| {
            // A second try starts from nothing.
            crate::sys::fs::remove_tree(&root)?;
            crate::sys::fs::create_dir(&root)?;
            let tree = |bytes: &mut (dyn Read + Send)| {
                archive::unpack_on(folding, bytes, &artifact.unpack, &root, staging.dir())
                    .map_err(|source| Error::Unpack { artifact: label.clone(), source })
            };
            let Some((signature, url)) = signed(artifact, &urls) else { return tree(bytes) };
            signature
                .check(url, bytes, tree)
                .map_err(|source| Error::Minisign { artifact: label.clone(), source })?
        };
        let fetched =
            self.fetcher.fetch_with(&label, &urls, &pin, Some(&partial), *observer, unpack);
        let unpacked = fetched.map_err(|error| self.superseded(artifact, &urls, error))?;
        if let Some(expected) = artifact.tree
            && unpacked.tree.hash() != expected
        {
            let actual = unpacked.tree.hash();
            return Err(Error::TreeMismatch { artifact: label, expected, actual });
        }
        if !unpacked.notes.dropped_mode_bits.is_empty() {
            let count = unpacked.notes.dropped_mode_bits.len();
            let text =
                format!("{label}: setuid, setgid or sticky bits of {count} files are dropped");
            observer.event(Event::Note(text));
        }
        if let Some(example) = unpacked.notes.left_out.first() {
            let count = unpacked.notes.left_out.len();
            observer.event(Event::Note(left_out_note(&label, count, example)));
        }
        let named = (artifact.name.as_str(), artifact.version.as_str());
        Ok(store.add(&staging, &root, &unpacked.tree, named, &index_key(artifact))?)
    }

    /// Says of a package that the archive has no more what its 404 means. The places that serve
    /// the archive as it is now decide; in what state the snapshot service is says nothing.
    fn superseded(&self, artifact: &Artifact, urls: &[Url], error: Error) -> Error {
        let Location::Debian { archive, .. } = &artifact.location else { return error };
        // They come first among the URLs.
        let live = urls.iter().take(self.bases.live(archive).len());
        match error {
            Error::Fetch(source) if source.is_gone_from(|url| live.clone().any(|l| l == url)) => {
                let artifact = format!("{} {}", artifact.name, artifact.version);
                Error::Superseded { artifact, source }
            }
            error => error,
        }
    }

    fn urls(&self, artifact: &Artifact) -> Result<Vec<Url>, Error> {
        match &artifact.location {
            Location::Urls(urls) => Ok(urls.clone()),
            Location::RustDist(path) => {
                let servers = servers(&self.bases);
                if servers.is_empty() {
                    return Err(Error::NoArchive("rust".to_owned()));
                }
                Ok(servers.iter().map(|server| server.join(path.as_str())).collect())
            }
            Location::Pypi { package, file } => {
                let pin = &artifact.sha256;
                super::pypi::locate(self.context, &self.bases.settings, package, file, pin)
            }
            Location::Debian { archive, path, date } => {
                let urls = debian::locate(
                    archive,
                    &RelPath::parse(path.as_bytes())?,
                    date.parse()?,
                    &self.bases,
                );
                if urls.is_empty() { Err(Error::NoArchive(archive.clone())) } else { Ok(urls) }
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
