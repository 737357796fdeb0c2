//! Part of a derived `libunwind.a`, compiled for the target: what GCC's unwinder asks of glibc, for
//! programs that have musl. `docs/derivations.md` says why.

#![no_std]

use core::ffi::{c_int, c_void};

/// `struct dl_find_object` of the GNU C Library's manual. Of the processors here, it has a data base
/// on 32-bit x86 only.
#[repr(C)]
pub struct Found {
    flags: u64,
    map_start: *mut c_void,
    map_end: *mut c_void,
    link_map: *mut c_void,
    eh_frame: *mut c_void,
    #[cfg(target_arch = "x86")]
    data_base: *mut c_void,
    #[cfg(target_arch = "x86")]
    padding: u32,
    reserved: [u64; 7],
}

/// `Elf64_Phdr`; `Elf32_Phdr`, whose flags are elsewhere.
#[repr(C)]
struct Segment {
    kind: u32,
    #[cfg(target_pointer_width = "64")]
    flags: u32,
    offset: usize,
    address: usize,
    physical: usize,
    file_size: usize,
    memory_size: usize,
    #[cfg(target_pointer_width = "32")]
    flags: u32,
    align: usize,
}

/// The first members of `struct dl_phdr_info`.
#[repr(C)]
struct Object {
    base: usize,
    name: *const u8,
    segments: *const Segment,
    count: u16,
}

struct Search {
    address: usize,
    result: *mut Found,
}

const PT_LOAD: u32 = 1;
const PT_GNU_EH_FRAME: u32 = 0x6474_e550;

type Visit = unsafe extern "C" fn(*mut Object, usize, *mut c_void) -> c_int;

unsafe extern "C" {
    fn dl_iterate_phdr(visit: Visit, data: *mut c_void) -> c_int;
}

/// The unwinder refers to these weakly, and calls all of them where it sees the last: glibc has them
/// in one object. From musl's archive, only what is named otherwise comes along.
#[used]
static TOGETHER: [unsafe extern "C" fn(); 7] = [
    pthread_once,
    pthread_mutex_lock,
    pthread_mutex_unlock,
    pthread_getspecific,
    pthread_setspecific,
    pthread_key_create,
    __pthread_key_create,
];

unsafe extern "C" {
    fn pthread_once();
    fn pthread_mutex_lock();
    fn pthread_mutex_unlock();
    fn pthread_getspecific();
    fn pthread_setspecific();
    fn pthread_key_create();
    fn __pthread_key_create();
}

unsafe extern "C" fn visit(object: *mut Object, _size: usize, data: *mut c_void) -> c_int {
    unsafe {
        let search = data.cast::<Search>();
        let (address, base) = ((*search).address, (*object).base);
        let (mut start, mut end, mut frames) = (0, 0, 0);
        let mut index = 0;
        while index < (*object).count {
            let segment = (*object).segments.add(index as usize);
            let from = base.wrapping_add((*segment).address);
            let to = from.wrapping_add((*segment).memory_size);
            if (*segment).kind == PT_LOAD && from <= address && address < to {
                (start, end) = (from, to);
            }
            if (*segment).kind == PT_GNU_EH_FRAME {
                frames = from;
            }
            index += 1;
        }
        if end == 0 || frames == 0 {
            return 0;
        }
        let result = (*search).result;
        (*result).flags = 0;
        (*result).map_start = start as *mut c_void;
        (*result).map_end = end as *mut c_void;
        (*result).link_map = core::ptr::null_mut();
        (*result).eh_frame = frames as *mut c_void;
        // Tables that refer to a data base are none of GCC's and LLVM's.
        #[cfg(target_arch = "x86")]
        {
            (*result).data_base = core::ptr::null_mut();
        }
        1
    }
}

/// Finds the unwind tables of the object that `address` is in: 0 where there are some.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _dl_find_object(address: *mut c_void, result: *mut Found) -> c_int {
    let mut search = Search { address: address as usize, result };
    let found = unsafe { dl_iterate_phdr(visit, (&raw mut search).cast()) };
    if found == 1 { 0 } else { -1 }
}
