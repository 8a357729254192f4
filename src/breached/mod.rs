//! Passwords that are known from breaches, as the operator's file has them: whether a new one is among them is asked here,
//! on this machine. `doorward breached build` makes the file, some 22 bits a password; decision 13 tells its form.
//!
//! The first 51 bits of each password's SHA-1 are kept. Who asks for one that is in the list always hears so; who asks for
//! another hears it by mistake once in a million times, or less often.

mod bits;
mod block;
pub mod build;
pub mod list;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA256_OUTPUT_LEN, digest};

use block::{BLOCK, Block};

/// What the public lists know a password by: SHA-1 of it in UTF-8.
pub type Hash = [u8; 20];

/// How many bits of a hash are kept.
const KEPT_BITS: u32 = 51;
/// The most passwords that a file holds: with more, one in a million others would be taken for one of them.
const MOST: u64 = (1 << KEPT_BITS) / 1_000_000;

/// What a file begins with.
const MAGIC: [u8; 8] = *b"DWBREACH";
/// The form of the file.
const VERSION: u32 = 1;
/// Magic, version, and the counts of passwords and of blocks.
const HEAD: usize = 8 + 4 + 8 + 8;

/// A file of breached passwords, open. The passwords are read where they are asked for; in memory are 8 bytes for each block
/// of 4 KiB, so 8 MB where the file has 4 GB.
#[derive(Debug)]
pub struct Breached {
    file: File,
    path: PathBuf,
    count: u64,
    /// The first value of each block, ascending.
    firsts: Vec<u64>,
}

/// Why a file does not tell.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// The operating system's word.
    #[error("{0} cannot be read: {1}")]
    Io(PathBuf, io::Error),
    /// Some other file.
    #[error("{0} is not a file that `doorward breached build` made")]
    Foreign(PathBuf),
    /// A later version's.
    #[error("{0} is of version {1}, which this Doorward does not know")]
    Version(PathBuf, u64),
    /// Not all of it is there, or not as it was written.
    #[error("{0} is damaged: {1}")]
    Damaged(PathBuf, &'static str),
}

/// What a list knows `password` by.
pub fn hash(password: &[u8]) -> Hash {
    let mut hash = [0; 20];
    hash.copy_from_slice(digest(&SHA1_FOR_LEGACY_USE_ONLY, password).as_ref());
    hash
}

/// What is kept of a hash. It keeps their order.
fn value(hash: &Hash) -> u64 {
    number(&hash[..8]) >> (u64::BITS - KEPT_BITS)
}

/// What a file begins with that has `count` passwords, and blocks that begin with `firsts`: one block.
fn header(count: u64, firsts: &[u64]) -> [u8; BLOCK] {
    let mut head = [0; BLOCK];
    head[..8].copy_from_slice(&MAGIC);
    head[8..12].copy_from_slice(&VERSION.to_be_bytes());
    head[12..20].copy_from_slice(&count.to_be_bytes());
    head[20..28].copy_from_slice(&(firsts.len() as u64).to_be_bytes());
    let sum = sum(&head[..HEAD], &index(firsts));
    head[HEAD..HEAD + SHA256_OUTPUT_LEN].copy_from_slice(&sum);
    head
}

/// What a file ends with.
fn index(firsts: &[u64]) -> Vec<u8> {
    firsts.iter().copied().flat_map(u64::to_be_bytes).collect()
}

fn sum(head: &[u8], index: &[u8]) -> [u8; SHA256_OUTPUT_LEN] {
    let mut sum = [0; SHA256_OUTPUT_LEN];
    sum.copy_from_slice(digest(&SHA256, &[head, index].concat()).as_ref());
    sum
}

impl Breached {
    /// Opens the file at `path` and checks its ends and its length. The blocks between are checked as they are read.
    ///
    /// # Errors
    /// When it cannot be read, is another kind of file, or not all of it is there as it was written.
    pub fn open(path: &Path) -> Result<Self, Unreadable> {
        let failed = |error| Unreadable::Io(path.to_owned(), error);
        let damaged = |how| Unreadable::Damaged(path.to_owned(), how);
        let file = File::open(path).map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        let mut head = [0; BLOCK];
        match file.read_exact_at(&mut head, 0) {
            Err(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
                return Err(failed(error));
            }
            read if read.is_err() || head[..8] != MAGIC => {
                return Err(Unreadable::Foreign(path.to_owned()));
            }
            _ => {}
        }
        let [version, count, blocks] = [
            number(&head[8..12]),
            number(&head[12..20]),
            number(&head[20..28]),
        ];
        if version != u64::from(VERSION) {
            return Err(Unreadable::Version(path.to_owned(), version));
        }
        let end = (BLOCK as u64).checked_mul(blocks.saturating_add(1));
        let whole = end.and_then(|end| end.checked_add(blocks.checked_mul(8)?));
        let Some(end) = end.filter(|_| whole == Some(length)) else {
            return Err(damaged(
                "its length is not the one that it was written with",
            ));
        };
        let mut index = vec![0; usize::try_from(length - end).unwrap_or(0)];
        file.read_exact_at(&mut index, end).map_err(failed)?;
        let (tag, rest) = head[HEAD..].split_at(SHA256_OUTPUT_LEN);
        if tag != sum(&head[..HEAD], &index) || rest.iter().any(|byte| *byte != 0) {
            return Err(damaged("its head or its index is not what was written"));
        }
        let firsts = index.chunks_exact(8).map(number).collect();
        Ok(Self {
            file,
            path: path.to_owned(),
            count,
            firsts,
        })
    }

    /// How many passwords it holds.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Whether the password of this hash is in the list: always yes when it is, and yes by mistake for one in a million
    /// others. Reads one block of the file, and waits for it.
    ///
    /// # Errors
    /// When the block cannot be read, or is not what was written.
    pub fn holds(&self, hash: &Hash) -> Result<bool, Unreadable> {
        let value = value(hash);
        match self.firsts.partition_point(|first| *first <= value) {
            0 => Ok(false),
            after => Ok(self.block(after - 1)?.holds(value)),
        }
    }

    /// Reads all of it, which takes some seconds a gigabyte.
    ///
    /// # Errors
    /// When any block cannot be read, or is not what was written.
    pub fn check(&self) -> Result<(), Unreadable> {
        let mut found = 0;
        for at in 0..self.firsts.len() {
            found += self.block(at)?.count();
        }
        if found == self.count {
            Ok(())
        } else {
            Err(Unreadable::Damaged(
                self.path.clone(),
                "it holds fewer or more passwords than it says",
            ))
        }
    }

    fn block(&self, at: usize) -> Result<Block, Unreadable> {
        let mut bytes = Box::new([0; BLOCK]);
        let place = BLOCK as u64 * (at as u64 + 1);
        self.file
            .read_exact_at(&mut bytes[..], place)
            .map_err(|error| Unreadable::Io(self.path.clone(), error))?;
        Block::read(bytes, at as u64)
            .filter(|block| block.first() == self.firsts[at])
            .ok_or_else(|| {
                Unreadable::Damaged(self.path.clone(), "a block in it is not what was written")
            })
    }
}

/// A big-endian number of up to eight bytes.
fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}
