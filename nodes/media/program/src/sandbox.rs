//! What the process gives up before it reads a byte of media: other descriptors, new files, the network, other programs,
//! memory without bounds.

use std::{collections::BTreeMap, env, fs, process::Command};

use landlock::{
    ABI, Access, AccessFs, AccessNet, CompatLevel, Compatible, LandlockStatus, Ruleset, RulesetAttr,
    RulesetStatus, Scope,
};
use libc::*;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch,
};
use talkgraph_media::MEMORY;

/// Most MiB of address space where [`MEMORY`] says nothing: a photo of 150 megapixels in 16 bits needs some 2,500.
const MEBIBYTES: u64 = 4096;

/// Most open descriptors: the socket, the output pair, and those of a few files.
const DESCRIPTORS: u64 = 64;

/// The newest rights of Landlock that are asked for; older kernels give what they have.
const RIGHTS: ABI = ABI::V6;

/// What holds the process now.
pub(crate) struct Held {
    /// Landlock's state in words, or why it is not in force.
    pub(crate) landlock: Result<String, String>,
    /// Whether system calls are filtered, or why not.
    pub(crate) seccomp: Result<String, String>,
    /// Most bytes of address space.
    pub(crate) memory: Option<u64>,
    /// The shared libraries, as they were loaded before.
    pub(crate) files: Vec<String>,
}

/// System calls that decoding and encoding need once all libraries are loaded. None of them opens a file by name, makes a socket,
/// starts a program or touches another process.
const ALLOWED: &[c_long] = &[
    SYS_read,
    SYS_write,
    SYS_readv,
    SYS_writev,
    SYS_pread64,
    SYS_pwrite64,
    SYS_lseek,
    SYS_close,
    SYS_fstat,
    SYS_ftruncate,
    SYS_fsync,
    SYS_recvmsg,
    SYS_recvfrom,
    SYS_sendmsg,
    SYS_sendto,
    SYS_poll,
    SYS_ppoll,
    SYS_mmap,
    SYS_munmap,
    SYS_mremap,
    SYS_mprotect,
    SYS_madvise,
    SYS_brk,
    SYS_futex,
    SYS_set_robust_list,
    SYS_rseq,
    SYS_sched_yield,
    SYS_sched_getaffinity,
    SYS_sched_setaffinity,
    SYS_sched_getscheduler,
    SYS_sched_getparam,
    SYS_getpid,
    SYS_gettid,
    SYS_getcpu,
    SYS_getrandom,
    SYS_clock_gettime,
    SYS_clock_getres,
    SYS_clock_nanosleep,
    SYS_nanosleep,
    SYS_gettimeofday,
    SYS_rt_sigaction,
    SYS_rt_sigprocmask,
    SYS_rt_sigreturn,
    SYS_sigaltstack,
    SYS_restart_syscall,
    SYS_exit,
    SYS_exit_group,
    SYS_uname,
    SYS_sysinfo,
    SYS_membarrier,
];

/// Gives up what can be given up, and says what could.
pub(crate) fn enter() -> Held {
    close_others();
    let memory = bound();
    let files = shared_libraries();
    // SAFETY: plain numbers; without new privileges both filters may be set by anyone.
    unsafe { prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) };
    let landlock = no_files();
    Held { landlock, seccomp: few_calls(), memory, files }
}

/// Files of the shared libraries that this process is made of.
fn shared_libraries() -> Vec<String> {
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
    let paths = maps.lines().filter_map(|line| line.find('/').map(|at| line[at..].to_owned()));
    let mut files: Vec<String> = paths.filter(|path| path.contains(".so")).collect();
    files.sort_unstable();
    files.dedup();
    files
}

/// Closes descriptors that a caller left open.
fn close_others() {
    // SAFETY: nothing of this process has opened descriptors above these yet that is still in use.
    unsafe { syscall(SYS_close_range, 3u32, u32::MAX, 0) };
}

/// Bounds memory and descriptors, and keeps what was decoded out of core files.
fn bound() -> Option<u64> {
    let asked = env::var(MEMORY).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(MEBIBYTES);
    let memory = (asked > 0).then(|| asked.saturating_mul(1 << 20));
    let set = |what, most: u64| {
        let limit = rlimit { rlim_cur: most, rlim_max: most };
        // SAFETY: the limit lives until the call returns.
        unsafe { setrlimit(what, &limit) };
    };
    set(RLIMIT_CORE, 0);
    set(RLIMIT_NOFILE, DESCRIPTORS);
    if let Some(most) = memory {
        set(RLIMIT_AS, most);
    }
    memory
}

/// Landlock with no path and no port allowed.
fn no_files() -> Result<String, String> {
    let words = |error: &dyn std::error::Error| error.to_string();
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(RIGHTS))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(RIGHTS)))
        .and_then(|rules| rules.scope(Scope::from_all(RIGHTS)))
        .and_then(Ruleset::create)
        .and_then(|rules| rules.restrict_self())
        .map_err(|error| words(&error))?;
    let version = match status.landlock {
        LandlockStatus::Available { effective_abi, .. } => format!("version {}", effective_abi),
        _ => "this kernel has none".to_owned(),
    };
    match status.ruleset {
        RulesetStatus::FullyEnforced => Ok(version),
        RulesetStatus::PartiallyEnforced => Ok(format!("{version}, in part")),
        RulesetStatus::NotEnforced => Err(version),
    }
}

/// Refuses every system call but [`ALLOWED`], and processes but not threads.
fn few_calls() -> Result<String, String> {
    let apply = || {
        // The C library makes threads by `clone`, whose flags a filter sees, where the kernel has no `clone3`.
        let no_clone3 = [(SYS_clone3, vec![])].into();
        install(no_clone3, SeccompAction::Allow, SeccompAction::Errno(ENOSYS as u32))?;
        let is_thread = SeccompCondition::new(
            0,
            SeccompCmpArgLen::Qword,
            SeccompCmpOp::MaskedEq(CLONE_THREAD as u64),
            CLONE_THREAD as u64,
        )?;
        let mut rules: BTreeMap<_, _> = ALLOWED.iter().map(|&call| (call, vec![])).collect();
        rules.insert(SYS_clone, vec![SeccompRule::new(vec![is_thread])?]);
        rules.insert(SYS_clone3, vec![]);
        install(rules, SeccompAction::Errno(EPERM as u32), SeccompAction::Allow)
    };
    apply().map_err(|error: seccompiler::Error| error.to_string())?;
    Ok(format!("{} system calls left", ALLOWED.len() + 1))
}

fn install(
    rules: BTreeMap<i64, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    listed: SeccompAction,
) -> Result<(), seccompiler::Error> {
    let here = TargetArch::try_from(env::consts::ARCH)?;
    let program: BpfProgram = SeccompFilter::new(rules, otherwise, listed, here)?.try_into()?;
    seccompiler::apply_filter(&program)
}

/// Tries what no file may make this process do, and gives in words what was not refused.
pub(crate) fn escapes(path: &str) -> Vec<String> {
    let mut escapes = vec![];
    let mut tried = |words: String, refused: bool| escapes.extend((!refused).then_some(words));
    tried(format!("{path} can be read"), fs::read(path).is_err());
    tried("files can be listed".to_owned(), fs::read_dir("/").is_err());
    tried(
        "files can be made".to_owned(),
        fs::File::create(env::temp_dir().join("talkgraph-escape")).is_err(),
    );
    let refused = |call: c_long| -> bool { call < 0 };
    let sockets =
        [(AF_INET, SOCK_STREAM), (AF_INET6, SOCK_DGRAM), (AF_UNIX, SOCK_STREAM), (AF_NETLINK, SOCK_RAW)];
    for (family, kind) in sockets {
        // SAFETY: plain numbers.
        let socket = unsafe { socket(family, kind, 0) };
        tried(format!("sockets of family {family} can be made"), refused(socket.into()));
    }
    tried("programs can be started".to_owned(), Command::new("/bin/true").spawn().is_err());
    // SAFETY: signal 0 is only checked for.
    tried("other processes can be signalled".to_owned(), refused(unsafe { kill(getppid(), 0) }.into()));
    // SAFETY: as above: nothing is traced where it is refused, as it must be.
    let traced = unsafe { ptrace(PTRACE_TRACEME, 0, 0, 0) };
    tried("processes can be traced".to_owned(), refused(traced));
    escapes
}
