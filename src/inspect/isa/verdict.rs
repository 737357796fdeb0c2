//! One function above the baseline: what it needs, and whether that is a fault.

use super::features::{Arch, FeatureSet};
use super::functions::Function;
use super::graph::Reach;
use super::image::Image;
use super::{AboveBaseline, IsaVerdict, names};
use crate::vocab::isa::Baseline;

/// How a library that is known to ask does so, if the function is one of its and is named for what
/// it needs.
pub fn accepted(arch: Arch, name: &str, needs: FeatureSet) -> Option<&'static str> {
    let announced = names::announced(arch, name);
    let named = !announced.is_empty() && needs.without(announced).is_empty();
    let family = names::family(name).filter(|_| named && !names::is_generic(name));
    family.map(|(_, way)| way)
}

fn shown(function: &Function<'_>) -> String {
    match function.symbol {
        Some(symbol) => format!("`{}`", names::readable(symbol.name)),
        None => format!("the code at {:#x}", function.address),
    }
}

/// Judges one function: `how` it is reached and `from` where, and whether it asks itself.
pub fn judge(
    image: &Image<'_>,
    function: &Function<'_>,
    has: FeatureSet,
    how: Reach,
    from: Option<&Function<'_>>,
    asks: bool,
    exhausted: bool,
) -> AboveBaseline {
    let name = function.symbol.map(|symbol| names::readable(symbol.name));
    let needs = function.sweep.features.without(has);
    let said = name.as_deref().map_or(FeatureSet::EMPTY, |name| names::announced(image.arch, name));
    let named = needs.without(said).is_empty();
    let generic = name.as_deref().is_some_and(names::is_generic);
    let family = name.as_deref().and_then(|name| accepted(image.arch, name, needs));
    let unstripped = || Some("the file before it was stripped".to_owned());
    let (verdict, evidence, decide) = match (how, family) {
        _ if asks => {
            (IsaVerdict::Dispatched, "it asks what the CPU can do itself".to_owned(), None)
        }
        (Reach::Guarded, _) => (
            IsaVerdict::Dispatched,
            "whoever refers to it has asked what the CPU can do".to_owned(),
            None,
        ),
        (_, Some(way)) => (IsaVerdict::Dispatched, way.to_owned(), None),
        _ if exhausted => (
            IsaVerdict::Unproven,
            "there is more code that asks about the CPU than is followed".to_owned(),
            Some("its parts by themselves".to_owned()),
        ),
        _ if !function.bounded => (
            IsaVerdict::Unproven,
            "no symbol says where it ends".to_owned(),
            Some("a symbol with a size, or unwind data".to_owned()),
        ),
        _ if generic => (IsaVerdict::Leak, "generic code".to_owned(), None),
        (Reach::Open, _) if named => (
            IsaVerdict::Unproven,
            format!(
                "{} refers to it, and no question about the CPU is seen there",
                from.map_or("the outside".to_owned(), shown)
            ),
            Some("an exception with the reason, if its callers ask".to_owned()),
        ),
        (Reach::Never, _) if named && image.named && image.arch != Arch::Arm => {
            (IsaVerdict::Dispatched, "nothing in the file refers to it".to_owned(), None)
        }
        (_, _) if !image.named => {
            (IsaVerdict::Unproven, "the file has no names".to_owned(), unstripped())
        }
        (Reach::Open, _) => (
            IsaVerdict::Leak,
            format!("{} refers to it without asking", from.map_or("the outside".to_owned(), shown)),
            None,
        ),
        (Reach::Table, _) => (
            IsaVerdict::Unproven,
            "a pointer to it lies in data".to_owned(),
            Some("an exception with the reason, if whoever reads the pointer asks".to_owned()),
        ),
        (Reach::Never, _) => (
            IsaVerdict::Unproven,
            "nothing refers to it".to_owned(),
            Some("where it is called from".to_owned()),
        ),
    };
    let (level, beyond) = level(image.arch, function.sweep.features);
    AboveBaseline {
        address: function.address,
        size: function.size,
        of_crate: function
            .symbol
            .zip(name.as_deref())
            .and_then(|(s, n)| names::crate_of(s.name, n)),
        object: function.symbol.and_then(|symbol| symbol.file).map(str::to_owned),
        name,
        level,
        beyond,
        features: needs.names(image.arch),
        instructions: function.sweep.above,
        first: function.sweep.first,
        verdict,
        evidence,
        decide,
    }
}

/// The lowest level that has what of `features` any level has, and the rest.
fn level(arch: Arch, features: FeatureSet) -> (&'static str, Vec<&'static str>) {
    let levels: Vec<Baseline> = Baseline::levels(arch.triple_name()).collect();
    let most = levels.iter().fold(FeatureSet::EMPTY, |set, level| set.union(arch.baseline(*level)));
    let beyond = features.without(most);
    let within = FeatureSet(features.0 & most.0);
    let lowest = levels.iter().find(|level| within.without(arch.baseline(**level)).is_empty());
    (lowest.map_or("", |level| level.name()), beyond.names(arch))
}
