//! The CPU that code is for: gcc's `-march`, `-mcpu` and `-mfpu` as the one `-mcpu` that zig has.
//!
//! Zig reads `-march` as `-mcpu`, knows CPUs by LLVM's names with underscores, takes `-mtune` for
//! `-mcpu` as well, and ignores `-mfpu`: none of them may reach it as it is. Pure.

/// What the options so far say. Of one kind the last one wins; `-march` goes before `-mcpu` and
/// `-mfpu` before what either of them says of the unit, in whatever order they come, as for gcc.
pub(super) struct Cpu<'a> {
    arch: &'a str,
    march: Option<String>,
    mcpu: Option<String>,
    /// On 32-bit Arm, the floating point unit that `-march`, `-mcpu` and `-mfpu` name.
    fpu: [Option<String>; 3],
}

/// Places in [`Cpu::fpu`].
const OF_MARCH: usize = 0;
const OF_MCPU: usize = 1;
const OF_MFPU: usize = 2;

/// gcc's names of CPUs that LLVM calls otherwise.
const X86_NAMES: &[(&str, &str)] = &[
    ("core-avx-i", "ivybridge"),
    ("core-avx2", "haswell"),
    ("corei7", "nehalem"),
    ("corei7-avx", "sandybridge"),
    ("x86-64-v1", "x86_64"),
];

/// gcc's names of what 64-bit Arm's architectures can be extended by, and LLVM's.
const AARCH64_EXTENSIONS: &[(&str, &str)] = &[
    ("fp", "fp_armv8"),
    ("fp16", "fullfp16"),
    ("memtag", "mte"),
    ("profile", "spe"),
    ("rng", "rand"),
    ("simd", "neon"),
];

/// 32-bit Arm's floating point units: gcc's names, and what LLVM adds and takes away for each. Its
/// ARMv7-A has NEON unless it is taken away, and with it 32 registers.
const FPUS: &[(&[&str], &str)] = &[
    (&["fp", "vfpv3-d16"], "+vfp3d16-neon-d32-vfp3"),
    (&["vfpv3-d16-fp16"], "+vfp3d16+fp16-neon-d32-vfp3"),
    (&["vfpv3"], "+vfp3-neon"),
    (&["vfpv3-fp16"], "+vfp3+fp16-neon"),
    (&["vfpv4-d16"], "+vfp4d16-neon-d32-vfp3-vfp4"),
    (&["vfpv4"], "+vfp4-neon"),
    (&["neon", "simd", "neon-vfpv3"], "+neon"),
    (&["nosimd"], "-neon"),
    (&["neon-fp16"], "+neon+fp16"),
    (&["neon-vfpv4"], "+neon+vfp4"),
    (&["neon-fp-armv8"], "+neon+fp_armv8"),
    (&["crypto-neon-fp-armv8"], "+neon+fp_armv8+crypto"),
];

impl<'a> Cpu<'a> {
    /// Nothing said yet; `arch` is zig's.
    pub fn new(arch: &'a str) -> Self {
        Self { arch, march: None, mcpu: None, fpu: [None, None, None] }
    }

    /// Takes an option that says something of the CPU; whether it did.
    pub fn take(&mut self, option: &str) -> bool {
        if let Some(name) = option.strip_prefix("-march=") {
            self.march(name);
        } else if let Some(name) = option.strip_prefix("-mcpu=") {
            // On x86 an old word for -mtune.
            if !self.arch.starts_with("x86") {
                self.mcpu(name);
            }
        } else if let Some(name) = option.strip_prefix("-mfpu=") {
            self.mfpu(OF_MFPU, name);
        } else {
            return option.starts_with("-mtune=");
        }
        true
    }

    /// What zig is told. Without a word it would be the machine that builds, or what zig thinks.
    pub fn name(&self) -> String {
        let (name, own) = match (&self.march, &self.mcpu) {
            (Some(name), _) => (name, OF_MARCH),
            (None, Some(name)) => (name, OF_MCPU),
            (None, None) => return "baseline".to_owned(),
        };
        let fpu = self.fpu[OF_MFPU].as_deref().or(self.fpu[own].as_deref());
        format!("{name}{}", fpu.unwrap_or_default())
    }

    fn march(&mut self, name: &str) {
        let (base, extensions) = split(name);
        match self.arch {
            "aarch64" => {
                let version = base.strip_prefix("armv").and_then(|rest| rest.strip_suffix("-a"));
                let version = version.map(|version| version.replace('.', "_"));
                let version = match version.as_deref() {
                    Some("8_0") => Some("8".to_owned()),
                    _ => version,
                };
                let base = match version {
                    Some(version) => format!("generic+v{version}a"),
                    None => base.replace('-', "_"),
                };
                self.march = Some(base + &aarch64(&extensions));
            }
            "arm" => {
                let version = base.strip_prefix("armv").unwrap_or(base).replace(['-', '.'], "");
                self.march = Some(format!("generic+v{version}"));
                for extension in &extensions {
                    self.mfpu(OF_MARCH, extension);
                }
            }
            _ => self.march = Some(x86(name)),
        }
    }

    fn mcpu(&mut self, name: &str) {
        let (base, extensions) = split(name);
        let base = base.replace('-', "_");
        if self.arch == "arm" {
            // A CPU has its own unit, where no extension says another.
            self.fpu[OF_MCPU] = None;
            self.mcpu = Some(base);
            for extension in &extensions {
                self.mfpu(OF_MCPU, extension);
            }
        } else {
            self.mcpu = Some(base + &aarch64(&extensions));
        }
    }

    fn mfpu(&mut self, of: usize, name: &str) {
        let known = FPUS.iter().find(|(names, _)| names.contains(&name));
        if let Some((_, features)) = known {
            self.fpu[of] = Some((*features).to_owned());
        }
    }
}

fn split(name: &str) -> (&str, Vec<&str>) {
    let mut parts = name.split('+');
    (parts.next().unwrap_or(name), parts.collect())
}

fn x86(name: &str) -> String {
    let known = X86_NAMES.iter().find(|(gcc, _)| *gcc == name);
    known.map_or(name, |(_, llvm)| llvm).replace('-', "_")
}

/// `+sve+nofp16` as `+sve-fullfp16`.
fn aarch64(extensions: &[&str]) -> String {
    let mut features = String::new();
    for extension in extensions {
        let (sign, name) = match extension.strip_prefix("no") {
            Some(name) => ('-', name),
            None => ('+', *extension),
        };
        let known = AARCH64_EXTENSIONS.iter().find(|(gcc, _)| *gcc == name);
        features.push(sign);
        features.push_str(&known.map_or(name, |(_, llvm)| llvm).replace('-', "_"));
    }
    features
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocab::isa::Baseline;

    fn name(arch: &str, options: &[&str]) -> String {
        let mut cpu = Cpu::new(arch);
        for option in options {
            assert!(cpu.take(option), "{option}");
        }
        cpu.name()
    }

    #[test]
    fn gccs_words_for_a_cpu_become_zigs() {
        for (arch, options, expected) in [
            ("x86_64", &[][..], "baseline"),
            ("x86_64", &["-march=x86-64"], "x86_64"),
            ("x86_64", &["-march=x86-64", "-march=x86-64-v3"], "x86_64_v3"),
            ("x86_64", &["-march=x86-64", "-mtune=haswell", "-mcpu=atom"], "x86_64"),
            ("x86_64", &["-march=core-avx2"], "haswell"),
            ("x86", &["-march=pentium4"], "pentium4"),
            ("aarch64", &["-march=armv8-a"], "generic+v8a"),
            ("aarch64", &["-march=armv8.0-a"], "generic+v8a"),
            ("aarch64", &["-march=armv8.2-a+sve+nofp16"], "generic+v8_2a+sve-fullfp16"),
            ("aarch64", &["-mcpu=cortex-a53+crypto"], "cortex_a53+crypto"),
            ("arm", &["-march=armv7-a+vfpv3-d16"], "generic+v7a+vfp3d16-neon-d32-vfp3"),
            (
                "arm",
                &["-march=armv7-a+vfpv3-d16", "-march=armv7-a"],
                "generic+v7a+vfp3d16-neon-d32-vfp3",
            ),
            ("arm", &["-march=armv7-a+vfpv3-d16", "-mfpu=neon"], "generic+v7a+neon"),
            ("arm", &["-march=armv7-a+neon-vfpv4"], "generic+v7a+neon+vfp4"),
            ("arm", &["-mcpu=cortex-a7"], "cortex_a7"),
            ("arm", &["-mcpu=cortex-a9+nosimd"], "cortex_a9-neon"),
            ("arm", &["-mfpu=vfpv3-d16", "-mcpu=cortex-a9"], "cortex_a9+vfp3d16-neon-d32-vfp3"),
            ("arm", &["-march=armv7-a+fp", "-mcpu=cortex-a7"], "generic+v7a+vfp3d16-neon-d32-vfp3"),
            ("aarch64", &["-mcpu=cortex-a76", "-march=armv8-a"], "generic+v8a"),
            ("aarch64", &["-march=armv8-a", "-mcpu=cortex-a76"], "generic+v8a"),
        ] {
            assert_eq!(name(arch, options), expected, "{arch} {options:?}");
        }
        assert!(!Cpu::new("x86_64").take("-mavx2"));
    }

    #[test]
    fn every_baseline_has_a_name() {
        for (rust, zig, levels) in [
            ("x86_64", "x86_64", &["x86-64-v1", "x86-64-v2", "x86-64-v3", "x86-64-v4"][..]),
            ("i686", "x86", &["pentium4"]),
            ("aarch64", "aarch64", &["armv8-a", "armv8.1-a", "armv8.6-a"]),
            ("armv7", "arm", &["armv7-a+vfpv3-d16", "armv7-a+neon", "armv7-a+neon-vfpv4"]),
        ] {
            let mut names: Vec<String> = Vec::new();
            for level in levels {
                let level = Baseline::of(rust, Some(level)).expect("known");
                let name = name(zig, level.c_flags());
                assert!(!names.contains(&name) && !name.contains(['.', '/']), "{name}");
                names.push(name);
            }
        }
    }
}
