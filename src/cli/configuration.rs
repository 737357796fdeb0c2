//! The *Build configuration* block of `build -v`: everything that a build sees, with its origin.

use std::fmt::Write as _;

use crate::ops::{Environment, Ground};

/// The block as text.
pub fn text(ground: &Ground, environment: &Environment) -> String {
    let plan = &environment.plan;
    let mut text = String::from("Build configuration\n");
    let mut line = |name: &str, value: &str, origin: &str| {
        let _ = writeln!(text, "  {name:12} {value}{}", suffix(origin));
    };
    line("target", environment.target.as_str(), "");
    line("env-id", &plan.env_id.to_string(), "");
    line("environment", &plan.env_dir.to_string_lossy(), "");
    line("build dir", &plan.build_dir.to_string_lossy(), "");
    for (name, path) in [("rustc", &ground.tools.rust.rustc), ("cargo", &ground.tools.rust.cargo)] {
        let version = ground.components.iter().find(|(component, ..)| component == name);
        let version = version.map_or("", |(_, version, _)| version.as_str());
        let origin = match &ground.tools.rust.machine {
            Some(rust) => format!("this machine's {}, impure", rust.says),
            None => format!("{version}, toolchains.lock"),
        };
        line(name, &path.to_string_lossy(), &origin);
    }
    let tools = [&ground.tools.target, &ground.tools.host];
    let mut compilers = tools.map(|tools| format!("{}-gcc", tools.prefix)).to_vec();
    // The host may be the target.
    compilers.dedup();
    for prefix in compilers {
        if let Some(program) =
            ground.tools.shims.get(&prefix).and_then(|tool| tool.program.as_ref())
        {
            line(&prefix, &program.to_string_lossy(), "toolchains.lock");
        }
    }
    for flag in &plan.rustflags {
        line("rustflag", &flag.value, &flag.origin.to_string());
    }
    for variable in &plan.variables {
        let value = variable.value.replace('\u{1f}', " ");
        line("variable", &format!("{}={value}", variable.name), &variable.origin.to_string());
    }
    text
}

fn suffix(origin: &str) -> String {
    if origin.is_empty() { String::new() } else { format!("  [{origin}]") }
}
