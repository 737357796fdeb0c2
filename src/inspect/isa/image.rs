//! The parts of an ELF file that the audit needs: executable bytes, symbols, unwind ranges, and the
//! pointers to code that lie in data.

mod pointers;
mod regions;
mod symbols;

use object::Endianness;
use object::elf;
use object::read::elf::FileHeader;

use super::IsaError;
use super::features::Arch;

/// A part of the file with its address.
#[derive(Debug, Clone, Copy)]
pub struct Region<'a> {
    /// The section's name, empty where the file has none.
    pub name: &'a str,
    /// Its address when loaded.
    pub address: u64,
    /// Its bytes in the file.
    pub bytes: &'a [u8],
}

impl Region<'_> {
    /// The first address behind it.
    pub fn end(&self) -> u64 {
        self.address.saturating_add(self.bytes.len() as u64)
    }
}

/// What a symbol stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A function.
    Function,
    /// A function that chooses another when the program starts.
    Resolver,
    /// Something at an address in executable bytes.
    Label,
    /// Data.
    Data,
}

/// A symbol with an address.
#[derive(Debug, Clone, Copy)]
pub struct Symbol<'a> {
    /// Where it is.
    pub address: u64,
    /// Its size in bytes, 0 where unknown.
    pub size: u64,
    /// As it is written.
    pub name: &'a str,
    /// What it stands for.
    pub kind: Kind,
    /// Which source file or object it came from, for local symbols.
    pub file: Option<&'a str>,
}

/// A place in data that holds the address of code, or any address in the linker's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pointer {
    /// Where it lies.
    pub slot: u64,
    /// The address in it.
    pub target: u64,
    /// What the place is for.
    pub place: Place,
}

/// What a pointer's place is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The linker's table: read only through instructions that name it.
    Linkage,
    /// Called when the program starts or ends.
    Start,
    /// Any other data.
    Data,
}

/// The file as the audit sees it.
#[derive(Debug)]
pub struct Image<'a> {
    /// The processor.
    pub arch: Arch,
    /// 32 or 64.
    pub bits: u32,
    /// Where execution begins, 0 for none.
    pub entry: u64,
    /// Executable bytes by address, none overlapping another.
    pub code: Vec<Region<'a>>,
    /// Other bytes that are loaded, by address.
    pub data: Vec<Region<'a>>,
    /// Symbols of both tables.
    pub symbols: Vec<Symbol<'a>>,
    /// Addresses that others may call by name.
    pub exported: Vec<u64>,
    /// Where 32-bit Arm code of one kind begins: `a` for Arm, `t` for Thumb, `d` for data.
    pub marks: Vec<(u64, u8)>,
    /// Starts and sizes from the unwind table.
    pub ranges: Vec<(u64, u64)>,
    /// Pointers, by place.
    pub pointers: Vec<Pointer>,
    /// Functions that choose others when the program starts.
    pub resolvers: Vec<u64>,
    /// Whether it is for one address only.
    pub fixed: bool,
    /// Whether there is a full symbol table.
    pub named: bool,
}

impl<'a> Image<'a> {
    /// Reads an ELF program or shared library.
    pub fn read(bytes: &'a [u8]) -> Result<Self, IsaError> {
        match object::FileKind::parse(bytes) {
            Ok(object::FileKind::Elf64) => Self::of::<elf::FileHeader64<Endianness>>(bytes),
            Ok(object::FileKind::Elf32) => Self::of::<elf::FileHeader32<Endianness>>(bytes),
            _ => Err(IsaError::NotElf),
        }
    }

    fn of<H: FileHeader<Endian = Endianness>>(bytes: &'a [u8]) -> Result<Self, IsaError> {
        let damaged = |part: &'static str| move |source| IsaError::Damaged { part, source };
        let header = H::parse(bytes).map_err(damaged("the file header"))?;
        let endian = header.endian().map_err(damaged("the byte order"))?;
        let arch = match (header.e_machine(endian), header.is_big_endian()) {
            (elf::EM_X86_64, false) => Arch::X86_64,
            (elf::EM_386, false) => Arch::X86,
            (elf::EM_AARCH64, false) => Arch::Aarch64,
            (elf::EM_ARM, false) => Arch::Arm,
            _ => return Err(IsaError::UnknownMachine),
        };
        let kind = header.e_type(endian);
        if !matches!(kind, elf::ET_EXEC | elf::ET_DYN) {
            return Err(IsaError::NotLinked);
        }
        let (code, data) = regions::read(header, endian, bytes)?;
        let mut image = Self {
            arch,
            bits: if header.is_type_64() { 64 } else { 32 },
            entry: header.e_entry(endian).into(),
            code,
            data,
            symbols: Vec::new(),
            exported: Vec::new(),
            marks: Vec::new(),
            ranges: Vec::new(),
            pointers: Vec::new(),
            resolvers: Vec::new(),
            fixed: kind == elf::ET_EXEC,
            named: false,
        };
        if arch == Arch::Arm {
            image.entry &= !1;
        }
        image.read_symbols(bytes)?;
        image.read_relocations(header, endian, bytes);
        image.read_pointers();
        if let Some(frame) = image.data.iter().find(|region| region.name == ".eh_frame") {
            image.ranges = super::unwind::ranges(frame, image.bits);
        }
        Ok(image)
    }

    /// What the linker put into its table at `slot`.
    pub fn linkage(&self, slot: u64) -> Option<u64> {
        let at = self.pointers.binary_search_by_key(&slot, |pointer| pointer.slot).ok()?;
        Some(self.pointers[at]).filter(|found| found.place == Place::Linkage).map(|p| p.target)
    }

    /// Whether `address` lies in executable bytes.
    pub fn is_code(&self, address: u64) -> bool {
        self.region(address).is_some()
    }

    /// The executable region around an address.
    pub fn region(&self, address: u64) -> Option<&Region<'a>> {
        around(&self.code, address)
    }

    /// The bytes from `address` to the end of their region.
    pub fn bytes_at(&self, address: u64) -> Option<&'a [u8]> {
        let region = around(&self.data, address).or_else(|| around(&self.code, address))?;
        region.bytes.get(usize::try_from(address - region.address).ok()?..)
    }
}

fn around<'r, 'a>(regions: &'r [Region<'a>], address: u64) -> Option<&'r Region<'a>> {
    let after = regions.partition_point(|region| region.address <= address);
    regions[..after].last().filter(|region| address < region.end())
}
