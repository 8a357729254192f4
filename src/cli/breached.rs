//! `doorward breached`: the file of breached passwords that new ones must not be among.

use std::io::{self, IsTerminal as _, Write as _};
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Failure;
use super::output::talk;
use crate::breached::build::{Built, CannotBuild, build};
use crate::breached::list::List;

/// Makes the file of breached passwords
#[derive(Subcommand)]
#[command(after_help = "Examples:
  doorward breached build --from pwned-passwords-sha1-ordered-by-hash.txt breached.bin")]
pub(super) enum Breached {
    Build(Build),
}

/// Makes a compact file of the public list of breached passwords, for password.breached_file
#[derive(Args)]
#[command(after_help = "Examples:
  doorward breached build --from pwned-passwords-sha1-ordered-by-hash.txt breached.bin
  doorward breached build --from ranges/ --at-least 10 breached.bin
  zcat list.txt.gz | doorward breached build --from - breached.bin

The list has a line for each password, ordered by hash: its SHA-1 as 40 hexadecimal digits, a colon, and how often it
was seen. A folder has such a list for each first five digits (00000.txt to FFFFF.txt), whose lines leave them out. Some
22 bits of each password are kept. The file appears when it is whole; what is written until then is in OUT.new.")]
pub(super) struct Build {
    /// The list: a file, a folder of ranges, or - for standard input
    #[arg(long, value_name = "LIST")]
    from: PathBuf,
    /// Leaves out what was seen less often
    #[arg(
        long, value_name = "NUMBER", default_value_t = 1,
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    at_least: u64,
    /// Replaces the file when there is one
    #[arg(long)]
    force: bool,
    /// Where the file is to be
    #[arg(value_name = "OUT")]
    out: PathBuf,
}

impl Breached {
    pub(super) fn run(self) -> Result<(), Failure> {
        let Self::Build(build) = self;
        build.run()
    }
}

impl Build {
    fn run(self) -> Result<(), Failure> {
        let list = List::open(&self.from).map_err(Failure::failed)?;
        let is_watched = io::stderr().is_terminal();
        let built = build(list, self.at_least, &self.out, self.force, |done| {
            if is_watched {
                // Nobody is left to be told when this fails.
                let _ = write!(io::stderr(), "\r{done} %");
            }
        });
        if is_watched {
            talk("\r     ");
        }
        let Built { count, bytes } = built.map_err(|error| match error {
            CannotBuild::Exists(_) => Failure::usage(error),
            _ => Failure::failed(error),
        })?;
        talk(format_args!(
            "{} holds {count} passwords in {bytes} bytes, and takes at most one in a million others for one of them.\n\
             Set password.breached_file (DOORWARD_PASSWORD__BREACHED_FILE) to it, and start again.",
            self.out.display()
        ));
        Ok(())
    }
}
