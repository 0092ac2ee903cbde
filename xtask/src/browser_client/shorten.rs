//! Makes the names between wasm and glue short: the tool's end in hashes, which do not compress.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, bail};

const IMPORTS: u8 = 2;
const EXPORTS: u8 = 7;

/// Gives what a module imports and exports names of one or two characters, in the module and in its glue.
pub(super) fn shorten(wasm: &[u8], glue: &str) -> Result<(Vec<u8>, String)> {
    let mut names = BTreeMap::new();
    let mut out = wasm.get(..8).context("the wasm is too short")?.to_vec();
    let mut rest = Bytes(wasm.get(8..).unwrap_or_default());
    while let Some(id) = rest.next() {
        let length = rest.number()?;
        let section = rest.take(length)?;
        let section = match id {
            IMPORTS => renamed(section, true, &mut names)?,
            EXPORTS => renamed(section, false, &mut names)?,
            _ => section.to_vec(),
        };
        out.push(id);
        write_number(&mut out, section.len());
        out.extend(section);
    }
    Ok((out, replaced(glue, &names)))
}

/// The section of imports or exports with short names.
fn renamed(section: &[u8], imports: bool, names: &mut BTreeMap<String, String>) -> Result<Vec<u8>> {
    let (mut rest, mut out) = (Bytes(section), Vec::new());
    let count = rest.number()?;
    write_number(&mut out, count);
    for _ in 0..count {
        if imports {
            write_name(&mut out, rest.name()?);
        }
        let name = rest.name()?;
        let next = format!("${:x}", names.len());
        // The glue says `memory` of other things, too.
        let short = if name == "memory" { name } else { &*names.entry(name.to_owned()).or_insert(next) };
        write_name(&mut out, short);
        let kind = rest.next().context("an import or export without a kind")?;
        if imports && kind != 0 {
            bail!("the module imports something that is no function");
        }
        out.push(kind);
        write_number(&mut out, rest.number()?);
    }
    Ok(out)
}

/// Replaces whole words.
fn replaced(text: &str, names: &BTreeMap<String, String>) -> String {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_' || character == '$';
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let (before, from) = rest.split_at(start);
        let (word, after) = from.split_at(from.find(|character| !is_part(character)).unwrap_or(from.len()));
        out.push_str(before);
        out.push_str(names.get(word).map_or(word, String::as_str));
        rest = after;
    }
    out.push_str(rest);
    out
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).context("the wasm ends early")?;
        self.0 = rest;
        Ok(taken)
    }

    /// An unsigned LEB128 number.
    fn number(&mut self) -> Result<usize> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let byte = self.next().context("the wasm ends early")?;
            number |= usize::from(byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return Ok(number);
            }
        }
    }

    fn name(&mut self) -> Result<&'a str> {
        let length = self.number()?;
        Ok(std::str::from_utf8(self.take(length)?)?)
    }
}

fn write_number(out: &mut Vec<u8>, mut number: usize) {
    loop {
        let byte = u8::try_from(number & 0x7f).unwrap_or_default();
        number >>= 7;
        out.push(if number == 0 { byte } else { byte | 0x80 });
        if number == 0 {
            return;
        }
    }
}

fn write_name(out: &mut Vec<u8>, name: &str) {
    write_number(out, name.len());
    out.extend(name.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::shorten;

    #[test]
    fn names_are_the_same_on_both_sides() {
        let wasm = [
            b"\0asm\x01\0\0\0\x02\x0e\x01\x02./\x07f_12345\0\x03".as_slice(),
            b"\x07\x11\x02\x06memory\x02\0\x04core\0\x01",
        ]
        .concat();
        let (wasm, glue) = shorten(&wasm, "f_12345(wasm.core, memory, cores)").unwrap();
        assert_eq!(glue, "$0(wasm.$1, memory, cores)");
        let want = [
            b"\0asm\x01\0\0\0\x02\x09\x01\x02./\x02$0\0\x03".as_slice(),
            b"\x07\x0f\x02\x06memory\x02\0\x02$1\0\x01",
        ]
        .concat();
        assert_eq!(wasm, want);
    }
}
