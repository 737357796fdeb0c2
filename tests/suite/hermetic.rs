//! The hermetic environment: env-id, the catalogue's page, the shim's door, and real cargo with a
//! project that wants otherwise.

mod real_cargo;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use xprov::hermetic::cargo_config::ConfigFile;
use xprov::hermetic::cfg_expr::TargetCfgs;
use xprov::hermetic::vars::{self, Fate};
use xprov::hermetic::{CTools, Error, Paths, Plan, PlanInput, Rust, Settings, Warning};
use xprov::shim;
use xprov::vocab::digest::TreeHash;
use xprov::vocab::triple::RustTriple;

/// An input whose parts a test can change.
struct Case {
    host: RustTriple,
    target: RustTriple,
    rust: Rust,
    settings: Settings,
    paths: Paths,
    project: Vec<ConfigFile>,
    ambient: Vec<(String, String)>,
    closure: Vec<TreeHash>,
    runner: Option<String>,
    linker: Option<String>,
    links: BTreeMap<String, PathBuf>,
}

impl Case {
    fn new(target: &str, machine: &str) -> Self {
        let dir = |path: &str| PathBuf::from(format!("{machine}/{path}"));
        Self {
            host: "x86_64-unknown-linux-gnu".parse().expect("known"),
            target: target.parse().expect("known"),
            rust: Rust {
                cargo: "rust/bin/cargo".into(),
                rustc: "rust/bin/rustc".into(),
                rustdoc: "rust/bin/rustdoc".into(),
                version_verbose: "rustc 1.95.0\nrelease: 1.95.0\n".into(),
                machine: None,
            },
            settings: Settings::default(),
            paths: Paths {
                workspace: dir("w"),
                target_dir: dir("w/target"),
                envs_dir: dir("x/envs"),
                store: dir("x/store"),
                cargo_home: dir("x/cargo"),
                registry_dirs: vec![dir("x/cargo/registry/src/index-1")],
                home: dir("x/home"),
                tmp: dir("x/tmp"),
            },
            project: Vec::new(),
            ambient: Vec::new(),
            closure: vec![TreeHash::from_bytes([1; 32])],
            runner: None,
            linker: None,
            links: BTreeMap::from([("perl".to_owned(), dir("x/store/1/bin/perl"))]),
        }
    }

    fn plan(&self) -> Result<Plan, Error> {
        self.plan_with(&self.project)
    }

    /// The plan with this configuration, highest precedence first.
    fn plan_with(&self, project: &[ConfigFile]) -> Result<Plan, Error> {
        let tools = |triple: &RustTriple| CTools {
            prefix: triple.tool_prefix(),
            sysroot: Some("sysroot".into()),
            has_pkg_config: true,
            ..CTools::default()
        };
        Plan::new(&PlanInput {
            host: &self.host,
            target: &self.target,
            rust: self.rust.clone(),
            target_tools: CTools { linker: self.linker.clone(), ..tools(&self.target) },
            host_tools: tools(&self.host),
            runner: self.runner.clone(),
            tool_variables: &[],
            settings: self.settings.clone(),
            paths: self.paths.clone(),
            project,
            cfgs: &TargetCfgs::of(&self.target),
            ambient: &self.ambient,
            closure: &self.closure,
            shim_version: shim::VERSION,
            shims: "",
            links: &self.links,
        })
    }

    fn id(&self) -> String {
        self.plan().expect("a plan").env_id.to_string()
    }
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

/// A change of one input.
type Change = fn(&mut Case);

const ARM: &str = "aarch64-unknown-linux-gnu";

#[test]
fn env_id_is_the_same_on_two_machines_and_another_one_for_each_input() {
    let mut elsewhere = Case::new(ARM, "/home/ü b");
    elsewhere.ambient = vec![pair("TERM", "dumb"), pair("CFLAGS", "-O9"), pair("EDITOR", "vi")];
    elsewhere.paths.registry_dirs.clear();
    let base = Case::new(ARM, "/m1").id();
    assert_eq!(base, elsewhere.id());

    // Where the sandbox's roots are is as little part of it as what the kernel can confine.
    let mut confined = Case::new(ARM, "/m1");
    confined.settings.sandbox.mode = xprov::vocab::sandbox::Mode::On;
    confined.settings.sandbox.read = vec!["/m1/shared".into()];
    assert_eq!(base, confined.id());

    let set = |machine: &str| {
        let mut case = Case::new(ARM, machine);
        case.settings.set = vec![pair("DATABASE_URL", &format!("sqlite:{machine}/w/db"))];
        case.id()
    };
    assert_eq!(set("/m1"), set("/m2"));

    let changes: [(&str, Change); 12] = [
        ("closure", |case| case.closure.push(TreeHash::from_bytes([2; 32]))),
        ("rustc", |case| case.rust.version_verbose.push_str("LLVM version: 1\n")),
        ("set", |case| case.settings.set.push(pair("A", "b"))),
        ("pass", |case| case.settings.pass.push(("A".into(), Some("b".into())))),
        ("rustflags", |case| case.settings.rustflags.push("-Copt-level=1".into())),
        ("policy", |case| case.settings.policy = "native deny".into()),
        ("baseline", |case| case.settings.baseline = Some("armv8-a".into())),
        ("the project's [env]", |case| {
            case.project.push(ConfigFile::new("/m1/w/.cargo/config.toml", "env.A = 'b'"));
        }),
        ("the user's --config", |case| {
            case.project.push(ConfigFile::argument(Path::new("/m1/w"), "env.PATH.value='/bin'"));
        }),
        ("a linked tool more", |case| {
            case.links.insert("awk".into(), "/m1/x/store/1/bin/mawk".into());
        }),
        ("another tool under a name", |case| {
            case.links.insert("perl".into(), "/m1/x/store/1/bin/perl5".into());
        }),
        ("target", |case| case.target = "armv7-unknown-linux-gnueabihf".parse().expect("known")),
    ];
    for (name, change) in changes {
        let mut case = Case::new(ARM, "/m1");
        change(&mut case);
        assert_ne!(case.id(), base, "{name}");
    }
}

#[test]
fn each_tool_has_its_variable_and_bare_names_are_never_set() {
    let plan = Case::new(ARM, "/m").plan().expect("a plan");
    let bin = plan.bin_dir().display().to_string();
    for (name, tool) in [
        ("CC_aarch64_unknown_linux_gnu", "aarch64-linux-gnu-gcc"),
        ("CXX_aarch64_unknown_linux_gnu", "aarch64-linux-gnu-g++"),
        ("HOST_CC", "x86_64-linux-gnu-gcc"),
        ("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", "aarch64-linux-gnu-gcc"),
        ("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_LINKER", "x86_64-linux-gnu-gcc"),
        ("PKG_CONFIG_aarch64_unknown_linux_gnu", "pkg-config"),
    ] {
        assert_eq!(plan.value(name), Some(&*format!("{bin}/{tool}")), "{name}");
    }
    assert_eq!(plan.value("PKG_CONFIG_LIBDIR_aarch64_unknown_linux_gnu"), Some(""));
    assert_eq!(plan.value("PATH"), Some(&*bin));
    for bare in ["CC", "CXX", "AR", "CFLAGS", "RUSTFLAGS", "PKG_CONFIG_PATH"] {
        assert_eq!(plan.value(bare), None, "{bare}");
    }
    let native = Case::new("x86_64-unknown-linux-gnu", "/m").plan().expect("a plan");
    assert_eq!(native.value("CC_x86_64_unknown_linux_gnu"), native.value("HOST_CC"));
    let mut names: Vec<&str> = native.variables.iter().map(|v| v.name.as_str()).collect();
    names.dedup();
    assert_eq!(names.len(), native.variables.len());
}

#[test]
fn a_linker_alone_is_named_to_rustc_for_what_it_is() {
    let gcc = Case::new("aarch64-unknown-linux-musl", "/m").plan().expect("a plan");
    let mut case = Case::new("aarch64-unknown-linux-musl", "/m");
    case.linker = Some("ld.lld".to_owned());
    let plan = case.plan().expect("a plan");
    let linker = |plan: &Plan, triple: &str| {
        let path = plan.value(&format!("CARGO_TARGET_{triple}_LINKER")).expect("a linker");
        path.rsplit('/').next().map(str::to_owned).expect("a name")
    };
    assert_eq!(linker(&plan, "AARCH64_UNKNOWN_LINUX_MUSL"), "ld.lld");
    assert_eq!(linker(&plan, "X86_64_UNKNOWN_LINUX_GNU"), "x86_64-linux-gnu-gcc");
    assert!(plan.config.text.contains("/bin/ld.lld"), "{}", plan.config.text);
    let has_flavour =
        |plan: &Plan| plan.rustflags.iter().any(|flag| flag.value == "-Clinker-flavor=ld.lld");
    assert!(has_flavour(&plan) && !has_flavour(&gcc));
    assert_ne!(plan.env_id.to_string(), gcc.env_id.to_string());
    assert_eq!(plan.value("PKG_CONFIG_ALL_STATIC"), Some("1"));
}

#[test]
fn shims_are_told_where_the_ledger_is_and_what_may_be_reached() {
    let mut case = Case::new(ARM, "/m");
    case.settings.sandbox.mode = xprov::vocab::sandbox::Mode::Report;
    case.settings.sandbox.read = vec!["/m/shared".into()];
    case.settings.sandbox.write = vec!["/m/w/src/generated".into()];
    let plan = case.plan().expect("a plan");
    let ledger = format!("/m/w/target/xprov/{}/ledger.jsonl", plan.env_id);
    assert_eq!(plan.value(shim::ledger::LEDGER_VARIABLE), Some(&*ledger));
    assert_eq!(plan.ledger(), Path::new(&ledger));
    let said = plan.value("XPROV_SANDBOX").expect("it is set").split('\u{1f}').collect::<Vec<_>>();
    let expected = [
        "report",
        "r=/m/x/store",
        "r=/m/w",
        "r=/m/x/cargo",
        "r=/m/x/home",
        "r=/m/x/envs",
        "r=/m/shared",
        "w=/m/w/target",
        "w=/m/x/tmp",
        "w=/m/w/src/generated",
    ];
    assert_eq!(said, expected);
}

#[test]
fn flags_beyond_the_baseline_are_taken_out_of_the_projects_configuration() {
    let mut case = Case::new(ARM, "/m");
    let text = "[build]\nrustflags = [\n  \"-Ctarget-feature=+sve,+crt-static\",\n  \"-Copt-level=1\",\n]\n";
    case.project.push(ConfigFile::new("/m/w/.cargo/config.toml", text));
    let inline = "target.'cfg(unix)'.rustflags=['-C', 'target-cpu=neoverse-n1']";
    let encoded = |plan: &Plan| plan.value("CARGO_ENCODED_RUSTFLAGS").expect("set").to_owned();
    let plan = case.plan().expect("a plan");
    assert!(encoded(&plan).starts_with("-Ctarget-feature=+crt-static\u{1f}-Copt-level=1\u{1f}"));
    let Warning::BeyondBaseline { origin, what, allow, .. } = &plan.warnings[0] else {
        panic!("{:?}", plan.warnings)
    };
    assert_eq!(origin.to_string(), "/m/w/.cargo/config.toml:3");
    assert_eq!(
        (what.as_str(), allow.as_deref()),
        ("target-feature=+sve", Some("isa.features = [\"sve\"]"))
    );
    // The same line in the settings brings it back, and it is another environment.
    case.settings.features = vec!["sve".to_owned()];
    let allowed = case.plan().expect("a plan");
    assert!(encoded(&allowed).starts_with("-Ctarget-feature=+sve,+crt-static\u{1f}"));
    assert!(allowed.warnings.is_empty() && allowed.env_id != plan.env_id);

    case.project = vec![ConfigFile::argument(Path::new("/m/w"), inline)];
    let plan = case.plan().expect("a plan");
    assert!(!encoded(&plan).contains("target-cpu") && !encoded(&plan).starts_with("-C\u{1f}"));
    assert_eq!(plan.warnings.len(), 1);
    case.settings.rustflags = vec!["-Ctarget-cpu=neoverse-n1".to_owned()];
    assert!(case.plan().expect("a plan").warnings.is_empty());
}

#[test]
fn settings_may_not_take_what_xprov_sets() {
    for name in [
        "XPROV_LEDGER",
        "XPROV_SANDBOX",
        "PATH",
        "HOME",
        "CC_aarch64_unknown_linux_gnu",
        "RUSTFLAGS",
        "XPROV_ENV_ID",
    ] {
        let mut case = Case::new(ARM, "/m");
        case.settings.set.push(pair(name, "x"));
        assert!(matches!(case.plan(), Err(Error::Reserved { .. })), "{name}");
    }
    let mut case = Case::new(ARM, "/m");
    case.settings.set = vec![pair("SOURCE_DATE_EPOCH", "7"), pair("CFLAGS", "-DX")];
    let plan = case.plan().expect("these are the user's");
    assert_eq!((plan.value("SOURCE_DATE_EPOCH"), plan.value("CFLAGS")), (Some("7"), Some("-DX")));
}

#[test]
fn the_page_on_the_environment_shows_the_catalogue() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/environment.md");
    let page = std::fs::read_to_string(page).expect("the page is there");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
    let fate = |fate| match fate {
        Fate::Passes => "passes",
        Fate::FetchOnly => "fetch only",
        Fate::Never => "never",
    };
    let expected: Vec<String> = vars::CATALOGUE
        .iter()
        .map(|rule| format!("| `{}` | {} | {} |", rule.name, fate(rule.fate), rule.reason))
        .collect();
    assert_eq!(rows, expected);
}
