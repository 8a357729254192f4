//! Bad input, sent to every route of the table: a test for each case of the catalogue, named by its id, and one oracle
//! for all of them. A route that is added to the table gets every case without a word here.
#![expect(
    non_snake_case,
    reason = "a case is named by its id in the catalogue of bad inputs"
)]

mod bodies;
mod door;
mod emails;
mod forms;
mod media;
mod oracle;
mod passwords;
mod random;
mod shape;
mod size;
mod text;
mod trial;
mod wire;
