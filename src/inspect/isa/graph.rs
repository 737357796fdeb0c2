//! Who refers to whom, and which functions are reached without a question about the CPU.

use std::collections::{HashMap, HashSet};

use super::decode::Decode;
use super::functions::Function;
use super::guard::{Budget, Guarded, Sources};
use super::image::{Image, Kind, Place};
use super::names;
use super::op::{Flow, Refer};
use super::parallel::portions;
use super::sweep::EdgeKind;

/// How a function is reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// By nothing that was found.
    #[default]
    Never,
    /// Only behind a question about the CPU.
    Guarded,
    /// A pointer to it lies in data, so that what guards it cannot be seen.
    Table,
    /// From somewhere, without a question.
    Open,
}

/// The references between functions.
pub struct Graph<'g, 'a> {
    image: &'g Image<'a>,
    decode: &'g Decode<'g, 'a>,
    functions: &'g [Function<'a>],
    /// Edges by caller, then callee; the last says that an address is taken.
    edges: Vec<(u32, u32, bool)>,
    reverse: Vec<(u32, u32)>,
    /// Functions that touch a cache of CPU features.
    consults: HashSet<u32>,
    sources: Sources,
    /// Unguarded targets of those that ask; for all others every edge is open.
    judged: HashMap<u32, HashSet<u32>>,
    threads: usize,
    budget: Budget,
}

fn find(functions: &[Function<'_>], address: u64) -> Option<u32> {
    let after = functions.partition_point(|function| function.address <= address);
    let at = after.checked_sub(1)?;
    (address < functions[at].end()).then(|| u32::try_from(at).ok())?
}

impl<'g, 'a> Graph<'g, 'a> {
    /// Reads all references.
    pub fn new(
        image: &'g Image<'a>,
        decode: &'g Decode<'g, 'a>,
        functions: &'g [Function<'a>],
        threads: usize,
    ) -> Self {
        let mut sources = Sources::default();
        for symbol in &image.symbols {
            if symbol.kind == Kind::Data && names::is_cache(symbol.name) {
                let end =
                    symbol.address.saturating_add(if symbol.size == 0 { 8 } else { symbol.size });
                sources.add_cache(symbol.address, end);
            } else if symbol.kind != Kind::Data && names::is_predicate(symbol.name) {
                sources.predicates.insert(symbol.address);
            }
        }
        let mut this = Self {
            image,
            decode,
            functions,
            edges: Vec::new(),
            reverse: Vec::new(),
            consults: HashSet::new(),
            sources,
            judged: HashMap::new(),
            threads,
            budget: Budget::default(),
        };
        for (at, function) in functions.iter().enumerate() {
            if function.sweep.asks
                && let Ok(at) = u32::try_from(at)
            {
                this.consults.insert(at);
            }
        }
        // What is written by those that execute cpuid is a cache.
        this.learn(&this.consults.clone());
        this.read();
        this
    }

    fn read(&mut self) {
        let slots = &self.image.pointers;
        let slots = |at: u64| {
            let found = slots.binary_search_by_key(&at, |pointer| pointer.slot).ok()?;
            Some(slots[found].target)
        };
        let this = &*self;
        let found = portions(self.threads, self.functions, |first, part| {
            let mut edges = Vec::new();
            let mut consults = Vec::new();
            for (index, function) in part.iter().enumerate() {
                let Ok(from) = u32::try_from(first + index) else { continue };
                this.decode.edges(function, |kind, address| {
                    let (address, taken) = match kind {
                        EdgeKind::Call => (address, false),
                        EdgeKind::Address => (address, true),
                        EdgeKind::CallThrough | EdgeKind::Load => match slots(address) {
                            Some(target) => (target, kind == EdgeKind::Load),
                            None => (address, true),
                        },
                    };
                    if taken && this.sources.holds(address)
                        || !taken && this.sources.predicates.contains(&address)
                    {
                        consults.push(from);
                    }
                    if !this.image.is_code(address) {
                        return;
                    }
                    let Some(to) = find(this.functions, address) else { return };
                    let start = this.functions[to as usize].address == address;
                    if to != from && (start || !taken) {
                        edges.push((from, to, taken));
                    }
                });
            }
            edges.sort_unstable();
            edges.dedup();
            (edges, consults)
        });
        for (edges, consults) in found {
            self.edges.extend(edges);
            self.consults.extend(consults);
        }
        self.reverse = self.edges.iter().map(|(from, to, _)| (*to, *from)).collect();
        self.reverse.sort_unstable();
    }

    /// Who refers to `to`.
    pub fn callers(&self, to: u32) -> impl Iterator<Item = u32> {
        let start = self.reverse.partition_point(|(at, _)| *at < to);
        self.reverse[start..].iter().take_while(move |(at, _)| *at == to).map(|(_, from)| *from)
    }

    fn callees(&self, from: u32) -> impl Iterator<Item = (u32, bool)> {
        let start = self.edges.partition_point(|(at, ..)| *at < from);
        let edges = self.edges[start..].iter().take_while(move |(at, ..)| *at == from);
        edges.map(|(_, to, taken)| (*to, *taken))
    }

    /// Follows `which`; what they return or write may be answers too. Returns new predicates.
    fn learn(&mut self, which: &HashSet<u32>) -> Vec<u32> {
        let mut predicates = Vec::new();
        let mut caches = Vec::new();
        for at in which {
            let function = &self.functions[*at as usize];
            let ops = self.decode.ops(function);
            let Some(guarded) = Guarded::follow(self.image, &self.sources, &ops, &mut self.budget)
            else {
                continue;
            };
            if guarded.answers && !self.sources.predicates.contains(&function.address) {
                predicates.push(*at);
            }
            caches.extend(
                guarded
                    .stores
                    .iter()
                    .filter(|at| !self.image.is_code(**at))
                    .map(|at| (*at, *at + 4)),
            );
        }
        for at in &predicates {
            self.sources.predicates.insert(self.functions[*at as usize].address);
        }
        for (start, end) in caches {
            self.sources.add_cache(start, end);
        }
        predicates
    }

    /// Finds those that ask through others: `has_avx2()` calls `check_for`, which reads the cache.
    fn spread(&mut self) {
        let mut which = self.consults.clone();
        for _ in 0..6 {
            let predicates = self.learn(&which);
            which = predicates.iter().flat_map(|at| self.callers(*at)).collect();
            self.consults.extend(&which);
            if which.is_empty() {
                break;
            }
        }
    }

    /// Judges the edges of those that ask and from which `wanted` can be reached.
    fn judge(&mut self, wanted: &[u32]) {
        let mut relevant: HashSet<u32> = wanted.iter().copied().collect();
        let mut work: Vec<u32> = wanted.to_vec();
        while let Some(to) = work.pop() {
            let new: Vec<u32> = self.callers(to).filter(|from| !relevant.contains(from)).collect();
            relevant.extend(&new);
            work.extend(new);
        }
        for at in self.consults.iter().filter(|at| relevant.contains(at)) {
            let function = &self.functions[*at as usize];
            let ops = self.decode.ops(function);
            let Some(guarded) = Guarded::follow(self.image, &self.sources, &ops, &mut self.budget)
            else {
                continue;
            };
            if !guarded.has_questions() {
                continue;
            }
            let mut open = HashSet::new();
            for op in &ops {
                let (target, taken) = match (op.flow, op.refer) {
                    (Flow::Call(Some(to)) | Flow::Branch(to) | Flow::Jump(to), _) => (to, false),
                    (_, Refer::Address(to) | Refer::Load(to)) => (to, true),
                    _ => continue,
                };
                let through = self.image.pointers.binary_search_by_key(&target, |p| p.slot);
                let target = through.map_or(target, |at| self.image.pointers[at].target);
                let Some(to) = find(self.functions, target).filter(|to| relevant.contains(to))
                else {
                    continue;
                };
                if to == *at || open.contains(&to) {
                    continue;
                }
                let guarded = taken && guarded.selects
                    || self.budget.spend(ops.len()) && guarded.is_way_guarded(op.at);
                if !guarded {
                    open.insert(to);
                }
            }
            self.judged.insert(*at, open);
        }
    }

    /// Whether there was more to follow than is followed: what is open may be guarded.
    pub fn is_exhausted(&self) -> bool {
        self.budget.is_exhausted()
    }

    /// Whether all that is above the baseline in one function is behind its own questions.
    pub fn asks_itself(&mut self, at: u32) -> bool {
        let function = &self.functions[at as usize];
        if !self.consults.contains(&at) {
            return false;
        }
        let ops = self.decode.ops(function);
        Guarded::follow(self.image, &self.sources, &ops, &mut self.budget)
            .is_some_and(|guarded| guarded.is_guarded(&self.decode.above(function)))
    }

    /// How each function is reached, and from which.
    pub fn reach(&mut self, wanted: &[u32], accepted: &HashSet<u32>) -> Vec<(Reach, Option<u32>)> {
        self.spread();
        self.judge(wanted);
        let mut found = vec![(Reach::Never, None); self.functions.len()];
        let start = |address: u64| find(self.functions, address);
        let resolvers: HashSet<u32> =
            self.image.resolvers.iter().filter_map(|at| start(*at)).collect();
        let mut work = Vec::new();
        let starts = self.image.pointers.iter().filter(|p| p.place == Place::Start);
        let starts = starts.map(|p| p.target).chain([self.image.entry]);
        for root in starts.chain(self.image.exported.iter().copied()).filter_map(start) {
            if !resolvers.contains(&root) {
                found[root as usize] = (Reach::Open, None);
                work.push(root);
            }
        }
        let tables = self.image.pointers.iter().filter(|p| p.place == Place::Data);
        for root in tables.filter_map(|p| {
            start(p.target).filter(|at| self.functions[*at as usize].address == p.target)
        }) {
            if found[root as usize].0 < Reach::Table {
                found[root as usize] = (Reach::Table, None);
                work.push(root);
            }
        }
        let mut guarded: Vec<u32> = Vec::new();
        while let Some(from) = work.pop() {
            if accepted.contains(&from) {
                // What it calls is called only where it may be.
                guarded.push(from);
                continue;
            }
            let judged = self.judged.get(&from);
            let next: Vec<(u32, bool)> = self.callees(from).collect();
            for (to, taken) in next {
                let behind = judged.is_some_and(|open| !open.contains(&to))
                    || taken && resolvers.contains(&from);
                if behind {
                    guarded.push(to);
                } else if found[to as usize].0 < Reach::Open {
                    found[to as usize] = (Reach::Open, Some(from));
                    work.push(to);
                }
            }
        }
        for resolver in resolvers {
            guarded.extend(self.callees(resolver).map(|(to, _)| to));
        }
        let mut seen = vec![false; self.functions.len()];
        while let Some(at) = guarded.pop() {
            let first = !std::mem::replace(&mut seen[at as usize], true);
            if found[at as usize].0 == Reach::Never {
                found[at as usize].0 = Reach::Guarded;
            }
            if first && (accepted.contains(&at) || found[at as usize].0 == Reach::Guarded) {
                guarded.extend(self.callees(at).map(|(to, _)| to));
            }
        }
        found
    }
}
