//! Which system calls a supervisor is asked about, and what their arguments name. Pure.

use libc::c_long;

use super::Wish;
use super::sockets::{self, OnSocket};

/// A name in the memory of the process that calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Name {
    /// The descriptor of the directory that it is relative to; `None` is the current one.
    pub dir: Option<i32>,
    /// Where it is in the process's memory.
    pub address: u64,
    /// What is wanted.
    pub wish: Wish,
}

/// Which calls a supervisor is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watch {
    /// All that name something.
    Names,
    /// Those that open, start or connect, and not those that only look, make or remove: for
    /// programs that look at hundreds of files of their own.
    Opens,
}

/// What a system call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// One or two names.
    Names(Name, Option<Name>),
    /// A socket of this family and sort.
    Socket(i32, i32),
    /// Something on the socket of this descriptor.
    OnSocket(i32, OnSocket),
    /// What machine this is, to be written at this address.
    Machine(u64),
    /// What to do when a child ends, described at this address.
    ChildHandler(u64),
    /// Something that a supervisor need not know.
    Other,
}

/// Where a call has what it says of one name: the argument with the directory, the one with the
/// name.
type At = (Option<usize>, usize);

/// How the wish of a call follows from it.
#[derive(Clone, Copy)]
enum Sort {
    Always(Wish),
    /// By the flags of `open` in this argument.
    Flags(usize),
    /// By the `struct open_how` at the address in this argument.
    How(usize),
}

struct Row(c_long, Sort, At, Option<At>);

const LOOK: Sort = Sort::Always(Wish::Look);
const WRITE: Sort = Sort::Always(Wish::Write);

/// The calls that every machine has.
#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row(libc::SYS_openat,     Sort::Flags(2),              (Some(0), 1), None),
    Row(libc::SYS_openat2,    Sort::How(2),                (Some(0), 1), None),
    Row(libc::SYS_execve,     Sort::Always(Wish::Run),     (None, 0),    None),
    Row(libc::SYS_execveat,   Sort::Always(Wish::Run),     (Some(0), 1), None),
    Row(libc::SYS_newfstatat, LOOK,                        (Some(0), 1), None),
    Row(libc::SYS_statx,      LOOK,                        (Some(0), 1), None),
    Row(libc::SYS_faccessat,  LOOK,                        (Some(0), 1), None),
    Row(libc::SYS_faccessat2, LOOK,                        (Some(0), 1), None),
    Row(libc::SYS_readlinkat, LOOK,                        (Some(0), 1), None),
    Row(libc::SYS_mkdirat,    Sort::Always(Wish::MakeDir), (Some(0), 1), None),
    Row(libc::SYS_unlinkat,   WRITE,                       (Some(0), 1), None),
    Row(libc::SYS_symlinkat,  WRITE,                       (Some(1), 2), None),
    Row(libc::SYS_truncate,   WRITE,                       (None, 0),    None),
    Row(libc::SYS_renameat2,  WRITE,                       (Some(0), 1), Some((Some(2), 3))),
    Row(libc::SYS_renameat,   WRITE,                       (Some(0), 1), Some((Some(2), 3))),
    Row(libc::SYS_linkat,     WRITE,                       (Some(2), 3), None),
];

/// Those that only the older architecture has.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const OLDER_ROWS: &[Row] = &[
    Row(libc::SYS_open,     Sort::Flags(1),              (None, 0), None),
    Row(libc::SYS_creat,    WRITE,                       (None, 0), None),
    Row(libc::SYS_stat,     LOOK,                        (None, 0), None),
    Row(libc::SYS_lstat,    LOOK,                        (None, 0), None),
    Row(libc::SYS_access,   LOOK,                        (None, 0), None),
    Row(libc::SYS_readlink, LOOK,                        (None, 0), None),
    Row(libc::SYS_mkdir,    Sort::Always(Wish::MakeDir), (None, 0), None),
    Row(libc::SYS_rmdir,    WRITE,                       (None, 0), None),
    Row(libc::SYS_unlink,   WRITE,                       (None, 0), None),
    Row(libc::SYS_symlink,  WRITE,                       (None, 1), None),
    Row(libc::SYS_rename,   WRITE,                       (None, 0), Some((None, 1))),
    Row(libc::SYS_link,     WRITE,                       (None, 1), None),
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER_ROWS: &[Row] = &[];

/// The calls that may be about an open file, and which argument has their flags.
pub(super) const ON_OPEN_FILES: [(c_long, u32); 2] =
    [(libc::SYS_newfstatat, 3), (libc::SYS_statx, 2)];

fn rows() -> impl Iterator<Item = &'static Row> {
    ROWS.iter().chain(OLDER_ROWS)
}

/// The numbers of all calls that a supervisor is asked about, without `socket`.
pub(super) fn numbers(watch: Watch) -> impl Iterator<Item = c_long> {
    let opens = |sort| matches!(sort, Sort::Flags(_) | Sort::How(_) | Sort::Always(Wish::Run));
    rows()
        .filter(move |row| watch == Watch::Names || opens(row.1))
        .map(|row| row.0)
        .chain([libc::SYS_uname])
}

/// What the call asks for; `flags_at` reads the first eight bytes of a structure in the memory of
/// the process.
pub(super) fn decode(
    number: c_long,
    arguments: &[u64; 6],
    flags_at: impl Fn(u64) -> Option<u64>,
) -> Call {
    match number {
        libc::SYS_socket => return Call::Socket(low(arguments[0]), low(arguments[1])),
        libc::SYS_uname => return Call::Machine(arguments[0]),
        libc::SYS_rt_sigaction if arguments[1] != 0 => return Call::ChildHandler(arguments[1]),
        _ => {}
    }
    if let Some((fd, call)) = sockets::decode(number, arguments) {
        return Call::OnSocket(fd, call);
    }
    let Some(Row(_, sort, first, second)) = rows().find(|row| row.0 == number) else {
        return Call::Other;
    };
    let wish = match sort {
        Sort::Always(wish) => *wish,
        Sort::Flags(at) => of_flags(low(arguments[*at])),
        Sort::How(at) => {
            let flags = flags_at(arguments[*at]).unwrap_or(0);
            of_flags(low(flags))
        }
    };
    let name = |(dir, path): &At| Name {
        dir: dir.map(|at| low(arguments[at])).filter(|fd| *fd != libc::AT_FDCWD),
        address: arguments[*path],
        wish,
    };
    Call::Names(name(first), second.as_ref().map(name))
}

/// The lower half of a register, which is what the kernel looks at for an `int`.
pub(super) fn low(register: u64) -> i32 {
    let [a, b, c, d, ..] = register.to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}

fn of_flags(flags: i32) -> Wish {
    let writing = flags & libc::O_ACCMODE != libc::O_RDONLY
        || flags & (libc::O_CREAT | libc::O_TRUNC) != 0
        || flags & libc::O_TMPFILE == libc::O_TMPFILE;
    match (flags & libc::O_PATH != 0, writing) {
        (true, _) => Wish::Look,
        (false, true) => Wish::Write,
        (false, false) => Wish::Read,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(number: c_long, arguments: [u64; 6]) -> Call {
        decode(number, &arguments, |_| Some(1))
    }

    #[test]
    fn flags_say_what_is_wanted_of_a_file() {
        let cwd = u64::from(libc::AT_FDCWD.cast_unsigned());
        let open = |flags: i32| {
            let flags = u64::from(flags.cast_unsigned());
            match call(libc::SYS_openat, [cwd, 7, flags, 0, 0, 0]) {
                Call::Names(name, None) => (name.dir, name.address, name.wish),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(open(libc::O_RDONLY | libc::O_CLOEXEC), (None, 7, Wish::Read));
        assert_eq!(open(libc::O_RDWR).2, Wish::Write);
        assert_eq!(open(libc::O_CREAT).2, Wish::Write);
        assert_eq!(open(libc::O_DIRECTORY).2, Wish::Read);
        assert_eq!(open(libc::O_TMPFILE | libc::O_WRONLY).2, Wish::Write);
        assert_eq!(open(libc::O_PATH | libc::O_DIRECTORY).2, Wish::Look);
        let how = call(libc::SYS_openat2, [5, 7, 9, 24, 0, 0]);
        assert_eq!(how, Call::Names(Name { dir: Some(5), address: 7, wish: Wish::Write }, None));
    }

    #[test]
    fn who_opens_is_not_asked_about_looking() {
        let opens: Vec<c_long> = numbers(Watch::Opens).collect();
        for call in [libc::SYS_openat, libc::SYS_openat2, libc::SYS_execve, libc::SYS_uname] {
            assert!(opens.contains(&call));
        }
        for call in [libc::SYS_statx, libc::SYS_readlinkat, libc::SYS_unlinkat] {
            assert!(!opens.contains(&call) && numbers(Watch::Names).any(|known| known == call));
        }
    }

    #[test]
    fn a_renaming_has_two_names_and_a_link_one_that_is_made() {
        let name = |dir, address| Name { dir: Some(dir), address, wish: Wish::Write };
        let rename = call(libc::SYS_renameat2, [3, 10, 4, 11, 0, 0]);
        assert_eq!(rename, Call::Names(name(3, 10), Some(name(4, 11))));
        let link = call(libc::SYS_linkat, [3, 10, 4, 11, 0, 0]);
        assert_eq!(link, Call::Names(name(4, 11), None));
        assert_eq!(call(libc::SYS_socket, [2, 1, 0, 0, 0, 0]), Call::Socket(libc::AF_INET, 1));
        assert_eq!(call(libc::SYS_uname, [77, 0, 0, 0, 0, 0]), Call::Machine(77));
        let child = u64::from(libc::SIGCHLD.cast_unsigned());
        assert_eq!(call(libc::SYS_rt_sigaction, [child, 9, 0, 8, 0, 0]), Call::ChildHandler(9));
        assert_eq!(call(libc::SYS_rt_sigaction, [child, 0, 9, 8, 0, 0]), Call::Other);
        assert_eq!(call(libc::SYS_getpid, [0; 6]), Call::Other);
    }
}
