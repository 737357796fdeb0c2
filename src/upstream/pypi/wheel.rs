//! What the name of a wheel says: package, version, and the platforms that it is for (PEP 427 and
//! the platform tags of PEP 425, 600 and 656). Pure.

use crate::vocab::triple::RustTriple;

/// A wheel's name, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelName {
    /// The package as it is written there.
    pub package: String,
    /// The version.
    pub version: String,
    /// The platform tags.
    platforms: Vec<String>,
}

impl WheelName {
    /// The parts of a file's name; `None` where it is no wheel's.
    pub fn parse(file: &str) -> Option<Self> {
        let parts: Vec<&str> = file.strip_suffix(".whl")?.split('-').collect();
        let (5 | 6) = parts.len() else { return None };
        let text = |part: &str| Some(part.to_owned()).filter(|part| !part.is_empty());
        Some(Self {
            package: text(parts[0])?,
            version: text(parts[1])?,
            platforms: parts[parts.len() - 1].split('.').map(str::to_owned).collect(),
        })
    }

    /// How well the wheel's programs suit `host`, the higher the better; `None` where they do not
    /// run there. Of those that do, the one that asks for less of the system is better.
    pub fn suits(&self, host: &RustTriple) -> Option<u32> {
        self.platforms.iter().filter_map(|platform| suits(platform, host)).max()
    }
}

fn suits(platform: &str, host: &RustTriple) -> Option<u32> {
    if platform == "any" {
        return Some(1);
    }
    let apple = host.as_str().contains("-apple-");
    let arch = match (host.arch(), apple) {
        ("aarch64", true) => "arm64",
        ("armv7", _) => "armv7l",
        (arch, _) => arch,
    };
    let before = platform
        .strip_suffix(arch)
        .or_else(|| platform.strip_suffix("universal2").filter(|_| apple))?;
    let before = before.strip_suffix('_')?;
    if apple {
        return before.strip_prefix("macosx_").map(|version| 1000 - number(version));
    }
    if !host.is_linux() {
        return None;
    }
    match before.split_once('_').unwrap_or((before, "")) {
        // PEP 600's own names for what came before it.
        ("manylinux1", "") => Some(1000 - 205),
        ("manylinux2010", "") => Some(1000 - 212),
        ("manylinux2014", "") => Some(1000 - 217),
        ("manylinux", version) if host.is_gnu_libc() => Some(1000 - number(version)),
        ("musllinux", version) if host.is_musl() => Some(1000 - number(version)),
        _ => None,
    }
}

/// `2_17` as 217, so that older systems are smaller numbers.
fn number(version: &str) -> u32 {
    let (major, minor) = version.split_once('_').unwrap_or((version, "0"));
    let parse = |text: &str| text.parse::<u32>().unwrap_or(0).min(99);
    (parse(major) * 100 + parse(minor)).min(999)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn triple(text: &str) -> RustTriple {
        text.parse().expect("a triple")
    }

    #[test]
    fn a_wheel_says_which_hosts_it_is_for() {
        let of = |platforms: &str| {
            let file = format!("ziglang-0.16.0-py3-none-{platforms}.whl");
            let wheel = WheelName::parse(&file).expect("a wheel");
            assert_eq!((wheel.package.as_str(), wheel.version.as_str()), ("ziglang", "0.16.0"));
            let hosts = [
                "x86_64-unknown-linux-gnu",
                "aarch64-unknown-linux-gnu",
                "x86_64-apple-darwin",
                "aarch64-apple-darwin",
                "x86_64-unknown-linux-musl",
            ];
            hosts.map(|host| wheel.suits(&triple(host)).is_some())
        };
        let x86_64 = "manylinux_2_12_x86_64.manylinux2010_x86_64.musllinux_1_1_x86_64";
        assert_eq!(of(x86_64), [true, false, false, false, true]);
        assert!(of("manylinux_2_17_aarch64.musllinux_1_1_aarch64")[1]);
        assert_eq!(of("macosx_12_0_arm64"), [false, false, false, true, false]);
        assert_eq!(of("macosx_11_0_universal2"), [false, false, true, true, false]);
        assert_eq!(of("win_amd64"), [false; 5]);
        assert_eq!(of("any"), [true; 5]);
        assert_eq!(of("musllinux_1_1_x86_64"), [false, false, false, false, true]);
    }

    #[test]
    fn the_older_system_is_the_better_one() {
        let host = triple("x86_64-unknown-linux-gnu");
        let of = |platform: &str| suits(platform, &host).expect("it runs there");
        assert!(of("manylinux_2_12_x86_64") > of("manylinux2014_x86_64"));
        assert!(of("manylinux2014_x86_64") > of("manylinux_2_28_x86_64"));
        assert!(of("manylinux_2_28_x86_64") > of("any"));
    }

    #[test]
    fn other_files_are_no_wheels() {
        for file in ["ziglang-0.16.0.tar.gz", "a.whl", "a-b-c-d.whl", "-1-py3-none-any.whl"] {
            assert_eq!(WheelName::parse(file), None, "{file}");
        }
        let build = WheelName::parse("a-1.0-1-py3-none-any.whl").expect("with a build number");
        assert_eq!(build.version, "1.0");
    }
}
