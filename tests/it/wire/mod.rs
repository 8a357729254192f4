//! Bytes as no library sends them, to a real listener with the whole service behind it. Tests named `H<n>_..` are the cases
//! of one catalogue of bad HTTP; each goes to every route of the table, so that a new route is tested when it is declared.
#![expect(
    non_snake_case,
    reason = "the ids of the catalogue are written with a capital"
)]

mod crowd;
mod floods;
pub mod frames;
mod framing;
mod heads;
pub mod line;
pub mod listening;
mod methods;
mod oracle;
mod paths;
mod pipelines;
pub mod probes;
mod proxies;
mod renegotiation;
mod request_ids;
mod slow;
mod streams;
mod tls;
