//! The inputs of the settings: fetched into the store, each as the file or the tree that its
//! build script is to see.

use std::io::Read;

use super::at::At;
use super::context::Context;
use super::error::{Error, Kind};
use super::project::Project;
use crate::archive::{self, UnpackError, UnpackSpec, Unpacked};
use crate::fetch::{FetchError, Pin};
use crate::hermetic::inputs::{PinnedInput, refusal};
use crate::settings::{InputForm, InputSettings};
use crate::store::{IndexKey, Object};
use crate::sys::fs::{create_dir, remove_tree};
use crate::vocab::digest::TreeHash;
use crate::vocab::event::Event;
use crate::vocab::name::Name;
use crate::vocab::relpath::RelPath;

/// The inputs of a project, and what it took to have them.
#[derive(Debug, Default)]
pub struct Inputs {
    /// For the plan.
    pub pinned: Vec<PinnedInput>,
    /// Their objects.
    pub tree_hashes: Vec<TreeHash>,
    /// How many had to be fetched.
    pub fetched: usize,
    /// The bytes of those.
    pub fetched_bytes: u64,
}

/// Why an input cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// Its variable means something else.
    #[error("{at}: the input `{name}` cannot set {variable}: {why}")]
    Variable {
        /// Where the settings say so.
        at: String,
        /// The input.
        name: Name,
        /// The variable.
        variable: String,
        /// What it means.
        why: &'static str,
    },
    /// `env` of the settings names its variable, too.
    #[error("{at}: the input `{name}` sets {variable}, and `env` of the settings does too")]
    Twice {
        /// Where the settings say so.
        at: String,
        /// The input.
        name: Name,
        /// The variable.
        variable: String,
    },
    /// Its bytes could not be had, or were others.
    #[error("{at}: the input `{name}` cannot be had")]
    Fetch {
        /// Where the settings name it.
        at: String,
        /// The input.
        name: Name,
        /// Why.
        #[source]
        source: FetchError,
    },
    /// It is to be unpacked, and cannot be.
    #[error("{at}: the input `{name}` cannot be unpacked")]
    Unpack {
        /// Where the settings name it.
        at: String,
        /// The input.
        name: Name,
        /// Why.
        #[source]
        source: UnpackError,
    },
}

impl From<InputError> for Error {
    fn from(error: InputError) -> Self {
        Self::Input(Box::new(error))
    }
}

impl InputError {
    /// The sort of error.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Variable { .. } | Self::Twice { .. } => Kind::Input,
            Self::Fetch { source: FetchError::Partial { .. }, .. }
            | Self::Unpack { source: UnpackError::Write { .. } | UnpackError::Thread(_), .. } => {
                Kind::Machine
            }
            Self::Fetch {
                source: FetchError::Mismatch { .. } | FetchError::TooLarge { .. },
                ..
            }
            | Self::Unpack { .. } => Kind::Integrity,
            Self::Fetch { .. } => Kind::Fetch,
        }
    }

    /// What helps.
    pub fn hints(&self) -> Vec<String> {
        let hint = match self {
            Self::Variable { .. } => "name the variable that the crate reads (docs/inputs.md)",
            Self::Twice { .. } => "take it out of `env`",
            Self::Fetch { source: FetchError::Mismatch { .. }, .. } => {
                "nothing was kept; if another file is meant, pin that one with its `sha256`"
            }
            Self::Fetch { source: FetchError::Offline { .. }, .. } => {
                "run `xprov restore` where there is a network"
            }
            Self::Fetch { source: FetchError::NotFound { .. }, .. } => {
                "correct its `url`, or name further places with `urls = [\"https://…\"]`"
            }
            Self::Fetch { source: FetchError::Partial { .. }, .. }
            | Self::Unpack { source: UnpackError::Write { .. }, .. } => {
                "free some space, make the store writable, or move it with XPROV_HOME"
            }
            Self::Fetch { .. } => {
                "check the network and the proxy variables, or name further places with \
                 `urls = [\"https://…\"]`"
            }
            Self::Unpack { .. } => {
                "correct `strip` and `keep`; what is no archive needs `as = \"path\"` or \
                 `as = \"file-url\"`"
            }
        };
        vec![hint.to_owned()]
    }
}

/// An input while it becomes an object.
struct Work<'a> {
    context: &'a Context<'a>,
    name: &'a Name,
    settings: &'a InputSettings,
    file: Name,
    /// Where the settings name it.
    at: String,
}

/// Fetches what is not there yet. What there is costs one small file to look up.
pub fn inputs(context: &Context<'_>, project: &Project) -> Result<Inputs, Error> {
    let mut inputs = Inputs::default();
    let env = &project.settings.env;
    for (name, settings) in &project.settings.inputs {
        let at = |key: &[&str]| {
            let keys: Vec<&str> = ["inputs", name.as_str()].iter().chain(key).copied().collect();
            project.setting(&keys).map_or_else(|| "Cargo.toml".to_owned(), |at| shown(context, &at))
        };
        let variable = &settings.env;
        if let Some(why) = refusal(variable) {
            let (name, variable) = (name.clone(), variable.clone());
            return Err(InputError::Variable { at: at(&["env"]), name, variable, why }.into());
        }
        if env.pass.contains(variable) || env.set.contains_key(variable) {
            let (name, variable) = (name.clone(), variable.clone());
            return Err(InputError::Twice { at: at(&["env"]), name, variable }.into());
        }
        let file = settings.file_name(name);
        let work = Work { context, name, settings, file, at: at(&["url"]) };
        let found = context.store.find(&work.key())?;
        let object = match found {
            Some(object) => object,
            None => work.fetch(&mut inputs)?,
        };
        let store = context.store.layout().root();
        let dir = object.dir.strip_prefix(store).unwrap_or(&object.dir);
        let path = match settings.form {
            InputForm::Unpacked => dir.to_path_buf(),
            InputForm::FileUrl | InputForm::Path => dir.join(work.file.as_str()),
        };
        inputs.tree_hashes.push(object.path.tree_hash());
        let (name, variable) = (name.to_string(), variable.clone());
        inputs.pinned.push(PinnedInput { name, variable, form: settings.form, path });
    }
    Ok(inputs)
}

fn shown(context: &Context<'_>, at: &At) -> String {
    at.shown(context.ambient)
}

impl Work<'_> {
    fn key(&self) -> IndexKey<'_> {
        let artifact = &self.settings.sha256;
        match self.settings.form {
            InputForm::FileUrl | InputForm::Path => {
                IndexKey::File { artifact, name: self.file.as_str() }
            }
            InputForm::Unpacked => IndexKey::Unpacked {
                artifact,
                strip: self.settings.strip,
                keep: self.settings.keep.as_deref(),
            },
        }
    }

    fn fetch(&self, inputs: &mut Inputs) -> Result<Object, Error> {
        let Self { context, name, settings, .. } = *self;
        let sha256 = settings.sha256;
        let unpack = UnpackSpec { strip: settings.strip, keep: settings.keep.clone() };
        let _lock = context.store.lock(&sha256.to_string(), || {
            let what = format!("another xprov, which fetches the input {name}");
            context.observer.event(Event::Waiting(what));
        })?;
        // While we waited, the other process may have done it.
        if let Some(object) = context.store.find(&self.key())? {
            return Ok(object);
        }
        let partial = context.store.layout().partial(&sha256);
        partial.parent().map_or(Ok(()), create_dir)?;
        let staging = context.store.stage()?;
        let root = staging.dir().join("tree");
        let file = RelPath::parse(self.file.as_str().as_bytes())?;
        let mut size = 0;
        let take = |bytes: &mut (dyn Read + Send)| -> Result<Unpacked, Error> {
            // A second try starts from nothing.
            remove_tree(&root)?;
            create_dir(&root)?;
            let mut counted = Counted { bytes, read: 0 };
            let made = match settings.form {
                InputForm::Unpacked => archive::unpack(&mut counted, &unpack, &root, staging.dir()),
                InputForm::FileUrl | InputForm::Path => archive::keep(&mut counted, &file, &root),
            };
            size = counted.read;
            let (at, name) = (self.at.clone(), name.clone());
            made.map_err(|source| InputError::Unpack { at, name, source }.into())
        };
        let pin = Pin { sha256, size: None };
        let (label, urls) = (name.as_str(), &settings.urls);
        let observer = context.observer;
        let fetched =
            context.fetcher().fetch_with(label, urls, &pin, Some(&partial), observer, take);
        let made = fetched.map_err(|error| match error {
            Error::Fetch(source) => {
                InputError::Fetch { at: self.at.clone(), name: name.clone(), source }.into()
            }
            error => error,
        })?;
        let named = (name.as_str(), &sha256.to_string()[..8]);
        let object = context.store.add(&staging, &root, &made.tree, named, &self.key())?;
        inputs.fetched += 1;
        inputs.fetched_bytes += size;
        Ok(object)
    }
}

/// Counts what is read.
struct Counted<'a> {
    bytes: &'a mut (dyn Read + Send),
    read: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.bytes.read(buffer)?;
        self.read += read as u64;
        Ok(read)
    }
}
