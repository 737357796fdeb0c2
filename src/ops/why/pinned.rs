//! What a project pins beside toolchains: the inputs of its settings, and the Debian packages that
//! joined a sysroot.

use super::{Answer, Layer, Scene, Sort, Standing};
use crate::lockfile::Lockfile;
use crate::ops::error::Error;
use crate::ops::{lock, realise, sysroot_packages};
use crate::vocab::triple::RustTriple;

/// The answer, if the settings have an input of this name.
pub fn input(scene: &Scene<'_>, name: &str) -> Option<Answer> {
    let inputs = &scene.project.settings.inputs;
    let (_, settings) = inputs.iter().find(|(own, _)| own.as_str() == name)?;
    let value = scene.environment.plan.value(&settings.env).map(str::to_owned);
    let urls: Vec<String> = settings.urls.iter().map(ToString::to_string).collect();
    let mut asked = Layer::new(Standing::Wins, format!("settings, inputs.{name}"), urls.join(" "));
    if let Some(at) = scene.project.setting(&["inputs", name]) {
        asked = asked.at(at);
    }
    let digest = Layer::new(Standing::Tells, "sha256", settings.sha256.to_string())
        .because("bytes with another digest are refused");
    let mut layers = vec![asked, digest];
    if let Some(value) = &value {
        let says = format!("{}={value}", settings.env);
        let variable = Layer::new(Standing::Wins, format!("as = \"{}\"", settings.form), says);
        layers.push(variable.because("build scripts see it"));
    }
    Some(Answer { sort: Sort::Input, value, layers })
}

/// The answer, if a Debian package of this name is in a sysroot, or is to be.
pub fn package(scene: &Scene<'_>, name: &str) -> Result<Option<Answer>, Error> {
    let mut layers = Vec::new();
    let mut versions = Vec::new();
    for target in sysroots(scene) {
        if scene.project.settings.target(target).packages.contains(name) {
            let who = format!("settings, target.{target}.packages");
            let layer = Layer::new(Standing::Wins, who, name);
            let at = scene.project.setting(&["target", target.as_str(), "packages"]);
            layers.push(match at {
                Some(at) => layer.at(at),
                None => layer,
            });
        }
    }
    let Some((lock, _)) = lock::read(scene.context, scene.project)? else { return Ok(None) };
    for (target, artifact) in locked(scene, &lock).filter(|(_, artifact)| artifact.name == name) {
        let says = format!("{}, in the sysroot of {target}", artifact.version);
        let asked = layers.iter().any(|layer: &Layer| layer.standing == Standing::Wins);
        let standing = if asked { Standing::Tells } else { Standing::Wins };
        let layer = Layer::new(standing, "toolchains.lock", says);
        let object = realise::find(scene.context, artifact)?;
        let unpacked = object.map(|object| format!("unpacked in {}", object.dir.display()));
        let needed = (!asked).then(|| "a package of the settings needs it".to_owned());
        let why: Vec<String> = needed.into_iter().chain(unpacked).collect();
        layers.push(layer.because(why.join("; ")));
        versions.push(artifact.version.clone());
        let own = |label: &str| label.split(' ').next() == Some(name);
        let libraries = scene.ground.libraries.iter();
        let libraries = libraries.filter(|of| of.target == *target && own(&of.package));
        layers.extend(libraries.map(|library| {
            let who = format!("library for {target}");
            Layer::new(Standing::Tells, who, format!("{}, at {}", library.name, library.path))
        }));
    }
    versions.dedup();
    let value = (!versions.is_empty()).then(|| versions.join(", "));
    Ok((!layers.is_empty()).then_some(Answer { sort: Sort::Package, value, layers }))
}

/// Names of inputs and packages, for whoever mistypes one.
pub fn words(scene: &Scene<'_>) -> Result<Vec<String>, Error> {
    let inputs = scene.project.settings.inputs.keys().map(ToString::to_string);
    let lock = lock::read(scene.context, scene.project)?.map(|(lock, _)| lock);
    let packages = lock.iter().flat_map(|lock| locked(scene, lock));
    Ok(packages.map(|(_, artifact)| artifact.name.clone()).chain(inputs).collect())
}

/// The target, and the host where that is another: both have a sysroot.
fn sysroots<'a>(scene: &Scene<'a>) -> impl Iterator<Item = &'a RustTriple> {
    let host = Some(&scene.context.host).filter(|host| *host != scene.target);
    std::iter::once(scene.target).chain(host)
}

/// The packages of sysroots, by target.
fn locked<'a>(
    scene: &'a Scene<'_>,
    lock: &'a Lockfile,
) -> impl Iterator<Item = (&'a RustTriple, &'a crate::lockfile::Artifact)> {
    let entries = lock.entries_for(&scene.context.host, scene.target);
    let packages = entries.filter(|entry| sysroot_packages::is(entry));
    packages
        .filter_map(|entry| Some((entry.key.target.as_ref()?, entry)))
        .flat_map(|(target, entry)| entry.artifacts.iter().map(move |artifact| (target, artifact)))
}
