//! Instruction set levels: what each is called, which flags of C compilers stand for it, and which
//! of rustc's target features it contains. Knows no settings and no tool.

pub mod codegen;
mod levels;

use levels::{ADD_NOTHING, ADD_NOTHING_PREFIXES, ARCHS, Arch, Level};

/// A level that does not exist.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{written}` is no instruction set level of {arch}")]
pub struct UnknownBaseline {
    /// What was written; empty where the architecture itself is unknown.
    pub written: String,
    /// The architecture.
    pub arch: String,
    /// The levels that it has.
    pub known: Vec<&'static str>,
}

/// The instruction set level that output may assume.
#[derive(Clone, Copy)]
pub struct Baseline {
    arch: &'static Arch,
    /// Index into the levels.
    level: usize,
}

impl std::fmt::Debug for Baseline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Baseline({} of {})", self.name(), self.arch.name)
    }
}

impl Baseline {
    /// The level `name` of `arch`, the first component of a Rust triple. `None` is the level that
    /// Rust's targets of this architecture assume.
    pub fn of(arch: &str, name: Option<&str>) -> Result<Self, UnknownBaseline> {
        let found = ARCHS.iter().find(|known| known.name == arch);
        let unknown = || UnknownBaseline {
            written: name.unwrap_or_default().to_owned(),
            arch: arch.to_owned(),
            known: found.iter().flat_map(|arch| arch.levels).map(|level| level.name).collect(),
        };
        let arch = found.ok_or_else(unknown)?;
        let level = match name {
            None => Some(0),
            Some(name) => arch
                .levels
                .iter()
                .position(|level| level.name == name || level.also.contains(&name)),
        };
        Ok(Self { arch, level: level.ok_or_else(unknown)? })
    }

    /// All levels of `arch`, each containing the ones before it; none where it is unknown.
    pub fn levels(arch: &str) -> impl Iterator<Item = Self> {
        let found = ARCHS.iter().find(|known| known.name == arch);
        found
            .into_iter()
            .flat_map(|arch| (0..arch.levels.len()).map(move |level| Self { arch, level }))
    }

    /// The architecture, as the first component of a Rust triple.
    pub fn arch(&self) -> &'static str {
        self.arch.name
    }

    /// The level's name.
    pub fn name(&self) -> &'static str {
        self.arch.levels[self.level].name
    }

    /// What a C compiler is told.
    pub fn c_flags(&self) -> &'static [&'static str] {
        self.arch.levels[self.level].c_flags
    }

    /// What rustc is told; nothing for what the target means anyway. Arm's levels have no
    /// `target-cpu`, and rustc's names for them (`v8.2a`) are not stable: their features are.
    pub fn rustc_flags(&self) -> Vec<String> {
        if self.level == 0 {
            return Vec::new();
        }
        if let [cpu, ..] = self.arch.levels[self.level].cpus {
            return vec![format!("-Ctarget-cpu={cpu}")];
        }
        let added = self.contained().skip(1).flat_map(|level| level.features);
        let added: Vec<String> = added.map(|feature| format!("+{feature}")).collect();
        vec![format!("-Ctarget-feature={}", added.join(","))]
    }

    /// Whether every CPU of this level has `feature`, as rustc or LLVM spell it. So it is too for
    /// what adds no instruction, such as `crt-static`.
    pub fn has_feature(&self, feature: &str) -> bool {
        ADD_NOTHING.contains(&feature)
            || ADD_NOTHING_PREFIXES.iter().any(|prefix| feature.starts_with(prefix))
            || self
                .contained()
                .any(|level| level.features.contains(&feature) || level.llvm.contains(&feature))
    }

    /// Whether rustc's `target-cpu=<cpu>` asks for no more than this level. A named CPU such as
    /// `haswell` is more than the level that it has, and `native` is never known.
    pub fn rustc_cpu_is_within(&self, cpu: &str) -> bool {
        cpu == "generic" || self.contained().any(|level| level.cpus.contains(&cpu))
    }

    /// What a C compiler is told for the level `name` of `arch`.
    pub fn level_flags(arch: &str, name: &str) -> Option<&'static [&'static str]> {
        Self::of(arch, Some(name)).ok().map(|level| level.c_flags())
    }

    fn contained(&self) -> impl Iterator<Item = &'static Level> + use<> {
        self.arch.levels[..=self.level].iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(arch: &str, name: &str) -> Baseline {
        Baseline::of(arch, Some(name)).expect("known")
    }

    #[test]
    fn each_architecture_has_a_default_that_needs_no_flag_of_rustcs() {
        for (arch, name, c_flag) in [
            ("x86_64", "x86-64-v1", "-march=x86-64"),
            ("i686", "pentium4", "-march=pentium4"),
            ("aarch64", "armv8-a", "-march=armv8-a"),
            ("armv7", "armv7-a+vfpv3-d16", "-march=armv7-a+vfpv3-d16"),
        ] {
            let baseline = Baseline::of(arch, None).expect("known");
            assert_eq!((baseline.name(), baseline.c_flags()), (name, &[c_flag][..]));
            assert!(baseline.rustc_flags().is_empty());
        }
        assert_eq!(level("x86_64", "x86-64").name(), "x86-64-v1");
    }

    #[test]
    fn levels_contain_those_below_them() {
        let v2 = level("x86_64", "x86-64-v2");
        assert!(v2.has_feature("sse2") && v2.has_feature("popcnt") && v2.has_feature("cx16"));
        assert!(!v2.has_feature("avx2") && !v2.has_feature("aes") && v2.has_feature("crt-static"));
        assert!(v2.rustc_cpu_is_within("x86-64") && v2.rustc_cpu_is_within("generic"));
        assert!(!v2.rustc_cpu_is_within("x86-64-v3") && !v2.rustc_cpu_is_within("native"));
        assert_eq!(v2.rustc_flags(), ["-Ctarget-cpu=x86-64-v2"]);
        let arm = level("aarch64", "armv8.2-a");
        assert!(arm.has_feature("lse") && arm.has_feature("neon") && !arm.has_feature("sve"));
        assert_eq!(arm.rustc_flags(), ["-Ctarget-feature=+crc,+lor,+lse,+pan,+rdm,+vh,+dpb,+ras"]);
        assert!(!level("aarch64", "armv8-a").rustc_cpu_is_within("cortex-a53"));
        assert!(!level("armv7", "armv7-a").has_feature("neon"));
    }

    #[test]
    fn a_level_of_another_architecture_is_unknown() {
        let error = Baseline::of("aarch64", Some("x86-64-v2")).expect_err("unknown");
        assert_eq!(error.to_string(), "`x86-64-v2` is no instruction set level of aarch64");
        assert_eq!(error.known.first(), Some(&"armv8-a"));
        assert_eq!(Baseline::level_flags("x86_64", "haswell"), None);
        assert!(Baseline::of("riscv64", None).is_err_and(|error| error.known.is_empty()));
    }
}
