//! The symbols of both tables.

use object::elf;
use object::{Object, ObjectSymbol, SymbolFlags, SymbolKind};

use super::super::IsaError;
use super::super::features::Arch;
use super::{Image, Kind, Symbol};

impl<'a> Image<'a> {
    pub(super) fn read_symbols(&mut self, bytes: &'a [u8]) -> Result<(), IsaError> {
        let damaged = |source| IsaError::Damaged { part: "the symbol table", source };
        let file = object::File::parse(bytes).map_err(damaged)?;
        let mut source = None;
        let all = file.symbols().map(|symbol| (false, symbol));
        for (dynamic, symbol) in all.chain(file.dynamic_symbols().map(|symbol| (true, symbol))) {
            let Ok(name) = symbol.name() else { continue };
            if symbol.kind() == SymbolKind::File {
                source = (!name.is_empty()).then_some(name);
                continue;
            }
            let SymbolFlags::Elf { st_info, .. } = symbol.flags() else { continue };
            let of_type = st_info.st_type();
            let mut address = symbol.address();
            let function = matches!(of_type, elf::STT_FUNC | elf::STT_GNU_IFUNC);
            if self.arch == Arch::Arm && function {
                // The lowest bit says Thumb, and so do marks.
                address &= !1;
            }
            if self.arch == Arch::Arm && name.starts_with('$') {
                // `$a`, `$t` and `$d` say what begins here.
                self.marks.extend(name.as_bytes().get(1).map(|mark| (address, *mark)));
                continue;
            }
            if symbol.is_undefined() || address == 0 && symbol.size() == 0 {
                continue;
            }
            let kind = match (of_type, self.is_code(address)) {
                (elf::STT_GNU_IFUNC, true) => Kind::Resolver,
                (elf::STT_FUNC, true) => Kind::Function,
                (elf::STT_NOTYPE, true) => Kind::Label,
                (elf::STT_OBJECT | elf::STT_COMMON | elf::STT_NOTYPE, _) => Kind::Data,
                _ => continue,
            };
            self.named |= !dynamic && kind != Kind::Data;
            if dynamic && function {
                self.exported.push(address);
            }
            if kind == Kind::Resolver {
                self.resolvers.push(address);
            }
            let file = source.filter(|_| symbol.is_local() && !dynamic);
            self.symbols.push(Symbol { address, size: symbol.size(), name, kind, file });
        }
        Ok(())
    }
}
