//! Files of breached passwords against sets of the same, whole and damaged.

use std::collections::HashSet;
use std::fs;
use std::io::Cursor;

use proptest::prelude::*;

use super::build::{Built, CannotBuild, build};
use super::list::{List, Listed, Unusable};
use super::*;
use crate::secret;

/// A folder of a test's own, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!(
            "doorward-breached-{:032x}",
            u128::from_le_bytes(secret::bytes())
        );
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).expect("a folder");
        Self(folder)
    }

    fn out(&self) -> PathBuf {
        self.0.join("breached.bin")
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("it is there");
        entries
            .map(|entry| {
                entry
                    .expect("read")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The hash of which `value` is kept, followed by `more`.
fn hash_of(value: u64, more: u8) -> Hash {
    let mut hash = [more; 20];
    let low = u64::from(more) & ((1 << (u64::BITS - KEPT_BITS)) - 1);
    hash[..8].copy_from_slice(&(value << (u64::BITS - KEPT_BITS) | low).to_be_bytes());
    hash
}

fn listed(
    hashes: impl IntoIterator<Item = Hash>,
) -> impl Iterator<Item = Result<Listed, Unusable>> {
    hashes.into_iter().map(|hash| Ok(Listed { hash, seen: 1 }))
}

/// A file of these values, which need not be spread as hashes are.
fn file_of(folder: &Folder, values: &[u64]) -> Breached {
    let mut made = build::InProgress::create(&folder.out()).expect("it can be written");
    for value in values {
        made.push(&hash_of(*value, 7)).expect("it can be written");
    }
    made.finish(&folder.out(), false)
        .expect("it can be written");
    Breached::open(&folder.out()).expect("it is whole")
}

fn passwords(count: u32) -> Vec<Hash> {
    let mut hashes: Vec<Hash> = (0..count)
        .map(|n| hash(format!("password {n}").as_bytes()))
        .collect();
    hashes.sort_unstable();
    hashes
}

/// Sorted values: near together, far apart, or both by turns.
fn values() -> impl Strategy<Value = Vec<u64>> {
    let gap = prop_oneof![
        4 => 1..4_000_000_u64,
        2 => 1..4_u64,
        1 => 1..(1_u64 << KEPT_BITS),
    ];
    (0..1000_u64, prop::collection::vec(gap, 1..6_000)).prop_map(|(first, gaps)| {
        let values = gaps.into_iter().scan(first, |value, gap| {
            let here = *value;
            *value = here.saturating_add(gap);
            Some(here)
        });
        values.take_while(|value| *value < 1 << KEPT_BITS).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_file_holds_what_a_set_holds(values in values(), others in prop::collection::vec(0..1_u64 << KEPT_BITS, 100)) {
        let folder = Folder::new();
        let file = file_of(&folder, &values);
        let set: HashSet<u64> = values.iter().copied().collect();
        prop_assert_eq!(file.count(), set.len() as u64);
        file.check().expect("it is whole");
        let near = values.iter().step_by(7).flat_map(|value| [*value, value + 1, value.saturating_sub(1)]);
        for value in near.chain(others).filter(|value| *value < 1 << KEPT_BITS) {
            let holds = file.holds(&hash_of(value, 200)).expect("it is whole");
            prop_assert_eq!(holds, set.contains(&value), "{}", value);
        }
    }
}

#[test]
fn every_password_of_a_list_is_in_its_file_at_23_bits_where_it_is_a_billion() {
    let folder = Folder::new();
    let hashes = passwords(50_000);
    let built = build(
        listed(hashes.iter().copied()),
        1,
        &folder.out(),
        false,
        |_| (),
    )
    .expect("made");
    assert_eq!(built.count, 50_000);
    let file = Breached::open(&folder.out()).expect("it is whole");
    let mut some = hashes.iter().step_by(23);
    assert!(some.all(|hash| file.holds(hash).expect("it is whole")));
    let others = (0..1_000).filter(|n| {
        file.holds(&hash(format!("another {n}").as_bytes()))
            .expect("it is whole")
    });
    assert_eq!(others.count(), 0);

    // As close together as a billion would be, which is 20,000 times as close.
    let folder = Folder::new();
    let close: Vec<u64> = hashes.iter().map(|hash| value(hash) / 20_000).collect();
    file_of(&folder, &close);
    let bytes = fs::metadata(folder.out()).expect("it is there").len() - BLOCK as u64;
    let bits = bytes * 8 * 100 / 50_000;
    assert!((2_250..2_320).contains(&bits), "{bits} hundredths of a bit");
}

#[test]
fn a_file_that_is_cut_anywhere_does_not_open() {
    let folder = Folder::new();
    file_of(
        &folder,
        &(0..4_000).map(|n| n * 3_000_000).collect::<Vec<_>>(),
    );
    let whole = fs::read(folder.out()).expect("it is there");
    for length in (0..whole.len())
        .step_by(13)
        .chain([whole.len() - 1, BLOCK, BLOCK - 1])
    {
        fs::write(folder.out(), &whole[..length]).expect("written");
        assert!(Breached::open(&folder.out()).is_err(), "cut at {length}");
    }
    fs::write(folder.out(), [&whole[..], b"x"].concat()).expect("written");
    assert!(Breached::open(&folder.out()).is_err(), "longer");
}

/// Whatever byte is changed: it does not open, or it says so where it is read, or it is as right as before.
#[test]
fn a_changed_byte_is_an_error_and_never_a_no() {
    let folder = Folder::new();
    let values: Vec<u64> = (1..2_000).map(|n| n * 3_000_000).collect();
    file_of(&folder, &values);
    let bytes = fs::read(folder.out()).expect("it is there");
    let file = File::options()
        .write(true)
        .open(folder.out())
        .expect("it is there");
    // One of each block.
    let held = [values[2], values[1_990]].map(|value| hash_of(value, 9));
    for (at, byte) in bytes.iter().enumerate() {
        let put = |byte: u8| file.write_all_at(&[byte], at as u64).expect("written");
        put(byte ^ 1 << (at % 8));
        if let Ok(changed) = Breached::open(&folder.out()) {
            let looks = held.map(|hash| changed.holds(&hash));
            assert!(
                !looks.iter().any(|look| matches!(look, Ok(false))),
                "byte {at}"
            );
            assert!(looks.iter().any(Result::is_err), "byte {at}");
            assert!(changed.check().is_err(), "byte {at}");
        }
        put(*byte);
    }
}

#[test]
fn blocks_that_changed_places_are_noticed() {
    let folder = Folder::new();
    file_of(
        &folder,
        &(0..4_000).map(|n| n * 3_000_000).collect::<Vec<_>>(),
    );
    let mut bytes = fs::read(folder.out()).expect("it is there");
    let (first, second) = bytes[BLOCK..].split_at_mut(BLOCK);
    first.swap_with_slice(&mut second[..BLOCK]);
    fs::write(folder.out(), &bytes).expect("written");
    let file = Breached::open(&folder.out()).expect("its ends are whole");
    assert!(file.holds(&hash_of(3_000_000, 0)).is_err());
}

fn built(text: &str, at_least: u64) -> Result<(Built, Folder), CannotBuild> {
    let folder = Folder::new();
    let list = List::of("list".into(), Box::new(Cursor::new(text.to_owned())));
    let built = build(list, at_least, &folder.out(), false, |_| ())?;
    Ok((built, folder))
}

fn refusal(text: &str) -> String {
    let folder = Folder::new();
    let list = List::of("list".into(), Box::new(Cursor::new(text.to_owned())));
    let refused = build(list, 1, &folder.out(), false, |_| ()).expect_err("it is no list");
    assert_eq!(folder.names(), [""; 0], "nothing is left");
    refused.to_string()
}

const PASSWORD: &str = "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8";
const ABOVE: &str = "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD9";

#[test]
fn a_list_may_end_its_lines_either_way_and_the_last_not_at_all() {
    for text in [
        format!("{PASSWORD}:3\n{ABOVE}:1\n"),
        format!("{PASSWORD}:3\r\n{ABOVE}:1\r\n"),
        format!("{}:0003\n{ABOVE}:1", PASSWORD.to_lowercase()),
    ] {
        let (made, folder) = built(&text, 1).expect("it is a list");
        assert_eq!(made.count, 1, "the same is kept of both");
        let file = Breached::open(&folder.out()).expect("it is whole");
        assert!(file.holds(&hash(b"password")).expect("it is whole"));
        assert!(!file.holds(&hash(b"Password")).expect("it is whole"));
    }
}

#[test]
fn what_was_seen_too_rarely_is_left_out() {
    let text = format!("{}:1\n{PASSWORD}:7\n{}:0\n", "1".repeat(40), "A".repeat(40));
    assert_eq!(
        built(&text, 1).expect("a list").0.count,
        2,
        "nobody has seen what was seen 0 times"
    );
    assert_eq!(built(&text, 7).expect("a list").0.count, 1);
    assert!(matches!(built(&text, 8), Err(CannotBuild::Empty)));
    assert!(matches!(built("", 1), Err(CannotBuild::Empty)));
}

#[test]
fn what_is_no_list_is_refused_by_the_line() {
    for bad in [
        "",
        PASSWORD,
        &format!("{PASSWORD}:"),
        &format!("{PASSWORD}: 3"),
        &format!("{PASSWORD}:3 "),
        &format!("{PASSWORD}:-3"),
        &format!("{PASSWORD}:3x"),
        &format!("{PASSWORD}:99999999999999999999"),
        &format!("{PASSWORD};3"),
        &format!(" {PASSWORD}:3"),
        &format!("\u{feff}{PASSWORD}:3"),
        &PASSWORD[1..],
        &format!("{}:3", PASSWORD.replace('5', "G")),
        &"A".repeat(1_000_000),
        "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:3\r\r",
    ] {
        let said = refusal(&format!(
            "{}:1\n{bad}\n{}:1\n",
            "0".repeat(40),
            "F".repeat(40)
        ));
        assert!(
            said.starts_with("list, line 2: this is not a hash"),
            "{bad}: {said}"
        );
    }
    let said = refusal(&format!("{}:1\n", "A".repeat(32)));
    assert!(said.contains("NTLM"), "{said}");
    for second in [PASSWORD, &"0".repeat(40)] {
        let said = refusal(&format!("{PASSWORD}:1\n{second}:1\n"));
        assert!(
            said.starts_with("list, line 2: ") && said.contains("sort"),
            "{said}"
        );
    }
}

fn lines(hashes: &[Hash]) -> String {
    let line = |hash: &Hash| {
        let digits: Vec<String> = hash.iter().map(|byte| format!("{byte:02X}")).collect();
        format!("{}:1\n", digits.concat())
    };
    hashes.iter().map(line).collect()
}

#[test]
fn a_list_of_which_a_part_is_missing_is_refused() {
    let hashes = passwords(20_000);
    assert!(built(&lines(&hashes), 1).is_ok());
    for (missing, from) in [
        (0..100, "00000"),
        (7_000..7_100, "5"),
        (19_900..20_000, "F"),
    ] {
        let mut cut = hashes.clone();
        cut.drain(missing);
        let said = refusal(&lines(&cut));
        assert!(said.contains(&format!("no hash from {from}")), "{said}");
    }
    let said = refusal(&lines(&hashes[..12_000]));
    assert!(said.contains("to FFFFF"), "{said}");
}

#[test]
fn a_folder_of_ranges_is_one_list() {
    let hashes = passwords(3_000);
    let folder = Folder::new();
    let ranges = folder.0.join("ranges");
    fs::create_dir(&ranges).expect("a folder");
    for line in lines(&hashes).lines() {
        let (range, rest) = line.split_at(5);
        // As a server ends lines: the last of a range not at all.
        let path = ranges.join(format!("{range}.txt"));
        let before = fs::read_to_string(&path).map_or_else(|_| String::new(), |text| text + "\r\n");
        fs::write(path, before + rest).expect("written");
    }
    fs::write(ranges.join("README"), "not a range").expect("written");
    let made = build(
        List::open(&ranges).expect("ranges"),
        1,
        &folder.out(),
        false,
        |_| (),
    );
    assert_eq!(made.expect("a list").count, 3_000);
    let file = Breached::open(&folder.out()).expect("it is whole");
    assert!(
        hashes
            .iter()
            .all(|hash| file.holds(hash).expect("it is whole"))
    );

    fs::write(ranges.join("FFFFF"), "0123:1\n").expect("written");
    let said = build(
        List::open(&ranges).expect("ranges"),
        1,
        &folder.out(),
        true,
        |_| (),
    )
    .expect_err("cut");
    assert!(
        said.to_string()
            .contains("FFFFF, line 1: this is not the last 35 digits"),
        "{said}"
    );
    assert!(matches!(List::open(&folder.0), Err(Unusable::NoRanges(_))));
    assert!(matches!(
        List::open(&folder.0.join("nowhere")),
        Err(Unusable::Io(..))
    ));
}

#[test]
fn one_that_is_there_is_replaced_only_when_that_is_asked_for_and_only_by_a_whole_one() {
    let folder = Folder::new();
    let one = || listed([hash(b"one")]);
    build(one(), 1, &folder.out(), false, |_| ()).expect("made");
    let before = fs::read(folder.out()).expect("it is there");
    assert!(matches!(
        build(one(), 1, &folder.out(), false, |_| ()),
        Err(CannotBuild::Exists(_))
    ));
    let broken = one().chain([Err(Unusable::NoRanges("x".into()))]);
    assert!(matches!(
        build(broken, 1, &folder.out(), true, |_| ()),
        Err(CannotBuild::List(_))
    ));
    assert_eq!(fs::read(folder.out()).expect("it is there"), before);
    build(listed([hash(b"two")]), 1, &folder.out(), true, |_| ()).expect("made");
    assert_ne!(fs::read(folder.out()).expect("it is there"), before);
    assert_eq!(folder.names(), ["breached.bin"]);

    fs::write(folder.0.join("breached.bin.new"), "half").expect("written");
    let said = build(one(), 1, &folder.out(), true, |_| ())
        .expect_err("another is writing")
        .to_string();
    assert!(said.contains("breached.bin.new is there"), "{said}");
    assert_eq!(folder.names().len(), 2, "what another writes is left alone");
}

#[test]
fn other_files_are_told_from_damaged_ones() {
    let folder = Folder::new();
    for text in [
        String::new(),
        "DWBREACX".to_owned(),
        format!("{PASSWORD}:3\n").repeat(1_000),
    ] {
        fs::write(folder.out(), text).expect("written");
        assert!(matches!(
            Breached::open(&folder.out()),
            Err(Unreadable::Foreign(_))
        ));
    }
    let mut later = header(0, &[]);
    later[11] = 2;
    fs::write(folder.out(), later).expect("written");
    assert!(matches!(
        Breached::open(&folder.out()),
        Err(Unreadable::Version(_, 2))
    ));
}
